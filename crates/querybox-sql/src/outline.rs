//! What an editor shows of a script, and what it runs at the cursor.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use crate::{
    dialect::{Dialect, ParameterStyle},
    lexer::lex,
    parameters::{Marker, Parameter, read_parameters},
    splitter::{Piece, pieces},
    token::{Token, TokenKind},
};

/// A statement of a script, or a command of psql in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlined {
    /// Where it lies, in bytes: as [`Statement::range`](crate::Statement::range). A command reaches to the end of its line.
    pub range: Range<usize>,
    /// Behind the semicolon that ends it. Where none does: as the end of `range`.
    pub end: usize,
    /// What it is.
    pub kind: StatementKind,
}

/// What a statement is by its verb: for its looks. What it really does, only the database knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementKind {
    /// It answers with rows: `SELECT`, `VALUES`, `SHOW`, `EXPLAIN`.
    Query,
    /// It changes rows: `INSERT`, `UPDATE`, `DELETE`, `COPY`.
    Change,
    /// It changes what there is, or who may use it: `CREATE`, `DROP`, `GRANT`.
    Definition,
    /// It begins, divides or ends a transaction.
    Transaction,
    /// A command of psql, which no database takes.
    Command,
    /// Anything else.
    Other,
}

/// Reads what a script is made of, in its order. Unlike [`split`](crate::split) it refuses nothing: a command of psql is one
/// of the pieces, and ends a statement that is open.
pub fn outline<'a>(script: &'a str, dialect: &'a Dialect) -> impl Iterator<Item = Outlined> + 'a {
    pieces(script, 0, dialect).map(|piece| match piece {
        Piece::Statement { range, end } => {
            let kind = kind_of(&script[range.clone()], dialect);
            Outlined { range, end, kind }
        }
        Piece::Command(range) => {
            let end = range.start + script[range.clone()].trim_end().len();
            Outlined { range: range.start..end, end, kind: StatementKind::Command }
        }
    })
}

/// The statement that is meant by who has his cursor at a byte: the one that it stands in, touches, or stands behind in the same
/// line; else the next one; else the last one. Where two touch it, the one that begins there.
///
/// `outlined` are those of the script, in order; no more of them are taken than are needed. With each its number.
pub fn statement_at(
    script: &str,
    cursor: usize,
    outlined: impl IntoIterator<Item = Outlined>,
) -> Option<(usize, Outlined)> {
    let mut before: Option<(usize, Outlined)> = None;
    for (number, one) in outlined.into_iter().enumerate() {
        if one.range.start <= cursor {
            before = Some((number, one));
            continue;
        }
        let is_before = before.as_ref().is_some_and(|(_, before)| {
            cursor <= before.end || !script.as_bytes()[before.end..cursor].contains(&b'\n')
        });
        return if is_before { before } else { Some((number, one)) };
    }
    before
}

/// A value that a statement needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What the value goes by: the parameter's name without its sign, or its number in digits.
    pub name: String,
    /// Where the parameter is written first, in bytes of the statement, with its sign.
    pub range: Range<usize>,
}

/// How many values are told, and how long their names may be. A text of millions of signs is no reason to hold as many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskedLimits {
    /// Values.
    pub count_max: usize,
    /// Bytes of all their names together.
    pub name_bytes_max: usize,
}

/// The first of the values that a statement needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedParameters {
    /// Each once, in the order of their first use.
    pub told: Vec<Asked>,
    /// It needs more.
    pub has_more: bool,
}

/// The values that a statement needs, each once, in the order of their first use, as far as the limits go.
///
/// A bare `?` goes by its number. Where there are such, every parameter has a number, as SQLite counts: a `?` and a new name
/// have the one behind the largest so far.
pub fn asked_parameters(statement: &str, dialect: &Dialect, limits: AskedLimits) -> AskedParameters {
    let counts = dialect.has(ParameterStyle::QuestionMark);
    let mut largest: u32 = 0;
    let mut numbers = HashMap::new();
    let (mut seen, mut names) = (HashSet::new(), HashSet::new());
    let (mut told, mut name_bytes) = (Vec::new(), 0);
    for Parameter { marker, range } in read_parameters(statement, dialect) {
        let key = match &marker {
            Marker::Numbered(number) => Key::Number(*number),
            Marker::Positional => Key::Number(largest.saturating_add(1)),
            Marker::Named(_) if counts => {
                // With its sign: `:a` and `@a` have two numbers, though one value goes to both.
                let text = &statement[range.clone()];
                Key::Number(*numbers.entry(text).or_insert(largest.saturating_add(1)))
            }
            Marker::Named(name) => Key::Name(name.clone()),
        };
        if let Key::Number(number) = key {
            largest = largest.max(number);
        }
        let name = match (&marker, &key) {
            (Marker::Named(name), _) | (_, Key::Name(name)) => name.clone(),
            (Marker::Positional | Marker::Numbered(_), Key::Number(number)) => number.to_string(),
        };
        if seen.contains(&key) || names.contains(&name) {
            // One value may have a number and a name.
            seen.insert(key);
            continue;
        }
        name_bytes += name.len();
        if told.len() >= limits.count_max || name_bytes > limits.name_bytes_max {
            return AskedParameters { told, has_more: true };
        }
        seen.insert(key);
        names.insert(name.clone());
        told.push(Asked { name, range });
    }
    AskedParameters { told, has_more: false }
}

/// What tells one value from another.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Number(u32),
    Name(String),
}

fn kind_of(statement: &str, dialect: &Dialect) -> StatementKind {
    let mut words = lex(statement, dialect).scan(0_usize, |depth, Token { kind, range }| {
        let text = &statement[range];
        match (kind, text) {
            (TokenKind::Operator, "(") => *depth += 1,
            (TokenKind::Operator, ")") => *depth = depth.saturating_sub(1),
            _ => {}
        }
        Some((kind == TokenKind::Word).then_some((*depth, text)))
    });
    let Some((depth, verb)) = words.by_ref().flatten().next() else { return StatementKind::Other };
    match kind_of_verb(verb) {
        // Behind the queries that it names.
        None if verb.eq_ignore_ascii_case("with") => words
            .flatten()
            .filter(|(at, _)| *at == depth)
            .find_map(|(_, word)| {
                kind_of_verb(word).filter(|kind| matches!(kind, StatementKind::Query | StatementKind::Change))
            })
            .unwrap_or(StatementKind::Other),
        kind => kind.unwrap_or(StatementKind::Other),
    }
}

fn kind_of_verb(verb: &str) -> Option<StatementKind> {
    const VERBS: [(StatementKind, &[&str]); 4] = [
        (
            StatementKind::Query,
            &["select", "values", "table", "show", "explain", "describe", "pragma", "fetch"],
        ),
        (StatementKind::Change, &["insert", "update", "delete", "merge", "replace", "truncate", "copy"]),
        (StatementKind::Definition, &["create", "alter", "drop", "comment", "grant", "revoke"]),
        (
            StatementKind::Transaction,
            &["begin", "start", "commit", "rollback", "savepoint", "release", "end", "abort"],
        ),
    ];
    let is_one = |words: &[&str]| words.iter().any(|word| verb.eq_ignore_ascii_case(word));
    VERBS.iter().find(|(_, words)| is_one(words)).map(|(kind, _)| *kind)
}
