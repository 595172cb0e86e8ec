//! The rows of one statement or view, read at any place.

use std::{ops::Range, sync::Arc};

use crate::{
    Batch, Column, Error, Shape, State,
    cache::Placed,
    kept::window::{Window, WindowQuery},
    spool::{RawBatch, Spool, SpoolError},
};

/// Kept rows with their shape: windows and cells of them, as text, also while rows still arrive.
#[derive(Clone, Debug)]
pub struct Rows {
    shape: Shape,
    spool: Arc<Spool>,
    /// Rows from this one on are none of these.
    end: u64,
}

/// Why rows cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// What was kept cannot be had back.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The driver sent something that cannot be shown.
    #[error("rows {} to {} cannot be shown", .rows.start + 1, .rows.end)]
    Rows {
        /// The rows of its batch, from 0.
        rows: Range<u64>,
        /// What is wrong.
        source: Error,
    },
    /// A column was asked for that the result does not have.
    #[error("the result has no column {column}; it has {columns}")]
    NoSuchColumn {
        /// The column that was asked for, from 0.
        column: usize,
        /// How many there are.
        columns: usize,
    },
}

/// A part of one cell's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellPart {
    /// Where it begins, in bytes of the cell's text.
    pub start: u64,
    /// The part, of whole characters.
    pub text: String,
    /// How long the cell's text is.
    pub text_bytes: u64,
    /// What the cell is. [`State::Cut`] only when the driver sent no more of it.
    pub state: State,
}

impl Rows {
    /// Rows of this shape.
    pub fn new(shape: Shape, spool: Arc<Spool>) -> Rows {
        Rows { shape, spool, end: u64::MAX }
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[Column] {
        self.shape.columns()
    }

    /// What the rows consist of.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Where they lie.
    pub fn spool(&self) -> &Arc<Spool> {
        &self.spool
    }

    /// Rows that are there so far.
    pub fn row_count(&self) -> u64 {
        self.spool.row_count().min(self.end)
    }

    /// Those that are there now, and none that come later.
    #[must_use]
    pub fn so_far(&self) -> Rows {
        Rows { end: self.row_count(), ..self.clone() }
    }

    /// Some rows as text. Fewer than were asked for when there are not more, or their text is long.
    ///
    /// # Errors
    ///
    /// When a column does not exist, or the rows cannot be had back or shown.
    pub fn window(&self, query: &WindowQuery<'_>) -> Result<Window, ReadError> {
        for column in query.columns {
            self.check_column(*column)?;
        }
        let mut window = Window::new(query);
        let end = query.first.saturating_add(u64::from(query.count)).min(self.end);
        let mut row = query.first;
        while row < end {
            let Some(Placed { rows, batch }) = self.batch(row, end)? else { break };
            while row < end.min(rows.end) {
                if window.is_full(query) {
                    return Ok(window);
                }
                window.push_row(query, &batch, (row - rows.start) as usize);
                row += 1;
            }
        }
        Ok(window)
    }

    /// A part of a cell's text, for a cell that is too long for a window. `range` is in bytes of the text; it is moved to
    /// where characters begin, and holds at least one when there is one. Who wants all of it goes on at the part's end.
    /// `None`: there is no such row yet.
    ///
    /// # Errors
    ///
    /// When the column does not exist, or the row cannot be had back or shown.
    pub fn cell(&self, row: u64, column: usize, range: Range<u64>) -> Result<Option<CellPart>, ReadError> {
        self.check_column(column)?;
        if row >= self.end {
            return Ok(None);
        }
        let Some(Placed { rows, batch }) = self.batch(row, row.saturating_add(1))? else { return Ok(None) };
        let cell = batch.cell((row - rows.start) as usize, column);
        let mut text = String::new();
        let (start, text_bytes) = cell.write_part(range, &mut text);
        Ok(Some(CellPart { start, text, text_bytes, state: cell.state() }))
    }

    /// The batch that has a row. Others that lie with it are kept at hand, as far as `end`.
    fn batch(&self, row: u64, end: u64) -> Result<Option<Placed>, ReadError> {
        let cache = self.spool.budget().cache();
        if let Some(found) = cache.get(self.spool.id(), row) {
            return Ok(Some(found));
        }
        let Some(batches) = self.spool.batches(row)? else { return Ok(None) };
        let held_bytes = batches.held_bytes;
        let mut found = None;
        for (rows, raw) in batches.with_rows() {
            if rows.end <= row || rows.start >= end {
                continue;
            }
            let bytes = raw.bytes().max(held_bytes);
            let batch = Arc::new(self.decode(&rows, raw)?);
            let placed = Placed { rows, batch };
            cache.put(self.spool.id(), placed.clone(), bytes);
            if placed.rows.contains(&row) {
                found = Some(placed);
            }
        }
        Ok(found)
    }

    /// Reads the batch that has these rows.
    pub(crate) fn decode(&self, rows: &Range<u64>, raw: RawBatch) -> Result<Batch, ReadError> {
        let RawBatch { metadata, body, row_count, notes } = raw;
        self.shape
            .batch(&metadata, body, row_count, notes)
            .map_err(|source| ReadError::Rows { rows: rows.clone(), source })
    }

    pub(crate) fn check_column(&self, column: usize) -> Result<(), ReadError> {
        let columns = self.columns().len();
        if column < columns { Ok(()) } else { Err(ReadError::NoSuchColumn { column, columns }) }
    }
}
