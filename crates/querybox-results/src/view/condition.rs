//! Which rows are wanted.

use regex::{Regex, RegexBuilder};

use crate::{
    Batch, Column, Display, ReadError, State,
    view::{
        ViewError,
        key::{self, Case},
    },
};

/// A condition on a row.
#[derive(Clone, Debug)]
pub enum Condition {
    /// Each of these holds. Of none: always.
    All(Vec<Condition>),
    /// One of these holds. Of none: never.
    Any(Vec<Condition>),
    /// This does not hold.
    Not(Box<Condition>),
    /// A cell passes a test.
    Cell {
        /// The column, from 0.
        column: usize,
        /// The test.
        test: Test,
    },
}

/// A test on a cell. NULL passes [`Test::IsNull`] and no other. Of a cell that is cut, the part that is there is tested.
#[derive(Clone, Debug)]
pub enum Test {
    /// The cell is NULL.
    IsNull,
    /// The cell's value compares so with a value, written as the column shows it. Numbers are compared by value
    /// (`1.0` is `1`), dates and times as points in time, text by its code points, and arrays by their text.
    Compares {
        /// How.
        comparison: Comparison,
        /// With what.
        value: String,
        /// Of text.
        case: Case,
    },
    /// The cell's text contains another.
    Contains {
        /// The other.
        text: String,
        /// Whether its case counts.
        case: Case,
    },
    /// A part of the cell's text is what a regular expression describes.
    Matches {
        /// The expression, in the syntax of the crate `regex`, which takes linear time whatever it is.
        pattern: String,
        /// Whether its case counts.
        case: Case,
    },
}

/// How two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// They are equal.
    Equal,
    /// They are not equal.
    NotEqual,
    /// The cell's is less.
    Less,
    /// The cell's is not greater.
    LessOrEqual,
    /// The cell's is greater.
    Greater,
    /// The cell's is not less.
    GreaterOrEqual,
}

impl Condition {
    /// A text is found in one of the columns: a search.
    pub fn search(columns: impl IntoIterator<Item = usize>, text: &str, case: Case) -> Condition {
        let test = Test::Contains { text: text.to_owned(), case };
        let cells = columns.into_iter().map(|column| Condition::Cell { column, test: test.clone() });
        Condition::Any(cells.collect())
    }
}

/// A condition that fits its columns.
pub(crate) enum Compiled {
    All(Vec<Compiled>),
    Any(Vec<Compiled>),
    Not(Box<Compiled>),
    Cell(usize, CompiledTest),
}

pub(crate) enum CompiledTest {
    IsNull,
    Compares { comparison: Comparison, key: Vec<u8>, value: String, case: Case },
    Contains { text: String },
    Matches(Regex),
}

/// What testing a row writes to, to allocate it once.
#[derive(Default)]
pub(crate) struct Scratch {
    text: String,
    key: Vec<u8>,
}

/// A pattern needs no more; one that does is made to fill memory.
const PATTERN_BYTES_MAX: usize = 1 << 20;

impl Compiled {
    pub(crate) fn new(condition: &Condition, columns: &[Column]) -> Result<Compiled, ViewError> {
        let each = |conditions: &[Condition]| {
            conditions.iter().map(|condition| Compiled::new(condition, columns)).collect::<Result<_, _>>()
        };
        Ok(match condition {
            Condition::All(conditions) => Compiled::All(each(conditions)?),
            Condition::Any(conditions) => Compiled::Any(each(conditions)?),
            Condition::Not(condition) => Compiled::Not(Box::new(Compiled::new(condition, columns)?)),
            Condition::Cell { column, test } => {
                let Some(found) = columns.get(*column) else {
                    let refused = ReadError::NoSuchColumn { column: *column, columns: columns.len() };
                    return Err(refused.into());
                };
                Compiled::Cell(*column, CompiledTest::new(test, *column, &found.display)?)
            }
        })
    }

    pub(crate) fn holds(&self, batch: &Batch, row: usize, scratch: &mut Scratch) -> bool {
        match self {
            Compiled::All(conditions) => {
                conditions.iter().all(|condition| condition.holds(batch, row, scratch))
            }
            Compiled::Any(conditions) => {
                conditions.iter().any(|condition| condition.holds(batch, row, scratch))
            }
            Compiled::Not(condition) => !condition.holds(batch, row, scratch),
            Compiled::Cell(column, test) => test.passes(&batch.cell(row, *column), scratch),
        }
    }
}

impl CompiledTest {
    fn new(test: &Test, column: usize, display: &Display) -> Result<CompiledTest, ViewError> {
        Ok(match test {
            Test::IsNull => CompiledTest::IsNull,
            Test::Compares { comparison, value, case } => {
                let mut key = Vec::new();
                key::push_value(display, value, *case, &mut key).ok_or_else(|| ViewError::Value {
                    column,
                    value: value.clone(),
                    display: display.clone(),
                })?;
                let (comparison, value, case) = (*comparison, value.clone(), *case);
                CompiledTest::Compares { comparison, key, value, case }
            }
            Test::Contains { text, case: Case::Counts } => CompiledTest::Contains { text: text.clone() },
            // The regular expression knows which letters are the same.
            Test::Contains { text, case: Case::Ignored } => {
                CompiledTest::Matches(pattern(&regex::escape(text), Case::Ignored)?)
            }
            Test::Matches { pattern: text, case } => CompiledTest::Matches(pattern(text, *case)?),
        })
    }

    fn passes(&self, cell: &crate::Cell<'_>, scratch: &mut Scratch) -> bool {
        if cell.state() == State::Null {
            return matches!(self, CompiledTest::IsNull);
        }
        match self {
            CompiledTest::IsNull => false,
            CompiledTest::Compares { comparison, key, value, case } => {
                scratch.key.clear();
                key::push_cell(cell, *case, &mut scratch.text, &mut scratch.key);
                // A cell of another kind than its column's reads the value in its own way, if it can.
                let mut own = Vec::new();
                let is_read = scratch.key.first() != key.first()
                    && key::push_value(cell.display(), value, *case, &mut own).is_some();
                comparison.holds(scratch.key.cmp(if is_read { &own } else { key }))
            }
            CompiledTest::Contains { text } => cell.text(&mut scratch.text).contains(text.as_str()),
            CompiledTest::Matches(regex) => regex.is_match(cell.text(&mut scratch.text)),
        }
    }
}

impl Comparison {
    fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Comparison::Equal => ordering.is_eq(),
            Comparison::NotEqual => ordering.is_ne(),
            Comparison::Less => ordering.is_lt(),
            Comparison::LessOrEqual => ordering.is_le(),
            Comparison::Greater => ordering.is_gt(),
            Comparison::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

fn pattern(text: &str, case: Case) -> Result<Regex, ViewError> {
    RegexBuilder::new(text)
        .case_insensitive(case == Case::Ignored)
        .size_limit(PATTERN_BYTES_MAX)
        .build()
        .map_err(ViewError::Pattern)
}
