//! From a request to a session's task.

use std::time::Duration;

use querybox_launcher::{Limits as DriverLimits, OpenOrder, Parameter, ParameterValue, StartOrder};
use querybox_store::Deadline;
use querybox_vault::Secret;
use tokio::time::Instant;
use tracing::info;

use super::{
    answers::Answers,
    budget::Budget,
    error::SessionError,
    handover::handover,
    history::Note,
    id::SessionId,
    prepare::{Prepared, Target},
    registry::{Absent, Admission, End, Refusal},
    tally::StatementLimits,
    task::{Task, Work},
    watch::Watch,
};
use crate::{
    ConnectionError, Core, ShuttingDown,
    form::{Given, GivenValue},
};

/// A session that has its place, and does not run yet.
pub(crate) struct Beginning {
    admission: Admission,
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
    pub(crate) fn begin(&self, id: SessionId, asked_deadline: Deadline) -> Result<Beginning, SessionError> {
        let started = self.now();
        if self.closing.is_cancelled() {
            return Err(ConnectionError::ShuttingDown(ShuttingDown).into());
        }
        let admission = self.sessions.admit(id, started).map_err(|refusal| match refusal {
            Refusal::Id(error) => SessionError::Id(error),
            Refusal::Full { max } => SessionError::Full { max },
        })?;
        Ok(Beginning { admission, begun: Instant::now(), started, asked_deadline })
    }

    /// Asks a session to stop and waits for its end.
    pub(crate) async fn stop_session(&self, id: SessionId) -> Result<Cancelled, SessionError> {
        let begun = Instant::now();
        let end = match self.sessions.find(id) {
            Ok(cancel) => cancel.stop(self.limits.cancel_grace + KILL_TIME).await.unwrap_or(End::Killed),
            Err(Absent::Ended) => End::AlreadyDone,
            Err(Absent::Unknown) => return Err(SessionError::Unknown),
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

    /// The time that a request may take: as it asks, else as its connection says, else as Core was told.
    fn limit(&self, asked: Deadline, connection: Deadline) -> Option<Duration> {
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
            () = self.admission.cancel_asked().cancelled() => {
                self.admission.tell_end(End::Killed);
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

    /// Makes the two ends of the session's answer.
    pub(crate) fn watch<P>(self, core: &Core, prepared: &Prepared) -> (Watch<P>, Answers<P>) {
        info!(session = %self.admission.id, driver = %prepared.settings.driver_type, "session begins");
        let limit = core.limit(self.asked_deadline, prepared.settings.deadline);
        let (giver, reader) = handover();
        let watch = Watch {
            admission: self.admission,
            giver,
            budget: Budget::since(self.begun, limit),
            closing: core.closing.clone(),
            cancel_grace: core.limits.cancel_grace,
        };
        (watch, Answers::new(reader))
    }
}

impl Core {
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
