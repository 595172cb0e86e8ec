//! What is stopped, and when.

use std::time::Duration;

use crate::random::Random;

/// What runs when it is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Sleep,
    Stream,
    /// Nobody reads it until the receipt is there.
    Unread,
    /// It may be over before it is cancelled.
    Short,
    LeasedSleep,
    LeasedStream,
    LeasedTransaction,
    LeasedShort,
}

impl Kind {
    /// One of them: the short ones seldom, for of their cancels many come too late.
    pub(super) fn pick(random: &mut Random) -> Self {
        match random.below(100) {
            0..18 => Self::Sleep,
            18..36 => Self::Stream,
            36..48 => Self::Unread,
            48..64 => Self::LeasedSleep,
            64..80 => Self::LeasedStream,
            80..94 => Self::LeasedTransaction,
            94..97 => Self::Short,
            _ => Self::LeasedShort,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sleep => "sleep",
            Self::Stream => "stream",
            Self::Unread => "stream that nobody reads",
            Self::Short => "short",
            Self::LeasedSleep => "leased sleep",
            Self::LeasedStream => "leased stream",
            Self::LeasedTransaction => "leased, in a transaction",
            Self::LeasedShort => "leased short",
        }
    }

    pub(super) fn is_leased(self) -> bool {
        match self {
            Self::Sleep | Self::Stream | Self::Unread | Self::Short => false,
            Self::LeasedSleep | Self::LeasedStream | Self::LeasedTransaction | Self::LeasedShort => true,
        }
    }

    /// Whether it may end by itself.
    pub(super) fn is_short(self) -> bool {
        matches!(self, Self::Short | Self::LeasedShort)
    }

    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Sleep | Self::LeasedSleep => "select pg_sleep(100)",
            Self::LeasedTransaction => "begin; select 1; select pg_sleep(100)",
            Self::Stream | Self::Unread | Self::LeasedStream => {
                // In the list of columns: behind FROM, the server would make all rows before it sends the first.
                "select generate_series(1, 1000000000), repeat('x', 100)"
            }
            Self::Short | Self::LeasedShort => "select pg_sleep(0.02)",
        }
    }

    /// From the moment at which the session runs to the cancel.
    pub(super) fn moment(self, random: &mut Random) -> Duration {
        random.time(Duration::from_millis(if self.is_short() { 40 } else { 250 }))
    }
}
