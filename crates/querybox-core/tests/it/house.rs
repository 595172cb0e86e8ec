//! A Core to be tested.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::StreamExt as _;
use jiff::Timestamp;
use querybox_core::{
    Answers, Clock, Config, Core, Deadline, Ended, Event, ExecuteOptions, ExecuteRequest, Fact, KeepLimits,
    KeySource, Limits, OnError, Opened, OsKeyring, Part, ResultSettings, SecretPlace, Secrets, SessionError,
    SessionId, Store, Target, Unsaved,
};
use querybox_fixtures::{Folder, User, copy_program, example, is_root, ordinary_user, program, unprivileged};
use querybox_launcher::{Ids, Launcher, MemoryControl};

pub(crate) struct House {
    pub(crate) core: Core,
    pub(crate) folder: Folder,
}

/// So that a machine which is busy does not kill what obeys.
pub(crate) const GRACE: Duration = Duration::from_secs(2);

pub(crate) fn limits() -> Limits {
    Limits {
        sessions_max: 2,
        leases_max: 2,
        lease_idle: Duration::from_secs(600),
        deadline: Duration::from_secs(30),
        deadline_max: None,
        stream_idle: None,
        connect: Duration::from_secs(10),
        cancel_grace: GRACE,
        memory_bytes: 256 << 20,
        descriptors: 64,
        file_bytes: None,
    }
}

impl House {
    /// With the test driver in its plugin folder.
    pub(crate) async fn new() -> Self {
        let house = Self::without_plugins().await;
        copy_program(&example("test-driver"), &house.plugin_folder()).unwrap();
        house
    }

    pub(crate) async fn without_plugins() -> Self {
        Self::with_limits(limits()).await
    }

    /// Without plugins.
    pub(crate) async fn with_limits(limits: Limits) -> Self {
        Self::with(limits, |results| results).await
    }

    /// With the test driver, and results that are kept so.
    pub(crate) async fn keeping(limits: Limits, set: impl FnOnce(ResultSettings) -> ResultSettings) -> Self {
        let house = Self::with(limits, set).await;
        copy_program(&example("test-driver"), &house.plugin_folder()).unwrap();
        house
    }

    async fn with(limits: Limits, set: impl FnOnce(ResultSettings) -> ResultSettings) -> Self {
        let folder = Folder::make(owner(), 0o755).unwrap();
        let results = set(results(folder.path()));
        for name in ["first", "second"] {
            folder.add_folder(name, owner(), 0o755).unwrap();
        }
        let User { uid, gid } = unprivileged();
        let launcher = querybox_launcher::Config {
            jail: program("querybox-jail"),
            unprivileged: Ids { uid, gid },
            memory: MemoryControl::Groups,
            spares: None,
        };
        let path = |name: &str| folder.path().join(name);
        let core = Core::new(Config {
            store: Store::open(&path("store.db")).await.unwrap(),
            launcher: Launcher::new(launcher).unwrap(),
            plugin_folders: vec![path("first"), path("missing"), path("second")],
            limits,
            clock: Clock::new(Timestamp::now),
            secrets: Secrets { keys: KeySource::none(), keyring: Arc::new(OsKeyring::new()) },
            results,
            texts: querybox_core::TextStorage::Sealed,
            history: querybox_core::HistorySettings::USUAL,
        });
        Self { core, folder }
    }

    pub(crate) fn plugin_folder(&self) -> PathBuf {
        self.folder.path().join("first")
    }

    pub(crate) async fn execute(&self, sql: &str) -> Answers<Part> {
        self.execute_within(sql, Deadline::None).await
    }

    pub(crate) async fn execute_within(&self, sql: &str, deadline: Deadline) -> Answers<Part> {
        self.core.execute(request(session_id(), sql, deadline)).await.unwrap()
    }
}

/// Results that are kept in a folder, with little memory.
pub(crate) fn results(folder: &Path) -> ResultSettings {
    ResultSettings {
        folder: folder.to_owned(),
        limits: KeepLimits {
            result_memory_bytes: 1 << 20,
            all_memory_bytes: 4 << 20,
            result_bytes: 1 << 30,
            all_bytes: 2 << 30,
            free_disk_percent: 90,
            cache_bytes: 4 << 20,
            files_max: 256,
        },
        results_max: 128,
        idle: Duration::from_secs(600),
    }
}

pub(crate) fn owner() -> User {
    if is_root() { User { uid: 0, gid: 0 } } else { ordinary_user() }
}

pub(crate) fn request(session_id: SessionId, sql: &str, deadline: Deadline) -> ExecuteRequest {
    ExecuteRequest {
        session_id,
        target: Target::Unsaved(Box::new(unsaved("test"))),
        secrets: Vec::new(),
        sql: sql.to_owned(),
        options: ExecuteOptions { deadline, ..options() },
    }
}

pub(crate) fn options() -> ExecuteOptions {
    ExecuteOptions {
        on_error: OnError::Stop,
        single_transaction: false,
        rows_max: None,
        bytes_max: None,
        deadline: Deadline::Default,
        bindings: Vec::new(),
        gives_copy_data: false,
        connections_max: 1,
        column_facts: false,
    }
}

pub(crate) fn unsaved(driver_type: &str) -> Unsaved {
    Unsaved {
        driver_type: driver_type.parse().unwrap(),
        given: Vec::new(),
        read_only: false,
        deadline: Deadline::Default,
        rows_max: None,
        bytes_max: None,
        startup_sql: None,
        default_schema: None,
        secret_place: SecretPlace::NotNeeded,
        history: querybox_core::HistoryLevel::Texts,
    }
}

pub(crate) fn session_id() -> SessionId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let made_ms = Timestamp::now().as_millisecond();
    let (upper, lower) = (made_ms >> 16, made_ms & 0xffff);
    format!("{upper:08x}-{lower:04x}-7000-8000-{number:012x}").parse().unwrap()
}

/// The only session that runs.
pub(crate) fn running(house: &House) -> SessionId {
    let running = house.core.running_sessions();
    assert_eq!(running.len(), 1, "{running:?}");
    running[0]
}

/// Reads up to the header of the first statement, with which the test driver begins.
pub(crate) async fn opened(answers: &mut Answers<Part>) -> Opened {
    let Some(Ok(Event::Opened(opened))) = answers.next().await else { panic!("no session was opened") };
    let header = answers.next().await;
    let Some(Ok(Event::Part(Part { fact: Fact::Header { .. }, .. }))) = header else { panic!("{header:?}") };
    opened
}

/// Reads to the end.
pub(crate) async fn rest(answers: Answers<Part>) -> (Vec<Fact>, Result<Ended, SessionError>) {
    let (mut facts, mut last) = (Vec::new(), None);
    let mut answers = answers;
    while let Some(event) = answers.next().await {
        assert!(last.is_none(), "nothing follows the end");
        match event {
            Ok(Event::Part(part)) => facts.push(part.fact),
            Ok(Event::Opened(_) | Event::Refused(_)) => {}
            Ok(Event::Ended(ended)) => last = Some(Ok(ended)),
            Err(error) => last = Some(Err(error)),
        }
    }
    (facts, last.expect("a session says how it ended"))
}

pub(crate) fn is_alive(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// Waits for something that must come to be within a bound.
pub(crate) async fn soon(within: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let end = tokio::time::Instant::now() + within;
    while !is_so() {
        if tokio::time::Instant::now() > end {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    true
}
