//! Revisions, which only grow.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;

/// Makes revisions of drafts: from the clock, so that a name whose draft was deleted, or forgotten with a Core that had it in
/// memory, never has a revision again that somebody has seen of another text.
#[derive(Debug, Default)]
pub(crate) struct Revisions(AtomicU64);

impl Revisions {
    /// A revision above the one that was `seen`, and above all that were made.
    pub(super) fn make(&self, seen: u64, now: Timestamp) -> u64 {
        let clock = u64::try_from(now.as_microsecond()).unwrap_or(0);
        let mut made = 0;
        // What others say they have seen does not count for all, as it may be anything.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
            made = clock.max(last.saturating_add(1));
            Some(made)
        });
        made.max(seen.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_never_made_twice() {
        let revisions = Revisions::default();
        let now = Timestamp::from_microsecond(1_000).unwrap();
        assert_eq!(revisions.make(0, now), 1_000);
        // The clock stands, or goes back.
        assert_eq!(revisions.make(0, now), 1_001);
        assert_eq!(revisions.make(0, Timestamp::from_microsecond(-5).unwrap()), 1_002);
        // What was seen was made when the clock was ahead.
        assert_eq!(revisions.make(9_000, now), 9_001);
        // Nonsense spoils nothing for others.
        assert_eq!(revisions.make(u64::MAX, now), u64::MAX);
        assert_eq!(revisions.make(0, now), 1_005);
    }
}
