//! The composition root: which parts the program is made of, with which settings.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use querybox_core::{
    Clock, Core, HistorySettings, KeepLimits, Limits, OsKeyring, QueryText, ResultSettings, Secrets,
};
use querybox_launcher::{Ids, Launcher, MemoryControl, SpareLimits};
use querybox_store::Store;

use crate::{
    config::Config,
    failure::{Failure, chain, describe},
    home::Home,
    keys::source::Source,
    master_key,
    serve::Room,
};

pub(crate) use querybox_api::MESSAGE_BYTES_MAX;

pub(crate) use crate::channel::Channel;

/// The user and group that drivers run as when the program runs as root: `nobody`, on every Linux.
pub(crate) const UNPRIVILEGED_ID: u32 = 65534;

/// Sessions at once. A command runs one; a server has as many as there are descriptors for.
const SESSIONS_MAX: usize = 256;
/// Sessions leased at once by each shell or page.
const LEASES_MAX: usize = 16;
/// Time to resolve, dial, agree on TLS and log in.
const CONNECT: Duration = Duration::from_secs(10);
/// Time for the database to answer a cancel before its driver is killed.
const CANCEL_GRACE: Duration = Duration::from_secs(2);
/// Memory of one driver. Drivers stream; one that needs more is broken, or a value is huge.
const DRIVER_MEMORY_BYTES: u64 = 512 << 20;
/// Descriptors of one driver: a database's files and sockets, with room.
const DRIVER_DESCRIPTORS: u64 = 256;

/// Time for which a front end of a server may leave an answer unread: it holds a driver, a connection and perhaps locks.
const STREAM_IDLE: Duration = Duration::from_secs(60);
/// Spares of one driver: a person who runs one statement after the other, and a page beside.
const SPARES_PER_DRIVER: usize = 2;
/// Spares in all: the few kinds of databases that people use side by side.
const SPARES_TOTAL: usize = 6;
/// A spare waits as long as a lunch takes, and then makes room.
const SPARES_AGE_MAX: Duration = Duration::from_secs(60 * 60);
/// A machine that is this short of memory has better use for it.
const SPARES_MEMORY_MIN_BYTES: u64 = 1 << 30;

/// Kept results of one person. Each takes little when it is short.
const RESULTS_MAX: usize = 512;
/// A result waits as long as a lunch takes, unless a page looks at it.
const RESULT_IDLE: Duration = Duration::from_secs(60 * 60);
const KEEP_LIMITS: KeepLimits = KeepLimits {
    result_memory_bytes: 32 << 20,
    all_memory_bytes: 128 << 20,
    result_bytes: 8 << 30,
    all_bytes: 16 << 30,
    free_disk_percent: 50,
    cache_bytes: 32 << 20,
    // A command keeps nothing.
    files_max: 16,
};

/// What Core is put together for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    /// One command, whose user looks on.
    Command,
    /// Front ends that come and go, and what there are descriptors for.
    Server(Room),
}

/// Where the programs lie: this one, the jail and the plugins beside it.
pub(crate) fn programs() -> Result<PathBuf, Failure> {
    let program = std::env::current_exe().map_err(|error| {
        Failure::machinery(format!("cannot find this program's folder: {}", describe(&error)))
    })?;
    program.parent().map(Path::to_owned).ok_or_else(|| Failure::machinery("this program lies in no folder"))
}

/// Puts Core together. It must be shut down before the process ends.
pub(crate) async fn compose(
    config: &Config,
    home: &Home,
    programs: &Path,
    host: Host,
    query_text: QueryText,
) -> Result<Arc<Core>, Failure> {
    let jail = programs.join("querybox-jail");
    if !jail.is_file() {
        return Err(Failure::machinery(format!("{} is missing", jail.display())).with_hint(
            "drivers only run confined, so the jail belongs beside the program: install QueryBox again",
        ));
    }
    let path = home.store();
    let store = Store::open(&path)
        .await
        .map_err(|error| Failure::machinery(format!("cannot open {}: {}", path.display(), chain(&error))))?;
    let launcher = Launcher::new(querybox_launcher::Config {
        jail,
        unprivileged: Ids { uid: UNPRIVILEGED_ID, gid: UNPRIVILEGED_ID },
        memory: MemoryControl::Groups,
        spares: match host {
            // A command runs once and is gone: it would only pay for them.
            Host::Command => None,
            Host::Server(_) => Some(SpareLimits {
                per_driver: SPARES_PER_DRIVER,
                total: SPARES_TOTAL,
                age_max: SPARES_AGE_MAX,
                available_memory_min_bytes: SPARES_MEMORY_MIN_BYTES,
                meminfo: PathBuf::from("/proc/meminfo"),
            }),
        },
    })
    .map_err(|error| Failure::machinery(format!("cannot start the launcher: {}", describe(&error))))?
    // A command would otherwise ask its driver what it is each time, which takes as long as all else before the log-in.
    .keeping_answers(home.drivers());
    let core = Core::new(querybox_core::Config {
        store,
        launcher,
        plugin_folders: config.plugin_folders.clone(),
        limits: Limits {
            sessions_max: match host {
                Host::Command => SESSIONS_MAX,
                Host::Server(room) => room.sessions,
            },
            leases_max: LEASES_MAX,
            lease_idle: config.session_idle,
            deadline: config.deadline,
            deadline_max: config.deadline_max,
            stream_idle: match host {
                // A person may look at a pager for long, and whoever runs a command ends it when he likes.
                Host::Command => None,
                Host::Server(_) => Some(STREAM_IDLE),
            },
            connect: CONNECT,
            cancel_grace: CANCEL_GRACE,
            memory_bytes: DRIVER_MEMORY_BYTES,
            descriptors: DRIVER_DESCRIPTORS,
            file_bytes: None,
        },
        clock: Clock::new(jiff::Timestamp::now),
        secrets: Secrets { keys: master_key::source(home), keyring: Arc::new(OsKeyring::new()) },
        results: ResultSettings {
            folder: home.path().to_owned(),
            limits: KeepLimits {
                files_max: match host {
                    Host::Command => KEEP_LIMITS.files_max,
                    Host::Server(room) => room.files,
                },
                ..KEEP_LIMITS
            },
            results_max: RESULTS_MAX,
            idle: RESULT_IDLE,
        },
        texts: config.texts,
        history: HistorySettings {
            // A command that needs no password is not to wait for a person who unlocks a safe.
            asks_for_key: !matches!(host, Host::Command)
                || !matches!(master_key::find(home), Ok(Some(Source::Command(_)))),
            ..config.history
        },
    });
    Ok(Arc::new(core.showing(query_text)))
}
