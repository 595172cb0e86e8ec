//! The one thread on which processes are started.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid,
};
use tokio::sync::{mpsc, oneshot};
use tracing::warn;

use crate::process::{
    cgroup::{Group, Groups},
    memory::{MemoryArrangement, MemoryControl, MemoryKeeper},
};

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
    /// Its control group, if it has one. To be dropped after the child was waited for.
    pub(crate) group: Option<Group>,
    pub(crate) memory: MemoryArrangement,
}

enum Request {
    Spawn { standard: Standard, memory_bytes_max: u64, reply: oneshot::Sender<io::Result<Spawned>> },
    Bury(OwnedFd, Option<Group>),
    Close(oneshot::Sender<()>),
}

impl Spawner {
    pub(crate) fn new(jail: PathBuf, memory: MemoryControl) -> io::Result<Self> {
        let (requests, mut inbox) = mpsc::channel::<Request>(WAITING_MAX);
        thread::Builder::new().name("querybox-spawner".to_owned()).spawn(move || {
            let mut groups = Groups::new(memory);
            while let Some(request) = inbox.blocking_recv() {
                match request {
                    Request::Spawn { standard, memory_bytes_max, reply } => {
                        let spawned = spawn(&jail, &mut groups, standard, memory_bytes_max);
                        // Nobody waits any longer when the runtime went down meanwhile, and nobody watches the process.
                        if let Err(Ok(Spawned { pidfd, group, .. })) = reply.send(spawned) {
                            let _ = pidfd_send_signal(&pidfd, Signal::KILL);
                            bury(&pidfd, group);
                        }
                    }
                    Request::Bury(pidfd, group) => bury(&pidfd, group),
                    Request::Close(closed) => {
                        groups.close();
                        let _ = closed.send(());
                    }
                }
            }
        })?;
        Ok(Self { requests })
    }

    pub(crate) async fn spawn(&self, standard: Standard, memory_bytes_max: u64) -> io::Result<Spawned> {
        let gone = || io::Error::other("the thread that starts processes is gone");
        let (reply, answer) = oneshot::channel();
        let request = Request::Spawn { standard, memory_bytes_max, reply };
        self.requests.send(request).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Waits for a process that was killed, on the thread. For when the task that watched it goes down with its runtime;
    /// never blocks.
    pub(crate) fn bury(&self, pidfd: OwnedFd, group: Option<Group>) {
        if self.requests.try_send(Request::Bury(pidfd, group)).is_err() {
            warn!("a killed driver stays a zombie until this process ends");
        }
    }

    /// Removes the folder of the control groups, once all processes were waited for. What is started afterwards has none.
    pub(crate) async fn close(&self) {
        let (closed, answer) = oneshot::channel();
        if self.requests.send(Request::Close(closed)).await.is_ok() {
            // An error: the thread is gone, and the folder with it.
            let _ = answer.await;
        }
    }
}

/// The policy carries the environment and the arguments of the driver; the jail itself gets none.
fn spawn(jail: &Path, groups: &mut Groups, standard: Standard, memory_bytes_max: u64) -> io::Result<Spawned> {
    let (group, fault) = match groups.make(memory_bytes_max) {
        Ok(group) => (group, None),
        Err(error) => {
            warn!(%error, "no control group for a driver");
            (None, Some(error.to_string()))
        }
    };
    let mut command = Command::new(jail);
    command.env_clear().stdin(standard.input).stdout(standard.output).stderr(standard.error);
    let mut child = match &group {
        Some(group) => group.spawn(&mut command)?,
        None => command.spawn()?,
    };
    let keeper = group.as_ref().map_or(MemoryKeeper::Watch, Group::keeper);
    let pid = Pid::from_child(&child);
    // The id stays this child's until somebody waits for it, which only the watcher does, by this descriptor.
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) => Ok(Spawned { pid, pidfd, group, memory: MemoryArrangement { keeper, fault } }),
        Err(errno) => {
            child.kill()?;
            child.wait()?;
            Err(errno.into())
        }
    }
}

/// Waits for a process that was killed, and removes its group. If the system does not let us wait, it has nothing left to
/// wait for.
fn bury(pidfd: &OwnedFd, group: Option<Group>) {
    let _ = waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED);
    drop(group);
}
