//! Some rows as text.

use std::collections::HashMap;

use crate::{Batch, Display, State};

/// Which rows and columns are wanted, and how much of them.
#[derive(Clone, Copy, Debug)]
pub struct WindowQuery<'q> {
    /// The first row, from 0.
    pub first: u64,
    /// Rows at most.
    pub count: u32,
    /// Columns, from 0, in the order in which they are wanted.
    pub columns: &'q [usize],
    /// Bytes of a cell's text at most; what is longer is [`State::Cut`].
    pub cell_bytes: usize,
    /// The window ends after the row that makes its text as long. A row that would make it twice as long is cut there.
    pub window_bytes: usize,
}

/// Rows of a kept result, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    first: u64,
    row_count: u32,
    column_count: usize,
    /// Where each column that is wanted stands for the first time among them.
    first_of: Vec<usize>,
    text: String,
    cells: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// Where its text ends, and the next one's begins.
    end: usize,
    text_bytes: u64,
    state: State,
    display: Option<Display>,
}

/// One cell of a [`Window`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowCell<'w> {
    /// Its text, or the first part of it.
    pub text: &'w str,
    /// How long all of its text is that is kept. When that is longer than `text`, [`Rows::cell`](crate::Rows::cell) has it.
    pub text_bytes: u64,
    /// What it is. [`State::Cut`] both when the driver sent no more of it and when only the window shows no more.
    pub state: State,
    /// Its kind, when it is not its column's.
    pub display: Option<&'w Display>,
}

impl Window {
    pub(crate) fn new(query: &WindowQuery<'_>) -> Window {
        Window {
            first: query.first,
            row_count: 0,
            column_count: query.columns.len(),
            first_of: first_of(query.columns),
            text: String::new(),
            cells: Vec::new(),
        }
    }

    /// The first row, from 0.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Rows in the window.
    pub fn row_count(&self) -> u32 {
        self.row_count
    }

    /// A cell, by the row and the column in this window.
    ///
    /// # Panics
    ///
    /// When it lies outside of the window, as an index into a slice does.
    pub fn cell(&self, row: u32, column: usize) -> WindowCell<'_> {
        assert!(column < self.column_count, "column {column} of a window of {}", self.column_count);
        let index = row as usize * self.column_count + column;
        let start = index.checked_sub(1).map_or(0, |before| self.cells[before].end);
        let entry = &self.cells[index];
        WindowCell {
            text: &self.text[start..entry.end],
            text_bytes: entry.text_bytes,
            state: entry.state,
            display: entry.display.as_ref(),
        }
    }

    pub(crate) fn is_full(&self, query: &WindowQuery<'_>) -> bool {
        self.row_count > 0 && self.text.len() >= query.window_bytes
    }

    pub(crate) fn push_row(&mut self, query: &WindowQuery<'_>, batch: &Batch, row: usize) {
        let row_start = self.cells.len();
        for (index, column) in query.columns.iter().enumerate() {
            let cell = batch.cell(row, *column);
            let start = self.text.len();
            let room = (2 * query.window_bytes).saturating_sub(start).min(query.cell_bytes);
            let text_bytes = match self.cells.get(row_start + self.first_of[index]) {
                None => cell.write_part(0..room as u64, &mut self.text).1,
                // A list is rendered whole for any part of it, and a column may be wanted tens of thousands of times.
                Some(first) => {
                    let text_bytes = first.text_bytes;
                    self.repeat(row_start + self.first_of[index], room);
                    text_bytes
                }
            };
            let is_whole = (self.text.len() - start) as u64 == text_bytes;
            let state = match cell.state() {
                State::Value if !is_whole => {
                    State::Cut { full_size: cell.value_bytes().unwrap_or(text_bytes) }
                }
                state => state,
            };
            let own = (*cell.display() != batch.columns()[*column].display).then(|| cell.display().clone());
            self.cells.push(Entry { end: self.text.len(), text_bytes, state, display: own });
        }
        self.row_count += 1;
    }

    /// Appends the text of a cell again, as far as there is room.
    fn repeat(&mut self, index: usize, room: usize) {
        let start = index.checked_sub(1).map_or(0, |before| self.cells[before].end);
        let end = self.text.floor_char_boundary(self.cells[index].end.min(start + room));
        self.text.extend_from_within(start..end.max(start));
    }
}

fn first_of(columns: &[usize]) -> Vec<usize> {
    let mut first = HashMap::with_capacity(columns.len());
    columns.iter().enumerate().map(|(index, column)| *first.entry(*column).or_insert(index)).collect()
}
