//! The task that watches one process from before its start until it was waited for.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    sync::{Arc, PoisonError},
    time::Duration,
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, pidfd_send_signal, waitid};
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::{oneshot, watch},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::{
    order::Deadline,
    process::{
        CancelSlot, Nursery,
        cgroup::Group,
        deadline::{Asking, Clock, Strike},
        ending::{Bounds, Cause, Ending, derive_cause},
        memory::{MemoryArrangement, next_look, resident_bytes},
        stderr::StderrTail,
    },
    spawner::{Spawned, Standard},
};

/// All that the watching task needs. It holds no [`Process`](super::Process): nobody's interest in a process keeps it alive
/// but its holder's.
pub(super) struct Supervision {
    pub(super) nursery: Arc<Nursery>,
    pub(super) bounds: Bounds,
    pub(super) kill: CancellationToken,
    pub(super) deadlines: watch::Receiver<Option<Deadline>>,
    pub(super) passed: watch::Sender<Option<Duration>>,
    pub(super) cancel_call: CancelSlot,
    pub(super) ending: watch::Sender<Option<Arc<Ending>>>,
}

impl Supervision {
    pub(super) async fn run(
        mut self,
        standard: Standard,
        errors: OwnedFd,
        started: oneshot::Sender<io::Result<(Pid, MemoryArrangement)>>,
    ) {
        let memory_bytes_max = self.bounds.memory_bytes_max;
        let child = match self.nursery.spawner.spawn(standard, memory_bytes_max).await {
            Ok(spawned) => Child::new(spawned, Arc::clone(&self.nursery)),
            Err(error) => Err(error),
        };
        let stderr = StderrTail::read(errors, &self.nursery.tasks);
        let (mut child, memory, stderr) = match (child, stderr) {
            (Ok((child, memory)), Ok(stderr)) => (child, memory, stderr),
            (Err(error), _) => {
                // Whoever waited may be gone; there is nothing to watch either way.
                let _ = started.send(Err(error));
                return;
            }
            (Ok((mut child, _)), Err(error)) => {
                let _ = started.send(Err(error));
                child.kill();
                child.wait().await;
                child.leave_group().await;
                return;
            }
        };
        // Whoever waited may be gone; its guard has then set `kill`.
        let _ = started.send(Ok((child.pid, memory)));
        let watched = self.watch(&child).await;
        let status = child.wait().await;
        let killed_at = child.leave_group().await;
        let stderr_tail = stderr.finish().await;
        // It may have ended by itself in the moment before the kill reached it.
        let was_killed =
            status.is_some_and(|status| status.terminating_signal() == Some(Signal::KILL.as_raw()));
        let cause = match (watched.killed_for, killed_at, status) {
            // Whoever lost its socket by that lets go of it, which is a kill, but not the reason.
            (None | Some(Cause::Killed), Some(peak_bytes), _) if was_killed => Cause::Memory {
                limit_bytes: memory_bytes_max,
                reached_bytes: peak_bytes.max(memory_bytes_max),
            },
            (Some(cause), _, _) if was_killed => cause,
            (_, _, Some(status)) => derive_cause(&status, self.bounds, watched.resident_bytes, &stderr_tail),
            (_, _, None) => Cause::Killed,
        };
        debug!(pid = child.pid.as_raw_nonzero().get(), ?cause, "driver ended");
        self.nursery.endings.lock().unwrap_or_else(PoisonError::into_inner).add(cause);
        self.ending.send_replace(Some(Arc::new(Ending {
            cause,
            stderr_tail,
            memory_peak_bytes: watched.resident_bytes,
        })));
    }

