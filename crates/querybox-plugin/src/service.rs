//! The contract's service over a [`Driver`]: session ids, one call at a time, cancel on drop.

use std::{
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures::{FutureExt as _, Stream};
use querybox_contracts::plugin::v1::{self as pb, driver_service_server::DriverService};
use tokio::sync::{RwLock, mpsc};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};
use tonic::{Request, Response, Status};

use crate::{
    Credential, DdlStatements, DetachedCancel, Driver, Error, ExecuteError, OnError, Open, OpenError,
    Parameters, Query, Reason, Results, SchemaError, SchemaObjects, Session, Stages,
    copy_input::CopyDoor,
    results::PARTS_WAITING_MAX,
    rows::RowLimits,
    session_events::{EVENTS_WAITING_MAX, SessionEvents},
};

/// The largest message of either direction: a row's cells together stay below 24 MiB, a script below 64 MiB.
pub(crate) const MESSAGE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Objects of one GetDdl, by the contract.
const DDL_OBJECTS_MAX: usize = 1000;
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const CELL_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// One driver process's service: opened once, for one session.
pub(crate) struct Service<D: Driver> {
    driver: Arc<D>,
    form: Vec<pb::FormField>,
    state: Mutex<State<D::Session>>,
    tasks: TaskTracker,
}

enum State<S> {
    Fresh,
    Opening,
    Open(Arc<Opened<S>>),
    /// An Open that failed, or a Cancel for another process; the driver is of no use any more.
    Spent,
}

struct Opened<S> {
    session_id: String,
    session: S,
    cell_bytes_max: usize,
    /// Set while something runs: cancelling it stops that.
    running: Mutex<Option<CancellationToken>>,
    /// Read while a request to cancel is on its way. Nothing ends before: the database would stop the next call.
    cancelling: RwLock<()>,
    /// Where the data of its statements comes in.
    copy: Arc<CopyDoor>,
    is_watched: AtomicBool,
}

impl<D: Driver> Service<D> {
    pub(crate) fn new(driver: Arc<D>) -> Self {
        let form = driver.info().connection_form;
        Self { driver, form, state: Mutex::new(State::Fresh), tasks: TaskTracker::new() }
    }

    fn parse_detached_cancel(&self, request: pb::CancelRequest) -> Result<DetachedCancel, Error> {
        check_id(&request.session_id)?;
        Ok(DetachedCancel {
            token: request.cancel_token,
            parameters: Parameters::parse(&self.form, request.parameters)?,
            connect_limit: connect_limit(&request.limits.unwrap_or_default()),
        })
    }

    /// Spends a driver that was never opened. False: it was.
    fn spend(&self) -> bool {
        let mut state = lock(&self.state);
        let fresh = matches!(*state, State::Fresh);
        if fresh {
            *state = State::Spent;
        }
        fresh
    }

    /// The open session, when it is the one that the request names.
    fn session(&self, session_id: &str) -> Result<Arc<Opened<D::Session>>, Error> {
        match &*lock(&self.state) {
            State::Open(opened) if opened.session_id == session_id => Ok(opened.clone()),
            State::Open(_) => Err(Error::new(
                Reason::SessionForeign,
                "the session id is not the one that this driver was opened with",
            )),
            State::Fresh | State::Opening | State::Spent => {
                Err(Error::new(Reason::SessionState, "no session is open in this driver"))
            }
        }
    }
}

impl<S> Opened<S> {
    /// Takes the session for one call.
    fn begin(&self) -> Result<CancellationToken, Error> {
        let mut running = lock(&self.running);
        if running.is_some() {
            return Err(Error::new(Reason::SessionState, "the session already runs something"));
        }
        let cancelled = CancellationToken::new();
        *running = Some(cancelled.clone());
        Ok(cancelled)
    }

    /// Frees the session, once no request to cancel is on its way any more.
    async fn end(&self) {
        let _none = self.cancelling.write().await;
        *lock(&self.running) = None;
    }
}

impl<S: Session> Opened<S> {
    /// Stops what runs.
    async fn cancel(&self) -> Result<pb::CancelOutcome, Error> {
        let _on_its_way = self.cancelling.read().await;
        let running = lock(&self.running).clone();
        let Some(cancelled) = running else { return Ok(pb::CancelOutcome::NothingRuns) };
        cancelled.cancel();
        self.session.cancel().await?;
        Ok(pb::CancelOutcome::Requested)
    }
}

