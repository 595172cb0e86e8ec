//! The one thread on which processes are started.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};
use tokio::sync::{mpsc, oneshot};
use tracing::warn;

/// Requests that may wait for the thread. A start takes about a millisecond; at a going down, every process that is left
/// is buried at once.
const WAITING_MAX: usize = 512;

/// Starts jails, all on one thread that lives as long as any process started on it is watched.
///
/// The kernel sends the parent-death signal when the *thread* ends that started a process. Threads of a runtime's pool
/// come and go, and their drivers would go with them.
pub(crate) struct Spawner {
    requests: mpsc::Sender<Request>,
}

/// The descriptors 0, 1 and 2 of a new process.
pub(crate) struct Standard {
    pub(crate) input: OwnedFd,
    pub(crate) output: OwnedFd,
    pub(crate) error: OwnedFd,
}

/// A child that was not waited for yet.
pub(crate) struct Spawned {
    pub(crate) pid: Pid,
    pub(crate) pidfd: OwnedFd,
}

enum Request {
    Spawn { standard: Standard, reply: oneshot::Sender<io::Result<Spawned>> },
    Bury(OwnedFd),
}

impl Spawner {
    pub(crate) fn new(jail: PathBuf) -> io::Result<Self> {
        let (requests, mut inbox) = mpsc::channel::<Request>(WAITING_MAX);
        thread::Builder::new().name("querybox-spawner".to_owned()).spawn(move || {
            while let Some(request) = inbox.blocking_recv() {
                match request {
                    // Nobody waits any longer when the runtime went down meanwhile; nobody watches the process then, but
                    // it finds its socket closed and ends.
                    Request::Spawn { standard, reply } => drop(reply.send(spawn(&jail, standard))),
                    // The process was killed. If the system does not let us wait, it has nothing left to wait for.
                    Request::Bury(pidfd) => drop(waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED)),
                }
            }
        })?;
        Ok(Self { requests })
    }

    pub(crate) async fn spawn(&self, standard: Standard) -> io::Result<Spawned> {
        let gone = || io::Error::other("the thread that starts processes is gone");
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::Spawn { standard, reply }).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Waits for a process that was killed, on the thread. For when the task that watched it goes down with its runtime;
    /// never blocks.
    pub(crate) fn bury(&self, pidfd: OwnedFd) {
        if self.requests.try_send(Request::Bury(pidfd)).is_err() {
            warn!("a killed driver stays a zombie until this process ends");
        }
    }
}

/// The policy carries the environment and the arguments of the driver; the jail itself gets none.
fn spawn(jail: &Path, standard: Standard) -> io::Result<Spawned> {
    let mut child = Command::new(jail)
        .env_clear()
        .stdin(standard.input)
        .stdout(standard.output)
        .stderr(standard.error)
        .spawn()?;
    let pid = Pid::from_child(&child);
    // The id stays this child's until somebody waits for it, which only the watcher does, by this descriptor.
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) => Ok(Spawned { pid, pidfd }),
        Err(errno) => {
            child.kill()?;
            child.wait()?;
            Err(errno.into())
        }
    }
}
