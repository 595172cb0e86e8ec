//! A running driver, before and after it was opened.

mod detached;

use std::{future::Future, os::fd::OwnedFd, sync::Arc, time::Duration};

use querybox_contracts::plugin::v1 as pb;
use querybox_jail::Enforced;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::{Response, Status};
use tracing::{debug, warn};

use crate::{
    calls::{
        copy::CopySender,
        error::{BrokenContract, CallError},
        events::SessionEvents,
        execute::ExecuteOrder,
        failure::explain,
        open::{OpenOrder, ServerFacts},
        part::Rejection,
        parts::Parts,
        schema::{DdlOrder, DdlParts, SchemaOrder, SchemaParts},
        test::TestParts,
    },
    order::{Deadline, StartOrder},
    process::{Process, ending::Ending, memory::MemoryKeeper},
    starter::Starter,
    transport::{Client, Traffic},
};

pub(crate) use detached::cancel_detached;
pub use detached::{DetachedCancel, DetachedError};

/// A token is a key and an address. It is kept for as long as the session.
const TOKEN_BYTES_MAX: usize = 1024;

/// How long a driver may take to end when its socket closed. Then it is killed.
const CLOSE_GRACE: Duration = Duration::from_secs(1);

/// A confined driver that was not opened. Dropping it kills the process.
pub struct Driver {
    client: Client,
    process: Arc<Process>,
    enforced: Enforced,
    /// Our end of the dial socket. The driver finds the other end open for as long as it runs.
    dial: OwnedFd,
    spare: Option<Spare>,
}

/// What a driver has that was started ahead.
struct Spare {
    starter: Starter,
    order: StartOrder,
    traffic: Arc<Traffic>,
}

/// What became of an [`Driver::open`].
pub enum OpenOutcome {
    /// The session can be used.
    Opened(Box<OpenDriver>, ServerFacts),
    /// The database refused. The process is gone.
    Rejected(Box<Rejection>),
}

/// A driver with an open session. Dropping it, and the streams that it gave, kills the process.
pub struct OpenDriver {
    client: Client,
    process: Arc<Process>,
    detached: DetachedCancel,
    /// Cancelled when the socket is to be closed.
    closing: CancellationToken,
    _dial: OwnedFd,
}

/// What became of a request to stop; not of the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelOutcome {
    /// The database was asked.
    Requested,
    /// Nothing ran.
    NothingRuns,
}

impl Driver {
    pub(crate) fn new(client: Client, process: Process, enforced: Enforced, dial: OwnedFd) -> Self {
        Self { client, process: Arc::new(process), enforced, dial, spare: None }
    }

    /// A driver that waits for its user, and that may be gone by then.
    pub(crate) fn into_spare(self, starter: Starter, order: StartOrder, traffic: Arc<Traffic>) -> Self {
        Self { spare: Some(Spare { starter, order, traffic }), ..self }
    }

    /// Whether the process is not known to be gone.
    pub(crate) fn is_running(&self) -> bool {
        self.process.is_running()
    }

    /// Whether it was started before it was needed.
    pub fn is_spare(&self) -> bool {
        self.spare.is_some()
    }

    /// What the jail enforced, and what it could not.
    pub fn enforced(&self) -> &Enforced {
        &self.enforced
    }

    /// What keeps the process within its memory.
    pub fn memory_keeper(&self) -> MemoryKeeper {
        self.process.memory().keeper
    }

    /// The process, for logs.
    pub fn pid(&self) -> u32 {
        self.process.pid().as_raw_nonzero().get().unsigned_abs()
    }

    /// Opens the session. The credentials are consumed: they go to the driver and are wiped here.
    ///
    /// # Errors
    ///
    /// See [`CallError`]. The process is gone.
    pub async fn open(self, order: OpenOrder) -> Result<OpenOutcome, CallError> {
        let request = order.into_request();
        let mut detached = DetachedCancel::of(&request);
        let call = |mut client: Client, request| async move { client.open(request).await };
        let (Self { client, process, dial, .. }, response) = self.first_call(request, call).await?;
        match response.outcome {
            Some(pb::open_response::Outcome::Opened(opened)) => {
                let server = ServerFacts::from(opened.server.unwrap_or_default());
                if opened.cancel_token.len() > TOKEN_BYTES_MAX {
                    return Err(BrokenContract::new("the cancel token is too long").found_in(&process));
                }
                detached.cancel_token = opened.cancel_token;
                process.set_cancel_call(Some(cancel_call(&client, detached.attached_request())));
                let closing = CancellationToken::new();
                let opened = OpenDriver { client, process, detached, closing, _dial: dial };
                Ok(OpenOutcome::Opened(Box::new(opened), server))
            }
            Some(pb::open_response::Outcome::Rejection(rejection)) => {
                Ok(OpenOutcome::Rejected(Box::new(Rejection::from(rejection))))
            }
            None => Err(BrokenContract::new("Open was answered with nothing").found_in(&process)),
        }
    }

