//! Results that Core keeps: it owns what runs and what came of it, whoever asked, and whether he is still there.
//!
//! A [`Held`](held::Held) result is what all who know its id share. Its [`task`] alone reads the answer and writes it, through
//! a [`keeper`], and stays until the result is dropped or unused for too long; then nothing of it is left.

mod download;
mod error;
mod export;
mod facts;
mod held;
mod keeper;
mod reading;
mod shelf;
mod statistics;
mod task;
mod teller;
mod turns;
mod view;

use std::{path::PathBuf, sync::Arc, time::Duration};

use querybox_launcher::{BrokenContract, Described, Part};
use querybox_results::{RawBatch, Shape};
use querybox_store::{ConnectionId, DriverType, Owner};
use querybox_vault::Secret;
use tokio::time::Instant;

pub use download::{Download, DownloadAsk, DownloadEnded};
pub use error::{DropCause, ResultError, RunError};
pub use export::{ExportPart, ExportParts};
pub use facts::{
    ResultFacts, ResultSummary, RowCount, RunFailure, RunProgress, RunState, StatementFacts, StatementFailure,
};
pub use reading::{CellAsk, Place, RowsAsk, RowsRead};
pub(crate) use shelf::Shelf;
pub use statistics::StatisticsPart;
pub use view::{ViewAsk, ViewFacts, ViewOrder, ViewState};

use self::{
    held::{Held, Origin},
    keeper::Keeper,
    task::Task,
};
use crate::{
    ConnectionError, Core, ShuttingDown,
    execution::{ExecuteOptions, ExecuteRequest},
    session::{Absent, FrontEndId, LeaseError, Running, SessionError, SessionId, Target},
};

/// What all kept results may take, and for how long.
#[derive(Debug, Clone)]
pub struct ResultSettings {
    /// Where their files are made, which have no name. Must exist.
    pub folder: PathBuf,
    /// What they may take of memory and disk.
    pub limits: querybox_results::Limits,
    /// How many are kept of each owner.
    pub results_max: usize,
    /// How long one is kept that nobody asks for and no front end that holds it watches.
    pub idle: Duration,
}

/// A script to be run, and its answer to be kept.
pub struct RunRequest {
    /// The result's id. In a session of its own it is also the session's.
    pub id: SessionId,
    /// Whose the result is. It does not exist for others.
    pub owner: Owner,
    pub place: RunPlace,
    pub sql: String,
    pub options: ExecuteOptions,
    /// Who is told what becomes of it.
    pub front_end: FrontEndId,
    pub reading: Reading,
}

/// Where a script runs whose answer is kept.
#[derive(Debug)]
pub enum RunPlace {
    /// In a session of its own.
    Own {
        target: Target,
        /// By the names of their fields. Moved to the driver's socket and wiped.
        secrets: Vec<(String, Secret)>,
    },
    /// In a leased session.
    Leased(SessionId),
}

/// How those things are read that Core itself does not read: it names no message of a contract, and no status.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// The shape of the rows that a header announces. Asked only of headers of statements that return rows.
    pub shape: fn(&Part) -> Result<Shape, BrokenContract>,
    /// The rows of a batch. Asked only of batches.
    pub batch: fn(Part) -> Result<RawBatch, BrokenContract>,
    /// What a failure is called.
    pub failure: fn(SessionError) -> RunFailure,
}

/// The answer to a run waits so long for the first rows.
const FIRST_PAGE_WITHIN: Duration = Duration::from_millis(100);

