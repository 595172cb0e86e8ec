//! The one thread on which processes are started.

use std::{
    io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::sync::{mpsc, oneshot};

/// Starts that may wait for the thread. Each takes about a millisecond.
const WAITING_MAX: usize = 64;

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

struct Request {
    standard: Standard,
    reply: oneshot::Sender<io::Result<Spawned>>,
}

impl Spawner {
    pub(crate) fn new(jail: PathBuf) -> io::Result<Self> {
        let (requests, mut inbox) = mpsc::channel::<Request>(WAITING_MAX);
        thread::Builder::new().name("querybox-spawner".to_owned()).spawn(move || {
            while let Some(Request { standard, reply }) = inbox.blocking_recv() {
                // Nobody waits any longer when the runtime went down meanwhile; nobody watches the process then, but it
                // finds its socket closed and ends.
                let _ = reply.send(spawn(&jail, standard));
            }
        })?;
        Ok(Self { requests })
    }

    pub(crate) async fn spawn(&self, standard: Standard) -> io::Result<Spawned> {
        let gone = || io::Error::other("the thread that starts processes is gone");
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request { standard, reply }).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
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