    /// Returns when the process has ended, of itself or because it was killed here.
    async fn watch(&mut self, child: &Child) -> Watched {
        let mut watched = Watched { killed_for: None, resident_bytes: 0 };
        let mut clock = Clock::new(*self.deadlines.borrow_and_update());
        let mut look_at = Instant::now();
        let mut asking = None;
        loop {
            let kill = |cause: Cause, watched: &mut Watched| {
                child.kill();
                watched.killed_for.get_or_insert(cause);
            };
            let alive = watched.killed_for.is_none();
            let strike_at = clock.next();
            // Each branch can be dropped at any await and begun anew; `asking` is kept outside.
            tokio::select! {
                biased;
                () = child.exited() => return watched,
                () = self.kill.cancelled(), if alive => {
                    clock = Clock::Stopped;
                    kill(Cause::Killed, &mut watched);
                }
                changed = self.deadlines.changed(), if alive => match changed {
                    Ok(()) => clock.set(*self.deadlines.borrow_and_update()),
                    // The holder is gone, and has set `kill` as it went.
                    Err(_) => self.kill.cancel(),
                },
                () = until(strike_at), if strike_at.is_some() => {
                    let call = self.cancel_call.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|call| call());
                    match clock.strike(Instant::now(), call.is_some()) {
                        Some(Strike::AskToStop(limit)) => {
                            self.passed.send_replace(Some(limit));
                            asking = call;
                        }
                        Some(Strike::Kill(limit)) => {
                            self.passed.send_replace(Some(limit));
                            kill(Cause::Deadline(limit), &mut watched);
                        }
                        None => {}
                    }
                }
                () = answered(&mut asking), if asking.is_some() => asking = None,
                () = sleep_until(look_at), if alive => {
                    let resident_bytes = resident_bytes(child.pid).unwrap_or_default();
                    watched.resident_bytes = watched.resident_bytes.max(resident_bytes);
                    let limit_bytes = self.bounds.memory_bytes_max;
                    look_at = Instant::now() + next_look(resident_bytes, limit_bytes);
                    if resident_bytes > limit_bytes {
                        clock = Clock::Stopped;
                        kill(Cause::Memory { limit_bytes, reached_bytes: resident_bytes }, &mut watched);
                    }
                }
            }
        }
    }
}

/// What was seen of a process.
struct Watched {
    /// Why it was killed here. The first reason counts.
    killed_for: Option<Cause>,
    /// The most memory that it was seen to use.
    resident_bytes: u64,
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

async fn answered(asking: &mut Option<Asking>) {
    match asking {
        Some(call) => call.await,
        None => std::future::pending().await,
    }
}

/// A child by its descriptor, which means this process and never a later one with the same number.
///
/// One that is dropped before it was waited for, because the runtime goes down, is killed and waited for elsewhere.
struct Child {
    pid: Pid,
    pidfd: AsyncFd<OwnedFd>,
    group: Option<Group>,
    nursery: Arc<Nursery>,
    waited_for: bool,
}

impl Child {
    fn new(spawned: Spawned, nursery: Arc<Nursery>) -> io::Result<(Self, MemoryArrangement)> {
        let Spawned { pid, pidfd, group, memory } = spawned;
        #[expect(deprecated, reason = "sound for a descriptor that is owned; its successor needs `unsafe`")]
        match AsyncFd::try_with_interest(pidfd, Interest::READABLE) {
            Ok(pidfd) => Ok((Self { pid, pidfd, group, nursery, waited_for: false }, memory)),
            Err(error) => {
                let (pidfd, error) = error.into_parts();
                // It is there already, and cannot be watched.
                let _ = pidfd_send_signal(&pidfd, Signal::KILL);
                nursery.spawner.bury(pidfd, group);
                Err(error)
            }
        }
    }

    /// Kills it, stopped or not. It may be gone already.
    fn kill(&self) {
        if let Some(group) = &self.group {
            group.kill();
        }
        if let Err(errno) = pidfd_send_signal(self.pidfd.get_ref(), Signal::KILL)
            && errno != rustix::io::Errno::SRCH
        {
            warn!(pid = self.pid.as_raw_nonzero().get(), %errno, "driver could not be killed");
        }
    }

    /// The descriptor is readable from the end of the process on, and for ever.
    async fn exited(&self) {
        if self.pidfd.readable().await.is_err() {
            // Only when the runtime goes down.
            std::future::pending::<()>().await;
        }
    }

    /// Takes the end of the process from the kernel, so that no zombie is left.
    async fn wait(&mut self) -> Option<WaitIdStatus> {
        self.exited().await;
        self.waited_for = true;
        waitid(WaitId::PidFd(self.pidfd.get_ref().as_fd()), WaitIdOptions::EXITED | WaitIdOptions::NOHANG)
            .ok()
            .flatten()
    }

    /// Once it was waited for: removes its control group, and answers with the most that was used if the kernel killed for
    /// the group's limit.
    async fn leave_group(&mut self) -> Option<u64> {
        let group = self.group.take()?;
        let killed_at = group.killed_at();
        group.remove().await;
        killed_at
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.waited_for {
            return;
        }
        self.kill();
        if let Ok(pidfd) = self.pidfd.get_ref().try_clone() {
            self.nursery.spawner.bury(pidfd, self.group.take());
        }
    }
}
