//! One request in a leased session.

use querybox_launcher::{CallError, Cause, OpenDriver, Reason};

use super::{EndCause, Lease, state::Event};
use crate::{
    execution::Script,
    schema::Catalog,
    session::{
        error::{LeaseError, SessionError},
        history::Note,
        run::{After, Finish, Work, answer},
        stop::End,
        tally::{StatementLimits, Tally},
        task::log_last_words,
        watch::Watch,
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
}

impl<W: Work> Run<W> {
    async fn run(self, driver: OpenDriver, lease: &Lease) -> Option<OpenDriver> {
        let Self { mut watch, work, limits, note } = self;
        let mut tally = Tally::new(limits);
        let Finish { parked, mut last, after } = answer(&mut watch, &driver, work, &mut tally).await;
        if let Some(transaction) = tally.transaction {
            lease.transaction_is(transaction);
        }
        if let Some(cause) = derive_end(&after, &last) {
            lease.apply(Event::End(cause));
        }
        if watch.closing.is_cancelled() {
            // Unless it was closed before.
            lease.apply(Event::End(EndCause::ShuttingDown));
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
        // What runs while somebody closes the session is told so; Core's own end is told as what it is.
        if let Some(end) = end
            && end.cause == EndCause::Closed
            && last.is_err()
        {
            last = Err(LeaseError::Ended(end).into());
        }
        log_last_words(lease.id, &last);
        if let Some(note) = note {
            note.write(&tally, watch.stop.asked().is_cancelled(), &last);
        }
        let over = || {
            lease.apply(Event::Answered);
        };
        watch.conclude_leased(parked, last.map(|()| tally.ended), over).await;
        driver
    }
}

/// Why the session cannot go on. `None`: it can.
fn derive_end(after: &After, last: &Result<(), SessionError>) -> Option<EndCause> {
    if after.goes_on() {
        return None;
    }
    Some(match after {
        After::Ready => return None,
        After::Stuck => match last {
            Err(SessionError::Deadline { limit }) => EndCause::Deadline(*limit),
            Ok(()) | Err(_) => EndCause::Unstoppable,
        },
        After::Failed(CallError::Broken(_)) => EndCause::DriverFailed,
        After::Failed(CallError::Ended(ending)) => derive_cause(ending.cause),
        After::Failed(CallError::Driver { reason, .. }) => match reason {
            Reason::ConnectionLost | Reason::ProtocolBroken => EndCause::ConnectionLost,
            Reason::ResolveFailed
            | Reason::ConnectFailed
            | Reason::TlsFailed
            | Reason::FileUnusable
            | Reason::ParameterInvalid
            | Reason::BindingInvalid
            | Reason::SessionForeign
            | Reason::SessionState
            | Reason::Unsupported
            | Reason::LimitReached
            | Reason::DriverBroken => EndCause::DriverFailed,
        },
    })
}

/// Why a session ended whose driver's process did.
pub(super) fn derive_cause(cause: Cause) -> EndCause {
    match cause {
        Cause::Memory { limit_bytes, .. } => EndCause::Memory { limit_bytes },
        Cause::Deadline(limit) => EndCause::Deadline(limit),
        Cause::Exited(_) | Cause::Signal(_) | Cause::FileSize { .. } | Cause::Killed => EndCause::DriverDied,
    }
}
