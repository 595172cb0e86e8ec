//! A batch of rows, and the cells that its arrays cannot hold.

use std::sync::Arc;

use arrow_array::RecordBatch;
use bytes::Bytes;

use crate::{Cell, Column, Display, Error, State, values::Values};

/// A cell that its column's Arrow type cannot hold. A null slot without a note is NULL.
#[derive(Clone, Debug)]
pub struct CellNote {
    /// The row in its batch, from 0.
    pub row: u32,
    /// The column, from 0.
    pub column: u32,
    /// What the cell is.
    pub note: Note,
    /// The kind of this cell when it is not its column's.
    pub display: Option<Display>,
    /// The value's size in bytes when an [`Note::ExactText`] or [`Note::Undecodable`] is only its first part.
    pub full_size: Option<u64>,
}

/// What a noted cell is.
#[derive(Clone, Debug)]
pub enum Note {
    /// The value as the server prints it. The array's slot is null.
    ExactText(String),
    /// Text that is not valid in the database's encoding. The array's slot is null.
    Undecodable(Bytes),
    /// The array holds the first part of a value of so many bytes.
    CutAtSize(u64),
}

impl Note {
    /// Bytes that it holds.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Note::ExactText(text) => text.len() as u64,
            Note::Undecodable(bytes) => bytes.len() as u64,
            Note::CutAtSize(_) => 0,
        }
    }
}

/// A batch of rows whose every cell can be shown.
#[derive(Debug)]
pub struct Batch {
    columns: Arc<[Column]>,
    arrays: RecordBatch,
    contents: Vec<Contents>,
    row_count: usize,
    /// Bytes of a row in the columns whose values are all as long and have no notes.
    even_bytes: usize,
    /// The other columns.
    uneven: Vec<usize>,
}

/// What one column of a batch holds.
#[derive(Debug)]
struct Contents {
    values: Values,
    /// By row, at most one a row.
    notes: Vec<CellNote>,
}

impl Batch {
    pub(crate) fn new(
        columns: Arc<[Column]>,
        arrays: &RecordBatch,
        row_count: u32,
        notes: Vec<CellNote>,
    ) -> Result<Self, Error> {
        let contents = columns.iter().zip(arrays.columns()).map(|(column, array)| {
            let values = Values::new(array, &column.display)?;
            Ok(Contents { values, notes: Vec::new() })
        });
        let contents = contents.collect::<Result<_, Error>>()?;
        let arrays = arrays.clone();
        let row_count = row_count as usize;
        let mut batch = Batch { columns, arrays, contents, row_count, even_bytes: 0, uneven: Vec::new() };
        for note in notes {
            batch.place(note)?;
        }
        for (column, contents) in (0_u32..).zip(&mut batch.contents) {
            contents.notes.sort_by_key(|note| note.row);
            if let Some(pair) = contents.notes.windows(2).find(|pair| pair[0].row == pair[1].row) {
                return Err(Error::Note { row: pair[0].row, column, why: "the cell has two" });
            }
            match contents.values.slot_bytes() {
                Some(bytes) if contents.notes.is_empty() => batch.even_bytes += bytes,
                Some(_) | None => batch.uneven.push(column as usize),
            }
        }
        Ok(batch)
    }

    /// The number of rows.
    pub fn row_count(&self) -> usize {
        self.row_count
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The cell at a row of this batch and a column, both from 0.
    ///
    /// # Panics
    ///
    /// When the row or the column lies outside of the batch, as an index into a slice does.
    pub fn cell(&self, row: usize, column: usize) -> Cell<'_> {
        assert!(row < self.row_count, "row {row} of a batch of {}", self.row_count);
        let contents = &self.contents[column];
        let display = &self.columns[column].display;
        let Some(CellNote { note, display: own, full_size, .. }) = contents.note(row) else {
            return Cell::of_slot(&contents.values, row, display);
        };
        let display = own.as_ref().unwrap_or(display);
        let (cell, full_size) = match note {
            Note::ExactText(text) => (Cell::of_text(text, display), *full_size),
            Note::Undecodable(bytes) => (Cell::of_undecodable(bytes, display), *full_size),
            Note::CutAtSize(full_size) => (Cell::of_slot(&contents.values, row, display), Some(*full_size)),
        };
        match full_size {
            Some(full_size) => cell.with_state(State::Cut { full_size }),
            None => cell,
        }
    }

    /// The columns' arrays, without what the notes say.
    pub(crate) fn arrays(&self) -> &RecordBatch {
        &self.arrays
    }

    /// About so many bytes are a row: its values as they lie in the arrays, and what its notes hold.
    pub(crate) fn row_bytes(&self, row: usize) -> usize {
        let of_column = |column: &usize| {
            let contents = &self.contents[*column];
            let of_note = contents.note(row).map_or(0, |note| note.note.bytes() as usize);
            contents.values.bytes_of(row..row + 1) + of_note
        };
        self.even_bytes + self.uneven.iter().map(of_column).sum::<usize>()
    }

    /// The notes of a row.
    pub(crate) fn notes_of(&self, row: usize) -> impl Iterator<Item = &CellNote> {
        // What has notes is uneven.
        self.uneven.iter().filter_map(move |column| self.contents[*column].note(row))
    }

    /// All notes.
    pub(crate) fn notes(&self) -> impl Iterator<Item = &CellNote> {
        self.contents.iter().flat_map(|contents| &contents.notes)
    }

    /// The cells that have a note, by column.
    pub(crate) fn noted_cells(&self) -> impl Iterator<Item = Cell<'_>> {
        (0..self.contents.len()).flat_map(|column| self.noted_cells_of(column))
    }

    /// The cells of a column that have a note.
    pub(crate) fn noted_cells_of(&self, column: usize) -> impl Iterator<Item = Cell<'_>> {
        self.noted_rows_of(column).map(|(_, cell)| cell)
    }

    /// The same, each with its row.
    pub(crate) fn noted_rows_of(&self, column: usize) -> impl Iterator<Item = (usize, Cell<'_>)> {
        let rows = self.contents[column].notes.iter().map(|note| note.row as usize);
        rows.map(move |row| (row, self.cell(row, column)))
    }

    /// What the array of a column holds, without what the notes say.
    pub(crate) fn values_of(&self, column: usize) -> &Values {
        &self.contents[column].values
    }

    fn place(&mut self, note: CellNote) -> Result<(), Error> {
        let refuse = |why| Err(Error::Note { row: note.row, column: note.column, why });
        let Some(contents) = self.contents.get_mut(note.column as usize) else {
            return refuse("there is no such column");
        };
        let row = note.row as usize;
        if row >= self.row_count {
            return refuse("there is no such row");
        }
        match note.note {
            Note::ExactText(_) | Note::Undecodable(_) if !contents.values.is_null(row) => {
                return refuse("the array has a value there");
            }
            Note::CutAtSize(_) if contents.values.is_null(row) => {
                return refuse("the array has no value there to be cut");
            }
            Note::CutAtSize(_) if !contents.values.can_be_cut() => {
                return refuse("only text and bytes can be cut");
            }
            Note::ExactText(_) | Note::Undecodable(_) | Note::CutAtSize(_) => contents.notes.push(note),
        }
        Ok(())
    }
}

impl Contents {
    fn note(&self, row: usize) -> Option<&CellNote> {
        // Nearly every column has none.
        if self.notes.is_empty() {
            return None;
        }
        let at = self.notes.binary_search_by_key(&row, |note| note.row as usize).ok()?;
        Some(&self.notes[at])
    }
}
