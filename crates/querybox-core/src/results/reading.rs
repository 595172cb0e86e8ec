//! Reading kept rows: windows of them, and single cells, on threads that may wait for the disk.

use std::ops::Range;

use querybox_results::{CellPart, ReadError, Rows, Window, WindowQuery};
use querybox_store::Owner;

use super::error::ResultError;
use crate::{Core, ShuttingDown, session::SessionId};

/// Rows of a result: those of a statement, or of a view of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub statement: u32,
    /// 0: the statement's own rows.
    pub view: u32,
}

/// In place of a view's number.
pub(super) const NO_VIEW: u32 = 0;

/// Which rows are wanted.
#[derive(Debug, Clone)]
pub struct RowsAsk {
    pub place: Place,
    /// The first row, from 0.
    pub first: u64,
    /// Rows at most.
    pub count: u32,
    /// From 0. Empty: all.
    pub columns: Vec<u32>,
    /// Bytes of a cell's text at most.
    pub cell_bytes: usize,
}

/// Some rows.
#[derive(Debug)]
pub struct RowsRead {
    pub window: Window,
    pub column_count: usize,
    /// Rows that are there in all.
    pub rows_so_far: u64,
    /// More may come.
    pub is_growing: bool,
}

/// Which part of a cell is wanted.
#[derive(Debug, Clone)]
pub struct CellAsk {
    pub place: Place,
    pub row: u64,
    pub column: u32,
    /// In bytes of its text.
    pub range: Range<u64>,
}

/// Rows that were asked for.
pub(super) struct Found {
    pub(super) rows: Rows,
    pub(super) is_growing: bool,
}

/// A window ends after the row that makes its text as long.
const WINDOW_BYTES_MAX: usize = 4 << 20;
/// Cells of a window: each costs its reader some bytes beside its text.
const WINDOW_CELLS_MAX: usize = 200_000;

impl Core {
    /// Some rows, as text.
    ///
    /// # Errors
    ///
    /// See [`ResultError`].
    pub async fn read_rows(
        &self,
        owner: &Owner,
        id: SessionId,
        ask: RowsAsk,
    ) -> Result<RowsRead, ResultError> {
        let Found { rows, is_growing } = self.shelf.find(owner, id)?.rows(ask.place)?;
        self.reading(move || read_rows(&rows, &ask, is_growing)).await
    }

    /// A part of a cell's text.
    ///
    /// # Errors
    ///
    /// See [`ResultError`].
    pub async fn read_cell(
        &self,
        owner: &Owner,
        id: SessionId,
        ask: CellAsk,
    ) -> Result<CellPart, ResultError> {
        let rows = self.shelf.find(owner, id)?.rows(ask.place)?.rows;
        self.reading(move || {
            let CellAsk { row, column, range, .. } = ask;
            let part = rows.cell(row, column as usize, range).map_err(|error| unreadable(error, column))?;
            part.ok_or_else(|| ResultError::NoRow { row, rows: rows.row_count() })
        })
        .await
    }

    /// Reads on a thread that may wait.
    async fn reading<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> Result<T, ResultError> + Send + 'static,
    ) -> Result<T, ResultError> {
        // It panics at no input; a thread that is gone goes with its runtime.
        self.tracker.spawn_blocking(read).await.map_err(|_| ShuttingDown)?
    }
}

fn read_rows(rows: &Rows, ask: &RowsAsk, is_growing: bool) -> Result<RowsRead, ResultError> {
    let rows_so_far = rows.row_count();
    if ask.first > rows_so_far {
        return Err(ResultError::NoRow { row: ask.first, rows: rows_so_far });
    }
    let columns: Vec<usize> = match &ask.columns[..] {
        [] => (0..rows.columns().len()).collect(),
        columns => columns.iter().map(|column| *column as usize).collect(),
    };
    if let Some(column) = columns.iter().find(|column| **column >= rows.columns().len()) {
        // It came as such a number.
        let column = u32::try_from(*column).unwrap_or(u32::MAX);
        return Err(ResultError::NoColumn { column, columns: rows.columns().len() });
    }
    let count_max = u32::try_from((WINDOW_CELLS_MAX / columns.len().max(1)).max(1)).unwrap_or(u32::MAX);
    let query = WindowQuery {
        first: ask.first,
        count: ask.count.min(count_max),
        columns: &columns,
        cell_bytes: ask.cell_bytes,
        window_bytes: WINDOW_BYTES_MAX,
    };
    let window = rows.window(&query).map_err(|error| unreadable(error, 0))?;
    Ok(RowsRead { window, column_count: columns.len(), rows_so_far, is_growing })
}

fn unreadable(error: ReadError, column: u32) -> ResultError {
    match error {
        ReadError::NoSuchColumn { columns, .. } => ResultError::NoColumn { column, columns },
        error @ (ReadError::Spool(_) | ReadError::Rows { .. }) => ResultError::Unreadable(error),
    }
}
