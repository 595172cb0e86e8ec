//! The wish to stop what runs, and how it went.

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How what was asked to stop has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The database refused the statement that ran.
    Confirmed,
    /// It ended before the database was asked to stop.
    AlreadyDone,
    /// The driver was killed.
    Killed,
}

/// Makes the two ends of the wish.
pub(crate) fn stoppable() -> (Stoppable, Cancel) {
    let asked = CancellationToken::new();
    let (ended, watched) = watch::channel(None);
    (Stoppable { asked: asked.clone(), ended }, Cancel { asked, ended: watched })
}

/// The end of those who may ask.
#[derive(Debug, Clone)]
pub(crate) struct Cancel {
    asked: CancellationToken,
    ended: watch::Receiver<Option<End>>,
}

impl Cancel {
    /// Asks to stop and waits until it has, or says nothing for `limit`.
    pub(crate) async fn stop(mut self, limit: Duration) -> Option<End> {
        self.asked.cancel();
        let told = tokio::time::timeout(limit, self.ended.wait_for(Option::is_some)).await.ok()?;
        // The sender tells before it is dropped.
        told.ok().and_then(|end| *end)
    }
}

/// The end of what runs. Dropping it says that nothing does any more.
#[derive(Debug)]
pub(crate) struct Stoppable {
    asked: CancellationToken,
    ended: watch::Sender<Option<End>>,
}

impl Stoppable {
    /// Cancelled when somebody asked.
    pub(crate) fn asked(&self) -> &CancellationToken {
        &self.asked
    }

    /// Whether the database has stopped what ran because somebody asked.
    pub(crate) fn was_confirmed(&self) -> bool {
        *self.ended.borrow() == Some(End::Confirmed)
    }

    /// Tells those who asked how it went. Only the first word counts.
    pub(crate) fn tell(&self, end: End) {
        self.ended.send_if_modified(|told| {
            let first = told.is_none();
            if first {
                *told = Some(end);
            }
            first
        });
    }
}

impl Drop for Stoppable {
    fn drop(&mut self) {
        // Whoever asked and was not told yet came too late.
        self.tell(End::AlreadyDone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_asks_learns_the_end_however_it_goes() {
        let (running, cancel) = stoppable();
        running.tell(End::Confirmed);
        running.tell(End::Killed);
        assert_eq!(cancel.stop(Duration::from_secs(1)).await, Some(End::Confirmed));
        assert!(running.asked().is_cancelled());

        let (running, cancel) = stoppable();
        drop(running);
        assert_eq!(cancel.stop(Duration::from_secs(1)).await, Some(End::AlreadyDone));

        let (_running, cancel) = stoppable();
        assert_eq!(cancel.stop(Duration::from_millis(1)).await, None);
    }
}
