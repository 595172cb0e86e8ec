//! Core itself: what it is made of, and how it ends.

use std::{
    ops::Deref,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use querybox_launcher::Launcher;
use querybox_store::Store;
use tokio::{sync::Semaphore, time::timeout};
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

use crate::{
    clock::Clock,
    credentials::{Keyring, Secrets, Vault},
    drafts::{MemoryDrafts, Revisions},
    events::Watchers,
    happening::Observers,
    history::{HistorySettings, Recorder},
    plugins::{Listing, Plugins},
    query_text::QueryText,
    results::{ResultSettings, Shelf},
    script::READERS_MAX,
    session::{Aftermath, SessionId, Sessions},
    texts::{TextStorage, Texts},
};

/// What Core is made of.
pub struct Config {
    pub store: Store,
    pub launcher: Launcher,
    /// Where drivers are looked for. The first driver of a type wins.
    pub plugin_folders: Vec<PathBuf>,
    pub limits: Limits,
    pub clock: Clock,
    /// What secrets are kept with.
    pub secrets: Secrets,
    /// What kept results may take.
    pub results: ResultSettings,
    /// How what people write is kept.
    pub texts: TextStorage,
    /// What is kept of what ran.
    pub history: HistorySettings,
}

/// What one Core, one session and one driver may use. No defaults: a wrong one would be dangerous.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Sessions at once; each is a process.
    pub sessions_max: usize,
    /// Sessions leased at once by each front end, which count as sessions too.
    pub leases_max: usize,
    /// Time for which a leased session may be unused before it ends. Whoever leases one may ask for less.
    pub lease_idle: Duration,
    /// Time a request may take when neither it nor its connection says.
    pub deadline: Duration,
    /// The longest time that a request may take, whoever asks for it, with all extensions. `None`: as long as people wish.
    pub deadline_max: Option<Duration>,
    /// Time for which the reader of an answer may take nothing before what runs is stopped: it holds a driver, a connection
    /// and perhaps locks. `None`: as long as it likes.
    pub stream_idle: Option<Duration>,
    /// Time a driver may take to resolve, dial, agree on TLS and log in.
    pub connect: Duration,
    /// Time the database may take to answer a cancel before its driver is killed.
    pub cancel_grace: Duration,
    /// Memory of one driver.
    pub memory_bytes: u64,
    /// Descriptors that one driver may have open.
    pub descriptors: u64,
    /// The size that a driver may make a file. `None`: a database's file grows as it must.
    pub file_bytes: Option<u64>,
}

/// Keeps connections, finds drivers, runs sessions.
///
/// It must be [`shut down`](Core::shutdown) before the process ends; dropped without, drivers are killed and notes of the
/// last runs may be lost.
pub struct Core {
    pub(crate) limits: Limits,
    pub(crate) launcher: Arc<Launcher>,
    pub(crate) aftermath: Aftermath,
    pub(crate) plugins: Plugins,
    pub(crate) sessions: Arc<Sessions>,
    /// Every task and every use of the store, so that shutting down waits for them.
    pub(crate) tracker: TaskTracker,
    /// Those who are told what happens to what they hold.
    pub(crate) watchers: Arc<Watchers>,
    /// Results that are kept.
    pub(crate) shelf: Arc<Shelf>,
    /// Those who count what happens, and write it down.
    pub(crate) observers: Observers,
    /// What the log shows of statements.
    pub(crate) query_text: QueryText,
    /// Set when no new work is taken.
    pub(crate) closing: CancellationToken,
    /// Set when what runs has to stop.
    pub(crate) cutting: CancellationToken,
    pub(crate) clock: Clock,
    pub(crate) vault: Arc<Vault>,
    pub(crate) keyring: Keyring,
    pub(crate) texts: Arc<Texts>,
    pub(crate) memory_drafts: MemoryDrafts,
    /// Of drafts.
    pub(crate) revisions: Revisions,
    pub(crate) recorder: Recorder,
    /// Taken by those who read long scripts.
    pub(crate) readers: Arc<Semaphore>,
    store: Mutex<Option<Arc<Store>>>,
}

/// Core takes no new work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("QueryBox is shutting down")]
pub struct ShuttingDown;

impl Core {
    #[must_use]
    pub fn new(config: Config) -> Self {
        let Config { store, launcher, plugin_folders, limits, clock, secrets, results, texts, history } =
            config;
        let launcher = Arc::new(launcher);
        let tracker = TaskTracker::new();
        let observers = Observers::default();
        let vault = Arc::new(Vault::new(secrets.keys, observers.clone()));
        let texts = Arc::new(Texts::new(texts, Arc::clone(&vault), clock.clone()));
        // What is too old by now goes, also when nothing runs any more.
        store.trim_runs(history.limits(), clock.now());
        Self {
            aftermath: Aftermath::new(Arc::clone(&launcher), tracker.clone()),
            sessions: Sessions::new(limits.sessions_max, limits.leases_max),
            plugins: Plugins::new(plugin_folders, Arc::clone(&launcher)),
            limits,
            launcher,
            tracker,
            watchers: Arc::new(Watchers::new()),
            shelf: Shelf::new(results),
            closing: CancellationToken::new(),
            cutting: CancellationToken::new(),
            recorder: Recorder::new(history, Arc::clone(&texts), clock.clone()),
            clock,
            vault,
            keyring: Keyring::new(secrets.keyring, observers.clone()),
            observers,
            query_text: QueryText::Off,
            texts,
            memory_drafts: MemoryDrafts::default(),
            revisions: Revisions::default(),
            readers: Arc::new(Semaphore::new(READERS_MAX)),
            store: Mutex::new(Some(Arc::new(store))),
        }
    }

    /// The sessions that run now, oldest first.
    #[must_use]
    pub fn running_sessions(&self) -> Vec<SessionId> {
        self.sessions.running()
    }

    /// Every file of the plugin folders, usable or not. The first call looks at them all; later ones tell what it found.
    pub async fn plugins(&self) -> Arc<Listing> {
        self.plugins.list().await
    }

    /// Looks at the plugin folders again. Files that did not change are not started again.
    pub async fn rescan_plugins(&self) -> Arc<Listing> {
        self.plugins.rescan().await
    }

    /// Takes no new work at once, lets what runs finish within the grace, then cancels it, and resolves when every driver is
    /// gone and the store is closed. Leased sessions end with what they run; a transaction that they leave open is lost. Kept
    /// results are gone with what ran for them.
    pub async fn shutdown(&self, grace: Duration) {
        self.closing.cancel();
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.tracker.close();
        let _ = timeout(grace, self.tracker.wait()).await;
        self.cutting.cancel();
        self.tracker.wait().await;
        self.launcher.shutdown().await;
        self.watchers.close();
        // Every other holder was tracked, and is gone. A second call finds nothing to close.
        if let Some(store) = store.and_then(Arc::into_inner) {
            store.close().await;
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lends the store; shutting down waits until it is given back.
    pub(crate) fn store(&self) -> Result<StoreLease, ShuttingDown> {
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let store = store.clone().ok_or(ShuttingDown)?;
        Ok(StoreLease { store, _tracked: self.tracker.token() })
    }
}

/// The store, for as long as one piece of work needs it.
pub(crate) struct StoreLease {
    // Dropped in this order: when the tracker sees the last lease go, the store has no other holder.
    store: Arc<Store>,
    _tracked: TaskTrackerToken,
}

impl Deref for StoreLease {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}
