//! The history: what ran, how it ended, how much came of it, and what it was, in bytes that the store does not read.

pub(crate) mod rows;

use std::{fmt, str::FromStr, time::Duration};

use jiff::Timestamp;
use uuid::Uuid;

use crate::{ConnectionId, ConnectionName, DriverType, Owner, Written};

/// One run of a query or a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub id: Uuid,
    /// Whose it is. It does not exist for others.
    pub owner: Owner,
    /// The session that it ran in. A leased one has many.
    pub session: Uuid,
    /// `None` for an unsaved connection. May since have been deleted.
    pub connection: Option<ConnectionId>,
    /// What the connection was called then.
    pub connection_name: Option<ConnectionName>,
    pub driver_type: DriverType,
    /// Kept in whole microseconds.
    pub started: Timestamp,
    /// How long all that was run is. What is kept of it may be less.
    pub text_bytes: u64,
    pub end: RunEnd,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnd {
    pub outcome: Outcome,
    /// Why it did not come to a good end, in the database's code or a word. Empty: it did.
    pub error_code: String,
    pub duration: Duration,
    /// Rows and bytes of all results together.
    pub rows: u64,
    pub bytes: u64,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// The database refused a statement.
    Rejected,
    /// The machinery failed: driver, network, disk.
    Failed,
    /// A deadline or another limit was reached.
    Limited,
    Canceled,
    /// It has not ended, as far as was written down: it runs, or its program died under it.
    Unfinished,
}

/// What was run, as it is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunText {
    pub written: Written,
    /// The key of texts that it is sealed with. It is not kept when the store has another one by then.
    pub text_key: Option<Uuid>,
}

/// How much is kept of all owners together. What is older makes room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunLimits {
    pub runs_max: u32,
    pub texts_bytes_max: u64,
    pub age_max: Duration,
}

/// How much of a connection's runs the history has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HistoryLevel {
    /// Nothing.
    Off,
    /// That they ran and how they ended.
    Facts,
    /// What was run, too.
    Texts,
}

/// Which runs are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFilter {
    pub owner: Owner,
    pub connection: Option<ConnectionId>,
    /// None: whatever they came to.
    pub outcomes: Vec<Outcome>,
    /// Those that began then or later.
    pub since: Option<Timestamp>,
    /// Those that began earlier.
    pub before: Option<Timestamp>,
}

/// Which runs are to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunChoice {
    Ids(Vec<Uuid>),
    /// Those that began earlier.
    Before(Timestamp),
    Of(ConnectionId),
    All,
}

/// A place in a list of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunCursor {
    started_us: i64,
    number: i64,
}

/// The text is no place in a list of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no place in a list")]
pub struct RunCursorError;

impl fmt::Display for RunCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.started_us, self.number)
    }
}

impl FromStr for RunCursor {
    type Err = RunCursorError;

    fn from_str(text: &str) -> Result<RunCursor, RunCursorError> {
        let parsed = text.split_once('.').and_then(|(started, number)| {
            Some(RunCursor { started_us: started.parse().ok()?, number: number.parse().ok()? })
        });
        parsed.ok_or(RunCursorError)
    }
}

/// A run whose text is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRun {
    /// By which they are told in order.
    pub number: i64,
    pub owner: Owner,
    pub id: Uuid,
    pub blob: Vec<u8>,
}

/// A run in a list, with what is kept of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRun {
    pub run: Run,
    pub text: Option<Written>,
    /// Where the list goes on behind it.
    pub cursor: RunCursor,
}
