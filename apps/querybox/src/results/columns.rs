//! Columns, as they are named on the command line.

use querybox_contracts::plugin::v1 as plugin;

use crate::failure::Failure;

/// A column by its name, or by its number from 1. Answers its place, from 0.
pub(super) fn find(columns: &[plugin::Column], named: &str) -> Result<u32, Failure> {
    let mut found = columns.iter().enumerate().filter(|(_, column)| column.name == named);
    let place = match (found.next(), found.next()) {
        (Some((place, _)), None) => Some(place),
        (Some(_), Some(_)) => {
            return Err(Failure::usage(format!("several columns are named {named}"))
                .with_hint("say which one by its number, from 1"));
        }
        // A number that is a name is a name.
        (None, _) => named.parse::<usize>().ok().and_then(|number| number.checked_sub(1)),
    };
    let place = place.filter(|place| *place < columns.len());
    let place = place.ok_or_else(|| Failure::usage(format!("the result has no column {named}")))?;
    u32::try_from(place).map_err(|_| Failure::usage(format!("the result has no column {named}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_known_by_its_name_or_its_number() {
        let column = |name: &str| plugin::Column { name: name.to_owned(), ..plugin::Column::default() };
        let columns = [column("id"), column("a"), column("a"), column("1")];
        let found = |named: &str| find(&columns, named).ok();
        assert_eq!((found("id"), found("2"), found("3"), found("1")), (Some(0), Some(1), Some(2), Some(3)));
        for unknown in ["a", "0", "5", "", "b"] {
            assert_eq!(found(unknown), None, "{unknown}");
        }
    }
}
