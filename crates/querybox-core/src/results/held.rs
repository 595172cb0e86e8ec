//! One result, as all see it who know its id.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use querybox_launcher::{Fact, Part, Rejection, TransactionState};
use querybox_results::{Kept, Rows, Statement, StatementState};
use querybox_store::{ConnectionId, DriverType, Owner};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    error::ResultError,
    facts::{ResultFacts, ResultSummary, RowCount, RunProgress, RunState, StatementFacts, StatementFailure},
    reading::{Found, NO_VIEW, Place},
    view::Views,
};
use crate::session::{FrontEndId, Opened, SessionId};

/// Bytes of a script that are kept with its result, for people to know it by.
pub(super) const SQL_BYTES_MAX: usize = 4096;
/// Notices that are kept, the last.
const NOTICES_MAX: usize = 200;
/// What is known of columns comes in few parts; a driver that sends more repeats itself.
const COLUMN_FACTS_MAX: usize = 64;
/// Statements that are told of at once.
const STATEMENTS_TOLD_MAX: usize = 100;
/// Front ends that hold one result: those of one person.
const FRONT_ENDS_MAX: usize = 16;

/// What is kept of a run.
pub(super) type KeptAnswer = Kept<Part, StatementFailure>;

/// One result.
pub(crate) struct Held {
    pub(super) origin: Origin,
    kept: Arc<KeptAnswer>,
    state: Mutex<State>,
    pub(super) views: Views,
    /// Told of each change.
    pub(super) changes: watch::Sender<()>,
    /// Cancelled when it is to go.
    pub(super) dropping: CancellationToken,
    /// Cancelled when it is gone.
    pub(super) gone: CancellationToken,
}

/// Whether rows still come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Growth {
    GoesOn,
    /// All are there.
    Over,
    /// More were to come, and will not.
    BrokenOff,
}

/// Where a result comes from.
pub(super) struct Origin {
    pub(super) id: SessionId,
    pub(super) owner: Owner,
    pub(super) session: SessionId,
    pub(super) connection: Option<ConnectionId>,
    pub(super) driver_type: DriverType,
    pub(super) sql_start: String,
    pub(super) started: Timestamp,
    pub(super) begun: Instant,
}

struct State {
    run: RunState,
    /// `None`: it runs.
    elapsed: Option<Duration>,
    opened: Option<Opened>,
    refused: Option<Rejection>,
    rolled_back: Option<Part>,
    transaction: Option<TransactionState>,
    /// Those that are kept, as in `kept`.
    statements: Vec<Begun>,
    /// All that have begun.
    statement_count: u32,
    /// The number of the last that has begun.
    last_number: u32,
    notices: VecDeque<Part>,
    notice_count: u64,
    front_ends: Vec<FrontEndId>,
    used: Instant,
}

/// A statement that has begun.
struct Begun {
    number: u32,
    header: Option<Part>,
    column_facts: Vec<Part>,
    progress: Option<Part>,
}

impl Held {
    pub(super) fn new(origin: Origin, kept: &Arc<KeptAnswer>, front_end: FrontEndId) -> Self {
        let state = State {
            run: RunState::Running,
            elapsed: None,
            opened: None,
            refused: None,
            rolled_back: None,
            transaction: None,
            statements: Vec::new(),
            statement_count: 0,
            last_number: 0,
            notices: VecDeque::new(),
            notice_count: 0,
            front_ends: vec![front_end],
            used: origin.begun,
        };
        Self {
            origin,
            kept: Arc::clone(kept),
            state: Mutex::new(state),
            views: Views::default(),
            changes: watch::Sender::new(()),
            dropping: CancellationToken::new(),
            gone: CancellationToken::new(),
        }
    }

    /// Somebody asks for it.
    pub(super) fn touch(&self) {
        self.lock().used = Instant::now();
    }

    /// The moment of its last use.
    pub(super) fn used(&self) -> Instant {
        self.lock().used
    }

    /// Has a front end told of it, and forgets who came first when too many have.
    pub(super) fn attach(&self, front_end: FrontEndId) {
        let mut state = self.lock();
        if !state.front_ends.contains(&front_end) {
            if state.front_ends.len() >= FRONT_ENDS_MAX {
                state.front_ends.remove(0);
            }
            state.front_ends.push(front_end);
        }
    }

