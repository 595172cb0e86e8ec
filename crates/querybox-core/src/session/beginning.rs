//! From a request to a session's task.

use std::{sync::Arc, time::Duration};

use querybox_launcher::{
    Capability, CopyOutcome, CopyPiece, Limits as DriverLimits, OpenOrder, Parameter, ParameterValue, Part,
    StartOrder,
};
use querybox_store::Deadline;
use querybox_vault::Secret;
use tokio::{sync::oneshot, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::{
    answers::{Answers, Event},
    budget::{Budget, Extension, NotExtended},
    error::{LeaseError, SessionError},
    facts::SessionAbout,
    front_end::FrontEndId,
    handover::{Reader, handover},
    id::SessionId,
    lease::{Claim, Lease, LeaseTask, Terms},
    prepare::{Prepared, Target},
    registry::{Absent, Admission, Controls, Kind, Refusal, Running},
    run::Work,
    stop::{Cancel, End, Stoppable, stoppable},
    tally::StatementLimits,
    task::Task,
    watch::Watch,
};
use crate::{
    ConnectionError, Core, Limits, ShuttingDown,
    form::{Given, GivenValue},
    happening::{Happening, Request, Verb},
    history::{RunAbout, RunSource},
};

/// A session that has its place, and does not run yet.
pub(crate) struct Beginning {
    admission: Admission,
    stop: Stoppable,
    /// What the request says. What the connection says is known when it is found.
    budget: Budget,
    begun: Instant,
    started: jiff::Timestamp,
    asked_deadline: Deadline,
    verb: Verb,
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
        verb: Verb,
        asked_deadline: Deadline,
    ) -> Result<Beginning, SessionError> {
        let started = self.now();
        if self.closing.is_cancelled() {
            return Err(ConnectionError::ShuttingDown(ShuttingDown).into());
        }
        let begun = Instant::now();
        let asked = self.check_deadline(asked_deadline)?;
        // Until it is known what the connection says, whose plugin or file may lie where nothing answers.
        let until_known = match asked_deadline {
            Deadline::Default => self.limit(Deadline::Default, Deadline::Default),
            Deadline::After(_) | Deadline::None => asked,
        };
        let budget = Budget::since(begun, until_known);
        let admitted = self.sessions.admit(id, kind, budget.allowance(), started);
        let (admission, stop) = admitted.map_err(|refusal| match refusal {
            Refusal::Id(error) => SessionError::Id(error),
            Refusal::Full { max } => SessionError::Full { max },
            Refusal::LeasesFull { max } => LeaseError::Full { max }.into(),
        })?;
        Ok(Beginning { admission, stop, budget, begun, started, asked_deadline, verb })
    }

    /// Asks a session to stop what it runs, and waits for that.
    pub(crate) async fn stop_session(&self, id: SessionId) -> Result<Cancelled, SessionError> {
        let begun = Instant::now();
        let cancel = match self.sessions.find(id) {
            Ok(Running::OneShot(controls) | Running::Opening(_, controls)) => Some(controls.cancel),
            Ok(Running::Leased(lease)) => lease.controls().map(|controls| controls.cancel),
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
        let cancelled = Cancelled { receipt, elapsed };
        self.observers.tell(&Happening::Cancelled { session: id, cancelled });
        Ok(cancelled)
    }

    /// Asks something to stop, and waits until it has.
    pub(crate) async fn stop(&self, cancel: Cancel) -> End {
        cancel.stop(self.limits.cancel_grace + KILL_TIME).await.unwrap_or(End::Killed)
    }

    /// Gives what a session runs more time. Answers what is left then; `None`: as long as it takes.
    pub(crate) fn extend(
        &self,
        id: SessionId,
        extension: Extension,
    ) -> Result<Option<Duration>, SessionError> {
        let controls = match self.sessions.find(id) {
            Ok(Running::OneShot(controls) | Running::Opening(_, controls)) => Some(controls),
            Ok(Running::Leased(lease)) => lease.controls(),
            Err(Absent::Ended) => None,
            Err(Absent::LeaseEnded(end)) => return Err(LeaseError::Ended(end).into()),
            Err(Absent::Unknown) => return Err(SessionError::Unknown),
        };
        let controls = controls.ok_or(SessionError::NothingRuns)?;
        let left = controls.allowance.extend(extension, self.limits.deadline_max).map_err(|no| match no {
            NotExtended::NothingRuns => SessionError::NothingRuns,
            NotExtended::TooLong { max } => SessionError::DeadlineTooLong { max },
        })?;
        info!(session = %id, ?left, "deadline extended");
        self.observers.tell(&Happening::Extended { session: id, left });
        Ok(left)
    }

    /// Gives data to the statement of a session that asks for it. Resolves when the driver has taken it.
    pub(crate) async fn give_copy_data(
        &self,
        id: SessionId,
        piece: CopyPiece,
    ) -> Result<CopyOutcome, SessionError> {
        let controls = match self.sessions.find(id) {
            Ok(Running::OneShot(controls) | Running::Opening(_, controls)) => Some(controls),
            Ok(Running::Leased(lease)) => lease.controls(),
            // How the statement ended is told by its stream.
            Err(Absent::Ended | Absent::LeaseEnded(_)) => None,
            Err(Absent::Unknown) => return Err(SessionError::Unknown),
        };
        match controls {
            Some(controls) => Ok(controls.copying.send(piece).await?),
            None => Ok(CopyOutcome::Unwanted),
        }
    }

    /// What the request itself says of its time, as far as the operator allows it.
    pub(crate) fn check_deadline(&self, asked: Deadline) -> Result<Option<Duration>, SessionError> {
        match (asked, self.limits.deadline_max) {
            (Deadline::After(limit), Some(max)) if limit > max => Err(SessionError::DeadlineTooLong { max }),
            (Deadline::After(limit), _) => Ok(Some(limit)),
            (Deadline::None, max) => Ok(max),
            (Deadline::Default, _) => Ok(None),
        }
    }

    /// The time that a request may take: as it asks, else as its connection says, else as Core was told. Whatever says so,
    /// never more than the operator allows: what was saved long ago is cut, not refused.
    fn limit(&self, asked: Deadline, connection: Deadline) -> Option<Duration> {
        let limit = match (asked, connection) {
            (Deadline::After(limit), _) | (Deadline::Default, Deadline::After(limit)) => Some(limit),
            (Deadline::None, _) | (Deadline::Default, Deadline::None) => None,
            (Deadline::Default, Deadline::Default) => Some(self.limits.deadline),
        };
        match (limit, self.limits.deadline_max) {
            (Some(limit), Some(max)) => Some(limit.min(max)),
            (limit, max) => limit.or(max),
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
    /// itself says of the time is known only afterwards, and holds from the start of the task. Until then Core's own does.
    pub(crate) async fn prepare(
        &self,
        core: &Core,
        target: Target,
        secrets: Vec<(String, Secret)>,
    ) -> Result<Prepared, SessionError> {
        tokio::select! {
            biased;
            limit = self.budget.used_up() => Err(SessionError::Deadline { limit }),
            () = core.closing.cancelled() => Err(ConnectionError::ShuttingDown(ShuttingDown).into()),
            () = self.stop.asked().cancelled() => {
                self.stop.tell(End::Killed);
                Err(SessionError::Cancelled)
            }
            prepared = core.prepare(target, secrets) => {
                let prepared = prepared?;
                self.admission.is_about(SessionAbout {
                    connection: prepared.connection,
                    driver_type: prepared.settings.driver_type.clone(),
                });
                Ok(prepared)
            }
        }
    }

    /// Starts the session's task.
    pub(crate) fn spawn<W: Work>(
        self,
        core: &Core,
        prepared: Prepared,
        work: W,
        limits: StatementLimits,
        source: Option<RunSource>,
    ) -> Result<Answers<W::Part>, SessionError> {
        let session = self.admission.id;
        let about = RunAbout {
            session,
            connection: prepared.connection,
            connection_name: prepared.connection_name.clone(),
            driver_type: prepared.settings.driver_type.clone(),
            history: prepared.settings.history,
            started: self.started,
            begun: self.begun,
        };
        let note = core.note(about, source).map_err(ConnectionError::from)?;
        let (request, observers) = (self.request(&prepared), core.observers.clone());
        let (watch, answers) = self.watch(core, &prepared);
        let (start, open) = core.orders(session, prepared);
        let (launcher, aftermath) = (core.launcher.clone(), core.aftermath.clone());
        let task = Task { watch, launcher, aftermath, start, open, work, limits, note, observers, request };
        core.tracker.spawn(task.run());
        Ok(answers)
    }

    /// What observers are told it is.
    pub(crate) fn request(&self, prepared: &Prepared) -> Request {
        Request {
            session: self.admission.id,
            connection: prepared.connection,
            driver_type: prepared.settings.driver_type.clone(),
            verb: self.verb,
        }
    }

    /// When it was asked for.
    pub(crate) fn begun(&self) -> Instant {
        self.begun
    }

    /// Starts the task of a session that is to be leased. It is kept when its opening was taken: the sender says so.
    pub(crate) fn spawn_lease(
        self,
        core: &Core,
        prepared: Prepared,
        front_end: FrontEndId,
        idle_limit: Duration,
    ) -> (Answers<Part>, oneshot::Sender<()>) {
        let notifies = prepared.driver.info.capabilities.contains(&Capability::Notifications);
        let settings = &prepared.settings;
        let terms = Terms {
            front_end,
            connection: prepared.connection,
            connection_name: prepared.connection_name.clone(),
            history: settings.history,
            driver_type: settings.driver_type.clone(),
            dialect: prepared.driver.info.dialect.clone(),
            deadline: settings.deadline,
            rows_max: settings.rows_max,
            bytes_max: settings.bytes_max,
            idle_limit,
        };
        let (request, begun) = (self.request(&prepared), self.begun);
        let Self { admission, stop, budget, asked_deadline, .. } = self;
        info!(session = %admission.id, driver = %terms.driver_type, "session begins");
        budget.set_limit(core.limit(asked_deadline, terms.deadline));
        // What is opened while Core ends would serve nobody.
        let (watch, reader) = core.watch(admission.id, stop, None, budget, core.closing.clone());
        let (start, open) = core.orders(admission.id, prepared);
        let (take, taken) = oneshot::channel();
        let task = LeaseTask {
            admission,
            watch,
            launcher: Arc::clone(&core.launcher),
            aftermath: core.aftermath.clone(),
            start,
            open,
            terms,
            ending: core.closing.child_token(),
            stopping: core.cutting.child_token(),
            watchers: Arc::clone(&core.watchers),
            taken,
            notifies,
            observers: core.observers.clone(),
            request,
            begun,
        };
        core.tracker.spawn(task.run());
        (Answers::new(reader), take)
    }

    /// Makes the two ends of the session's answer.
    pub(crate) fn watch<P>(self, core: &Core, prepared: &Prepared) -> (Watch<P>, Answers<P>) {
        let Self { admission, stop, budget, asked_deadline, .. } = self;
        let settings = &prepared.settings;
        info!(session = %admission.id, driver = %settings.driver_type, "session begins");
        budget.set_limit(core.limit(asked_deadline, settings.deadline));
        let (watch, reader) = core.watch(admission.id, stop, Some(admission), budget, core.cutting.clone());
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
    ) -> Result<(Watch<P>, Claim, Answers<P>), SessionError> {
        self.check_deadline(deadline)?;
        let (stop, cancel) = stoppable();
        let budget = Budget::since(begun, None);
        budget.set_limit(self.limit(deadline, lease.terms.deadline));
        let allowance = budget.allowance();
        let controls = Controls { cancel, copying: allowance.copying(), allowance };
        let (watch, reader) = self.watch(lease.id, stop, None, budget, lease.stopping.clone());
        let reader_gone = CancellationToken::new();
        let answers = Answers::in_lease(reader, reader_gone.clone().drop_guard());
        Ok((watch, Claim { controls, reader_gone }, answers))
    }

    fn watch<P>(
        &self,
        id: SessionId,
        stop: Stoppable,
        admission: Option<Admission>,
        budget: Budget,
        stopping: CancellationToken,
    ) -> (Watch<P>, Reader<Result<Event<P>, SessionError>>) {
        let (giver, reader) = handover();
        let Limits { cancel_grace, stream_idle, .. } = self.limits;
        (Watch { id, stop, admission, giver, budget, stopping, cancel_grace, stream_idle }, reader)
    }

    /// What the launcher is asked for.
    pub(crate) fn orders(&self, session: SessionId, prepared: Prepared) -> (StartOrder, OpenOrder) {
        let Prepared { driver, grant, settings, secrets, connections_max, .. } = prepared;
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
            connections_max,
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
