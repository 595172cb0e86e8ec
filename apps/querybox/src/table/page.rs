//! Rows that wait to be laid out: their sanitized text in one buffer.

use querybox_results::{Cell, State};
use unicode_width::UnicodeWidthStr;

use crate::sanitize;

/// Rows that wait.
pub(crate) struct Page {
    text: String,
    /// Row by row.
    cells: Vec<PageCell>,
    rows: usize,
    /// Columns that NULL takes.
    null_width: usize,
    scratch: String,
}

/// One cell of a page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageCell {
    /// Where its text ends in the page's buffer; it begins where the one before ends.
    end: usize,
    /// Columns that it takes.
    pub width: usize,
    pub is_null: bool,
}

impl Page {
    pub(crate) fn new(null_width: usize) -> Page {
        Page { text: String::new(), cells: Vec::new(), rows: 0, null_width, scratch: String::new() }
    }

    /// Adds the next cell of the row. No more of it is kept than `room` columns and one character.
    pub(crate) fn push(&mut self, cell: &Cell<'_>, room: Option<usize>) {
        let mut scratch = std::mem::take(&mut self.scratch);
        self.push_text(cell.text(&mut scratch), cell.state(), room);
        self.scratch = scratch;
    }

    /// The same for a cell's text.
    pub(crate) fn push_text(&mut self, text: &str, state: State, room: Option<usize>) {
        let start = self.text.len();
        let text = match room {
            // One column more than there is room for, so that the cut shows.
            Some(room) => sanitize::prefix_of_width(text, room + 1),
            None => text,
        };
        let is_plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if is_plain {
            self.text.push_str(text);
        } else {
            sanitize::push_line(&mut self.text, text);
        }
        let mut width = if is_plain { text.len() } else { self.text[start..].width() };
        let mut is_null = false;
        match state {
            State::Null => {
                is_null = true;
                width = self.null_width;
            }
            State::Cut { .. } => {
                self.text.push('…');
                width += 1;
            }
            State::Value | State::Undecodable => {}
        }
        self.cells.push(PageCell { end: self.text.len(), width, is_null });
    }

    pub(crate) fn end_row(&mut self) {
        self.rows += 1;
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn bytes(&self) -> usize {
        self.text.len() + self.cells.len() * size_of::<PageCell>()
    }

    /// The widest cell of each column.
    pub(crate) fn widths(&self, columns: usize) -> Vec<usize> {
        let mut widths = vec![0; columns];
        for row in self.cells.chunks(columns.max(1)) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.width.max(*width);
            }
        }
        widths
    }

    /// The rows, each as its cells with their text.
    pub(crate) fn iter(
        &self,
        columns: usize,
    ) -> impl Iterator<Item = impl Iterator<Item = (&str, PageCell)>> {
        self.cells.chunks(columns.max(1)).enumerate().map(move |(row, cells)| {
            let first = row * columns;
            cells.iter().enumerate().map(move |(index, cell)| {
                let at = first + index;
                let start = if at == 0 { 0 } else { self.cells[at - 1].end };
                (&self.text[start..cell.end], *cell)
            })
        })
    }

    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.cells.clear();
        self.rows = 0;
        // A huge cell gives its memory back.
        self.text.shrink_to(super::PAGE_BYTES);
        self.scratch.shrink_to(super::PAGE_BYTES);
    }
}
