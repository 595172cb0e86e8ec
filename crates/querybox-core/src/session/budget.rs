//! The time that one request may take.

use std::{future::pending, time::Duration};

use tokio::time::{Instant, sleep_until};

/// What is left of a limit.
#[derive(Debug, Clone, Copy)]
struct Left {
    left: Duration,
    limit: Duration,
}

/// The time that one request may take, from the edge to its end. It stands still while the reader takes its time.
#[derive(Debug)]
pub(crate) struct Budget {
    left: Option<Left>,
    running_since: Option<Instant>,
}

impl Budget {
    /// A budget that runs since `start`. `None`: as long as it takes.
    pub(crate) fn since(start: Instant, limit: Option<Duration>) -> Self {
        Self { left: limit.map(|limit| Left { left: limit, limit }), running_since: Some(start) }
    }

    /// Stops counting.
    pub(crate) fn pause(&mut self, now: Instant) {
        if let (Some(since), Some(left)) = (self.running_since.take(), &mut self.left) {
            left.left = left.left.saturating_sub(now.saturating_duration_since(since));
        }
    }

    /// Goes on counting.
    pub(crate) fn resume(&mut self, now: Instant) {
        self.running_since.get_or_insert(now);
    }

    /// Resolves with the whole limit when it is used up: never without one, and not while it is paused. Cancel-safe.
    pub(crate) async fn used_up(&self) -> Duration {
        match self.end() {
            Some((end, limit)) => {
                sleep_until(end).await;
                limit
            }
            None => pending().await,
        }
    }

    /// When it is used up if nothing pauses it, and what it was.
    fn end(&self) -> Option<(Instant, Duration)> {
        let Left { left, limit } = self.left?;
        // A limit beyond what an instant can hold is no limit.
        Some((self.running_since?.checked_add(left)?, limit))
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_time_of_a_slow_reader_does_not_count() {
        let start = Instant::now();
        let mut budget = Budget::since(start, Some(s(30)));
        assert_eq!(budget.end(), Some((start + s(30), s(30))));
        budget.pause(start + s(20));
        assert_eq!(budget.end(), None, "a paused budget is never used up");
        budget.resume(start + s(1020));
        assert_eq!(budget.end(), Some((start + s(1030), s(30))));
    }

    #[test]
    fn pausing_twice_and_resuming_twice_count_once() {
        let start = Instant::now();
        let mut budget = Budget::since(start, Some(s(10)));
        budget.pause(start + s(4));
        budget.pause(start + s(5));
        budget.resume(start + s(6));
        budget.resume(start + s(7));
        assert_eq!(budget.end(), Some((start + s(12), s(10))));
        budget.pause(start + s(100));
        budget.resume(start + s(200));
        assert_eq!(budget.end(), Some((start + s(200), s(10))), "what is used up stays so");
    }

    #[tokio::test]
    async fn it_tells_its_limit_when_it_is_used_up_and_never_without_one() {
        let past = Instant::now().checked_sub(s(1)).unwrap();
        assert_eq!(Budget::since(past, Some(s(1))).used_up().await, s(1));
        for limit in [None, Some(Duration::MAX)] {
            assert_eq!(Budget::since(past, limit).used_up().now_or_never(), None, "{limit:?}");
        }
    }
}
