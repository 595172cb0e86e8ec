//! What a killed driver left running in its database.
//!
//! A server may not notice for a long time that its client is gone. So another process of the same driver, which gets no
//! credential, asks it to stop. Nobody waits for that but Core's own end.

use std::{sync::Arc, time::Duration};

use querybox_launcher::{CallError, DetachedCancel, Launcher, OpenDriver, StartOrder};
use tokio::{sync::Semaphore, time::timeout};
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use super::{id::SessionId, run::After};

/// Databases asked at once, each by a process. Drivers that die together are not to be followed by as many at once.
const AT_ONCE_MAX: usize = 8;
/// With the turn to be waited for. By then servers have noticed by themselves, or do not listen.
const WITHIN: Duration = Duration::from_secs(20);

/// Has databases asked to stop what killed drivers left running in them.
#[derive(Clone)]
pub(crate) struct Aftermath {
    launcher: Arc<Launcher>,
    tracker: TaskTracker,
    turns: Arc<Semaphore>,
}

/// What is known of a driver before it ends.
pub(super) struct Bequest {
    session: SessionId,
    cancel: Option<DetachedCancel>,
}

impl Bequest {
    pub(super) fn of(session: SessionId, driver: &OpenDriver) -> Self {
        Self { session, cancel: driver.detached_cancel() }
    }
}

impl Aftermath {
    pub(crate) fn new(launcher: Arc<Launcher>, tracker: TaskTracker) -> Self {
        Self { launcher, tracker, turns: Arc::new(Semaphore::new(AT_ONCE_MAX)) }
    }

    /// Sees to it when the driver ended while its database was at work. `start`: how that driver was started.
    pub(super) fn follow(&self, bequest: Bequest, after: &After, start: &StartOrder) {
        let left_something = match after {
            // One that answers has heard from its database, or lost it.
            After::Ready | After::Failed(CallError::Driver { .. }) => false,
            After::Stuck | After::Failed(CallError::Ended(_) | CallError::Broken(_)) => true,
        };
        let Bequest { session, cancel: Some(cancel) } = bequest else { return };
        if !left_something {
            return;
        }
        let (this, start) = (self.clone(), start.clone());
        self.tracker.spawn(async move {
            let asking = async {
                // Never closed.
                let _turn = this.turns.acquire().await;
                this.launcher.cancel_detached(&start, cancel).await
            };
            match timeout(WITHIN, asking).await {
                Ok(Ok(outcome)) => info!(%session, ?outcome, "database asked to stop what a dead driver ran"),
                // Why may hold what a server said.
                Ok(Err(_)) | Err(_) => warn!(%session, "database not asked to stop what a dead driver ran"),
            }
        });
    }
}
