//! Results as a table for eyes: columns padded and aligned, NULL visible, nothing that a terminal would obey.
//!
//! Rows are laid out a page at a time, so that memory does not depend on their number. Column widths come from the first
//! page and only ever grow. On a terminal a cell is cut, with `…`, when its column has no room to grow; elsewhere no cell is
//! ever cut. A result that has too many columns for the terminal is shown a row at a time, one line a column.

mod page;
mod records;
#[cfg(test)]
mod tests;
mod widths;

use std::io;

use querybox_results::{Batch, Column, State};
use unicode_width::UnicodeWidthStr;

use crate::{sanitize, screen::Paint};

use page::{Page, PageCell};
use widths::Widths;

/// Rows that are laid out together.
const PAGE_ROWS: usize = 500;
/// A page with more text than this is laid out at once: memory stays flat when cells are huge.
const PAGE_BYTES: usize = 1024 * 1024;
/// What stands between two columns.
const SEPARATOR: &str = " │ ";

/// Writes one result as a table.
pub(crate) struct Table<W> {
    out: W,
    heads: Vec<Head>,
    layout: Layout,
    page: Page,
    /// Columns of the terminal. `None`: everything has room.
    room: Option<usize>,
    paint: Paint,
    counts: Counts,
}

/// What a table has written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Rows.
    pub rows: u64,
    /// Cells that the driver had cut, because they were too long to be sent.
    pub cells_cut: u64,
    /// Cells that were cut here, because the terminal is too narrow.
    pub cells_narrowed: u64,
}

/// The head of a column.
struct Head {
    name: String,
    align_right: bool,
}

/// How rows are arranged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrangement {
    /// Side by side where the terminal has the room.
    Fitting,
    /// One line a column.
    Records,
}

enum Layout {
    /// No row has been seen.
    Undecided,
    Grid(Widths),
    /// One line a column, with the names' width.
    Records(usize),
}

impl Layout {
    fn records(heads: &[Head]) -> Layout {
        Layout::Records(heads.iter().map(|head| head.name.width()).max().unwrap_or(0))
    }
}

impl<W: io::Write> Table<W> {
    pub(crate) fn begin(
        columns: &[Column],
        out: W,
        room: Option<usize>,
        paint: Paint,
        arrangement: Arrangement,
    ) -> Table<W> {
        let heads: Vec<_> = columns
            .iter()
            .map(|column| Head {
                name: sanitize::line(&column.name).into_owned(),
                align_right: column.display.is_number(),
            })
            .collect();
        let layout = match arrangement {
            Arrangement::Fitting => Layout::Undecided,
            Arrangement::Records => Layout::records(&heads),
        };
        Table {
            out,
            heads,
            layout,
            page: Page::new(null_width(paint)),
            room,
            paint,
            counts: Counts::default(),
        }
    }

