//! The launcher: what starts drivers, and what is left to wait for when it goes.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use querybox_jail::Ids;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    driver::{CancelOutcome, DetachedCancel, DetachedError, Driver, cancel_detached},
    order::StartOrder,
    probe::{self, Described, Kept, ProbeError, Probed},
    process::{Nursery, ending::EndingCounts, memory::MemoryControl},
    spares::{Pool, SpareCounts, SpareLimits},
    spawner::Spawner,
    start::StartError,
    starter::Starter,
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
    /// Processes that are kept ready, for a program that runs long. None: every driver is started when it is needed.
    pub spares: Option<SpareLimits>,
}

/// Starts drivers. Its methods need a tokio runtime with I/O and time.
///
/// No process that it started outlives it for long: see [`Launcher::shutdown`].
pub struct Launcher {
    starter: Starter,
    spares: Option<Arc<Pool>>,
    probed: Probed,
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
            endings: Mutex::default(),
        };
        let starter = Starter { nursery: Arc::new(nursery), unprivileged: config.unprivileged };
        let spares = config.spares.map(|limits| Pool::new(starter.clone(), limits));
        Ok(Self { starter, spares, probed: Probed::default() })
    }

    /// Keeps what files said of themselves in a file at `place`, and believes what is kept there as long as the files stay as
    /// they are. For a program that runs shortly and often. A file that another user could have written is not believed.
    #[must_use]
    pub fn keeping_answers(mut self, place: PathBuf) -> Self {
        self.probed = Probed::keeping(Kept::new(place));
        self
    }

    /// Starts a driver, confined, or takes a spare. It has no credentials yet. Dropping the future kills the process.
    ///
    /// A spare that ends before it hears of its use is replaced by a driver that is started then, also in [`Driver::open`].
    ///
    /// # Errors
    ///
    /// See [`StartError`]. No process is left behind.
    pub async fn start(&self, order: &StartOrder) -> Result<Driver, StartError> {
        match self.spares.as_ref().and_then(|spares| spares.take(order)) {
            Some(spare) => Ok(spare),
            None => self.starter.start(order).await,
        }
    }

    /// Makes spares for this order, if the launcher keeps any, before somebody starts it: in the background, and only for
    /// an order without a file and a deadline.
    pub fn warm(&self, order: &StartOrder) {
        if let Some(spares) = &self.spares {
            spares.warm(order);
        }
    }

    /// What became of spares so far.
    pub fn spare_counts(&self) -> SpareCounts {
        self.spares.as_ref().map(|spares| spares.counts()).unwrap_or_default()
    }

    /// How processes of drivers ended so far, with those that were only asked what they are.
    pub fn ending_counts(&self) -> EndingCounts {
        *self.starter.nursery.endings.lock().unwrap_or_else(PoisonError::into_inner)
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
        let order = StartOrder { deadline: None, ..order.clone() };
        cancel_detached(self.start(&order), cancelled).await
    }

    /// Asks a file what kind of driver it is, in the jail and without credentials. The answer is kept for as long as the
    /// file stays as it is; those who ask while it is being asked share the answer, whatever it is.
    ///
    /// # Errors
    ///
    /// See [`ProbeError`]. An error is not kept: the next probe runs the file again.
    pub async fn probe(&self, file: &Path) -> Result<Arc<Described>, Arc<ProbeError>> {
        probe::probe(&self.starter.nursery, self.starter.unprivileged, &self.probed, file).await
    }

    /// Kills every process that is left, spares too, and waits until all are waited for and every task of this crate has ended.
    /// Drivers started afterwards are killed at once.
    pub async fn shutdown(&self) {
        let Nursery { spawner, tasks, shutdown, .. } = &*self.starter.nursery;
        shutdown.cancel();
        tasks.close();
        tasks.wait().await;
        spawner.close().await;
    }
}

impl Drop for Launcher {
    /// Kills what is left; the tasks that wait for it run on.
    fn drop(&mut self) {
        self.starter.nursery.shutdown.cancel();
    }
}
