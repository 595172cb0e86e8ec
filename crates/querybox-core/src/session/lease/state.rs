//! The states of a leased session, and its one end: `idle ⇄ executing`, from both to `ending`, then `ended`.
//!
//! Pure: whoever holds it applies what has happened, and does what the verdict says.

use std::{fmt, time::Duration};

use querybox_launcher::TransactionState;

/// A leased session that has opened.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    state: State,
    /// As the last statement left it.
    transaction: TransactionState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing runs.
    Idle,
    /// A request runs.
    Executing,
    /// It takes no more requests, and its driver is on its way out.
    Ending(EndCause),
    /// The driver is gone.
    Ended(LeaseEnd),
}

/// Something that happened to a leased session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// A request wants to run.
    Asked,
    /// A statement has left the transaction so.
    Transaction(TransactionState),
    /// The request has its answer, and the driver can be asked again.
    Answered,
    /// Nothing was asked for as long as this.
    Unused(Duration),
    /// It has to end.
    End(EndCause),
    /// Its driver's process is no more.
    DriverGone,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// So it is now.
    Goes,
    /// It changes nothing.
    Nothing,
    /// Another request runs.
    Busy,
    /// The session has ended, or is about to.
    Over(LeaseEnd),
}

/// How a leased session came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseEnd {
    pub cause: EndCause,
    /// A transaction was open. What a request that ran at the end did to it, if one did, only the database knows.
    pub transaction_lost: bool,
}

/// Why a leased session ended. The first cause counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndCause {
    /// Somebody closed it.
    Closed,
    /// Nothing was asked of it for this long.
    Idle(Duration),
    /// What was cancelled did not stop, and the driver was killed.
    Unstoppable,
    /// A request did not stop at its deadline, which was this long, and the driver was killed.
    Deadline(Duration),
    /// The driver needed more memory than this.
    Memory { limit_bytes: u64 },
    /// The driver's process ended by itself or by a signal.
    DriverDied,
    /// The driver failed, or broke its contract.
    DriverFailed,
    /// The connection to the database was lost.
    ConnectionLost,
    /// Core ends.
    ShuttingDown,
}

impl Machine {
    /// A session that has just opened.
    pub(super) fn new() -> Self {
        Self { state: State::Idle, transaction: TransactionState::Idle }
    }

    pub(super) fn apply(&mut self, event: Event) -> Verdict {
        let next = match (self.state, event) {
            (State::Ended(end), Event::Asked) => return Verdict::Over(end),
            (State::Ending(cause), Event::Asked) => return Verdict::Over(self.end_by(cause)),
            (State::Executing, Event::Asked) => return Verdict::Busy,
            (State::Idle, Event::Asked) => State::Executing,
            (State::Executing | State::Ending(_), Event::Transaction(transaction)) => {
                self.transaction = transaction;
                self.state
            }
            (State::Executing, Event::Answered) => State::Idle,
            (State::Idle, Event::Unused(limit)) => State::Ending(EndCause::Idle(limit)),
            (State::Idle | State::Executing, Event::End(cause)) => State::Ending(cause),
            (State::Idle | State::Executing, Event::DriverGone) => {
                State::Ended(self.end_by(EndCause::DriverDied))
            }
            (State::Ending(cause), Event::DriverGone) => State::Ended(self.end_by(cause)),
            (State::Idle, Event::Transaction(_) | Event::Answered)
            | (State::Executing, Event::Unused(_))
            | (State::Ending(_), Event::Answered | Event::Unused(_) | Event::End(_))
            | (
                State::Ended(_),
                Event::Transaction(_)
                | Event::Answered
                | Event::Unused(_)
                | Event::End(_)
                | Event::DriverGone,
            ) => return Verdict::Nothing,
        };
        self.state = next;
        Verdict::Goes
    }

    /// Whether the driver is gone.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended(_))
    }

    /// How it ended, or is about to. `None`: it goes on.
    pub(super) fn end(&self) -> Option<LeaseEnd> {
        match self.state {
            State::Idle | State::Executing => None,
            State::Ending(cause) => Some(self.end_by(cause)),
            State::Ended(end) => Some(end),
        }
    }

    fn end_by(&self, cause: EndCause) -> LeaseEnd {
        let transaction_lost = match self.transaction {
            TransactionState::Open | TransactionState::Failed => true,
            TransactionState::Idle | TransactionState::Unknown => false,
        };
        LeaseEnd { cause, transaction_lost }
    }
}

impl fmt::Display for LeaseEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)?;
        if self.transaction_lost {
            f.write_str(", and its open transaction is lost")?;
        }
        Ok(())
    }
}

impl fmt::Display for EndCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("it was closed"),
            Self::Idle(limit) => write!(f, "it was unused for {limit:?}"),
            Self::Unstoppable => {
                f.write_str("what it ran did not stop when it was cancelled, and its driver was killed")
            }
            Self::Deadline(limit) => {
                write!(f, "what it ran did not stop at the deadline of {limit:?}, and its driver was killed")
            }
            Self::Memory { limit_bytes } => {
                write!(f, "its driver reached the memory limit of {} MiB", limit_bytes >> 20)
            }
            Self::DriverDied => f.write_str("its driver died"),
            Self::DriverFailed => f.write_str("its driver failed"),
            Self::ConnectionLost => f.write_str("its connection to the database was lost"),
            Self::ShuttingDown => f.write_str("QueryBox shut down"),
        }
    }
}

#[cfg(test)]
mod tests;
