//! The parameters of a statement.

use std::ops::Range;

use crate::{dialect::Dialect, lexer::lex, token::TokenKind};

/// A place in a text where a value goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Which value.
    pub marker: Marker,
    /// Where it is written, in bytes, with its sign.
    pub range: Range<usize>,
}

/// What a [`Parameter`] is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Marker {
    /// The next value: `?`.
    Positional,
    /// A value by its number: `$1`, `?1`. The database counts from 1; 0 is left to it to refuse.
    Numbered(u32),
    /// A value by its name, without the sign before it: `:name`. Upper and lower case differ.
    Named(String),
}

/// Finds the parameters of a text in the order in which they are written; one that is used twice is there twice.
///
/// Which signs make a parameter is up to [`Dialect::parameter_styles`]; see [`lex`] for the colon.
pub fn parameters(sql: &str, dialect: &Dialect) -> Vec<Parameter> {
    read_parameters(sql, dialect).collect()
}

/// The same, one at a time.
pub(crate) fn read_parameters<'a>(
    sql: &'a str,
    dialect: &'a Dialect,
) -> impl Iterator<Item = Parameter> + 'a {
    lex(sql, dialect).filter(|token| token.kind == TokenKind::Parameter).map(|token| Parameter {
        marker: marker(&sql[token.range.start + 1..token.range.end]),
        range: token.range,
    })
}

/// What follows the sign.
fn marker(name: &str) -> Marker {
    match name.parse() {
        _ if name.is_empty() => Marker::Positional,
        Ok(number) => Marker::Numbered(number),
        // The lexer makes no parameter of a number that does not fit.
        Err(_) => Marker::Named(name.to_owned()),
    }
}
