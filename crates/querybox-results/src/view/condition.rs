//! Which rows are wanted.

mod search;

use std::{cmp::Ordering, collections::BTreeSet, sync::Arc};

use regex::{Regex, RegexBuilder};

use crate::{
    Batch, Column, Display, ReadError, State,
    view::{
        ViewError,
        condition::search::Needle,
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
    /// A cell of one of these columns passes a test.
    AnyCell {
        /// The columns, from 0.
        columns: Vec<usize>,
        /// The test.
        test: Test,
    },
}

/// A test on a cell. NULL passes [`Test::IsNull`] and no other. Of a cell that is cut, the part that is there is tested, and what
/// this is equal to, the cell is greater than.
#[derive(Clone, Debug, PartialEq, Eq)]
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
        let columns: BTreeSet<usize> = columns.into_iter().collect();
        let test = Test::Contains { text: text.to_owned(), case };
        Condition::AnyCell { columns: columns.into_iter().collect(), test }
    }
}

/// A condition that fits its columns.
pub(crate) enum Compiled {
    All(Vec<Compiled>),
    Any(Vec<Compiled>),
    Not(Box<Compiled>),
    Cell(usize, Arc<CompiledTest>),
}

pub(crate) enum CompiledTest {
    IsNull,
    IsNotNull,
    Compares { comparison: Comparison, key: Vec<u8>, value: String, case: Case },
    Contains(Needle),
    Matches(Regex),
}

/// What testing rows writes to, to allocate it once.
#[derive(Default)]
pub(crate) struct Scratch {
    text: String,
    key: Vec<u8>,
    search: search::Scratch,
}

/// A pattern needs no more; one that does is made to fill memory.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// What looking for a pattern may remember, on each thread.
const PATTERN_MEMORY_BYTES: usize = 512 << 10;
/// Different patterns of one condition.
const PATTERNS_MAX: usize = 32;

/// Fits conditions to columns. Tests that are the same are one.
struct Compiler<'c> {
    columns: &'c [Column],
    /// Tests for texts and patterns, which take some memory.
    known: Vec<(&'c Test, Arc<CompiledTest>)>,
}

impl<'c> Compiler<'c> {
    fn condition(&mut self, condition: &'c Condition) -> Result<Compiled, ViewError> {
        Ok(match condition {
            Condition::All(conditions) => Compiled::All(self.each(conditions)?),
            Condition::Any(conditions) => Compiled::Any(self.each(conditions)?),
            Condition::Not(condition) => Compiled::Not(Box::new(self.condition(condition)?)),
            Condition::Cell { column, test } => self.cell(*column, test)?,
            Condition::AnyCell { columns, test } => {
                let cells = columns.iter().map(|column| self.cell(*column, test));
                Compiled::Any(cells.collect::<Result<_, _>>()?)
            }
        })
    }

    fn each(&mut self, conditions: &'c [Condition]) -> Result<Vec<Compiled>, ViewError> {
        conditions.iter().map(|condition| self.condition(condition)).collect()
    }

    fn cell(&mut self, column: usize, test: &'c Test) -> Result<Compiled, ViewError> {
        let Some(found) = self.columns.get(column) else {
            let refused = ReadError::NoSuchColumn { column, columns: self.columns.len() };
            return Err(refused.into());
        };
        if let Some((_, known)) = self.known.iter().find(|(known, _)| *known == test) {
            return Ok(Compiled::Cell(column, Arc::clone(known)));
        }
        let compiled = Arc::new(CompiledTest::new(test, column, &found.display)?);
        if let Test::Contains { .. } | Test::Matches { .. } = test {
            if self.known.len() >= PATTERNS_MAX {
                return Err(ViewError::Patterns { max: PATTERNS_MAX });
            }
            self.known.push((test, Arc::clone(&compiled)));
        }
        Ok(Compiled::Cell(column, compiled))
    }
}

impl Compiled {
    pub(crate) fn new(condition: &Condition, columns: &[Column]) -> Result<Compiled, ViewError> {
        Compiler { columns, known: Vec::new() }.condition(condition)
    }