#[tonic::async_trait]
impl<D: Driver> DriverService for Service<D> {
    async fn open(&self, request: Request<pb::OpenRequest>) -> Result<Response<pb::OpenResponse>, Status> {
        let request = request.into_inner();
        let cell_bytes = match request.limits.as_ref().map_or(0, |limits| limits.cell_bytes) {
            0 => CELL_BYTES_MAX,
            bytes => bytes.min(CELL_BYTES_MAX * 2),
        };
        {
            let mut state = lock(&self.state);
            if !matches!(*state, State::Fresh) {
                return Err(Error::new(Reason::SessionState, "this driver was opened before").into());
            }
            *state = State::Opening;
        }
        // Whatever goes wrong from here, also the caller's leaving, spends the driver.
        let spent = Spent(&self.state);
        let open = parse_open(&self.form, request)?;
        let reads_parallel =
            || self.driver.info().capabilities().any(|one| one == pb::Capability::ParallelRead);
        if open.connections_max > 1 && !reads_parallel() {
            return Err(Error::unsupported("the driver reads over one connection alone").into());
        }
        let session_id = open.session_id.clone();
        let outcome = match caught(self.driver.open(open)).await? {
            Ok(session) => {
                let opened =
                    pb::Opened { server: Some(session.server()), cancel_token: session.cancel_token() };
                let cell_bytes_max = usize::try_from(cell_bytes).expect("the limit is far below a usize");
                let session = Opened {
                    session_id,
                    session,
                    cell_bytes_max,
                    running: Mutex::new(None),
                    cancelling: RwLock::new(()),
                    copy: Arc::default(),
                    is_watched: AtomicBool::new(false),
                };
                *lock(&self.state) = State::Open(Arc::new(session));
                pb::open_response::Outcome::Opened(opened)
            }
            Err(OpenError::Rejected(rejection)) => pb::open_response::Outcome::Rejection(*rejection),
            Err(OpenError::Failed(error)) => return Err(error.into()),
        };
        drop(spent);
        Ok(Response::new(pb::OpenResponse { outcome: Some(outcome) }))
    }

    type ExecuteStream = Answer<pb::ExecuteResponse>;

    async fn execute(
        &self,
        request: Request<pb::ExecuteRequest>,
    ) -> Result<Response<Self::ExecuteStream>, Status> {
        let request = request.into_inner();
        let opened = self.session(&request.session_id)?;
        let cancelled = opened.begin()?;
        let limits = RowLimits {
            rows_max: Some(request.rows_max).filter(|max| *max > 0),
            bytes_max: Some(request.bytes_max).filter(|max| *max > 0),
            cell_bytes_max: opened.cell_bytes_max,
        };
        let on_error = match request.on_error() {
            pb::OnError::Unspecified | pb::OnError::Stop => OnError::Stop,
            pb::OnError::Continue => OnError::Continue,
        };
        let query = Query {
            sql: request.sql,
            on_error,
            single_transaction: request.single_transaction,
            one_shot: request.one_shot,
            bindings: request.bindings,
            rows_max: limits.rows_max,
            bytes_max: limits.bytes_max,
            column_facts: request.column_facts,
            cancelled: cancelled.clone(),
        };
        let copy = request.gives_copy_data.then(|| Arc::clone(&opened.copy));
        Ok(self.answer(opened, cancelled, move |opened, tx| async move {
            match opened.session.execute(query, Results::new(tx, limits, copy)).await {
                Ok(()) | Err(ExecuteError::Stopped) => Ok(()),
                Err(ExecuteError::Failed(error)) => Err(error),
            }
        }))
    }

    async fn send_copy_data(
        &self,
        request: Request<pb::SendCopyDataRequest>,
    ) -> Result<Response<pb::SendCopyDataResponse>, Status> {
        let request = request.into_inner();
        let opened = self.session(&request.session_id)?;
        let outcome = opened.copy.give(request).await?.into();
        Ok(Response::new(pb::SendCopyDataResponse { outcome }))
    }

    type WatchSessionStream = Answer<pb::WatchSessionResponse>;

