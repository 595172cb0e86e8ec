//! One request in a leased session.

use querybox_launcher::{CallError, Cause, OpenDriver, Reason};

use super::{EndCause, Lease, LeaseEnd, state::Event};
use crate::{
    ConnectionError, ShuttingDown,
    execution::Script,
    schema::Catalog,
    session::{
        answers::Event as Answer,
        error::{LeaseError, SessionError},
        history::Note,
        run::{After, Finish, Work, answer},
        stop::End,
        tally::{StatementLimits, Tally},
        task::log_last_words,
        watch::{Watch, deliver},
    },
};

/// A request for the session's task.
pub(crate) enum Job {
    Script(Run<Script>),
    Catalog(Run<Catalog>),
}

/// A request that is to be sent.
pub(crate) struct Run<W: Work> {
    pub(crate) watch: Watch<W::Part>,
    pub(crate) work: W,
    pub(crate) limits: StatementLimits,
    /// `None`: it does not belong to the history.
    pub(crate) note: Option<Note>,
}

impl Job {
    /// Gives the driver back when it can be asked again; otherwise it is gone.
    pub(super) async fn run(self, driver: OpenDriver, lease: &Lease) -> Option<OpenDriver> {
        match self {
            Self::Script(run) => run.run(driver, lease).await,
            Self::Catalog(run) => run.run(driver, lease).await,
        }
    }

    /// Tells the reader that the session has ended before the request was sent.
    pub(super) fn refuse(self, lease: &Lease) {
        let error = match lease.end() {
            Some(end) if end.cause != EndCause::ShuttingDown => LeaseError::Ended(end).into(),
            Some(_) | None => ConnectionError::ShuttingDown(ShuttingDown).into(),
        };
        match self {
            Self::Script(run) => run.watch.giver.leave(Err(error)),
            Self::Catalog(run) => run.watch.giver.leave(Err(error)),
        }
    }
}

impl<W: Work> Run<W> {
    async fn run(self, driver: OpenDriver, lease: &Lease) -> Option<OpenDriver> {
        let Self { mut watch, work, limits, note } = self;
        let mut tally = Tally::new(limits);
        let Finish { parked, last, after } = answer(&mut watch, &driver, work, &mut tally).await;
        if let Some(transaction) = tally.transaction {
            lease.transaction_is(transaction);
        }
        if watch.closing.is_cancelled() {
            // Unless it was closed before.
            lease.apply(Event::End(EndCause::ShuttingDown));
        }
        if let Some(cause) = derive_end(&after, &last) {
            lease.apply(Event::End(cause));
        }
        let end = lease.end();
        let driver = match end {
            None => Some(driver),
            Some(_) => {
                after.end(driver).await;
                if matches!(after, After::Stuck) {
                    watch.stop.tell(End::Killed);
                }
                None
            }
        };
        let last = match last {
            // What stopped it is that the session has to end.
            Err(SessionError::Connection(_)) => Err(closing(lease.end())),
            last => last,
        };
        log_last_words(lease.id, &last);
        if let Some(note) = note {
            note.write(&tally, watch.stop.asked().is_cancelled(), &last);
        }
        let Watch { stop, giver, closing: ending, .. } = watch;
        drop(stop);
        let delivered = deliver(&giver, parked, &ending).await;
        // Before the last word: whoever has heard that may ask again.
        lease.answered();
        let last = if delivered { last.map(|()| tally.ended) } else { Err(closing(lease.end())) };
        giver.leave(last.map(Answer::Ended));
        driver
    }
}

/// What a reader is told whose session has to end before its answer has.
fn closing(end: Option<LeaseEnd>) -> SessionError {
    match end {
        Some(end) if end.cause == EndCause::Closed => LeaseError::Ended(end).into(),
        Some(_) | None => ConnectionError::ShuttingDown(ShuttingDown).into(),
    }
}

/// Why the session cannot go on. `None`: it can.
fn derive_end(after: &After, last: &Result<(), SessionError>) -> Option<EndCause> {
    match after {
        After::Ready => None,
        After::Stuck => Some(match last {
            Err(SessionError::Deadline { limit }) => EndCause::Deadline(*limit),
            Ok(()) | Err(_) => EndCause::Unstoppable,
        }),
        After::Failed(CallError::Broken(_)) => Some(EndCause::DriverFailed),
        After::Failed(CallError::Ended(ending)) => Some(derive_cause(ending.cause)),
        After::Failed(CallError::Driver { reason, .. }) => match reason {
            // The request was refused before the database had heard of it.
            Reason::BindingInvalid | Reason::Unsupported => None,
            Reason::ConnectionLost | Reason::ProtocolBroken => Some(EndCause::ConnectionLost),
            Reason::ResolveFailed
            | Reason::ConnectFailed
            | Reason::TlsFailed
            | Reason::FileUnusable
            | Reason::ParameterInvalid
            | Reason::SessionForeign
            | Reason::SessionState
            | Reason::LimitReached
            | Reason::DriverBroken => Some(EndCause::DriverFailed),
        },
    }
}

/// Why a session ended whose driver's process did.
pub(super) fn derive_cause(cause: Cause) -> EndCause {
    match cause {
        Cause::Memory { limit_bytes, .. } => EndCause::Memory { limit_bytes },
        Cause::Deadline(limit) => EndCause::Deadline(limit),
        Cause::Exited(_) | Cause::Signal(_) | Cause::FileSize { .. } | Cause::Killed => EndCause::DriverDied,
    }
}
