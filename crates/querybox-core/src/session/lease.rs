//! Leased sessions: one driver, asked again and again.
//!
//! A [`Lease`] is what all who know the session's id share. Its [state](super::state) decides under one short lock who may
//! ask; the request then goes to the session's [`task`], which alone holds the driver.

mod job;
mod task;

use std::time::Duration;

use querybox_launcher::TransactionState;
use querybox_sql::Dialect;
use querybox_store::{ConnectionId, ConnectionName, Deadline, DriverType, HistoryLevel};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    error::LeaseError,
    facts::SessionActivity,
    front_end::FrontEndId,
    id::SessionId,
    registry::Controls,
    state::{EndCause, Event, Machine, SessionEnd, Verdict},
};

use job::Follow;
pub(crate) use job::{Job, Run};
pub(crate) use task::LeaseTask;

/// Whoever gives an answer up and asks again at once may be heard in the other order, for the two come by streams of their
/// own. For so long a request waits for that.
const IN_ORDER_WITHIN: Duration = Duration::from_millis(200);

/// A leased session, as those see it who ask something of it.
pub(crate) struct Lease {
    pub(crate) id: SessionId,
    pub(crate) terms: Terms,
    /// Cancelled when it takes no more requests: it is closed, or Core ends.
    ending: CancellationToken,
    /// Cancelled when what it runs has to stop: it is closed, or Core has waited long enough.
    pub(super) stopping: CancellationToken,
    inner: watch::Sender<Inner>,
    jobs: mpsc::Sender<Job>,
}

/// What holds for each request of a leased session: its connection's word at the time when it was opened.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    /// Who has leased it, and is told of it.
    pub(crate) front_end: FrontEndId,
    /// `None`: it is not saved.
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) connection_name: Option<ConnectionName>,
    pub(crate) history: HistoryLevel,
    pub(crate) driver_type: DriverType,
    /// By whose rules the driver reads SQL, as it said before it was started.
    pub(crate) dialect: Option<Dialect>,
    pub(crate) deadline: Deadline,
    pub(crate) rows_max: Option<u64>,
    pub(crate) bytes_max: Option<u64>,
    pub(crate) idle_limit: Duration,
}

struct Inner {
    machine: Machine,
    /// What runs, or ran when the session ended.
    claim: Option<Claim>,
    /// Since when it has been as it is.
    since: Instant,
}

/// A request that wants to run.
#[derive(Clone)]
pub(crate) struct Claim {
    pub(crate) controls: Controls,
    /// Cancelled when nobody reads its answer any more.
    pub(crate) reader_gone: CancellationToken,
}

impl Lease {
    /// A session that has just opened, and the end at which its task receives requests.
    fn new(
        id: SessionId,
        terms: Terms,
        ending: CancellationToken,
        stopping: CancellationToken,
    ) -> (Self, mpsc::Receiver<Job>) {
        // One runs at a time, and is taken out before the next is let in.
        let (jobs, received) = mpsc::channel(1);
        let (inner, _) =
            watch::channel(Inner { machine: Machine::leased(), claim: None, since: Instant::now() });
        (Self { id, terms, ending, stopping, inner, jobs }, received)
    }

    /// Runs a request when none runs. One whose answer nobody reads any more is being stopped, and waited for.
    ///
    /// # Errors
    ///
    /// [`LeaseError::Busy`], [`LeaseError::Ended`].
    pub(crate) async fn run(&self, claim: Claim, job: Job) -> Result<(), LeaseError> {
        let mut changes = self.inner.subscribe();
        let in_order = sleep(IN_ORDER_WITHIN);
        tokio::pin!(in_order);
        loop {
            match self.claim(&claim) {
                Verdict::Goes | Verdict::Nothing => break,
                Verdict::Over(end) => return Err(LeaseError::Ended(end)),
                Verdict::Busy => {
                    // `None`: it has just changed.
                    let Some(reader_gone) = self.reader_gone() else { continue };
                    tokio::select! {
                        biased;
                        // The sender is in `self`.
                        _ = changes.changed() => {}
                        () = reader_gone.cancelled(), if !reader_gone.is_cancelled() => {}
                        () = &mut in_order, if !reader_gone.is_cancelled() => return Err(LeaseError::Busy),
                    }
                }
            }
        }
        // No await lies between the claim and this, so that nobody can be dropped with the claim alone.
        self.jobs.try_send(job).map_err(|_| LeaseError::Ended(self.end_or(EndCause::DriverFailed)))
    }

