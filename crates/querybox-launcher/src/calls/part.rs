//! One part of what a query answers: the few facts that Core acts on, and the message itself, untouched.

use std::time::Duration;

use querybox_contracts::plugin::v1 as pb;

/// A part that keeps to the contract.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// What it says.
    pub fact: Fact,
    /// The message as the driver sent it. Nobody between the driver and the reader of the result looks inside a batch.
    pub wire: pb::ExecuteResponse,
}

/// What a part says to Core.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// A statement's result begins.
    Header {
        /// The statement's number, from 0.
        statement: u32,
        /// Whether rows may follow.
        returns_rows: bool,
        /// Columns of each row.
        columns: usize,
    },
    /// Rows.
    Batch {
        /// How many, at least one.
        rows: u32,
        /// Size of the Arrow message.
        bytes: u64,
    },
    /// The database said something.
    Notice,
    /// The statement came further.
    Progress,
    /// More is known of the columns.
    ColumnFacts,
    /// The statement of this number asks for data.
    CopyIn {
        /// Its number.
        statement: u32,
    },
    /// The statement is done.
    Summary(Summary),
    /// The database refused the statement.
    Rejection(Rejection),
}

/// The end of a statement that was done.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The statement's number.
    pub statement: u32,
    /// Rows that were sent, as counted here.
    pub rows: u64,
    /// Rows that it inserted, changed or deleted. None: the database does not say.
    pub affected_rows: Option<u64>,
    /// What was done in the server's words.
    pub command_tag: String,
    /// The transaction's state afterwards.
    pub transaction: TransactionState,
    /// From sending the statement to its end.
    pub elapsed: Duration,
    /// What stopped the rows before their end.
    pub stopped_by: Option<StoppedBy>,
}

/// A limit that stopped a statement's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoppedBy {
    /// [`ExecuteOrder::rows_max`](crate::ExecuteOrder::rows_max).
    RowsMax,
    /// [`ExecuteOrder::bytes_max`](crate::ExecuteOrder::bytes_max).
    BytesMax,
}

/// The state of a session's transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionState {
    /// The database has none, or does not say.
    Unknown,
    /// None is open.
    Idle,
    /// One is open.
    Open,
    /// One is open and can only be rolled back.
    Failed,
}

/// What the database refused, in its own words: data of the database, not made printable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The statement's number. 0 when opening was refused.
    pub statement: u32,
    /// The SQLSTATE. Empty: none.
    pub sqlstate: String,
    /// The database's own code. Empty: none.
    pub vendor_code: String,
    /// The severity in the server's word.
    pub severity: String,
    /// The text.
    pub message: String,
    /// More about it. Empty: none.
    pub detail: String,
    /// What to do about it. Empty: none.
    pub hint: String,
    /// The byte of the script at which the fault was found.
    pub position_byte: Option<u32>,
    /// Where the server was. Empty: none.
    pub context: String,
    /// The transaction's state afterwards.
    pub transaction: TransactionState,
    /// The script ended inside a transaction, which was rolled back.
    pub rolled_back_at_end: bool,
}

impl From<pb::Rejection> for Rejection {
    fn from(rejection: pb::Rejection) -> Self {
        Self {
            transaction: rejection.transaction_state().into(),
            statement: rejection.statement,
            sqlstate: rejection.sqlstate,
            vendor_code: rejection.vendor_code,
            severity: rejection.severity,
            message: rejection.message,
            detail: rejection.detail,
            hint: rejection.hint,
            position_byte: rejection.position_byte,
            context: rejection.context,
            rolled_back_at_end: rejection.rolled_back_at_end,
        }
    }
}

impl From<pb::TransactionState> for TransactionState {
    fn from(state: pb::TransactionState) -> Self {
        match state {
            pb::TransactionState::Unspecified => Self::Unknown,
            pb::TransactionState::Idle => Self::Idle,
            pb::TransactionState::Open => Self::Open,
            pb::TransactionState::Failed => Self::Failed,
        }
    }
}

impl From<&pb::Summary> for Summary {
    fn from(summary: &pb::Summary) -> Self {
        Self {
            statement: summary.statement,
            rows: summary.rows,
            affected_rows: summary.affected_rows,
            command_tag: summary.command_tag.clone(),
            transaction: summary.transaction_state().into(),
            elapsed: span(summary.elapsed),
            stopped_by: match summary.stopped_by() {
                pb::StoppedBy::Unspecified => None,
                pb::StoppedBy::RowsMax => Some(StoppedBy::RowsMax),
                pb::StoppedBy::BytesMax => Some(StoppedBy::BytesMax),
            },
        }
    }
}

/// A span that a driver measured. One that is absent or negative is none.
pub(crate) fn span(duration: Option<impl TryInto<Duration>>) -> Duration {
    duration.and_then(|duration| duration.try_into().ok()).unwrap_or_default()
}