    /// Who is told of it.
    pub(super) fn front_ends(&self) -> Vec<FrontEndId> {
        self.lock().front_ends.clone()
    }

    // What the task notes.

    pub(super) fn note_opened(&self, opened: Opened) {
        self.lock().opened = Some(opened);
        self.changed();
    }

    pub(super) fn note_refused(&self, refused: Rejection) {
        self.lock().refused = Some(refused);
        self.changed();
    }

    /// A statement begins. One that is kept has just been added to those that are.
    pub(super) fn note_begun(&self, number: u32, header: Option<Part>, is_kept: bool) {
        let mut state = self.lock();
        state.statement_count = state.statement_count.saturating_add(1);
        state.last_number = number;
        if is_kept {
            state.statements.push(Begun { number, header, column_facts: Vec::new(), progress: None });
        }
        drop(state);
        self.changed();
    }

    /// A part that only tells something.
    pub(super) fn note_word(&self, part: Part) {
        let mut state = self.lock();
        match part.fact {
            Fact::Notice => {
                state.notice_count += 1;
                if state.notices.len() >= NOTICES_MAX {
                    state.notices.pop_front();
                }
                state.notices.push_back(part);
            }
            Fact::Progress => {
                if let Some(last) = state.statements.last_mut() {
                    last.progress = Some(part);
                }
            }
            Fact::ColumnFacts => {
                if let Some(last) = state.statements.last_mut()
                    && last.column_facts.len() < COLUMN_FACTS_MAX
                {
                    last.column_facts.push(part);
                }
            }
            Fact::Header { .. }
            | Fact::Batch { .. }
            | Fact::CopyIn { .. }
            | Fact::Summary(_)
            | Fact::Rejection(_) => {}
        }
        drop(state);
        self.changed();
    }

    pub(super) fn note_transaction(&self, transaction: TransactionState) {
        // A server's last word before it goes tells nothing of the transaction.
        if transaction != TransactionState::Unknown {
            self.lock().transaction = Some(transaction);
        }
    }

    pub(super) fn note_rolled_back(&self, rejection: Part) {
        self.lock().rolled_back = Some(rejection);
    }

    pub(super) fn note_end(&self, run: RunState) {
        let mut state = self.lock();
        state.run = run;
        state.elapsed = Some(self.origin.begun.elapsed());
        // Who waited for it may come late.
        state.used = Instant::now();
        drop(state);
        self.changed();
    }

    pub(super) fn changed(&self) {
        self.changes.send_replace(());
    }

    // What others ask.

    /// Waits until the first statement with rows has some, or all has ended; not longer than this.
    pub(super) async fn wait_for_first_page(&self, within: Duration) {
        let mut changes = self.changes.subscribe();
        let ready = async {
            while !self.has_first_page() {
                if changes.changed().await.is_err() {
                    break;
                }
            }
        };
        let _ = timeout(within, ready).await;
    }

    fn has_first_page(&self) -> bool {
        if self.lock().run != RunState::Running {
            return true;
        }
        let mut statements = (0..self.kept.statement_count()).filter_map(|index| self.kept.statement(index));
        statements.any(|statement| {
            let is_running = matches!(statement.state(), StatementState::Running);
            statement.rows().is_some_and(|rows| rows.row_count() > 0 || !is_running)
        })
    }

    pub(super) fn summary(&self) -> ResultSummary {
        self.summary_of(&self.lock())
    }

    fn summary_of(&self, state: &State) -> ResultSummary {
        let Origin { id, session, connection, sql_start, started, begun, .. } = &self.origin;
        ResultSummary {
            id: *id,
            session: *session,
            connection: *connection,
            sql_start: sql_start.clone(),
            started: *started,
            elapsed: state.elapsed.unwrap_or_else(|| begun.elapsed()),
            state: state.run.clone(),
            transaction: state.transaction,
            statement_count: state.statement_count,
            notice_count: state.notice_count,
            kept_bytes: self.kept_bytes(),
        }
    }

