//! When front ends are told how a result comes along.

use std::{future::pending, time::Duration};

use tokio::time::{Instant, sleep_until};

/// Told four times a second at most: people do not read faster.
const EVERY: Duration = Duration::from_millis(250);

/// Puts changes together that follow each other quickly. The first is told at once, and the last always.
#[derive(Debug, Default)]
pub(super) struct Teller {
    told: Option<Instant>,
    due: Option<Instant>,
}

impl Teller {
    /// Something has changed.
    pub(super) fn note(&mut self, now: Instant) {
        let next = self.told.map_or(now, |told| (told + EVERY).max(now));
        self.due.get_or_insert(next);
    }

    /// Waits until it is time to tell. Cancel-safe; resolves never while nothing has changed.
    pub(super) async fn due(&self) {
        match self.due {
            Some(due) => sleep_until(due).await,
            None => pending().await,
        }
    }

    /// It was told.
    pub(super) fn told(&mut self, now: Instant) {
        self.told = Some(now);
        self.due = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_change_is_told_at_once_and_those_that_follow_together() {
        let begun = Instant::now();
        let mut teller = Teller::default();
        assert_eq!(teller.due, None);
        teller.note(begun);
        assert_eq!(teller.due, Some(begun));
        teller.told(begun);
        assert_eq!(teller.due, None);
        teller.note(begun);
        teller.note(begun + EVERY / 2);
        assert_eq!(teller.due, Some(begun + EVERY));
        teller.told(begun + EVERY);
        teller.note(begun + EVERY * 3);
        assert_eq!(teller.due, Some(begun + EVERY * 3));
    }
}
