//! The statements of a script, each found as the server reads literals when its turn comes.

use std::{ops::Range, vec};

use querybox_sql::{SplitError, Statement, split_from};

use crate::settings::Reported;

/// What is left of a script.
///
/// A statement may change `standard_conforming_strings`, and with it where the literals behind it end. What follows is
/// then found anew: else text inside of a literal could be taken for a statement, and run.
pub(crate) struct Statements<'a> {
    script: &'a str,
    /// Where the last statement ended that was taken.
    taken: usize,
    ahead: vec::IntoIter<Statement>,
    has_standard_strings: bool,
}

impl<'a> Statements<'a> {
    /// # Errors
    ///
    /// The script is not SQL alone.
    pub(crate) fn new(script: &'a str, reported: &Reported) -> Result<Self, SplitError> {
        Self::find(script, 0, reported)
    }

    fn find(script: &'a str, start: usize, reported: &Reported) -> Result<Self, SplitError> {
        let ahead = split_from(script, start, &reported.dialect())?.into_iter();
        Ok(Self { script, taken: start, ahead, has_standard_strings: reported.has_standard_strings() })
    }

    /// Takes the next statement; none when all were taken.
    ///
    /// # Errors
    ///
    /// What is left is not SQL alone, as it is read now.
    pub(crate) fn next(&mut self, reported: &Reported) -> Result<Option<Range<usize>>, SplitError> {
        if self.has_standard_strings != reported.has_standard_strings() {
            *self = Self::find(self.script, self.taken, reported)?;
        }
        let Some(Statement { range }) = self.ahead.next() else { return Ok(None) };
        self.taken = range.end;
        Ok(Some(range))
    }

    /// How many are left, as far as can be told.
    pub(crate) fn left(&self) -> usize {
        self.ahead.len()
    }

    /// The part of the script that is left.
    pub(crate) fn rest(&self) -> Range<usize> {
        self.taken..self.script.len()
    }
}