    /// Tries a connection stage by stage. The credentials are consumed.
    ///
    /// # Errors
    ///
    /// See [`CallError`]. The process is gone.
    pub async fn test(self, order: OpenOrder) -> Result<TestParts, CallError> {
        let request = pb::TestConnectionRequest { open: Some(order.into_request()) };
        let call = |mut client: Client, request| async move { client.test_connection(request).await };
        let (Self { process, dial, .. }, parts) = self.first_call(request, call).await?;
        Ok(TestParts::new(parts, process, dial))
    }

    /// Makes the one call that a fresh driver is for. A spare that ended while it waited is replaced by a driver that is
    /// started now, if it cannot have heard a byte of the request: nothing is done twice.
    async fn first_call<Q: Clone, A, F>(
        mut self,
        request: Q,
        call: impl Fn(Client, Q) -> F,
    ) -> Result<(Self, A), CallError>
    where
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let Some(Spare { starter, order, traffic }) = self.spare.take() else {
            return match call(self.client.clone(), request).await {
                Ok(response) => Ok((self, response.into_inner())),
                Err(status) => Err(explain(&self.process, status).await),
            };
        };
        let written_bytes = traffic.written_bytes();
        // The copies of a request share the secrets in it, which are wiped with the last one.
        let status = match call(self.client.clone(), request.clone()).await {
            Ok(response) => return Ok((self, response.into_inner())),
            Err(status) => status,
        };
        if traffic.written_bytes() > written_bytes {
            return Err(explain(&self.process, status).await);
        }
        debug!(pid = self.pid(), "a spare driver was gone when it was needed");
        let fresh = match starter.start(&order).await {
            Ok(fresh) => fresh,
            Err(error) => {
                warn!(%error, "no driver could be started in the place of a spare that was gone");
                return Err(explain(&self.process, status).await);
            }
        };
        match call(fresh.client.clone(), request).await {
            Ok(response) => Ok((fresh, response.into_inner())),
            Err(status) => Err(explain(&fresh.process, status).await),
        }
    }

    /// Waits until the process is gone. Cancel-safe.
    pub async fn ended(&self) -> Arc<Ending> {
        self.process.ended().await
    }

    /// Kills the process and waits until it is gone.
    pub async fn kill(self) -> Arc<Ending> {
        self.process.kill();
        self.process.ended().await
    }
}

impl OpenDriver {
    /// The process, for logs.
    pub fn pid(&self) -> u32 {
        self.process.pid().as_raw_nonzero().get().unsigned_abs()
    }

    /// Runs a script. Dropping the parts asks the database to stop.
    ///
    /// # Errors
    ///
    /// See [`CallError`].
    pub async fn execute(&self, order: ExecuteOrder) -> Result<Parts, CallError> {
        let gives_copy_data = order.gives_copy_data;
        let request = order.into_request(self.detached.session_id.clone());
        match self.client.clone().execute(request).await {
            Ok(response) => Ok(Parts::new(response.into_inner(), Arc::clone(&self.process), gives_copy_data)),
            Err(status) => Err(explain(&self.process, status).await),
        }
    }

    /// What gives data to the statements of this session that ask for it. It is to be gone before the driver is closed.
    pub fn copy_sender(&self) -> CopySender {
        CopySender::new(&self.client, &self.process, self.detached.session_id.clone())
    }

    /// Tells what happens in the session while nobody asks. It keeps the driver's socket open until it is dropped, or has
    /// ended because the driver is to be closed.
    ///
    /// # Errors
    ///
    /// See [`CallError`].
    pub async fn watch(&self) -> Result<SessionEvents, CallError> {
        let request = pb::WatchSessionRequest { session_id: self.detached.session_id.clone() };
        match self.client.clone().watch_session(request).await {
            Ok(response) => Ok(SessionEvents::new(response.into_inner(), self.closing.child_token())),
            Err(status) => Err(explain(&self.process, status).await),
        }
    }

