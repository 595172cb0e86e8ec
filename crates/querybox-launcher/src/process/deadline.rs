//! The clock of one process: at the deadline it is asked to stop, shortly after it is killed.

use std::{future::Future, pin::Pin, time::Duration};

use tokio::time::Instant;

use crate::order::Deadline;

/// How long a driver may take to obey at its deadline. With the kill and the wait it stays below a second.
const GRACE: Duration = Duration::from_millis(800);

/// Makes the call that asks a driver to stop.
pub(crate) type CancelCall = Box<dyn Fn() -> Asking + Send>;

/// Such a call on its way.
pub(crate) type Asking = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where a process stands against its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    /// There is none.
    Unset,
    /// It lies ahead.
    Running(Deadline),
    /// It passed, the driver was asked to stop.
    Grace { limit: Duration, kill_at: Instant },
    /// The process is being killed; no deadline matters any more.
    Stopped,
}

/// What is to be done when the clock strikes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Strike {
    AskToStop(Duration),
    Kill(Duration),
}

impl Clock {
    pub(super) fn new(deadline: Option<Deadline>) -> Self {
        deadline.map_or(Self::Unset, Self::Running)
    }

    /// A deadline that is moved during the grace takes the kill back: what was asked to stop did.
    pub(super) fn set(&mut self, deadline: Option<Deadline>) {
        if *self != Self::Stopped {
            *self = Self::new(deadline);
        }
    }

    /// When it strikes next.
    pub(super) fn next(&self) -> Option<Instant> {
        match self {
            Self::Unset | Self::Stopped => None,
            Self::Running(deadline) => Some(deadline.at),
            Self::Grace { kill_at, .. } => Some(*kill_at),
        }
    }

    /// It struck at `now`. A driver that cannot be asked gets no grace.
    pub(super) fn strike(&mut self, now: Instant, can_be_asked: bool) -> Option<Strike> {
        match *self {
            Self::Unset | Self::Stopped => None,
            Self::Running(Deadline { limit, .. }) if can_be_asked => {
                *self = Self::Grace { limit, kill_at: now + GRACE };
                Some(Strike::AskToStop(limit))
            }
            Self::Running(Deadline { limit, .. }) | Self::Grace { limit, .. } => {
                *self = Self::Stopped;
                Some(Strike::Kill(limit))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    fn running() -> (Clock, Instant) {
        let deadline = Deadline::after(LIMIT);
        (Clock::new(Some(deadline)), deadline.at)
    }

    #[test]
    fn it_asks_first_and_kills_within_a_second() {
        let (mut clock, at) = running();
        assert_eq!(clock.next(), Some(at));
        assert_eq!(clock.strike(at, true), Some(Strike::AskToStop(LIMIT)));
        let kill_at = clock.next().unwrap();
        assert!(kill_at < at + Duration::from_secs(1));
        assert_eq!(clock.strike(kill_at, true), Some(Strike::Kill(LIMIT)));
        assert_eq!(clock.next(), None);
    }

    #[test]
    fn it_kills_at_once_what_cannot_be_asked() {
        let (mut clock, at) = running();
        assert_eq!(clock.strike(at, false), Some(Strike::Kill(LIMIT)));
    }

    #[test]
    fn a_deadline_that_is_moved_in_the_grace_takes_the_kill_back() {
        let (mut clock, at) = running();
        clock.strike(at, true);
        clock.set(None);
        assert_eq!(clock.next(), None);
    }

    #[test]
    fn a_killed_process_has_no_deadline() {
        let (mut clock, at) = running();
        clock.strike(at, false);
        clock.set(Some(Deadline::after(LIMIT)));
        assert_eq!(clock.next(), None);
    }
}