impl Core {
    /// Runs a script and keeps what comes of it. Resolves when the first rows of its first statement with rows are there, or
    /// all has ended, or a tenth of a second is over. What runs goes on, whatever becomes of the future from the moment on
    /// when the request was found to be possible.
    ///
    /// # Errors
    ///
    /// See [`RunError`]. What fails later is told by the [state](RunState) of the result.
    pub async fn run(&self, request: RunRequest) -> Result<ResultFacts, RunError> {
        let RunRequest { id, owner, place, sql, options, front_end, reading } = request;
        let room = self.shelf.room(&owner)?;
        let (started, begun) = (self.now(), Instant::now());
        let sql_start = sql[..sql.floor_char_boundary(held::SQL_BYTES_MAX)].to_owned();
        let (session, connection, driver_type, answers) = match place {
            RunPlace::Own { target, secrets } => {
                let request = ExecuteRequest { session_id: id, target, secrets, sql, options };
                let (connection, driver_type, answers) = self.execute_on(request).await?;
                (id, connection, driver_type, answers)
            }
            RunPlace::Leased(session) => {
                self.check_result_id(id)?;
                let (connection, driver_type) = self.connection_of(session)?;
                (session, connection, driver_type, self.execute_in_session(session, sql, options).await?)
            }
        };
        let keeper = Keeper::new(self.shelf.budget(), self.tracker.clone());
        let origin = Origin { id, owner, session, connection, driver_type, sql_start, started, begun };
        let held = Arc::new(Held::new(origin, keeper.kept(), front_end));
        let slot = self.shelf.put(&held, room)?;
        let task = Task {
            held: Arc::clone(&held),
            slot,
            answers,
            keeper,
            reading,
            watchers: Arc::clone(&self.watchers),
            closing: self.closing.clone(),
            idle: self.shelf.idle(),
        };
        self.tracker.spawn(task.run());
        held.wait_for_first_page(FIRST_PAGE_WITHIN).await;
        Ok(held.facts(0))
    }

    /// All results of an owner, newest first, without their statements.
    #[must_use]
    pub fn results(&self, owner: &Owner) -> Vec<ResultSummary> {
        self.shelf.of_owner(owner).iter().map(|held| held.summary()).collect()
    }

    /// How a result stands, with some of its statements from a number on. From now on the front end is told of it.
    ///
    /// # Errors
    ///
    /// [`ResultError::NotFound`], [`ResultError::Dropped`].
    pub fn attach_result(
        &self,
        owner: &Owner,
        id: SessionId,
        front_end: FrontEndId,
        first_statement: u32,
    ) -> Result<ResultFacts, ResultError> {
        let held = self.shelf.find(owner, id)?;
        held.attach(front_end);
        Ok(held.facts(first_statement))
    }

    /// Stops what still runs of a result and forgets it. Resolves when that is done; what still reads of it ends by itself.
    ///
    /// # Errors
    ///
    /// [`ResultError::NotFound`], [`ResultError::Dropped`].
    pub async fn drop_result(&self, owner: &Owner, id: SessionId) -> Result<(), ResultError> {
        let held = self.shelf.find(owner, id)?;
        held.dropping.cancel();
        held.gone.cancelled().await;
        Ok(())
    }

    /// What all kept results use of memory and disk at this moment.
    #[must_use]
    pub fn results_used(&self) -> querybox_results::Used {
        self.shelf.budget().used()
    }

    /// Whether an id may name a new result. That of a session of its own is checked with the session.
    fn check_result_id(&self, id: SessionId) -> Result<(), RunError> {
        id.check_time(self.now()).map_err(SessionError::Id)?;
        self.shelf.check_unused(id)
    }

    /// What the driver says of itself that sent a result's rows. `None`: it is not there any more.
    ///
    /// # Errors
    ///
    /// [`ResultError::NotFound`], [`ResultError::Dropped`].
    pub async fn driver_of_result(
        &self,
        owner: &Owner,
        id: SessionId,
    ) -> Result<Option<Arc<Described>>, ResultError> {
        let held = self.shelf.find(owner, id)?;
        Ok(self.plugins.find(&held.origin.driver_type).await)
    }

    /// The saved connection of a leased session, and its driver.
    fn connection_of(&self, session: SessionId) -> Result<(Option<ConnectionId>, DriverType), SessionError> {
        match self.sessions.find(session) {
            _ if self.closing.is_cancelled() => Err(ConnectionError::ShuttingDown(ShuttingDown).into()),
            Ok(Running::Leased(lease)) => Ok((lease.terms.connection, lease.terms.driver_type.clone())),
            Ok(Running::Opening(..)) => Err(LeaseError::Busy.into()),
            Ok(Running::OneShot(_)) | Err(Absent::Ended | Absent::Unknown) => Err(SessionError::Unknown),
            Err(Absent::LeaseEnded(end)) => Err(LeaseError::Ended(end).into()),
        }
    }
}
