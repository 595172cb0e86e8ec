//! What is noted of a session: for its connection, and in the history.

use querybox_launcher::{CallError, Cause, Reason};
use querybox_store::{ConnectionId, Outcome, RunEnd};
use tokio::time::Instant;

use super::{error::SessionError, tally::Tally};
use crate::{clock::Clock, core::StoreLease, history::Entry};

/// A run that is to be written down when it has ended.
pub(crate) struct Note {
    pub(crate) store: StoreLease,
    pub(crate) clock: Clock,
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) begun: Instant,
    /// In the history. `None`: it does not belong there.
    pub(crate) entry: Option<Entry>,
}

impl Note {
    /// Hands the note to the store, which writes it when it has time.
    pub(super) fn write(self, tally: &Tally, outcome: Outcome, last: &Result<(), SessionError>) {
        if let Some(connection) = self.connection {
            self.store.touch(connection, self.clock.now());
        }
        if let Some(entry) = self.entry {
            let duration = self.begun.elapsed();
            let (rows, bytes) = (tally.rows, tally.bytes);
            entry.ended(RunEnd { outcome, error_code: error_code(tally, last), duration, rows, bytes });
        }
    }
}

/// The database's code, or a word for what failed. Empty: all went well.
fn error_code(tally: &Tally, last: &Result<(), SessionError>) -> String {
    match last {
        Ok(()) => tally.error_code.clone(),
        Err(error) => error.word().to_owned(),
    }
}

/// What a request came to. `rejected`: the database refused something; `was_cancelled`: it did so because somebody had asked it
/// to stop.
pub(crate) fn derive_outcome(
    rejected: bool,
    was_cancelled: bool,
    last: &Result<(), SessionError>,
) -> Outcome {
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
