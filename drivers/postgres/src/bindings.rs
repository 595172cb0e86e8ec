//! Values for the parameters of a statement.

use std::{borrow::Cow, fmt};

use querybox_plugin::{Error, Reason, pb};
use querybox_sql::{Dialect, Rewritten, rewrite_named};

/// A statement as it is sent, with values for `$1`, `$2` and so on, none left out. They travel as text, which the server
/// converts to the types that it found for the parameters.
pub(crate) struct Bound<'a> {
    sql: Cow<'a, str>,
    values: Vec<Option<String>>,
    /// Where in the script's statement a byte of `sql` stands; none when they are the same.
    rewritten: Option<Rewritten>,
}

impl fmt::Debug for Bound<'_> {
    /// Without the text and the values, which are the user's data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound").field("values", &self.values.len()).finish_non_exhaustive()
    }
}

impl<'a> Bound<'a> {
    /// A statement without values.
    pub(crate) fn plain(sql: &'a str) -> Self {
        Self { sql: Cow::Borrowed(sql), values: Vec::new(), rewritten: None }
    }

    /// A statement with values that are named as its parameters are: by number for `$1`, by name for `:name`.
    ///
    /// # Errors
    ///
    /// A value that is missing, spare or malformed.
    pub(crate) fn new(sql: &'a str, bindings: &[pb::Binding], dialect: &Dialect) -> Result<Self, Error> {
        if bindings.is_empty() {
            return Ok(Self::plain(sql));
        }
        let rewritten = rewrite_named(sql, dialect);
        let numbered = bindings.iter().map(|binding| {
            let name = &binding.name;
            let named = rewritten.names.iter().find(|parameter| parameter.name == *name);
            let number = match named {
                Some(parameter) => usize::try_from(parameter.number).ok(),
                None => name.parse().ok().filter(|_| name.bytes().all(|byte| byte.is_ascii_digit())),
            };
            let number = number.filter(|&number| number > 0);
            Ok((number.ok_or_else(|| invalid(format!("the statement has no parameter {name:?}")))?, binding))
        });
        let values = in_order(bindings.len(), numbered)?;
        if let Some(parameter) = rewritten
            .names
            .iter()
            .find(|parameter| usize::try_from(parameter.number).is_ok_and(|number| number > values.len()))
        {
            return Err(invalid(format!("parameter {:?} has no value", parameter.name)));
        }
        Ok(Self { sql: Cow::Owned(rewritten.sql.clone()), values, rewritten: Some(rewritten) })
    }

    /// The text for the server.
    pub(crate) fn sql(&self) -> &str {
        &self.sql
    }

    /// The byte of the script's statement that a byte of [`sql`](Self::sql) stands for.
    pub(crate) fn original_offset(&self, offset: usize) -> usize {
        self.rewritten.as_ref().map_or(offset, |rewritten| rewritten.original_offset(offset))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Whether they are as many as the statement has parameters.
    pub(crate) fn check(&self, parameters: usize) -> Result<(), Error> {
        let values = self.values.len();
        match values.cmp(&parameters) {
            std::cmp::Ordering::Less => Err(invalid(format!("parameter ${} has no value", values + 1))),
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(invalid(format!(
                "the statement has {parameters} parameters, and {values} values are given"
            ))),
        }
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = Option<&str>> {
        self.values.iter().map(Option::as_deref)
    }
}

/// Values in the order of their numbers, which are 1 to `count`, each once.
fn in_order<'b>(
    count: usize,
    numbered: impl Iterator<Item = Result<(usize, &'b pb::Binding), Error>>,
) -> Result<Vec<Option<String>>, Error> {
    let mut places: Vec<Option<&pb::Binding>> = vec![None; count];
    for binding in numbered {
        let (number, binding) = binding?;
        // As many values as there are numbers: one that is too high means that another is missing.
        let Some(place) = places.get_mut(number - 1) else {
            return Err(invalid(format!(
                "parameter {:?} has a value, and one before it has none",
                binding.name
            )));
        };
        if place.replace(binding).is_some() {
            return Err(invalid(format!("parameter {:?} has two values", binding.name)));
        }
    }
    places.into_iter().flatten().map(value).collect()
}

fn value(binding: &pb::Binding) -> Result<Option<String>, Error> {
    match &binding.text {
        Some(text) if text.contains('\0') => {
            Err(invalid(format!("the value of parameter {:?} has a zero byte in it", binding.name)))
        }
        text => Ok(text.clone()),
    }
}

pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::new(Reason::BindingInvalid, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(name: &str, text: &str) -> pb::Binding {
        pb::Binding { name: name.into(), text: Some(text.into()) }
    }

    fn bound<'a>(sql: &'a str, bindings: &[pb::Binding]) -> Result<Bound<'a>, Error> {
        Bound::new(sql, bindings, &Dialect::postgres())
    }

    #[test]
    fn values_are_put_in_the_order_of_their_numbers() {
        let null = pb::Binding { name: "3".into(), text: None };
        let bound = bound("select $1, $2, $3", &[binding("2", "b"), null, binding("1", "a")]).unwrap();
        assert_eq!(bound.values().collect::<Vec<_>>(), [Some("a"), Some("b"), None]);
        assert!(bound.check(3).is_ok());
        assert_eq!(bound.check(4).unwrap_err().to_string(), "parameter $4 has no value");
        assert!(bound.check(2).is_err());
    }

    #[test]
    fn names_become_numbers_and_positions_lead_back() {
        let sql = "select :größe + :b + :größe, x";
        let bound = bound(sql, &[binding("b", "2"), binding("größe", "1")]).unwrap();
        assert_eq!(bound.sql(), "select $1 + $2 + $1, x");
        assert_eq!(bound.values().collect::<Vec<_>>(), [Some("1"), Some("2")]);
        assert_eq!(bound.original_offset(21), sql.len() - 1);
    }

    #[test]
    fn values_that_fit_no_parameter_are_refused() {
        for (sql, wrong) in [
            ("select $1", vec![binding("0", "")]),
            ("select $1", vec![binding("+1", "")]),
            ("select $1", vec![binding("2", "")]),
            ("select $1", vec![binding("1", ""), binding("1", "")]),
            ("select $1", vec![binding("1", "a\0b")]),
            ("select $1", vec![binding("x", "")]),
            ("select :x, :y", vec![binding("x", "")]),
            ("select ':x'", vec![binding("x", "")]),
        ] {
            assert_eq!(bound(sql, &wrong).unwrap_err().reason(), Reason::BindingInvalid, "{sql}");
        }
    }
}
