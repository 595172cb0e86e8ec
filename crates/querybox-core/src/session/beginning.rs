//! From a request to a session's task.

use std::time::Duration;

use querybox_launcher::{Limits as DriverLimits, OpenOrder, Parameter, ParameterValue, Part, StartOrder};
use querybox_store::Deadline;
use querybox_vault::Secret;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::{
    answers::{Answers, Event},
    budget::Budget,
    error::{LeaseError, SessionError},
    handover::{Reader, handover},
    history::Note,
    id::SessionId,
    lease::{Claim, Lease, LeaseTask, Terms},
    prepare::{Prepared, Target},
    registry::{Absent, Admission, Kind, Refusal, Running},
    run::Work,
    stop::{Cancel, End, Stoppable, stoppable},
    tally::StatementLimits,
    task::Task,
    watch::Watch,
};
use crate::{
    ConnectionError, Core, ShuttingDown,
    form::{Given, GivenValue},
};

/// A session that has its place, and does not run yet.
pub(crate) struct Beginning {
    admission: Admission,
    stop: Stoppable,
    begun: Instant,
    started: jiff::Timestamp,
    asked_deadline: Deadline,
}

/// How a cancel went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cancelled {
    pub receipt: Receipt,
    /// From the request to the database's confirmation, or to the driver's end.
    pub elapsed: Duration,
}

/// What became of a cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// The database stopped and said so.
    Confirmed,
    /// Nothing ran any more.
    AlreadyDone,
    /// The database had not answered, and the driver was killed.
    Killed,
}

/// The largest value that a driver sends whole, as the contract proposes: a row of a few of them stays below the limit of a
/// message.
const CELL_BYTES_MAX: u64 = 16 << 20;

/// Beyond the grace of the driver: its kill, and the turns of the tasks between. A session that has not told its end by then
/// waits for a lock of the machine; the caller hears that it is being killed.
const KILL_TIME: Duration = Duration::from_secs(3);

impl Core {
    /// Gives a session its place. The request's time begins.
    pub(crate) fn begin(
        &self,
        id: SessionId,
        kind: Kind,
        asked_deadline: Deadline,
    ) -> Result<Beginning, SessionError> {
        let started = self.now();
        if self.closing.is_cancelled() {
            return Err(ConnectionError::ShuttingDown(ShuttingDown).into());
        }
        let (admission, stop) = self.sessions.admit(id, kind, started).map_err(|refusal| match refusal {
            Refusal::Id(error) => SessionError::Id(error),
            Refusal::Full { max } => SessionError::Full { max },
            Refusal::LeasesFull { max } => LeaseError::Full { max }.into(),
        })?;
        Ok(Beginning { admission, stop, begun: Instant::now(), started, asked_deadline })
    }

    /// Asks a session to stop what it runs, and waits for that.
    pub(crate) async fn stop_session(&self, id: SessionId) -> Result<Cancelled, SessionError> {
        let begun = Instant::now();
        let cancel = match self.sessions.find(id) {
            Ok(Running::OneShot(cancel) | Running::Opening(cancel)) => Some(cancel),
            Ok(Running::Leased(lease)) => lease.cancel(),
            Err(Absent::Ended | Absent::LeaseEnded(_)) => None,
            Err(Absent::Unknown) => return Err(SessionError::Unknown),
        };
        let end = match cancel {
            Some(cancel) => self.stop(cancel).await,
            None => End::AlreadyDone,
        };
        let receipt = match end {
            End::Confirmed => Receipt::Confirmed,
            End::AlreadyDone => Receipt::AlreadyDone,
            End::Killed => Receipt::Killed,
        };
        let elapsed = begun.elapsed();
        info!(session = %id, ?receipt, ?elapsed, "cancel answered");
        Ok(Cancelled { receipt, elapsed })
    }

    /// Asks something to stop, and waits until it has.
    pub(crate) async fn stop(&self, cancel: Cancel) -> End {
        cancel.stop(self.limits.cancel_grace + KILL_TIME).await.unwrap_or(End::Killed)
    }

    /// The time that a request may take: as it asks, else as its connection says, else as Core was told.
    pub(super) fn limit(&self, asked: Deadline, connection: Deadline) -> Option<Duration> {
        match (asked, connection) {
            (Deadline::After(limit), _) | (Deadline::Default, Deadline::After(limit)) => Some(limit),
            (Deadline::None, _) | (Deadline::Default, Deadline::None) => None,
            (Deadline::Default, Deadline::Default) => Some(self.limits.deadline),
        }
    }

    /// What the process may use up.
    pub(crate) fn driver_limits(&self) -> DriverLimits {
        DriverLimits {
            memory_bytes_max: self.limits.memory_bytes,
            descriptors_max: self.limits.descriptors,
            file_bytes_max: self.limits.file_bytes,
        }
    }
}