    async fn watch_session(
        &self,
        request: Request<pb::WatchSessionRequest>,
    ) -> Result<Response<Self::WatchSessionStream>, Status> {
        let opened = self.session(&request.into_inner().session_id)?;
        if opened.is_watched.swap(true, Ordering::AcqRel) {
            return Err(Error::new(Reason::SessionState, "the session is watched already").into());
        }
        let (tx, rx) = mpsc::channel(EVENTS_WAITING_MAX);
        let abandoned = CancellationToken::new();
        let answer = Answer { rx, _abandon: abandoned.clone().drop_guard() };
        self.tasks.spawn(async move {
            let watched = tokio::select! {
                watched = caught(opened.session.watch(SessionEvents::new(tx.clone()))) => watched,
                () = abandoned.cancelled() => Ok(()),
            };
            opened.is_watched.store(false, Ordering::Release);
            if let Err(error) = watched {
                tx.send(Err(error.into())).await.ok();
            }
        });
        Ok(Response::new(answer))
    }

    type GetSchemaStream = Answer<pb::GetSchemaResponse>;

    async fn get_schema(
        &self,
        request: Request<pb::GetSchemaRequest>,
    ) -> Result<Response<Self::GetSchemaStream>, Status> {
        let request = request.into_inner();
        let opened = self.session(&request.session_id)?;
        let cancelled = opened.begin()?;
        let kinds = request.kinds().collect();
        Ok(self.answer(opened, cancelled, move |opened, tx| async move {
            match opened.session.schema(request, SchemaObjects::new(tx.clone(), kinds)).await {
                Ok(()) | Err(SchemaError::Stopped) => Ok(()),
                Err(SchemaError::Rejected(rejection)) => {
                    let refused = pb::GetSchemaResponse { objects: Vec::new(), rejection: Some(*rejection) };
                    // Nobody listening any more is no failure.
                    tx.send(Ok(refused)).await.ok();
                    Ok(())
                }
                Err(SchemaError::Failed(error)) => Err(error),
            }
        }))
    }

    type GetDdlStream = Answer<pb::GetDdlResponse>;

    async fn get_ddl(
        &self,
        request: Request<pb::GetDdlRequest>,
    ) -> Result<Response<Self::GetDdlStream>, Status> {
        let request = request.into_inner();
        let opened = self.session(&request.session_id)?;
        if request.objects.is_empty() || request.objects.len() > DDL_OBJECTS_MAX {
            return Err(Error::parameter("objects", "are none, or more than 1,000").into());
        }
        let cancelled = opened.begin()?;
        Ok(self.answer(opened, cancelled, move |opened, tx| async move {
            match opened.session.ddl(request.objects, DdlStatements::new(tx.clone())).await {
                Ok(()) | Err(SchemaError::Stopped) => Ok(()),
                Err(SchemaError::Rejected(rejection)) => {
                    let refused = pb::GetDdlResponse { ddl: Vec::new(), rejection: Some(*rejection) };
                    // Nobody listening any more is no failure.
                    tx.send(Ok(refused)).await.ok();
                    Ok(())
                }
                Err(SchemaError::Failed(error)) => Err(error),
            }
        }))
    }

    async fn cancel(
        &self,
        request: Request<pb::CancelRequest>,
    ) -> Result<Response<pb::CancelResponse>, Status> {
        let request = request.into_inner();
        if self.spend() {
            let cancel = self.parse_detached_cancel(request)?;
            caught(self.driver.cancel_detached(cancel)).await??;
            let outcome = pb::CancelOutcome::Requested.into();
            return Ok(Response::new(pb::CancelResponse { outcome }));
        }
        let opened = self.session(&request.session_id)?;
        // A task of its own: the database may take a request that the caller has given up.
        let cancel = self.tasks.spawn(async move { caught(opened.cancel()).await });
        let outcome = cancel.await.map_err(|_| Error::broken("the cancel was given up"))???;
        Ok(Response::new(pb::CancelResponse { outcome: outcome.into() }))
    }

    type TestConnectionStream = Answer<pb::TestConnectionResponse>;

