//! A text looked for in a whole column of a batch at once.
//!
//! Texts lie one behind the other in a batch, so one look goes over all of them, and what is found across the border of two is
//! none. Values of other types are written as text, a part of the batch at a time, unless their text can have no such letters.

use memchr::memmem;
use regex::bytes::{Regex, RegexBuilder};

use crate::{
    Batch,
    values::Values,
    view::{
        ViewError,
        condition::{PATTERN_BYTES_MAX, PATTERN_MEMORY_BYTES},
        key::Case,
    },
};

/// A text that is looked for, and not empty.
pub(crate) struct Needle {
    text: String,
    finder: Finder,
}

enum Finder {
    Exact(Box<memmem::Finder<'static>>),
    /// The regular expression knows which letters are the same.
    Folded(Regex),
}

/// What a search writes to, to allocate it once.
#[derive(Default)]
pub(crate) struct Scratch {
    /// Of each row, whether the text was found.
    found: Vec<bool>,
    /// Values as text, one behind the other, and where each ends.
    texts: String,
    ends: Vec<usize>,
}

/// Values are written as text until they are as long, and then looked through: they are still at hand then.
const TEXTS_BYTES: usize = 32 * 1024;

impl Needle {
    pub(super) fn new(text: &str, case: Case) -> Result<Needle, ViewError> {
        let finder = match case {
            Case::Counts => Finder::Exact(Box::new(memmem::Finder::new(text.as_bytes()).into_owned())),
            Case::Ignored => {
                let pattern = regex::escape(text);
                let mut builder = RegexBuilder::new(&pattern);
                builder
                    .case_insensitive(true)
                    .size_limit(PATTERN_BYTES_MAX)
                    .dfa_size_limit(PATTERN_MEMORY_BYTES);
                Finder::Folded(builder.build().map_err(ViewError::Pattern)?)
            }
        };
        Ok(Needle { text: text.to_owned(), finder })
    }

    /// Whether a text contains it.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.find(text.as_bytes(), 0).is_some()
    }

    /// Takes those rows out whose cell in a column does not contain it.
    pub(super) fn narrow(&self, batch: &Batch, column: usize, rows: &mut [bool], scratch: &mut Scratch) {
        let Scratch { found, texts, ends } = scratch;
        found.clear();
        found.resize(rows.len(), false);
        texts.clear();
        for (row, cell) in batch.noted_rows_of(column) {
            // Of one that is cut, the array has the text.
            if rows[row] && !cell.is_in_array() {
                found[row] = self.is_in(cell.text(texts));
            }
        }
        let values = batch.values_of(column);
        let is_open = |row: usize| rows[row] && !values.is_null(row);
        if let Some(lying) = values.lying_texts() {
            let end = |row: usize| lying.end(row);
            self.find_rows(lying.bytes, lying.start(), rows.len(), end, |row| found[row] |= is_open(row));
        } else if self.can_be_in(values) {
            let mut first = 0;
            while first < rows.len() {
                texts.clear();
                ends.clear();
                for row in first..rows.len() {
                    if is_open(row) {
                        values.write_text(row, texts);
                    }
                    ends.push(texts.len());
                    if texts.len() >= TEXTS_BYTES {
                        break;
                    }
                }
                self.find_rows(
                    texts.as_bytes(),
                    0,
                    ends.len(),
                    |row| ends[row],
                    |row| found[first + row] = true,
                );
                first += ends.len();
            }
        }
        rows.copy_from_slice(found);
    }

    /// Whether the text of values of this type can have all its letters.
    fn can_be_in(&self, values: &Values) -> bool {
        let Some(letters) = values.letters() else { return true };
        let is_letter = |byte: u8| match self.finder {
            Finder::Exact(_) => letters.contains(&byte),
            // None of these is the same as a letter beyond ASCII.
            Finder::Folded(_) => letters.iter().any(|letter| letter.eq_ignore_ascii_case(&byte)),
        };
        self.text.bytes().all(is_letter)
    }

    /// Tells of each text that contains it, by its number, of several that lie one behind the other.
    fn find_rows(
        &self,
        texts: &[u8],
        start: usize,
        count: usize,
        end: impl Fn(usize) -> usize,
        mut tell: impl FnMut(usize),
    ) {
        if count == 0 {
            return;
        }
        let texts = &texts[..end(count - 1)];
        let (mut row, mut at) = (0, start);
        while let Some((from, to)) = self.find(texts, at) {
            while end(row) <= from {
                row += 1;
            }
            if to <= end(row) {
                tell(row);
                at = end(row);
            } else {
                at = from + 1;
            }
        }
    }

    fn find(&self, text: &[u8], at: usize) -> Option<(usize, usize)> {
        match &self.finder {
            Finder::Exact(finder) => {
                let from = at + finder.find(&text[at..])?;
                Some((from, from + self.text.len()))
            }
            Finder::Folded(regex) => regex.find_at(text, at).map(|found| (found.start(), found.end())),
        }
    }
}
