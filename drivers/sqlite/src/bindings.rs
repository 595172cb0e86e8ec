//! Values for a statement's parameters.
//!
//! A value travels as text and is bound as TEXT exactly as it was given: a parameter has no type in SQLite. Where it is
//! compared with or put into a typed column, the column's affinity converts it, as it does a literal in quotes.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use querybox_plugin::{Error, Reason, pb};
use rusqlite::Statement;

use crate::lexer::{Kind, Tokens};

/// Gives each parameter of the statement its value.
///
/// # Errors
///
/// [`Reason::BindingInvalid`] for a parameter without a value, a value without a parameter, and a value given twice.
pub(crate) fn bind(statement: &mut Statement<'_>, sql: &str, bindings: &[pb::Binding]) -> Result<(), Error> {
    let mut given = BTreeMap::new();
    for binding in bindings {
        if given.insert(binding.name.as_str(), binding.text.as_deref()).is_some() {
            return Err(invalid(format!("the value for parameter {:?} is given twice", binding.name)));
        }
    }
    let mut taken = HashSet::new();
    for index in parameters(statement, sql) {
        let number = index.to_string();
        // The name without its sign; of ?7 that is the number as it is written.
        let name = statement.parameter_name(index).map(|name| name[1..].to_owned());
        let key = [name.as_deref(), Some(&number)].into_iter().flatten().find(|key| given.contains_key(key));
        let Some((key, value)) = key.and_then(|key| given.get_key_value(key)) else {
            return Err(invalid(format!("parameter {:?} has no value", name.unwrap_or(number))));
        };
        taken.insert(*key);
        statement
            .raw_bind_parameter(index, *value)
            .map_err(|error| invalid(format!("the value for parameter {key:?} cannot be bound: {error}")))?;
    }
    match given.keys().find(|name| !taken.contains(*name)) {
        Some(name) => Err(invalid(format!("the statement has no parameter {name:?}"))),
        None => Ok(()),
    }
}

/// The parameters that the statement really has. SQLite counts from 1 to the largest number: of `?5` alone it says
/// five, and does not tell an unused number from a bare `?`, so bare ones are counted here as SQLite does.
fn parameters(statement: &Statement<'_>, sql: &str) -> BTreeSet<usize> {
    let count = statement.parameter_count();
    let mut used: BTreeSet<_> =
        (1..=count).filter(|index| statement.parameter_name(*index).is_some()).collect();
    if used.len() == count {
        return used;
    }
    let mut largest = 0;
    for token in Tokens::from(sql, 0).filter(|token| token.kind == Kind::Variable) {
        if token.text == "?" {
            largest += 1;
            used.insert(largest);
        } else if let Ok(Some(index)) = statement.parameter_index(token.text) {
            largest = largest.max(index);
        }
    }
    used
}

fn invalid(message: String) -> Error {
    Error::new(Reason::BindingInvalid, message)
}
