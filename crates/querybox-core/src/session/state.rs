//! The states of a session, and its one end: `idle ⇄ executing`, from both to `ending`, then `ended`.
//!
//! A leased session begins idle. One of a single request executes from the beginning, and what its request comes to is its
//! end. Pure: whoever holds it applies what has happened, and does what the verdict says.

use std::{fmt, time::Duration};

use querybox_launcher::{CallError, Cause, Reason, TransactionState};

use super::error::SessionError;
use crate::ConnectionError;

/// A session.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    life: Life,
    state: State,
    /// As the last statement left it.
    transaction: TransactionState,
}

/// How many requests it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// As many as come.
    Leased,
    /// One.
    OneShot,
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
    Ended(SessionEnd),
}

/// Something that happened to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// A request wants to run.
    Asked,
    /// A statement has left the transaction so.
    Transaction(TransactionState),
    /// The request has its answer, and the driver can be asked again. Only of leased sessions.
    Answered,
    /// Nothing was asked for as long as this. Only of leased sessions.
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
    Over(SessionEnd),
}

/// How a session came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionEnd {
    pub cause: EndCause,
    /// A transaction was open. What a request that ran at the end did to it, if one did, only the database knows.
    pub transaction_lost: bool,
}

/// Why a session ended. The first cause counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EndCause {
    /// What it was asked for is done. Not of leased sessions.
    #[default]
    Done,
    /// The database refused what it was asked for. Not of leased sessions.
    Rejected,
    /// It was cancelled, or nobody wants its answer any more. Not of leased sessions.
    Cancelled,
    /// The time of its request was over, which was this long. Of a leased session: a request did not stop then, and the driver
    /// was killed.
    Deadline(Duration),
    /// The driver needed more memory than this.
    Memory { limit_bytes: u64 },
    /// A leased session of which nothing was asked for this long.
    Idle(Duration),
    /// Its reader took nothing for this long. Not of leased sessions.
    StreamIdle(Duration),
    /// What was to stop did not, and the driver was killed. Of leased sessions.
    Unstoppable,
    /// The driver's process ended by itself or by a signal.
    DriverDied,
    /// The driver did not start, failed, or broke its contract.
    DriverFailed,
    /// The connection to the database was lost.
    ConnectionLost,
    /// Somebody closed it.
    Closed,
    /// Core ends.
    ShuttingDown,
}

impl Machine {
    /// A leased session that has just opened.
    pub(super) fn leased() -> Self {
        Self { life: Life::Leased, state: State::Idle, transaction: TransactionState::Idle }
    }

    /// A session of one request, which has begun.
    pub(super) fn one_shot() -> Self {
        Self { life: Life::OneShot, state: State::Executing, transaction: TransactionState::Idle }
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
            (State::Executing, Event::Answered) if self.life == Life::Leased => State::Idle,
            (State::Idle, Event::Unused(limit)) => State::Ending(EndCause::Idle(limit)),
            (State::Idle | State::Executing, Event::End(cause)) => State::Ending(cause),
            (State::Idle | State::Executing, Event::DriverGone) => {
                State::Ended(self.end_by(EndCause::DriverDied))
            }
            (State::Ending(cause), Event::DriverGone) => State::Ended(self.end_by(cause)),
            (State::Idle, Event::Transaction(_) | Event::Answered)
            | (State::Executing, Event::Answered | Event::Unused(_))
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

    /// How the last statement left the transaction.
    pub(super) fn transaction(&self) -> TransactionState {
        self.transaction
    }

    /// Whether the driver is gone.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended(_))
    }

    /// How it ended, or is about to. `None`: it goes on.
    pub(super) fn end(&self) -> Option<SessionEnd> {
        match self.state {
            State::Idle | State::Executing => None,
            State::Ending(cause) => Some(self.end_by(cause)),
            State::Ended(end) => Some(end),
        }
    }

    fn end_by(&self, cause: EndCause) -> SessionEnd {
        let transaction_lost = match self.transaction {
            TransactionState::Open | TransactionState::Failed => true,
            TransactionState::Idle | TransactionState::Unknown => false,
        };
        SessionEnd { cause, transaction_lost }
    }
}

impl EndCause {
    /// Why a session of one request ended that came to this. `rejected`: the database refused something; `was_cancelled`: it
    /// did so because somebody had asked it to stop.
    pub(super) fn of_request(last: &Result<(), SessionError>, rejected: bool, was_cancelled: bool) -> Self {
        match last {
            Ok(()) if rejected && was_cancelled => Self::Cancelled,
            Ok(()) if rejected => Self::Rejected,
            Ok(()) => Self::Done,
            Err(SessionError::Cancelled) => Self::Cancelled,
            Err(SessionError::Deadline { limit }) => Self::Deadline(*limit),
            Err(SessionError::StreamIdle { limit }) => Self::StreamIdle(*limit),
            Err(SessionError::Connection(ConnectionError::ShuttingDown(_))) => Self::ShuttingDown,
            Err(SessionError::Driver(error)) => Self::of_call(error).unwrap_or(Self::DriverFailed),
            // But for the first, sessions with these do not begin, or are leased.
            Err(
                SessionError::Start(_)
                | SessionError::Id(_)
                | SessionError::Full { .. }
                | SessionError::Unknown
                | SessionError::Connection(_)
                | SessionError::SecretMissing(_)
                | SessionError::Credential(_)
                | SessionError::File { .. }
                | SessionError::DeadlineTooLong { .. }
                | SessionError::NothingRuns
                | SessionError::Lease(_),
            ) => Self::DriverFailed,
        }
    }

    /// Why a session cannot go on whose call failed. `None`: it can.
    pub(super) fn of_call(error: &CallError) -> Option<Self> {
        match error {
            CallError::Broken(_) => Some(Self::DriverFailed),
            CallError::Ended(ending) => Some(Self::of_process(ending.cause)),
            CallError::Driver { reason, .. } => match reason {
                // The request was refused before the database had heard of it.
                Reason::BindingInvalid | Reason::Unsupported => None,
                Reason::ConnectionLost | Reason::ProtocolBroken => Some(Self::ConnectionLost),
                Reason::ResolveFailed
                | Reason::ConnectFailed
                | Reason::TlsFailed
                | Reason::FileUnusable
                | Reason::ParameterInvalid
                | Reason::SessionForeign
                | Reason::SessionState
                | Reason::LimitReached
                | Reason::DriverBroken => Some(Self::DriverFailed),
            },
        }
    }

    /// Why a session ended whose driver's process did.
    pub(super) fn of_process(cause: Cause) -> Self {
        match cause {
            Cause::Memory { limit_bytes, .. } => Self::Memory { limit_bytes },
            Cause::Deadline(limit) => Self::Deadline(limit),
            Cause::Exited(_) | Cause::Signal(_) | Cause::FileSize { .. } | Cause::Killed => Self::DriverDied,
        }
    }
}

impl fmt::Display for SessionEnd {
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
            Self::Done => f.write_str("it was done"),
            Self::Rejected => f.write_str("the database refused what it ran"),
            Self::Cancelled => f.write_str("it was cancelled"),
            Self::Deadline(limit) => {
                write!(f, "what it ran did not stop at the deadline of {limit:?}, and its driver was killed")
            }
            Self::Idle(limit) => write!(f, "it was unused for {limit:?}"),
            Self::StreamIdle(limit) => write!(f, "its answer was not read for {limit:?}"),
            Self::Unstoppable => {
                f.write_str("what it ran did not stop when it was cancelled, and its driver was killed")
            }
            Self::Closed => f.write_str("it was closed"),
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
