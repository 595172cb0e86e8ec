//! One request in a leased session.

use querybox_launcher::OpenDriver;
use tokio::time::Instant;

use super::Lease;
use crate::{
    ConnectionError, ShuttingDown,
    execution::Script,
    happening::{Observers, Request, Telling},
    schema::{Catalog, Definitions},
    session::{
        aftermath::Bequest,
        answers::{Ended, Event as Answer},
        error::{LeaseError, SessionError},
        history::{Note, derive_outcome},
        run::{After, Finish, Work, answer},
        state::{EndCause, Event, SessionEnd},
        tally::{StatementLimits, Tally},
        task::log_last_words,
        watch::{Delivered, Watch, deliver},
    },
};

/// Sees to what a driver left running that ended so.
pub(crate) type Follow<'a> = dyn Fn(Bequest, &After) + Send + Sync + 'a;

/// A request for the session's task.
pub(crate) enum Job {
    Script(Run<Script>),
    Catalog(Run<Catalog>),
    Ddl(Run<Definitions>),
}

/// A request that is to be sent.
pub(crate) struct Run<W: Work> {
    pub(crate) watch: Watch<W::Part>,
    pub(crate) work: W,
    pub(crate) limits: StatementLimits,
    /// `None`: it does not belong to the history.
    pub(crate) note: Option<Note>,
    pub(crate) observers: Observers,
    pub(crate) request: Request,
    /// When it was asked for.
    pub(crate) begun: Instant,
}

impl Job {
    /// Gives the driver back when it can be asked again; otherwise it is gone.
    pub(super) async fn run(
        self,
        driver: OpenDriver,
        lease: &Lease,
        follow: &Follow<'_>,
    ) -> Option<OpenDriver> {
        match self {
            Self::Script(run) => run.run(driver, lease, follow).await,
            Self::Catalog(run) => run.run(driver, lease, follow).await,
            Self::Ddl(run) => run.run(driver, lease, follow).await,
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
            Self::Ddl(run) => run.watch.giver.leave(Err(error)),
        }
    }
}

impl<W: Work> Run<W> {
    async fn run(self, driver: OpenDriver, lease: &Lease, follow: &Follow<'_>) -> Option<OpenDriver> {
        let Self { mut watch, work, limits, note, observers, request, begun } = self;
        let telling = Telling::begin(&observers, request, begun);
        let mut tally = Tally::new(limits);
        let Finish { parked, last, after, gone_by } = answer(&mut watch, &driver, work, &mut tally).await;
        if let Some(transaction) = tally.transaction {
            lease.transaction_is(transaction);
        }
        if watch.stopping.is_cancelled() {
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
                let bequest = Bequest::of(lease.id, &driver);
                after.end(driver, gone_by).await;
                follow(bequest, &after);
                watch.stop.tell(after.told());
                None
            }
        };
        let last = match last {
            // What stopped it is that the session has to end.
            Err(SessionError::Connection(_)) => Err(closing(lease.end())),
            last => last,
        };
        log_last_words(lease.id, &last);
        let was_cancelled = watch.stop.was_confirmed();
        let outcome = derive_outcome(tally.rejected, was_cancelled, &last);
        if let Some(note) = note {
            note.write(&tally, outcome, &last);
        }
        telling.end(outcome, &tally);
        let cause = EndCause::of_request(&last, tally.rejected, was_cancelled);
        let Watch { stop, giver, budget, stopping, stream_idle, .. } = watch;
        drop((budget, stop));
        let delivered = deliver(&giver, parked, &stopping, stream_idle).await;
        // Before the last word: whoever has heard that may ask again.
        lease.answered();
        let last = match delivered {
            Delivered::All => last.map(|()| Ended { cause, ..tally.ended }),
            Delivered::Idle(limit) => Err(SessionError::StreamIdle { limit }),
            Delivered::Stopped => Err(closing(lease.end())),
        };
        giver.leave(last.map(Answer::Ended));
        driver
    }
}

/// What a reader is told whose session has to end before its answer has.
fn closing(end: Option<SessionEnd>) -> SessionError {
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
        After::Failed(error) => EndCause::of_call(error),
    }
}