    /// With some statements from a number on.
    pub(super) fn facts(&self, first_statement: u32) -> ResultFacts {
        let state = self.lock();
        let first = state.statements.partition_point(|begun| begun.number < first_statement);
        let told = state.statements.iter().enumerate().skip(first).take(STATEMENTS_TOLD_MAX);
        let statements = told.filter_map(|(index, begun)| {
            let statement = self.kept.statement(index)?;
            let rows = statement.rows();
            Some(StatementFacts {
                number: begun.number,
                header: begun.header.clone(),
                column_facts: begun.column_facts.clone(),
                progress: begun.progress.clone(),
                // Before the rows are counted: one that has ended has all of them.
                state: statement.state(),
                views: self.views.of_statement(begun.number),
                rows: rows.map(|rows| RowCount { rows: rows.row_count(), bytes: rows.spool().bytes() }),
            })
        });
        ResultFacts {
            statements: statements.collect(),
            summary: self.summary_of(&state),
            opened: state.opened.clone(),
            refused: state.refused.clone(),
            rolled_back: state.rolled_back.clone(),
            notices: state.notices.iter().cloned().collect(),
        }
    }

    /// How far it is.
    pub(super) fn progress(&self) -> RunProgress {
        let state = self.lock();
        let last = self.kept.statement_count().checked_sub(1).and_then(|index| self.kept.statement(index));
        // The last that is kept need not be the last that has begun.
        let is_last = state.statements.last().is_some_and(|begun| begun.number == state.last_number);
        let rows = last.filter(|_| is_last).and_then(|last| last.rows().map(Rows::row_count));
        RunProgress {
            result: self.origin.id,
            state: state.run.clone(),
            statement_count: state.statement_count,
            statement: state.last_number,
            rows: rows.unwrap_or(0),
            kept_bytes: self.kept_bytes(),
        }
    }

    /// The rows of a statement, or of a view of it.
    pub(super) fn rows(&self, place: Place) -> Result<Found, ResultError> {
        let statement = self.statement(place.statement)?;
        // Before the rows are counted: one that has ended has all of them.
        let is_running = matches!(statement.state(), StatementState::Running);
        let own = statement.rows().ok_or(ResultError::NoRows)?;
        if place.view == NO_VIEW {
            return Ok(Found { rows: own.clone(), is_growing: is_running });
        }
        Ok(Found { rows: self.views.rows(place)?, is_growing: false })
    }

    /// Whether rows of a statement still come. A view never grows, and what is not there does not either.
    pub(super) fn growth(&self, place: Place) -> Growth {
        if place.view != NO_VIEW {
            return Growth::Over;
        }
        match self.statement(place.statement).map(|statement| statement.state()) {
            Ok(StatementState::Running) => Growth::GoesOn,
            Ok(StatementState::Complete(_)) | Err(_) => Growth::Over,
            Ok(StatementState::Failed(_) | StatementState::LimitReached(_) | StatementState::Abandoned) => {
                Growth::BrokenOff
            }
        }
    }

    /// Whether rows are all that the database would have returned: nothing broke off, no limit cut them, and none still come.
    pub(super) fn is_whole(&self, place: Place) -> bool {
        if place.view != NO_VIEW {
            return self.views.is_whole(place.view);
        }
        match self.statement(place.statement).map(|statement| statement.state()) {
            Ok(StatementState::Complete(Part { fact: Fact::Summary(summary), .. })) => {
                summary.stopped_by.is_none()
            }
            Ok(_) | Err(_) => false,
        }
    }

    /// A statement by its number.
    fn statement(&self, number: u32) -> Result<Arc<Statement<Part, StatementFailure>>, ResultError> {
        let index = {
            let state = self.lock();
            state.statements.binary_search_by_key(&number, |begun| begun.number)
        };
        let found = index.ok().and_then(|index| self.kept.statement(index));
        found.ok_or(ResultError::NoStatement(number))
    }

    fn kept_bytes(&self) -> u64 {
        let statements = (0..self.kept.statement_count()).filter_map(|index| self.kept.statement(index));
        let own = statements.filter_map(|statement| statement.rows().map(|rows| rows.spool().bytes()));
        own.sum::<u64>() + self.views.bytes()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is whole before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
