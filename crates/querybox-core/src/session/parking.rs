//! Parts that came while the driver was stopped, for a reader that may be slow.

use std::collections::VecDeque;

use super::tally::Answer;

/// What is on its way when a driver is asked to stop: its window (2 MiB) and what the two ends hold. One that sends more did
/// not stop.
const PARKED_BYTES_MAX: u64 = 4 << 20;

/// Parts that came while the driver was stopped.
pub(super) struct Parking<P> {
    parts: VecDeque<P>,
    bytes: u64,
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    /// Every part that came is here.
    Whole,
    /// Some were left out.
    Overflown,
    /// Nobody wants them.
    Closed,
}

impl<P: Answer> Parking<P> {
    /// One that keeps what fits.
    pub(super) fn open() -> Self {
        Self { parts: VecDeque::new(), bytes: 0, state: State::Whole }
    }

    /// One that keeps nothing.
    pub(super) fn closed() -> Self {
        Self { state: State::Closed, ..Self::open() }
    }

    pub(super) fn park(&mut self, part: P) {
        if self.state == State::Whole && self.bytes + part.bytes() > PARKED_BYTES_MAX {
            self.state = State::Overflown;
        }
        if self.state == State::Whole {
            self.bytes += part.bytes();
            self.parts.push_back(part);
        }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.state == State::Whole
    }

    pub(super) fn into_parts(self) -> VecDeque<P> {
        self.parts
    }
}