    /// Asks what the database holds.
    ///
    /// # Errors
    ///
    /// See [`CallError`].
    pub async fn schema(&self, order: SchemaOrder) -> Result<SchemaParts, CallError> {
        let request = order.into_request(self.detached.session_id.clone());
        match self.client.clone().get_schema(request).await {
            Ok(response) => Ok(SchemaParts::new(response.into_inner(), Arc::clone(&self.process))),
            Err(status) => Err(explain(&self.process, status).await),
        }
    }

    /// Asks how objects are made again.
    ///
    /// # Errors
    ///
    /// See [`CallError`].
    pub async fn ddl(&self, order: DdlOrder) -> Result<DdlParts, CallError> {
        let request = order.into_request(self.detached.session_id.clone());
        match self.client.clone().get_ddl(request).await {
            Ok(response) => Ok(DdlParts::new(response.into_inner(), Arc::clone(&self.process))),
            Err(status) => Err(explain(&self.process, status).await),
        }
    }

    /// Asks the database to stop what runs, whose parts still end with a part of their own.
    ///
    /// # Errors
    ///
    /// See [`CallError`].
    pub async fn cancel(&self) -> Result<CancelOutcome, CallError> {
        match self.client.clone().cancel(self.detached.attached_request()).await {
            Ok(response) => cancel_outcome(&self.process, response.into_inner()),
            Err(status) => Err(explain(&self.process, status).await),
        }
    }

    /// What another process needs to stop what runs here, should this one be killed: see
    /// [`Launcher::cancel_detached`](crate::Launcher::cancel_detached). None: the driver or its database has no means for it.
    pub fn detached_cancel(&self) -> Option<DetachedCancel> {
        (!self.detached.cancel_token.is_empty()).then(|| self.detached.clone())
    }

    /// Sets, moves or takes away the deadline. At the deadline the driver is asked to cancel; at most a second later it is
    /// killed, unless the deadline was moved or taken away meanwhile because what ran has ended.
    pub fn set_deadline(&self, deadline: Option<Deadline>) {
        self.process.set_deadline(deadline);
    }

    /// The limit of the deadline that passed, if one did: then a cancelled statement was cancelled for it.
    pub fn deadline_passed(&self) -> Option<Duration> {
        self.process.deadline_passed()
    }

    /// Waits until the process is gone. Cancel-safe.
    pub async fn ended(&self) -> Arc<Ending> {
        self.process.ended().await
    }

    /// Closes the socket, at which the driver leaves the database and exits, and kills it if it does not. Streams that are
    /// still held keep the socket open, but for that of [`watch`](Self::watch), which ends.
    pub async fn close(self) -> Arc<Ending> {
        self.close_within(CLOSE_GRACE).await
    }

    /// As [`close`](Self::close), for a driver that may take no longer than this to exit.
    pub async fn close_within(self, grace: Duration) -> Arc<Ending> {
        let Self { client, process, closing, .. } = self;
        closing.cancel();
        process.set_cancel_call(None);
        drop(client);
        if let Ok(ending) = timeout(grace.min(CLOSE_GRACE), process.ended()).await {
            return ending;
        }
        process.kill();
        process.ended().await
    }

    /// Kills the process and waits until it is gone.
    pub async fn kill(self) -> Arc<Ending> {
        self.process.kill();
        self.process.ended().await
    }
}

fn cancel_outcome(process: &Process, response: pb::CancelResponse) -> Result<CancelOutcome, CallError> {
    match response.outcome() {
        pb::CancelOutcome::Requested => Ok(CancelOutcome::Requested),
        pb::CancelOutcome::NothingRuns => Ok(CancelOutcome::NothingRuns),
        pb::CancelOutcome::Unspecified => {
            Err(BrokenContract::new("Cancel was answered with no outcome").found_in(process))
        }
    }
}

fn cancel_call(client: &Client, request: pb::CancelRequest) -> crate::process::deadline::CancelCall {
    let client = client.clone();
    Box::new(move || {
        let (mut client, request) = (client.clone(), request.clone());
        Box::pin(async move {
            // Whatever it answers: the process is killed if it is still there after its grace.
            let _ = client.cancel(request).await;
        })
    })
}
