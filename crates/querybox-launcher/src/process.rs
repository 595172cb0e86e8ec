//! One child process: watched, bounded, killed by descriptor, always waited for.

pub(crate) mod cgroup;
pub(crate) mod deadline;
pub(crate) mod ending;
pub(crate) mod memory;
mod stderr;
mod supervision;

use std::{
    os::fd::OwnedFd,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustix::process::Pid;
use tokio::sync::{oneshot, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    order::Deadline,
    process::{
        deadline::CancelCall,
        ending::{Bounds, Ending, EndingCounts},
        memory::MemoryArrangement,
        supervision::Supervision,
    },
    spawner::{Spawner, Standard},
};

/// A child process. Dropping it kills the process; the watching task, which outlives this, waits for it.
pub(crate) struct Process {
    pid: Pid,
    memory: MemoryArrangement,
    kill: CancellationToken,
    deadline: watch::Sender<Option<Deadline>>,
    passed: watch::Receiver<Option<Duration>>,
    cancel_call: CancelSlot,
    ending: watch::Receiver<Option<Arc<Ending>>>,
}

/// The call that asks the driver to stop, once the driver is open.
pub(crate) type CancelSlot = Arc<Mutex<Option<CancelCall>>>;

/// Where processes are started from, and what their tasks belong to.
pub(crate) struct Nursery {
    pub(crate) spawner: Spawner,
    pub(crate) tasks: TaskTracker,
    pub(crate) shutdown: CancellationToken,
    /// Processes that have ended.
    pub(crate) endings: Mutex<EndingCounts>,
}

impl Process {
    /// Starts the jail with these descriptors. The task that watches it is there before the process is, so that dropping
    /// this future leaves no process unwatched.
    pub(crate) async fn start(
        nursery: &Arc<Nursery>,
        standard: Standard,
        errors: OwnedFd,
        bounds: Bounds,
        first_deadline: Option<Deadline>,
    ) -> std::io::Result<Self> {
        let (deadline, deadlines) = watch::channel(first_deadline);
        let (passed_tx, passed) = watch::channel(None);
        let (ending_tx, ending) = watch::channel(None);
        let (started_tx, started) = oneshot::channel();
        let kill = nursery.shutdown.child_token();
        let killed_when_dropped = kill.clone().drop_guard();
        let cancel_call = CancelSlot::default();
        let supervision = Supervision {
            nursery: Arc::clone(nursery),
            bounds,
            kill: kill.clone(),
            deadlines,
            passed: passed_tx,
            cancel_call: Arc::clone(&cancel_call),
            ending: ending_tx,
        };
        nursery.tasks.spawn(supervision.run(standard, errors, started_tx));
        let (pid, memory) =
            started.await.map_err(|_| std::io::Error::other("the runtime is going down"))??;
        killed_when_dropped.disarm();
        Ok(Self { pid, memory, kill, deadline, passed, cancel_call, ending })
    }

    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// What keeps it within its memory.
    pub(crate) fn memory(&self) -> &MemoryArrangement {
        &self.memory
    }

    /// Kills it now. Its ending is then [`Cause::Killed`](ending::Cause::Killed), unless it came first.
    pub(crate) fn kill(&self) {
        self.kill.cancel();
    }

    pub(crate) fn set_deadline(&self, deadline: Option<Deadline>) {
        self.deadline.send_replace(deadline);
    }

    /// Whether it is watched and its end was not seen yet.
    pub(crate) fn is_running(&self) -> bool {
        self.ending.borrow().is_none() && self.ending.has_changed().is_ok()
    }

    /// The limit of a deadline that passed, if one did.
    pub(crate) fn deadline_passed(&self) -> Option<Duration> {
        *self.passed.borrow()
    }

    pub(crate) fn set_cancel_call(&self, call: Option<CancelCall>) {
        // Data alone is under the lock, so a panic elsewhere leaves it whole.
        *self.cancel_call.lock().unwrap_or_else(PoisonError::into_inner) = call;
    }

    /// Waits until it is gone and waited for. Cancel-safe.
    pub(crate) async fn ended(&self) -> Arc<Ending> {
        let mut ending = self.ending.clone();
        let ended = ending.wait_for(Option::is_some).await;
        match ended.ok().and_then(|ending| ending.clone()) {
            Some(ending) => ending,
            // The task went down with its runtime; this one will too.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill.cancel();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use rustix::pipe::pipe;

    use super::*;
    use crate::process::{ending::Cause, memory::MemoryControl};

    /// `cat` in the place of the jail: it waits for its input to close.
    async fn start_cat(bounds: Bounds, deadline: Option<Deadline>) -> (Process, UnixStream) {
        let nursery = Arc::new(Nursery {
            spawner: Spawner::new("/bin/cat".into(), MemoryControl::WatchAlone).unwrap(),
            tasks: TaskTracker::new(),
            shutdown: CancellationToken::new(),
            endings: Mutex::default(),
        });
        let (ours, input) = UnixStream::pair().unwrap();
        let (errors, error) = pipe().unwrap();
        let output = std::fs::File::options().write(true).open("/dev/null").unwrap().into();
        let standard = Standard { input: input.into(), output, error };
        (Process::start(&nursery, standard, errors, bounds, deadline).await.unwrap(), ours)
    }

    fn bounds(memory_bytes_max: u64) -> Bounds {
        Bounds { memory_bytes_max, file_bytes_max: None }
    }

    #[tokio::test]
    async fn the_watch_kills_what_uses_more_memory_than_its_limit() {
        let (process, _input) = start_cat(bounds(4096), None).await;
        let Cause::Memory { limit_bytes: 4096, reached_bytes } = process.ended().await.cause else {
            panic!()
        };
        assert!(reached_bytes > 4096);
    }

    #[tokio::test]
    async fn a_process_within_its_limit_lives_until_it_ends_by_itself() {
        let (process, input) = start_cat(bounds(512 << 20), None).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        drop(input);
        assert_eq!(process.ended().await.cause, Cause::Exited(0));
    }

    #[tokio::test]
    async fn a_process_that_cannot_be_asked_is_killed_at_its_deadline() {
        let limit = Duration::from_millis(50);
        let (process, _input) = start_cat(bounds(512 << 20), Some(Deadline::after(limit))).await;
        assert_eq!(process.ended().await.cause, Cause::Deadline(limit));
        assert_eq!(process.deadline_passed(), Some(limit));
    }
}
