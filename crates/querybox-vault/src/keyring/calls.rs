//! Calls that may never come back, on one thread at a time.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

/// Runs calls one after the other, each on a thread of its own, and waits for none longer than it may take.
///
/// Never more than one thread lives: when a call does not come back, its thread is left to it, and nothing else is called
/// until it does.
#[derive(Debug)]
pub(super) struct Calls {
    shared: Arc<Shared>,
    max: Duration,
}

#[derive(Debug)]
struct Shared {
    thread: Mutex<Thread>,
    freed: Condvar,
}

/// What the one thread does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Thread {
    /// There is none.
    Free,
    /// Its call may still be in time. Turns tell calls apart.
    Working { turn: u64 },
    /// Nobody waits for its call any more.
    Stuck,
}

impl Calls {
    pub(super) fn new(max: Duration) -> Calls {
        Calls { shared: Arc::new(Shared { thread: Mutex::new(Thread::Free), freed: Condvar::new() }), max }
    }

    /// Runs a call. `None`: it, or one before it, did not come back in time.
    pub(super) fn run<T: Send + 'static>(&self, call: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let deadline = Instant::now() + self.max;
        let turn = self.shared.take_turn(deadline)?;
        let (answer, answered) = mpsc::sync_channel(1);
        let guard = FreeOnDrop(Arc::clone(&self.shared));
        thread::Builder::new()
            .name("keyring".to_owned())
            .spawn(move || {
                // Also when the call panics.
                let _guard = guard;
                // Nobody may wait any more; then the answer is dropped, and with it what is secret in it is wiped.
                let _ = answer.send(call());
            })
            // A machine without room for a thread has no answer either; the guard has been dropped with the closure.
            .ok()?;
        match answered.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(answer) => Some(answer),
            Err(_) => {
                self.shared.leave_alone(turn);
                None
            }
        }
    }
}

impl Shared {
    /// Waits until there is no other thread.
    fn take_turn(&self, deadline: Instant) -> Option<u64> {
        let mut thread = self.lock();
        loop {
            match *thread {
                Thread::Stuck => return None,
                Thread::Free => {
                    let turn = make_turn();
                    *thread = Thread::Working { turn };
                    return Some(turn);
                }
                Thread::Working { .. } => {
                    let left = deadline.checked_duration_since(Instant::now())?;
                    let waited =
                        self.freed.wait_timeout(thread, left).unwrap_or_else(PoisonError::into_inner);
                    thread = waited.0;
                }
            }
        }
    }

    /// The call was given up, unless it came back just now.
    fn leave_alone(&self, turn: u64) {
        let mut thread = self.lock();
        if *thread == (Thread::Working { turn }) {
            *thread = Thread::Stuck;
            // Who waits behind it waits in vain.
            self.freed.notify_all();
        }
    }

    /// No code that panics runs under this lock.
    fn lock(&self) -> MutexGuard<'_, Thread> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make_turn() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static TURNS: AtomicU64 = AtomicU64::new(0);
    TURNS.fetch_add(1, Ordering::Relaxed)
}

struct FreeOnDrop(Arc<Shared>);

impl Drop for FreeOnDrop {
    fn drop(&mut self) {
        *self.0.lock() = Thread::Free;
        self.0.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Far longer than a call of these tests takes on a busy machine.
    const LONG: Duration = Duration::from_secs(30);
    const SHORT: Duration = Duration::from_millis(50);

    #[test]
    fn answers_come_back_one_after_the_other() {
        let calls = Calls::new(LONG);
        let running = Arc::new(Mutex::new(()));
        thread::scope(|scope| {
            for number in 0..20 {
                let (calls, running) = (&calls, Arc::clone(&running));
                scope.spawn(move || {
                    let answer = calls.run(move || {
                        let _alone = running.try_lock().unwrap();
                        thread::sleep(Duration::from_millis(1));
                        number
                    });
                    assert_eq!(answer, Some(number));
                });
            }
        });
    }

    #[test]
    fn a_call_that_does_not_come_back_is_left_and_others_fail_at_once() {
        let calls = Calls::new(SHORT);
        let (release, released) = mpsc::channel::<()>();
        assert_eq!(calls.run(move || released.recv().is_ok()), None);
        let start = Instant::now();
        assert_eq!(calls.run(|| 1), None);
        assert!(start.elapsed() < SHORT, "a call waited behind one that is given up");
        // When it comes back at last, all is as before.
        release.send(()).unwrap();
        let start = Instant::now();
        while calls.run(|| 2).is_none() {
            assert!(start.elapsed() < LONG, "nothing runs any more");
        }
    }

    #[test]
    fn who_waits_behind_a_call_waits_no_longer_than_for_one() {
        let calls = Calls::new(SHORT);
        let (release, released) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let first = scope.spawn(|| calls.run(move || released.recv().is_ok()));
            let others: Vec<_> = (0..4).map(|_| scope.spawn(|| calls.run(|| true))).collect();
            assert_eq!(first.join().unwrap().or(None), None);
            for other in others {
                // It may have had its turn before the one that hangs.
                assert!(matches!(other.join().unwrap(), None | Some(true)));
            }
        });
        drop(release);
    }

    #[test]
    fn a_call_that_panics_is_no_answer_and_frees_the_way() {
        let calls = Calls::new(LONG);
        assert_eq!(calls.run(|| -> u8 { panic!("as a test wants it") }), None);
        assert_eq!(calls.run(|| 3), Some(3));
    }
}
