//! How a kept result stands, as it is told.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use querybox_launcher::{Part, Rejection, TransactionState};
use querybox_results::StatementState;
use querybox_store::ConnectionId;

use super::view::ViewFacts;
use crate::session::{Opened, SessionId};

/// How a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunState {
    Running,
    /// Every statement was done.
    Done,
    /// The database refused something.
    Rejected,
    Cancelled,
    /// No more is kept, and no more was run.
    Limited,
    Failed(Arc<RunFailure>),
}

/// A failure of the machinery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFailure {
    /// The contract's word.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
}

/// What a result is, without its statements.
#[derive(Debug, Clone)]
pub struct ResultSummary {
    pub id: SessionId,
    /// The session that it runs or ran in.
    pub session: SessionId,
    /// `None`: it is not saved.
    pub connection: Option<ConnectionId>,
    /// The start of the script.
    pub sql_start: String,
    pub started: Timestamp,
    /// To its end, or until now.
    pub elapsed: Duration,
    pub state: RunState,
    /// As the last statement that has ended left it. `None`: none has.
    pub transaction: Option<TransactionState>,
    /// Statements that have begun.
    pub statement_count: u32,
    /// All that the database said.
    pub notice_count: u64,
    /// Bytes of all rows that are kept, those of views too.
    pub kept_bytes: u64,
}

/// How a result stands.
#[derive(Debug, Clone)]
pub struct ResultFacts {
    pub summary: ResultSummary,
    /// `None`: the session has not opened yet, or is leased.
    pub opened: Option<Opened>,
    /// The database refused to open.
    pub refused: Option<Rejection>,
    /// The database rolled back what the script left open: a rejection.
    pub rolled_back: Option<Part>,
    /// Some of the statements that are kept, in order.
    pub statements: Vec<StatementFacts>,
    /// The last that the database said.
    pub notices: Vec<Part>,
}

/// How a statement stands.
#[derive(Debug, Clone)]
pub struct StatementFacts {
    /// Its number in the script, from 0.
    pub number: u32,
    /// `None`: it was refused before it had one.
    pub header: Option<Part>,
    pub column_facts: Vec<Part>,
    /// The latest word of how far it is.
    pub progress: Option<Part>,
    /// `None`: it returns none.
    pub rows: Option<RowCount>,
    pub views: Vec<ViewFacts>,
    pub state: StatementState<Part, StatementFailure>,
}

/// What is there of a statement's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowCount {
    pub rows: u64,
    pub bytes: u64,
}

/// How far a run has come, as front ends are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunProgress {
    pub result: SessionId,
    pub state: RunState,
    pub statement_count: u32,
    /// The statement that runs, or ran last.
    pub statement: u32,
    /// Its rows so far.
    pub rows: u64,
    /// Of the whole result.
    pub kept_bytes: u64,
}

/// How a statement came to no good end.
#[derive(Debug, Clone)]
pub enum StatementFailure {
    /// The database refused it, or stopped it.
    Rejected(Box<Part>),
    /// The state of the run says why.
    BrokenOff,
}
