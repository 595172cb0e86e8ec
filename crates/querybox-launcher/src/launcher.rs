//! The launcher: what starts drivers, and what is left to wait for when it goes.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use querybox_jail::Ids;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    driver::{CancelOutcome, DetachedCancel, DetachedError, Driver, cancel_detached},
    order::StartOrder,
    probe::{self, Described, ProbeError},
    process::{Nursery, memory::MemoryControl},
    spawner::Spawner,
    start::{Purpose, StartError, start},
    transport::connect,
};

/// What a launcher needs to know once.
#[derive(Debug, Clone)]
pub struct Config {
    /// The binary `querybox-jail`.
    pub jail: PathBuf,
    /// Whom a launcher of root lets its drivers be when no granted file says otherwise.
    pub unprivileged: Ids,
    /// What may be used to keep drivers within their memory.
    pub memory: MemoryControl,
}

/// Starts drivers. Its methods need a tokio runtime with I/O and time.
///
/// No process that it started outlives it for long: see [`Launcher::shutdown`].
pub struct Launcher {
    nursery: Arc<Nursery>,
    unprivileged: Ids,
    probed: Mutex<HashMap<PathBuf, Arc<Described>>>,
}

impl Launcher {
    /// A launcher with a thread of its own, on which all processes are started.
    ///
    /// # Errors
    ///
    /// The system has no thread left.
    pub fn new(config: Config) -> io::Result<Self> {
        let nursery = Nursery {
            spawner: Spawner::new(config.jail, config.memory)?,
            tasks: TaskTracker::new(),
            shutdown: CancellationToken::new(),
        };
        Ok(Self { nursery: Arc::new(nursery), unprivileged: config.unprivileged, probed: Mutex::default() })
    }

    /// Starts a driver, confined. It has no credentials yet. Dropping the future kills the process.
    ///
    /// # Errors
    ///
    /// See [`StartError`]. No process is left behind.
    pub async fn start(&self, order: &StartOrder) -> Result<Driver, StartError> {
        let started = start(&self.nursery, self.unprivileged, order, Purpose::Serve).await?;
        let client = connect(started.channel, &self.nursery);
        Ok(Driver::new(client, started.process, started.enforced, started.output))
    }

    /// Stops on the server what a driver left running that was killed, through another process of the same driver, which
    /// gets no credential. `order` is what the killed one was started with; its deadline is of no account, for this takes a
    /// few seconds at most. The answer says that the database was asked, not what became of the statement.
    ///
    /// # Errors
    ///
    /// See [`DetachedError`]. No process is left behind.
    pub async fn cancel_detached(
        &self,
        order: &StartOrder,
        cancelled: DetachedCancel,
    ) -> Result<CancelOutcome, DetachedError> {
        let driver = self.start(&StartOrder { deadline: None, ..order.clone() }).await?;
        Ok(cancel_detached(driver, cancelled).await?)
    }

    /// Asks a file what kind of driver it is, in the jail and without credentials. The answer is kept for as long as the
    /// file stays as it is.
    ///
    /// # Errors
    ///
    /// See [`ProbeError`]. An error is not kept: the next probe runs the file again.
    pub async fn probe(&self, file: &Path) -> Result<Arc<Described>, ProbeError> {
        probe::probe(&self.nursery, self.unprivileged, &self.probed, file).await
    }

    /// Kills every process that is left, and waits until all are waited for and every task of this crate has ended.
    /// Drivers started afterwards are killed at once.
    pub async fn shutdown(&self) {
        self.nursery.shutdown.cancel();
        self.nursery.tasks.close();
        self.nursery.tasks.wait().await;
        self.nursery.spawner.close().await;
    }
}

impl Drop for Launcher {
    /// Kills what is left; the tasks that wait for it run on.
    fn drop(&mut self) {
        self.nursery.shutdown.cancel();
    }
}