    fn claim(&self, claim: &Claim) -> Verdict {
        let mut verdict = Verdict::Nothing;
        self.inner.send_if_modified(|inner| {
            verdict = inner.machine.apply(Event::Asked);
            let goes = verdict == Verdict::Goes;
            if goes {
                inner.claim = Some(claim.clone());
                inner.since = Instant::now();
            }
            goes
        });
        verdict
    }

    /// Cancelled when nobody reads any more what is answered now. `None`: nothing is.
    fn reader_gone(&self) -> Option<CancellationToken> {
        self.inner.borrow().claim.as_ref().map(|claim| claim.reader_gone.clone())
    }

    /// What may be asked of what runs. `None`: nothing does.
    pub(crate) fn controls(&self) -> Option<Controls> {
        self.inner.borrow().claim.as_ref().map(|claim| claim.controls.clone())
    }

    /// What it does, for how long, and how the last statement left the transaction.
    pub(super) fn activity(&self) -> (SessionActivity, Duration, TransactionState) {
        let inner = self.inner.borrow();
        let activity = match (inner.machine.end(), &inner.claim) {
            (Some(_), _) => SessionActivity::Ending,
            (None, Some(_)) => SessionActivity::Running,
            (None, None) => SessionActivity::Idle,
        };
        (activity, inner.since.elapsed(), inner.machine.transaction())
    }

    /// Ends the session and what it runs. Resolves when the driver is gone.
    ///
    /// # Errors
    ///
    /// [`LeaseError::Ended`]: it has ended already, or is about to.
    pub(crate) async fn close(&self) -> Result<SessionEnd, LeaseError> {
        let verdict = self.apply(Event::End(EndCause::Closed));
        self.ending.cancel();
        self.stopping.cancel();
        if verdict != Verdict::Goes {
            return Err(LeaseError::Ended(self.end_or(EndCause::Closed)));
        }
        // The sender is in `self`, and the task tells its end whatever happens to it.
        let _ = self.inner.subscribe().wait_for(|inner| inner.machine.has_ended()).await;
        Ok(self.end_or(EndCause::Closed))
    }

    /// How it ended, or is about to. `None`: it goes on.
    pub(crate) fn end(&self) -> Option<SessionEnd> {
        self.inner.borrow().machine.end()
    }

    fn end_or(&self, cause: EndCause) -> SessionEnd {
        self.end().unwrap_or(SessionEnd { cause, transaction_lost: false })
    }

    /// What ran is over, and another request may run.
    fn answered(&self) {
        self.inner.send_if_modified(|inner| {
            let goes = inner.machine.apply(Event::Answered) == Verdict::Goes;
            if goes {
                inner.claim = None;
                inner.since = Instant::now();
            }
            goes
        });
    }

    fn transaction_is(&self, transaction: TransactionState) {
        self.apply(Event::Transaction(transaction));
    }

    fn apply(&self, event: Event) -> Verdict {
        let mut verdict = Verdict::Nothing;
        self.inner.send_if_modified(|inner| {
            verdict = inner.machine.apply(event);
            let goes = verdict == Verdict::Goes;
            // From now on it ends.
            if goes && matches!(event, Event::End(_) | Event::Unused(_)) {
                inner.since = Instant::now();
            }
            goes
        });
        verdict
    }
}
