//! How what runs on the connection's thread is stopped.
//!
//! `sqlite3_interrupt` stops a statement that steps, and is forgotten when none does. So the wish to stop is kept here as
//! well, where the progress handler and the wait for a lock look at it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, InterruptHandle};
use tokio_util::sync::CancellationToken;

/// Instructions of SQLite's virtual machine between two looks: some tens of microseconds.
const STEPS_BETWEEN_LOOKS: i32 = 1000;
/// The longest sleep while another connection holds a lock.
const LOCK_LOOK: Duration = Duration::from_millis(10);

/// The wish to stop what runs now. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish(Arc<Mutex<CancellationToken>>);

impl Wish {
    /// What runs from now on is stopped by `cancelled`.
    pub(crate) fn watch(&self, cancelled: CancellationToken) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = cancelled;
    }

    pub(crate) fn is_set(&self) -> bool {
        self.token().is_cancelled()
    }

    fn token(&self) -> CancellationToken {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Stops what a connection runs, from any thread.
pub(crate) struct Interrupt {
    wish: Wish,
    handle: InterruptHandle,
}

impl Interrupt {
    pub(crate) fn new(connection: &Connection, wish: Wish) -> Self {
        Self { wish, handle: connection.get_interrupt_handle() }
    }

    /// What runs from now on is stopped by `cancelled`.
    pub(crate) fn watch(&self, cancelled: CancellationToken) {
        self.wish.watch(cancelled);
    }

    /// Stops what runs now.
    pub(crate) fn interrupt(&self) {
        self.wish.token().cancel();
        self.handle.interrupt();
    }
}

/// Makes a connection look at the wish while it steps and while it waits for another connection's lock.
pub(crate) fn install(connection: &mut Connection, wish: &Wish, lock_wait: Duration) -> rusqlite::Result<()> {
    let stepping = wish.clone();
    connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || stepping.is_set()))?;
    let (waiting, mut since) = (wish.clone(), Instant::now());
    connection.busy_handler(Some(move |tries| {
        if tries == 0 {
            since = Instant::now();
        }
        let rest = lock_wait.saturating_sub(since.elapsed());
        if rest.is_zero() || waiting.is_set() {
            return false;
        }
        thread::sleep(rest.min(LOCK_LOOK));
        true
    }))
}
