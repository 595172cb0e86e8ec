//! The note of a session in the history.

use querybox_launcher::{CallError, Cause, Reason};
use querybox_store::{ConnectionId, DriverType, Outcome, Run};
use tokio::time::Instant;

use super::{error::SessionError, id::SessionId, tally::Tally};
use crate::{
    clock::Clock,
    core::StoreLease,
    runs::{FinishedRun, Observer},
};

/// A run that is to be written down when it has ended.
pub(crate) struct Note {
    pub(crate) store: StoreLease,
    pub(crate) clock: Clock,
    pub(crate) observer: Observer,
    pub(crate) session: SessionId,
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) driver_type: DriverType,
    pub(crate) started: jiff::Timestamp,
    pub(crate) begun: Instant,
}

impl Note {
    /// Hands the note to the store, which writes it when it has time, and tells who counts.
    pub(super) fn write(self, tally: &Tally, was_cancelled: bool, last: &Result<(), SessionError>) {
        if let Some(connection) = self.connection {
            self.store.touch(connection, self.clock.now());
        }
        let run = FinishedRun {
            driver_type: self.driver_type.clone(),
            outcome: derive_outcome(tally.rejected, was_cancelled, last),
            duration: self.begun.elapsed(),
            rows: tally.rows,
            bytes: tally.bytes,
        };
        self.observer.tell(&run);
        self.store.record_run(Run {
            session: *self.session.as_uuid(),
            connection: self.connection,
            driver_type: self.driver_type,
            started: self.started,
            duration: run.duration,
            rows: run.rows,
            bytes: run.bytes,
            outcome: run.outcome,
        });
    }
}

fn derive_outcome(rejected: bool, was_cancelled: bool, last: &Result<(), SessionError>) -> Outcome {
    match last {
        Ok(()) if rejected && was_cancelled => Outcome::Canceled,
        Ok(()) if rejected => Outcome::Rejected,
        Ok(()) => Outcome::Done,
        // Closing a session stops what it runs.
        Err(SessionError::Cancelled | SessionError::Lease(_)) => Outcome::Canceled,
        Err(SessionError::Deadline { .. } | SessionError::StreamIdle { .. }) => Outcome::Limited,
        Err(SessionError::Driver(CallError::Driver { reason: Reason::LimitReached, .. })) => Outcome::Limited,
        Err(SessionError::Driver(CallError::Ended(ending))) => match ending.cause {
            Cause::Deadline(_) | Cause::Memory { .. } | Cause::FileSize { .. } => Outcome::Limited,
            Cause::Exited(_) | Cause::Signal(_) | Cause::Killed => Outcome::Failed,
        },
        Err(
            SessionError::Id(_)
            | SessionError::Full { .. }
            | SessionError::Unknown
            | SessionError::Connection(_)
            | SessionError::SecretMissing(_)
            | SessionError::Credential(_)
            | SessionError::File { .. }
            | SessionError::DeadlineTooLong { .. }
            | SessionError::NothingRuns
            | SessionError::Start(_)
            | SessionError::Driver(CallError::Driver { .. } | CallError::Broken(_)),
        ) => Outcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use querybox_launcher::Ending;

    use super::*;

    fn ended(cause: Cause) -> Result<(), SessionError> {
        Err(CallError::Ended(Arc::new(Ending { cause, stderr_tail: String::new(), memory_peak_bytes: 0 }))
            .into())
    }

    #[test]
    fn a_run_is_noted_for_what_it_came_to() {
        let limit = Duration::from_secs(1);
        for (rejected, was_cancelled, last, outcome) in [
            (false, false, Ok(()), Outcome::Done),
            (true, false, Ok(()), Outcome::Rejected),
            (true, true, Ok(()), Outcome::Canceled),
            (false, true, Ok(()), Outcome::Done),
            (false, true, Err(SessionError::Cancelled), Outcome::Canceled),
            (true, false, Err(SessionError::Deadline { limit }), Outcome::Limited),
            (false, false, ended(Cause::Memory { limit_bytes: 1, reached_bytes: 2 }), Outcome::Limited),
            (false, false, ended(Cause::Signal(9)), Outcome::Failed),
        ] {
            assert_eq!(derive_outcome(rejected, was_cancelled, &last), outcome, "{last:?}");
        }
    }
}