    async fn test_connection(
        &self,
        request: Request<pb::TestConnectionRequest>,
    ) -> Result<Response<Self::TestConnectionStream>, Status> {
        let open = parse_open(&self.form, request.into_inner().open.unwrap_or_default())?;
        let (tx, rx) = mpsc::channel(PARTS_WAITING_MAX);
        let abandoned = CancellationToken::new();
        let answer = Answer { rx, _abandon: abandoned.clone().drop_guard() };
        let driver = self.driver.clone();
        self.tasks.spawn(async move {
            let mut stages = Stages::new(tx);
            let test = async {
                match caught(driver.test(open, &mut stages)).await {
                    Ok(Ok(server)) => stages.found(server).await,
                    Ok(Err(error)) => stages.failed(error).await,
                    Err(error) => stages.failed(error.into()).await,
                }
            };
            tokio::select! {
                () = test => {}
                // Dropping the test closes what it had opened.
                () = abandoned.cancelled() => {}
            }
        });
        Ok(Response::new(answer))
    }
}

impl<D: Driver> Service<D> {
    /// Runs a call of the session as a task of its own and streams what it tells. When the stream is dropped, the
    /// database is asked to stop and the task runs on to its end.
    fn answer<T, C>(
        &self,
        opened: Arc<Opened<D::Session>>,
        cancelled: CancellationToken,
        call: impl FnOnce(Arc<Opened<D::Session>>, mpsc::Sender<Result<T, Status>>) -> C,
    ) -> Response<Answer<T>>
    where
        T: Send + 'static,
        C: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let (tx, rx) = mpsc::channel(PARTS_WAITING_MAX);
        let abandoned = CancellationToken::new();
        let answer = Answer { rx, _abandon: abandoned.clone().drop_guard() };
        let call = call(opened.clone(), tx.clone());
        self.tasks.spawn(async move {
            let result = {
                let run = caught(call);
                tokio::pin!(run);
                tokio::select! {
                    result = &mut run => result,
                    () = abandoned.cancelled() => {
                        cancelled.cancel();
                        // There is nobody to tell a failure to; Core kills a driver that does not stop.
                        opened.session.cancel().await.ok();
                        run.await
                    }
                }
            };
            // Free before the stream ends: who sees the end may call again at once.
            opened.end().await;
            let Err(error) = result.flatten() else { return };
            tx.send(Err(error.into())).await.ok();
        });
        Response::new(answer)
    }
}

/// The stream that answers a call. Dropping it tells the call's task.
pub(crate) struct Answer<T> {
    rx: mpsc::Receiver<Result<T, Status>>,
    _abandon: DropGuard,
}

impl<T> Stream for Answer<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.rx.poll_recv(cx)
    }
}

/// Marks the driver as spent unless it was opened meanwhile.
struct Spent<'a, S>(&'a Mutex<State<S>>);

impl<S> Drop for Spent<'_, S> {
    fn drop(&mut self) {
        let mut state = lock(self.0);
        if matches!(*state, State::Opening) {
            *state = State::Spent;
        }
    }
}

/// Reads what a session is to be opened with.
pub(crate) fn parse_open(form: &[pb::FormField], request: pb::OpenRequest) -> Result<Open, Error> {
    check_id(&request.session_id)?;
    let options = request.options.unwrap_or_default();
    let limits = request.limits.unwrap_or_default();
    Ok(Open {
        session_id: request.session_id,
        parameters: Parameters::parse(form, request.parameters)?,
        credential: Credential::parse(form, request.credential)?,
        read_only: options.read_only,
        startup_sql: options.startup_sql,
        default_schema: options.default_schema,
        connections_max: options.connections_max.max(1),
        connect_limit: connect_limit(&limits),
        memory_bytes: Some(limits.memory_bytes).filter(|bytes| *bytes > 0),
    })
}

fn check_id(session_id: &str) -> Result<(), Error> {
    match uuid::Uuid::try_parse(session_id) {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::new(Reason::SessionForeign, "the session id is not a UUID")),
    }
}

fn connect_limit(limits: &pb::Limits) -> Duration {
    limits.connect.and_then(|limit| Duration::try_from(limit).ok()).unwrap_or(CONNECT_LIMIT)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds one of these locks, and the data would be whole even then.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a panic of the driver's code an error of the driver: its caller is told, instead of a stream that breaks.
async fn caught<T>(call: impl Future<Output = T>) -> Result<T, Error> {
    AssertUnwindSafe(call)
        .catch_unwind()
        .await
        .map_err(|panic| Error::broken(format!("the driver panicked: {}", panic_text(&*panic))))
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
