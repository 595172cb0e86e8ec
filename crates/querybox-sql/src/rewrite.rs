//! Named parameters for databases that only know numbers.

use std::{collections::HashMap, ops::Range};

use crate::{
    dialect::Dialect,
    parameters::{Marker, Parameter, parameters},
};

/// A text whose named parameters were replaced by numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// The text for the database.
    pub sql: String,
    /// Each name once, in the order of their first use.
    pub names: Vec<NamedParameter>,
    replaced: Vec<Replaced>,
}

/// A name and the number that stands for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedParameter {
    /// The name without the sign before it.
    pub name: String,
    /// The number; it counts on from the highest one that the text already had.
    pub number: u32,
}

/// One parameter in both texts.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Replaced {
    rewritten: Range<usize>,
    original: Range<usize>,
}

impl Rewritten {
    /// The place in the original text of a place in [`Rewritten::sql`], both in bytes. Inside a parameter that was
    /// replaced it is the parameter's start.
    pub fn original_offset(&self, offset: usize) -> usize {
        let after = self.replaced.partition_point(|replaced| replaced.rewritten.start <= offset);
        let Some(last) = after.checked_sub(1).map(|index| &self.replaced[index]) else { return offset };
        match offset.checked_sub(last.rewritten.end) {
            Some(behind) => last.original.end + behind,
            None => last.original.start,
        }
    }
}

/// Replaces each named parameter by `$1` and so on, the same name by the same number; all else stays as it is.
///
/// Numbered parameters keep their numbers: in `select $1, :name` the name becomes `$2`. For databases whose own
/// parameters are [`ParameterStyle::DollarNumber`](crate::ParameterStyle::DollarNumber).
pub fn rewrite_named(sql: &str, dialect: &Dialect) -> Rewritten {
    let found = parameters(sql, dialect);
    let first = highest_number(&found).saturating_add(1);
    let mut rewritten =
        Rewritten { sql: String::with_capacity(sql.len()), names: Vec::new(), replaced: Vec::new() };
    let mut numbers = HashMap::new();
    let mut copied = 0;
    for Parameter { marker, range } in found {
        let Marker::Named(name) = marker else { continue };
        let number = *numbers.entry(name).or_insert_with_key(|name| {
            let count = u32::try_from(rewritten.names.len()).unwrap_or(u32::MAX);
            let number = first.saturating_add(count);
            rewritten.names.push(NamedParameter { name: name.clone(), number });
            number
        });
        rewritten.sql.push_str(&sql[copied..range.start]);
        let start = rewritten.sql.len();
        rewritten.sql.push_str(&format!("${number}"));
        rewritten.replaced.push(Replaced { rewritten: start..rewritten.sql.len(), original: range.clone() });
        copied = range.end;
    }
    rewritten.sql.push_str(&sql[copied..]);
    rewritten
}

fn highest_number(parameters: &[Parameter]) -> u32 {
    let numbers = parameters.iter().map(|parameter| match parameter.marker {
        Marker::Numbered(number) => number,
        Marker::Positional | Marker::Named(_) => 0,
    });
    numbers.max().unwrap_or(0)
}
