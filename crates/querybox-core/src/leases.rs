//! Leased sessions: a driver that is kept, and asked again and again.

use std::{sync::Arc, time::Duration};

use futures::StreamExt as _;
use querybox_launcher::{DdlOrder, DdlPart, Described, Part, Rejection, SchemaOrder, SchemaPart};
use querybox_store::Deadline;
use querybox_vault::Secret;
use tokio::time::Instant;

use crate::{
    ConnectionError, Core, QueryText, ShuttingDown,
    execution::{ExecuteOptions, Follows, Script},
    happening::{Request, Verb},
    history::{RunAbout, RunSource},
    schema::{Catalog, Definitions},
    session::{
        Absent, Answers, EndCause, Event, FrontEndId, Job, Kind, Lease, LeaseError, Note, Opened, Run,
        Running, SessionEnd, SessionError, SessionId, StatementLimits, Target, Terms, Work,
    },
};

/// Asks for a session that is kept.
#[derive(Debug)]
pub struct LeaseRequest {
    pub session_id: SessionId,
    /// Who leases.
    pub front_end: FrontEndId,
    pub target: Target,
    /// By the names of their fields. Moved to the driver's socket and wiped.
    pub secrets: Vec<(String, Secret)>,
    /// How long it may be unused. `None`, or more than Core's limit: as Core's limit.
    pub idle_limit: Option<Duration>,
}

/// What became of such a request.
#[derive(Debug)]
pub enum LeaseOutcome {
    Leased(Leased),
    /// The database refused. The driver is gone.
    Refused(Box<Rejection>),
}

/// A session that is kept until it ends.
#[derive(Debug)]
pub struct Leased {
    pub opened: Opened,
    /// What its driver says of itself.
    pub driver: Arc<Described>,
    pub idle_limit: Duration,
}

