//! Views of kept rows: filtered, sorted, without repetitions. Each is kept rows itself, and the database is not asked again.
//! And what there is to say of a column.

mod condition;
mod filter;
mod gather;
mod key;
pub(crate) mod number;
mod sort;
mod statistics;
pub(crate) mod time;
mod workers;

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

pub use condition::{Comparison, Condition, Test};
pub use filter::filter;
pub use key::Case;
pub use sort::{Direction, Nulls, SortColumn, distinct, sort};
pub use statistics::{Bar, Distinct, Numbers, Statistics, statistics};

use crate::{
    Batch, Display, Error, ReadError, Rows,
    spool::{Limit, RawBatch, SpoolError},
};

/// What a view may use while it is made, and how it is watched and stopped.
pub struct Work<'w> {
    /// Bytes of memory at most, roughly. 256 MiB sort what people keep; a few are enough for any length.
    pub memory_bytes: usize,
    /// Called after each batch.
    pub progress: &'w mut dyn FnMut(Progress),
    /// Looked at before each batch: the work ends soon after it is true.
    pub cancel: &'w AtomicBool,
}

/// How far a view has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Rows that are through. A sort takes each row twice at least.
    pub done: u64,
    /// Rows in all, as far as is known now.
    pub all: u64,
}

/// Why a view was not made.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// It was told to stop.
    #[error("the view was canceled")]
    Canceled,
    /// The rows cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The view is longer than what may be kept.
    #[error("the view is too long to be kept")]
    Limit(#[source] Limit),
    /// The view cannot be written.
    #[error("the view cannot be kept")]
    Spool(#[source] SpoolError),
    /// A condition compares a column with something that is no value of its kind.
    #[error("{value:?} is no value of column {column}, whose kind is {display:?}")]
    Value {
        /// The column, from 0.
        column: usize,
        /// What it was to be compared with.
        value: String,
        /// The column's kind.
        display: Display,
    },
    /// A condition has a pattern that cannot be used.
    #[error("the pattern is not a regular expression that can be used")]
    Pattern(#[source] regex::Error),
    /// A condition has more patterns than may be.
    #[error("a condition has at most {max} different texts and patterns to look for")]
    Patterns {
        /// So many may be.
        max: usize,
    },
    /// Whoever made it panicked.
    #[error("a mistake of QueryBox's own ended the making of the view")]
    Lost,
    /// Arrow refused to put rows together.
    #[error("the rows cannot be put together")]
    Rows(#[source] Error),
}

impl From<SpoolError> for ViewError {
    fn from(error: SpoolError) -> Self {
        match error {
            SpoolError::Limit(limit) => ViewError::Limit(limit),
            error @ (SpoolError::File(_) | SpoolError::Damaged) => ViewError::Spool(error),
        }
    }
}

/// One step of reading rows in order.
pub(crate) struct Scanned {
    pub(crate) rows: Range<u64>,
    pub(crate) batch: Arc<Batch>,
    /// What the batch holds in memory.
    pub(crate) bytes: usize,
}

impl Scanned {
    fn read(of: &Rows, rows: Range<u64>, raw: RawBatch) -> Result<Scanned, ReadError> {
        let bytes = raw.bytes() as usize;
        let batch = Arc::new(of.decode(&rows, raw)?);
        Ok(Scanned { rows, batch, bytes })
    }
}

/// Reads rows in order, batch by batch, and not through the cache, which belongs to those who scroll.
pub(crate) struct Scan<'r> {
    rows: &'r Rows,
    next: u64,
    end: u64,
    ready: std::vec::IntoIter<(Range<u64>, RawBatch)>,
}

impl<'r> Scan<'r> {
    /// The rows that are there now.
    pub(crate) fn new(rows: &'r Rows) -> Scan<'r> {
        Scan { rows, next: 0, end: rows.row_count(), ready: Vec::new().into_iter() }
    }

    pub(crate) fn row_count(&self) -> u64 {
        self.end
    }

    /// The rows that have come since are to be read too.
    pub(crate) fn grow(&mut self) {
        self.end = self.rows.row_count();
    }

    /// The next batch. `None`: there is none.
    pub(crate) fn next(&mut self) -> Result<Option<Scanned>, ReadError> {
        let Some((rows, raw)) = self.next_placed()? else { return Ok(None) };
        Scanned::read(self.rows, rows, raw).map(Some)
    }

    /// The next batch, unread.
    pub(crate) fn next_raw(&mut self) -> Result<Option<RawBatch>, ReadError> {
        Ok(self.next_placed()?.map(|(_, raw)| raw))
    }

    fn next_placed(&mut self) -> Result<Option<(Range<u64>, RawBatch)>, ReadError> {
        if let Some(placed) = self.ready.next() {
            return Ok(Some(placed));
        }
        if self.next >= self.end {
            return Ok(None);
        }
        let Some(batches) = self.rows.spool().batches(self.next)? else { return Ok(None) };
        let (next, end) = (self.next, self.end);
        // The last block may have grown since it was looked at, by whole batches.
        let wanted = batches.with_rows().filter(|(rows, _)| rows.start >= next && rows.end <= end);
        let wanted: Vec<_> = wanted.collect();
        self.next = wanted.last().map_or(end, |(rows, _)| rows.end);
        self.ready = wanted.into_iter();
        Ok(self.ready.next())
    }
}

impl Work<'_> {
    pub(crate) fn check_canceled(&self) -> Result<(), ViewError> {
        if self.cancel.load(Ordering::Relaxed) { Err(ViewError::Canceled) } else { Ok(()) }
    }

    pub(crate) fn tell(&mut self, done: u64, all: u64) {
        (self.progress)(Progress { done, all });
    }
}
