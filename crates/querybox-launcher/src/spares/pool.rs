//! Spares as processes: taken by starts, and made again in the background.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep, sleep_until},
};
use tracing::{debug, warn};

use crate::{
    driver::Driver,
    order::{DriverFile, StartOrder},
    spares::{
        SpareCounts, SpareLimits,
        memory::{Memory, Room},
        shelf::{Key, Shelf},
    },
    starter::Starter,
};

/// How often is looked at what tells nobody when it changes: memory, files, the ends of spares.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The spares of a launcher. One task tends them from the first start on, until the launcher shuts down.
pub(crate) struct Pool {
    starter: Starter,
    memory: Memory,
    state: Mutex<State>,
    changed: Notify,
    is_tended: AtomicBool,
}

struct State {
    shelf: Shelf<Driver>,
    used: u64,
    missed: u64,
    dropped: u64,
}

/// What a look has found.
struct Found {
    room: Room,
    /// One of these is to be made.
    wanted: Option<Key>,
    /// When to look again.
    look_at: Instant,
}

impl Pool {
    pub(crate) fn new(starter: Starter, limits: SpareLimits) -> Arc<Self> {
        let SpareLimits { per_driver, total, age_max, available_memory_min_bytes, meminfo } = limits;
        let shelf = Shelf::new(per_driver, total, age_max);
        Arc::new(Self {
            starter,
            memory: Memory { meminfo, available_min_bytes: available_memory_min_bytes },
            state: Mutex::new(State { shelf, used: 0, missed: 0, dropped: 0 }),
            changed: Notify::new(),
            is_tended: AtomicBool::new(false),
        })
    }

    /// A spare for this order, if there is one. Either way there will be one for the next.
    pub(crate) fn take(self: &Arc<Self>, order: &StartOrder) -> Option<Driver> {
        let key = Key::of(order)?;
        // A spare is of the file as it was; a start would find out that it is another one.
        let is_unchanged = is_unchanged(&key.driver);
        let (taken, dropped) = {
            let mut state = self.state();
            let now = Instant::now();
            let beyond = state.shelf.ask(&key, now);
            let is_good = |spare: &Driver| is_unchanged && spare.is_running();
            let (taken, mut dropped) = state.shelf.take(&key, now, is_good);
            dropped.extend(beyond);
            state.used += u64::from(taken.is_some());
            state.missed += u64::from(taken.is_none());
            state.dropped += dropped.len() as u64;
            (taken, dropped)
        };
        drop(dropped);
        self.tend();
        if let Some(spare) = &taken {
            debug!(pid = spare.pid(), driver = %key.driver.path().display(), "spare driver taken");
        }
        taken
    }

    /// Makes spares for this order, though nobody has started it yet.
    pub(crate) fn warm(self: &Arc<Self>, order: &StartOrder) {
        let Some(key) = Key::of(order) else { return };
        let beyond = self.state().shelf.ask(&key, Instant::now());
        self.drop_counted(beyond);
        self.tend();
    }

    pub(crate) fn counts(&self) -> SpareCounts {
        let state = self.state();
        let State { shelf, used, missed, dropped } = &*state;
        SpareCounts { ready: shelf.len(), used: *used, missed: *missed, dropped: *dropped }
    }

    /// Wakes the task that makes spares, or starts it: a launcher may be made where there is no runtime yet.
    fn tend(self: &Arc<Self>) {
        if !self.is_tended.swap(true, Ordering::Relaxed) {
            let pool = Arc::clone(self);
            self.starter.nursery.tasks.spawn(async move {
                let shutdown = pool.starter.nursery.shutdown.clone();
                shutdown.run_until_cancelled(pool.refill()).await;
                let left = pool.state().shelf.clear();
                pool.drop_counted(left);
            });
        }
        self.changed.notify_one();
    }

    /// Makes what is wanted, one after the other: whoever starts drivers now comes first. Never ends.
    async fn refill(&self) {
        loop {
            let Found { wanted, look_at, .. } = self.look();
            let Some(key) = wanted else {
                tokio::select! {
                    () = self.changed.notified() => {}
                    () = sleep_until(look_at) => {}
                }
                continue;
            };
            let order = key.order();
            match self.unless_short(self.starter.start_ahead(&order)).await {
                Some(Ok(spare)) => {
                    let beyond = self.state().shelf.add(&key, spare, Instant::now());
                    self.drop_counted(beyond);
                }
                Some(Err(error)) => {
                    warn!(driver = %key.driver.path().display(), %error, "no spare driver could be started");
                    self.state().shelf.failed(&key);
                }
                // What was started is killed.
                None => {}
            }
        }
    }

    /// Looks at all that is there, and lets go what shall not be.
    fn look(&self) -> Found {
        let room = self.memory.room();
        let now = Instant::now();
        let review = self.state().shelf.review(now, room, Driver::is_running, is_unchanged);
        self.drop_counted(review.dropped);
        let look_at = review.next.into_iter().chain([now + LOOK_EVERY]).min().unwrap_or(now);
        Found { room, wanted: review.wanted, look_at }
    }

    /// Waits for a start unless memory gets short. A driver may take its time to listen, and what waits already is looked
    /// after meanwhile.
    async fn unless_short<T>(&self, start: impl Future<Output = T>) -> Option<T> {
        tokio::pin!(start);
        loop {
            tokio::select! {
                started = &mut start => return Some(started),
                () = sleep(LOOK_EVERY) => if self.look().room == Room::Short {
                    return None;
                },
            }
        }
    }

    /// Dropping them kills their processes.
    fn drop_counted(&self, spares: impl IntoIterator<Item = Driver>) {
        let count = spares.into_iter().map(drop).count();
        self.state().dropped += count as u64;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Data alone is under the lock, so a panic elsewhere leaves it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_unchanged(file: &DriverFile) -> bool {
    DriverFile::look_at(file.path()).is_ok_and(|now| now == *file)
}
