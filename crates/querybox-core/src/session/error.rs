//! Why a session could not begin, or did not come to its end.

use std::{io, path::PathBuf, time::Duration};

use querybox_launcher::{CallError, StartError};

use super::{SessionIdError, state::SessionEnd};
use crate::{ConnectionError, CredentialError};

/// Why a session could not begin, or did not come to its end.
///
/// What the database refuses is not here: it is a part of the answer.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error(transparent)]
    Id(#[from] SessionIdError),
    #[error("{max} sessions run, and no more may")]
    Full { max: usize },
    /// No session with this id runs, or did within the last ten minutes.
    #[error("there is no such session")]
    Unknown,
    /// The connection, its driver or its parameters; also that Core shuts down.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// The connection asks for secrets. Holds the name of a field that was not given.
    #[error("the connection asks for {0:?}, and it was not given")]
    SecretMissing(String),
    /// What is stored for the connection cannot be had.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// A file that the connection names: the database's, or one whose content it needs.
    #[error("the file {} cannot be used", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("the request took longer than its deadline of {limit:?}")]
    Deadline { limit: Duration },
    #[error("a request may take {max:?} here, and no longer")]
    DeadlineTooLong { max: Duration },
    /// More time was asked for, and nothing runs that could use it.
    #[error("the session runs nothing that could have more time")]
    NothingRuns,
    /// Its reader held the session and took nothing.
    #[error("the answer was not read for {limit:?}, and was stopped")]
    StreamIdle { limit: Duration },
    /// Somebody cancelled the session, and the database had not answered when it ended.
    #[error("the session was cancelled")]
    Cancelled,
    /// A leased session does not take the request.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    #[error("the driver could not be started")]
    Start(#[from] StartError),
    #[error(transparent)]
    Driver(#[from] CallError),
}

/// Why a leased session does not take a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LeaseError {
    #[error("this front end has leased {max} sessions, and may lease no more")]
    Full { max: usize },
    #[error("the session already runs something")]
    Busy,
    #[error("the session has ended: {0}")]
    Ended(SessionEnd),
}

impl SessionError {
    /// One word for the log, which must not have what a message may hold.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Id(_) => "session id",
            Self::Full { .. } => "sessions full",
            Self::Unknown => "no such session",
            Self::Connection(_) => "connection",
            Self::SecretMissing(_) => "secret missing",
            Self::Credential(_) => "stored secret",
            Self::File { .. } => "file",
            Self::Deadline { .. } => "deadline",
            Self::DeadlineTooLong { .. } => "deadline too long",
            Self::NothingRuns => "nothing runs",
            Self::StreamIdle { .. } => "stream idle",
            Self::Cancelled => "cancelled",
            Self::Lease(LeaseError::Full { .. }) => "leases full",
            Self::Lease(LeaseError::Busy) => "session busy",
            Self::Lease(LeaseError::Ended(_)) => "session ended",
            Self::Start(_) => "driver did not start",
            Self::Driver(CallError::Ended(_)) => "driver ended",
            Self::Driver(CallError::Driver { .. }) => "driver failed",
            Self::Driver(CallError::Broken(_)) => "driver broke its contract",
        }
    }
}
