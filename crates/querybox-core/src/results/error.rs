//! Why a result cannot be had.

use std::{sync::Arc, time::Duration};

use querybox_results::{ExportError, ReadError, ViewError};

use crate::{
    ShuttingDown,
    session::{SessionError, SessionIdError},
};

/// Why a script was not run whose answer was to be kept.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("{max} results are kept, and no more may be; drop one")]
    Full { max: usize },
    /// In a session of its own, whose id it is too, a used id is an error of the session.
    #[error("the result id was used before")]
    Used,
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// Why something of a kept result cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ResultError {
    /// None of this owner's.
    #[error("there is no such result")]
    NotFound,
    #[error("the result is gone: {0}")]
    Dropped(DropCause),
    /// Not begun yet, or not one of those that are kept.
    #[error("the result has no statement {0}")]
    NoStatement(u32),
    #[error("the statement returns no rows")]
    NoRows,
    #[error("there is no column {column}; there are {columns}")]
    NoColumn { column: u32, columns: usize },
    /// Not yet, while rows arrive.
    #[error("there is no row {row}; there are {rows}")]
    NoRow { row: u64, rows: u64 },
    #[error("the statement has no view {0}")]
    NoView(u32),
    /// It is being made, or could not be made.
    #[error("view {0} cannot be read yet")]
    ViewNotReady(u32),
    #[error("the result has {max} views, and may have no more; drop one")]
    ViewsFull { max: usize },
    #[error("{max} views and statistics are being made or wait for it, and no more may; try again")]
    WorkFull { max: usize },
    #[error("{max} exports run, and no more may; try again")]
    ExportsFull { max: usize },
    /// A view or statistics.
    #[error(transparent)]
    View(Arc<ViewError>),
    #[error(transparent)]
    Export(Arc<ExportError>),
    /// Of an export.
    #[error("the reader took nothing for {0:?}")]
    ReaderIdle(Duration),
    #[error("what was kept cannot be read")]
    Unreadable(#[source] ReadError),
    /// Something panicked.
    #[error("a mistake of QueryBox's own ended it; what is kept is as it was")]
    Lost,
    #[error(transparent)]
    ShuttingDown(#[from] ShuttingDown),
}

/// Why a result is kept no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DropCause {
    #[error("it was dropped")]
    Dropped,
    #[error("it was not used for long")]
    Idle,
    #[error("QueryBox is shutting down")]
    ShuttingDown,
}

impl From<SessionIdError> for RunError {
    fn from(error: SessionIdError) -> Self {
        Self::Session(error.into())
    }
}