impl Beginning {
    /// Finds and checks the connection. A cancel is heard meanwhile, and the clock of the request runs; what the connection
    /// itself says of the time is known only afterwards, and holds from the start of the task.
    pub(crate) async fn prepare(
        &self,
        core: &Core,
        target: Target,
        secrets: Vec<(String, Secret)>,
    ) -> Result<Prepared, SessionError> {
        let asked = match self.asked_deadline {
            Deadline::After(limit) => Some(limit),
            Deadline::Default | Deadline::None => None,
        };
        let budget = Budget::since(self.begun, asked);
        tokio::select! {
            biased;
            limit = budget.used_up() => Err(SessionError::Deadline { limit }),
            () = core.closing.cancelled() => Err(ConnectionError::ShuttingDown(ShuttingDown).into()),
            () = self.stop.asked().cancelled() => {
                self.stop.tell(End::Killed);
                Err(SessionError::Cancelled)
            }
            prepared = core.prepare(target, secrets) => prepared,
        }
    }

    /// Starts the session's task.
    pub(crate) fn spawn<W: Work>(
        self,
        core: &Core,
        prepared: Prepared,
        work: W,
        limits: StatementLimits,
    ) -> Result<Answers<W::Part>, SessionError> {
        let note = Note {
            store: core.store().map_err(ConnectionError::from)?,
            clock: core.clock.clone(),
            session: self.admission.id,
            connection: prepared.connection,
            driver_type: prepared.settings.driver_type.clone(),
            started: self.started,
            begun: self.begun,
        };
        let (watch, answers) = self.watch(core, &prepared);
        let (start, open) = core.orders(note.session, prepared);
        let launcher = core.launcher.clone();
        core.tracker.spawn(Task { watch, launcher, start, open, work, limits, note }.run());
        Ok(answers)
    }

    /// Starts the task of a session that is to be leased.
    pub(crate) fn spawn_lease(self, core: &Core, prepared: Prepared, idle_limit: Duration) -> Answers<Part> {
        let settings = &prepared.settings;
        let terms = Terms {
            connection: prepared.connection,
            driver_type: settings.driver_type.clone(),
            deadline: settings.deadline,
            rows_max: settings.rows_max,
            bytes_max: settings.bytes_max,
            idle_limit,
        };
        let Self { admission, stop, begun, asked_deadline, .. } = self;
        info!(session = %admission.id, driver = %terms.driver_type, "session begins");
        let budget = Budget::since(begun, core.limit(asked_deadline, terms.deadline));
        let (watch, reader) = core.watch(admission.id, stop, None, budget, core.closing.clone());
        let (start, open) = core.orders(admission.id, prepared);
        let launcher = core.launcher.clone();
        core.tracker.spawn(LeaseTask { admission, watch, launcher, start, open, terms }.run());
        Answers::new(reader)
    }

    /// Makes the two ends of the session's answer.
    pub(crate) fn watch<P>(self, core: &Core, prepared: &Prepared) -> (Watch<P>, Answers<P>) {
        let Self { admission, stop, begun, asked_deadline, .. } = self;
        let settings = &prepared.settings;
        info!(session = %admission.id, driver = %settings.driver_type, "session begins");
        let budget = Budget::since(begun, core.limit(asked_deadline, settings.deadline));
        let (watch, reader) = core.watch(admission.id, stop, Some(admission), budget, core.closing.clone());
        (watch, Answers::new(reader))
    }
}

impl Core {
    /// Makes the two ends of an answer in a leased session, and the claim to run there.
    pub(crate) fn watch_in_lease<P>(
        &self,
        lease: &Lease,
        begun: Instant,
        deadline: Deadline,
    ) -> (Watch<P>, Claim, Answers<P>) {
        let (stop, cancel) = stoppable();
        let budget = Budget::since(begun, self.limit(deadline, lease.terms.deadline));
        let (watch, reader) = self.watch(lease.id, stop, None, budget, lease.ending.clone());
        let reader_gone = CancellationToken::new();
        let answers = Answers::in_lease(reader, reader_gone.clone().drop_guard());
        (watch, Claim { cancel, reader_gone }, answers)
    }

    fn watch<P>(
        &self,
        id: SessionId,
        stop: Stoppable,
        admission: Option<Admission>,
        budget: Budget,
        closing: CancellationToken,
    ) -> (Watch<P>, Reader<Result<Event<P>, SessionError>>) {
        let (giver, reader) = handover();
        let cancel_grace = self.limits.cancel_grace;
        (Watch { id, stop, admission, giver, budget, closing, cancel_grace }, reader)
    }

    /// What the launcher is asked for.
    pub(crate) fn orders(&self, session: SessionId, prepared: Prepared) -> (StartOrder, OpenOrder) {
        let Prepared { driver, grant, settings, secrets, .. } = prepared;
        let start = StartOrder {
            driver: driver.file.clone(),
            grant,
            limits: self.driver_limits(),
            // The session's task looks at the time itself: only it knows when the reader is the slow one.
            deadline: None,
        };
        let open = OpenOrder {
            session_id: session.to_string(),
            parameters: settings.given.into_iter().map(parameter).collect(),
            credential: secrets,
            read_only: settings.read_only,
            startup_sql: settings.startup_sql.unwrap_or_default(),
            default_schema: settings.default_schema.unwrap_or_default(),
            connect_limit: self.limits.connect,
            memory_bytes_max: self.limits.memory_bytes,
            cell_bytes_max: CELL_BYTES_MAX,
        };
        (start, open)
    }
}

fn parameter(Given { name, value }: Given) -> Parameter {
    let value = match value {
        GivenValue::Text(text) => ParameterValue::Text(text),
        GivenValue::Content(content) => ParameterValue::Content(content.into()),
    };
    Parameter { name, value }
}