    /// The rows of a batch that meet the condition.
    pub(crate) fn rows(&self, batch: &Batch, scratch: &mut Scratch) -> Vec<u32> {
        let mut rows = vec![true; batch.row_count()];
        self.narrow(batch, &mut rows, scratch);
        (0..).zip(rows).filter_map(|(row, holds)| holds.then_some(row)).collect()
    }

    /// Takes those rows out that do not meet the condition: column by column, because that is how they lie.
    fn narrow(&self, batch: &Batch, rows: &mut [bool], scratch: &mut Scratch) {
        match self {
            Compiled::All(conditions) => {
                conditions.iter().for_each(|condition| condition.narrow(batch, rows, scratch));
            }
            Compiled::Any(conditions) => {
                let mut open = rows.to_vec();
                rows.fill(false);
                let mut held = Vec::new();
                for condition in conditions {
                    held.clone_from(&open);
                    condition.narrow(batch, &mut held, scratch);
                    for ((row, open), held) in rows.iter_mut().zip(&mut open).zip(&held) {
                        *row |= held;
                        *open &= !held;
                    }
                }
            }
            Compiled::Not(condition) => {
                let mut held = rows.to_vec();
                condition.narrow(batch, &mut held, scratch);
                rows.iter_mut().zip(held).for_each(|(row, held)| *row &= !held);
            }
            Compiled::Cell(column, test) => match &**test {
                CompiledTest::Contains(needle) => {
                    needle.narrow(batch, *column, rows, &mut scratch.search);
                }
                test => {
                    for (row, holds) in rows.iter_mut().enumerate().filter(|(_, holds)| **holds) {
                        *holds = test.passes(&batch.cell(row, *column), scratch);
                    }
                }
            },
        }
    }
}

impl CompiledTest {
    fn new(test: &Test, column: usize, display: &Display) -> Result<CompiledTest, ViewError> {
        Ok(match test {
            Test::IsNull => CompiledTest::IsNull,
            Test::Compares { comparison, value, case } => {
                let mut key = Vec::new();
                // Bytes may stand in any column of a database without types.
                let kinds = [Some(display), value.starts_with("\\x").then_some(&Display::BytesHex)];
                let reads = |kind: &Display| {
                    key.clear();
                    key::push_value(kind, value, *case, &mut key).is_some()
                };
                if !kinds.into_iter().flatten().any(reads) {
                    let (value, display) = (value.clone(), display.clone());
                    return Err(ViewError::Value { column, value, display });
                }
                let (comparison, value, case) = (*comparison, value.clone(), *case);
                CompiledTest::Compares { comparison, key, value, case }
            }
            // It is in every text.
            Test::Contains { text, .. } if text.is_empty() => CompiledTest::IsNotNull,
            Test::Contains { text, case } => CompiledTest::Contains(Needle::new(text, *case)?),
            Test::Matches { pattern: text, case } => CompiledTest::Matches(pattern(text, *case)?),
        })
    }

    fn passes(&self, cell: &crate::Cell<'_>, scratch: &mut Scratch) -> bool {
        if cell.state() == State::Null {
            return matches!(self, CompiledTest::IsNull);
        }
        match self {
            CompiledTest::IsNull => false,
            CompiledTest::IsNotNull => true,
            CompiledTest::Compares { comparison, key, value, case } => {
                scratch.key.clear();
                key::push_cell(cell, *case, &mut scratch.text, &mut scratch.key);
                // A cell of another kind than its column's reads the value in its own way, if it can.
                let mut own = Vec::new();
                let is_read = scratch.key.first() != key.first()
                    && key::push_value(cell.display(), value, *case, &mut own).is_some();
                let ordering = scratch.key.cmp(if is_read { &own } else { key });
                let is_cut = matches!(cell.state(), State::Cut { .. });
                comparison.holds(if is_cut { ordering.then(Ordering::Greater) } else { ordering })
            }
            CompiledTest::Contains(needle) => needle.is_in(cell.text(&mut scratch.text)),
            CompiledTest::Matches(regex) => regex.is_match(cell.text(&mut scratch.text)),
        }
    }
}

impl Comparison {
    fn holds(self, ordering: Ordering) -> bool {
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
        .dfa_size_limit(PATTERN_MEMORY_BYTES)
        .build()
        .map_err(ViewError::Pattern)
}