    /// Takes the rows of a batch, and writes the pages that are full.
    pub(crate) fn batch(&mut self, batch: &Batch) -> io::Result<()> {
        for row in 0..batch.row_count() {
            // No more of a cell is ever shown in a grid than the terminal has room for.
            let cell_room = match self.layout {
                Layout::Grid(_) => self.room,
                Layout::Undecided | Layout::Records(_) => None,
            };
            for column in 0..self.heads.len() {
                let cell = batch.cell(row, column);
                self.counts.cells_cut += u64::from(matches!(cell.state(), State::Cut { .. }));
                self.page.push(&cell, cell_room);
            }
            self.page.end_row();
            if self.page.rows() >= PAGE_ROWS || self.page.bytes() >= PAGE_BYTES {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Takes a row, each cell as its text and what it is.
    pub(crate) fn row<'c>(&mut self, cells: impl Iterator<Item = (&'c str, State)>) -> io::Result<()> {
        for (text, state) in cells {
            self.counts.cells_cut += u64::from(matches!(state, State::Cut { .. }));
            self.page.push_text(text, state, None);
        }
        self.page.end_row();
        if self.page.rows() >= PAGE_ROWS || self.page.bytes() >= PAGE_BYTES { self.flush() } else { Ok(()) }
    }

    /// Whether rows wait to be laid out.
    pub(crate) fn is_waiting(&self) -> bool {
        self.page.rows() > 0
    }

    /// Writes the rows that wait.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.is_waiting() {
            self.write_page()?;
        }
        self.out.flush()
    }

    /// Ends the table. One without rows still shows its columns.
    pub(crate) fn end(mut self) -> io::Result<(W, Counts)> {
        if self.is_waiting() || matches!(self.layout, Layout::Undecided) {
            self.write_page()?;
        }
        self.out.flush()?;
        Ok((self.out, self.counts))
    }

    fn write_page(&mut self) -> io::Result<()> {
        let mut text = String::with_capacity(self.page.bytes() * 2);
        if !self.heads.is_empty() {
            match &mut self.layout {
                Layout::Grid(widths) => widths.grow(&self.page.widths(self.heads.len())),
                Layout::Records(_) => {}
                Layout::Undecided => {
                    self.layout = self.decide();
                    if let Layout::Grid(widths) = &self.layout {
                        self.push_head(&mut text, widths.as_slice());
                    }
                }
            }
        }
        let mut narrowed = 0;
        match &self.layout {
            Layout::Grid(widths) => {
                for row in self.page.iter(self.heads.len()) {
                    narrowed += self.push_row(&mut text, widths.as_slice(), row);
                }
            }
            Layout::Records(names_width) => {
                let first = self.counts.rows + 1;
                for (number, row) in (first..).zip(self.page.iter(self.heads.len())) {
                    records::push(&mut text, number, &self.heads, *names_width, row, self.paint);
                }
            }
            // A result of no columns has nothing to show.
            Layout::Undecided => {}
        }
        self.counts.cells_narrowed += narrowed;
        self.counts.rows += self.page.rows() as u64;
        self.page.clear();
        self.out.write_all(text.as_bytes())
    }

    fn decide(&self) -> Layout {
        let mut natural = self.page.widths(self.heads.len());
        for (width, head) in natural.iter_mut().zip(&self.heads) {
            *width = head.name.width().max(*width).max(1);
        }
        match Widths::fit(&natural, self.room) {
            Some(widths) => Layout::Grid(widths),
            None => Layout::records(&self.heads),
        }
    }

    fn push_head(&self, text: &mut String, widths: &[usize]) {
        for (index, (head, width)) in self.heads.iter().zip(widths).enumerate() {
            text.push_str(if index == 0 { " " } else { SEPARATOR });
            let (name, name_width) = if head.name.width() > *width && self.room.is_some() {
                let kept = sanitize::prefix_of_width(&head.name, width.saturating_sub(1));
                (format!("{kept}…"), kept.width() + 1)
            } else {
                (head.name.clone(), head.name.width())
            };
            let pad = width.saturating_sub(name_width);
            let is_last = index + 1 == self.heads.len();
            push_padded(text, &self.paint.bold(&name), pad, head.align_right, is_last);
        }
        text.push('\n');
        for (index, width) in widths.iter().enumerate() {
            if index > 0 {
                text.push('┼');
            }
            // A space stands left of each column, and right of each but the last.
            let around = if index + 1 == widths.len() { 1 } else { 2 };
            text.extend(std::iter::repeat_n('─', width + around));
        }
        text.push('\n');
    }

    /// Appends a row and tells how many of its cells were cut for want of room.
    fn push_row<'p>(
        &self,
        text: &mut String,
        widths: &[usize],
        row: impl Iterator<Item = (&'p str, PageCell)>,
    ) -> u64 {
        let mut narrowed = 0;
        for (index, ((shown, cell), width)) in row.zip(widths).enumerate() {
            text.push_str(if index == 0 { " " } else { SEPARATOR });
            let align_right = self.heads[index].align_right;
            let is_last = index + 1 == widths.len();
            let pad = width.saturating_sub(cell.width);
            if cell.is_null {
                push_padded(text, &null(self.paint), pad, align_right, is_last);
            } else if self.room.is_some() && cell.width > *width {
                let kept = sanitize::prefix_of_width(shown, width.saturating_sub(1));
                let pad = width.saturating_sub(kept.width() + 1);
                push_padded(text, &format!("{kept}…"), pad, align_right, is_last);
                narrowed += 1;
            } else {
                push_padded(text, shown, pad, align_right, is_last);
            }
        }
        text.push('\n');
        narrowed
    }
}

/// What stands for NULL. With colors it is dim, which no value is; without them it is a sign that values rarely are.
fn null(paint: Paint) -> String {
    if paint.is_on() { paint.dim("NULL") } else { "∅".to_owned() }
}

/// The columns that [`null`] takes.
fn null_width(paint: Paint) -> usize {
    if paint.is_on() { 4 } else { 1 }
}

fn push_padded(text: &mut String, shown: &str, pad: usize, align_right: bool, is_last: bool) {
    let padding = std::iter::repeat_n(' ', pad);
    if align_right {
        text.extend(padding);
        text.push_str(shown);
    } else {
        text.push_str(shown);
        // No line ends with spaces of ours.
        if !is_last {
            text.extend(padding);
        } else if shown.is_empty() {
            text.pop();
        }
    }
}
