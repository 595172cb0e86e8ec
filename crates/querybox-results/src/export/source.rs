//! What is exported: batches, from wherever they come.

use crate::{Batch, ExportError, Rows, Shape, spool::RawBatch, view::Scan};

/// Rows to be exported, batch by batch: those of a kept result or a view, or of a query that still runs.
pub trait Source {
    /// What the rows consist of.
    fn shape(&self) -> &Shape;

    /// Rows in all. `None`: nobody knows yet.
    fn row_count(&self) -> Option<u64>;

    /// The columns of which a cell lies outside of its column's Arrow type, as far as is known before the first batch.
    /// Formats with types write these columns as text, so that nothing is lost.
    fn inexact_columns(&self) -> Vec<usize>;

    /// The next batch, which may wait for it. `None`: there is none.
    ///
    /// # Errors
    ///
    /// When the rows cannot be had.
    fn next_batch(&mut self) -> Result<Option<RawBatch>, ExportError>;
}

/// The rows that are kept of a result or a view when the export begins.
pub struct KeptSource<'r> {
    rows: &'r Rows,
    scan: Scan<'r>,
    inexact_columns: Vec<usize>,
}

impl<'r> KeptSource<'r> {
    /// The rows that are there now.
    pub fn new(rows: &'r Rows) -> KeptSource<'r> {
        let scan = Scan::new(rows);
        // After the rows are counted, so that no cell among them is missed.
        let inexact_columns = rows.spool().inexact_columns();
        KeptSource { rows, scan, inexact_columns }
    }
}

impl Source for KeptSource<'_> {
    fn shape(&self) -> &Shape {
        self.rows.shape()
    }

    fn row_count(&self) -> Option<u64> {
        Some(self.scan.row_count())
    }

    fn inexact_columns(&self) -> Vec<usize> {
        self.inexact_columns.clone()
    }

    fn next_batch(&mut self) -> Result<Option<RawBatch>, ExportError> {
        Ok(self.scan.next_raw()?)
    }
}

/// The rows that are kept of a statement that runs, also those that still come.
pub struct GrowingSource<'r, W> {
    rows: &'r Rows,
    scan: Scan<'r>,
    inexact_columns: Vec<usize>,
    wait: W,
}

impl<'r, W: FnMut(u64) -> Result<(), ExportError>> GrowingSource<'r, W> {
    /// `wait` is given how many rows were read. It returns when there are more, or all that will ever be: if there are no more
    /// then, that is the end.
    pub fn new(rows: &'r Rows, wait: W) -> GrowingSource<'r, W> {
        let scan = Scan::new(rows);
        let inexact_columns = rows.spool().inexact_columns();
        GrowingSource { rows, scan, inexact_columns, wait }
    }
}

impl<W: FnMut(u64) -> Result<(), ExportError>> Source for GrowingSource<'_, W> {
    fn shape(&self) -> &Shape {
        self.rows.shape()
    }

    fn row_count(&self) -> Option<u64> {
        None
    }

    fn inexact_columns(&self) -> Vec<usize> {
        self.inexact_columns.clone()
    }

    fn next_batch(&mut self) -> Result<Option<RawBatch>, ExportError> {
        if let Some(batch) = self.scan.next_raw()? {
            return Ok(Some(batch));
        }
        (self.wait)(self.scan.row_count())?;
        self.scan.grow();
        Ok(self.scan.next_raw()?)
    }
}

/// A batch, as it came and as it is read.
pub(super) struct Read<'b> {
    pub(super) raw: &'b RawBatch,
    pub(super) batch: &'b Batch,
}