impl Core {
    /// Starts a driver, opens its session and keeps both. Dropping the future ends them.
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute), and [`LeaseError::Full`].
    pub async fn open_session(&self, request: LeaseRequest) -> Result<LeaseOutcome, SessionError> {
        let LeaseRequest { session_id, front_end, target, secrets, idle_limit } = request;
        let beginning = self.begin(session_id, Kind::Leased(front_end), Verb::Open, Deadline::Default)?;
        let prepared = beginning.prepare(self, target, secrets).await?;
        let idle_limit = idle_limit.map_or(self.limits.lease_idle, |asked| asked.min(self.limits.lease_idle));
        let driver = Arc::clone(&prepared.driver);
        let (mut answers, take) = beginning.spawn_lease(self, prepared, front_end, idle_limit);
        while let Some(event) = answers.next().await {
            match event? {
                Event::Opened(opened) if opened.server.is_some() => {
                    // Without an await before the answer. A task that is gone says why when it is asked.
                    let _ = take.send(());
                    return Ok(LeaseOutcome::Leased(Leased { opened, driver, idle_limit }));
                }
                Event::Refused(rejection) => return Ok(LeaseOutcome::Refused(rejection)),
                // The refusal follows.
                Event::Opened(_) | Event::Part(_) | Event::Ended(_) => {}
            }
        }
        // A task that says nothing goes down with its runtime.
        Err(ConnectionError::ShuttingDown(ShuttingDown).into())
    }

    /// Runs a script in a leased session. Dropping the stream cancels the script; the session goes on, and its next request
    /// waits until the script has stopped.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unknown`], [`LeaseError::Busy`], [`LeaseError::Ended`]. The stream has those of the driver;
    /// [`lease_end`](Self::lease_end) tells whether the session goes on.
    pub async fn execute_in_session(
        &self,
        id: SessionId,
        sql: String,
        options: ExecuteOptions,
    ) -> Result<Answers<Part>, SessionError> {
        let request = self.request(id, Verb::Execute)?;
        let terms = request.lease.terms.clone();
        let Terms { rows_max, bytes_max, dialect, .. } = terms;
        let limits = StatementLimits {
            rows_max: options.rows_max.or(rows_max),
            bytes_max: options.bytes_max.or(bytes_max),
        };
        let Terms { connection, connection_name, driver_type, history, .. } = terms;
        let (started, begun) = (self.now(), request.begun);
        let shown = (self.query_text != QueryText::Off).then(|| sql.clone());
        let about =
            RunAbout { session: id, connection, connection_name, driver_type, history, started, begun };
        let note = self.note(about, Some(RunSource::of(&sql))).map_err(ConnectionError::from)?;
        let deadline = options.deadline;
        let script = Script::new(sql, options, limits, Follows::More);
        let answers = request.send(self, deadline, script, limits, Some(note), Job::Script).await?;
        // Only now: a session that is busy or has ended refuses what it is asked.
        if let Some(sql) = shown {
            self.log_script(id, &sql, dialect.as_ref());
        }
        Ok(answers)
    }

    /// Streams what the database of a leased session holds. Dropping the stream stops it; the session goes on.
    ///
    /// # Errors
    ///
    /// As [`execute_in_session`](Self::execute_in_session).
    pub async fn schema_in_session(
        &self,
        id: SessionId,
        filter: SchemaOrder,
    ) -> Result<Answers<SchemaPart>, SessionError> {
        let limits = StatementLimits::default();
        let catalog = Catalog(filter);
        self.request(id, Verb::Schema)?
            .send(self, Deadline::Default, catalog, limits, None, Job::Catalog)
            .await
    }

    /// Streams how objects are made again, as a leased session sees them. Dropping the stream stops that, and the session
    /// stays.
    ///
    /// # Errors
    ///
    /// As [`schema_in_session`](Self::schema_in_session).
    pub async fn ddl_in_session(
        &self,
        id: SessionId,
        order: DdlOrder,
    ) -> Result<Answers<DdlPart>, SessionError> {
        let limits = StatementLimits::default();
        let definitions = Definitions(order);
        self.request(id, Verb::Ddl)?.send(self, Deadline::Default, definitions, limits, None, Job::Ddl).await
    }

    /// Ends a leased session and what it runs. Resolves when its driver is gone.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unknown`]; [`LeaseError::Ended`] when it has ended already.
    pub async fn close_session(&self, id: SessionId) -> Result<SessionEnd, SessionError> {
        match self.sessions.find(id) {
            Ok(Running::Leased(lease)) => Ok(lease.close().await?),
            Ok(Running::Opening(_, controls)) => {
                self.stop(controls.cancel).await;
                match self.sessions.find(id) {
                    // It had opened at that very moment.
                    Ok(Running::Leased(lease)) => Ok(lease.close().await?),
                    _ => Ok(SessionEnd { cause: EndCause::Closed, transaction_lost: false }),
                }
            }
            Ok(Running::OneShot(_)) | Err(Absent::Ended | Absent::Unknown) => Err(SessionError::Unknown),
            Err(Absent::LeaseEnded(end)) => Err(LeaseError::Ended(end).into()),
        }
    }

    /// How a leased session ended. `None`: it goes on, or nothing is known of it.
    #[must_use]
    pub fn lease_end(&self, id: SessionId) -> Option<SessionEnd> {
        match self.sessions.find(id) {
            Ok(Running::Leased(lease)) => lease.end(),
            Err(Absent::LeaseEnded(end)) => Some(end),
            Ok(Running::Opening(..) | Running::OneShot(_)) | Err(Absent::Ended | Absent::Unknown) => None,
        }
    }

    /// Begins a request in a leased session. Its time begins.
    fn request(&self, id: SessionId, verb: Verb) -> Result<LeaseCall, SessionError> {
        let begun = Instant::now();
        match self.sessions.find(id) {
            // One that has ended says so itself.
            Ok(Running::Leased(lease)) if lease.end().is_none() && self.closing.is_cancelled() => {
                Err(ConnectionError::ShuttingDown(ShuttingDown).into())
            }
            Ok(Running::Leased(lease)) => Ok(LeaseCall { lease, begun, verb }),
            Ok(Running::Opening(..)) => Err(LeaseError::Busy.into()),
            Ok(Running::OneShot(_)) | Err(Absent::Ended | Absent::Unknown) => Err(SessionError::Unknown),
            Err(Absent::LeaseEnded(end)) => Err(LeaseError::Ended(end).into()),
        }
    }
}

/// A request in a leased session that was not sent yet.
struct LeaseCall {
    lease: Arc<Lease>,
    begun: Instant,
    verb: Verb,
}

impl LeaseCall {
    async fn send<W: Work>(
        self,
        core: &Core,
        deadline: Deadline,
        work: W,
        limits: StatementLimits,
        note: Option<Note>,
        job: impl FnOnce(Run<W>) -> Job,
    ) -> Result<Answers<W::Part>, SessionError> {
        let Self { lease, begun, verb } = self;
        let (watch, claim, answers) = core.watch_in_lease(&lease, begun, deadline)?;
        let Terms { connection, driver_type, .. } = &lease.terms;
        let request =
            Request { session: lease.id, connection: *connection, driver_type: driver_type.clone(), verb };
        let observers = core.observers.clone();
        lease.run(claim, job(Run { watch, work, limits, note, observers, request, begun })).await?;
        Ok(answers)
    }
}
