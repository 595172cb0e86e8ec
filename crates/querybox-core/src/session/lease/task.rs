//! The task of a leased session: opens the driver, does what is asked, and sees the driver gone.

use std::{collections::VecDeque, future::pending, sync::Arc, time::Duration};

use querybox_launcher::{Launcher, OpenDriver, OpenOrder, Part, SessionEvents, StartOrder};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use super::{Follow, Job, Lease, Terms};
use crate::{
    events::{FrontEndEvent, Watchers},
    happening::{Happening, Observers, Request, Telling},
    session::{
        SessionError, StatementLimits, Tally,
        aftermath::{Aftermath, Bequest},
        answers::{Ended, Event as Answer},
        derive_outcome,
        registry::Admission,
        run::After,
        state::{EndCause, Event, Verdict},
        task::{log_end, open_driver},
        watch::Watch,
    },
};

/// How long before its end an unused session is announced to end: a fifth of its limit, and no longer than people need.
const WARNING_MAX: Duration = Duration::from_secs(60);

/// A session that is to be leased and is about to start its driver.
pub(crate) struct LeaseTask {
    pub(crate) admission: Admission,
    /// What the opening depends on, and who waits for it.
    pub(crate) watch: Watch<Part>,
    pub(crate) launcher: Arc<Launcher>,
    pub(crate) aftermath: Aftermath,
    pub(crate) start: StartOrder,
    pub(crate) open: OpenOrder,
    pub(crate) terms: Terms,
    /// See [`Lease`].
    pub(crate) ending: CancellationToken,
    pub(crate) stopping: CancellationToken,
    pub(crate) watchers: Arc<Watchers>,
    /// Whoever asked to open has heard that it did. Its sender is dropped when nobody waits any more.
    pub(crate) taken: oneshot::Receiver<()>,
    /// The driver tells of notifications.
    pub(crate) notifies: bool,
    pub(crate) observers: Observers,
    /// Its opening, and when that was asked for.
    pub(crate) request: Request,
    pub(crate) begun: Instant,
}

impl LeaseTask {
    /// Runs the session to its end.
    pub(crate) async fn run(self) {
        let Self { admission, watch, launcher, aftermath, start, open, terms, .. } = self;
        let Self { ending, stopping, watchers, taken, notifies, observers, request, begun, .. } = self;
        let telling = Telling::begin(&observers, request, begun);
        let (opened, driver) = match open_driver(&watch, &launcher, &start, open, &telling).await {
            Ok((opened, Ok(driver))) => (opened, driver),
            Ok((opened, Err(rejection))) => {
                end_opening(telling, true, &Ok(()));
                drop(admission);
                // Whoever asked to open, and does not wait any more, need not hear it.
                if watch.giver.give(Ok(Answer::Opened(opened))).await.is_ok() {
                    let _ = watch.giver.give(Ok(Answer::Refused(rejection))).await;
                }
                return;
            }
            Err(error) => {
                let last = Err(error);
                log_end(watch.id, EndCause::of_request(&last, false, false), &last);
                end_opening(telling, false, &last);
                drop(admission);
                watch.conclude(VecDeque::new(), last.map(|()| Ended::default())).await;
                return;
            }
        };
        let follow = |bequest: Bequest, after: &After| aftermath.follow(bequest, after, &start);
        end_opening(telling, false, &Ok(()));
        let (lease, mut jobs) = Lease::new(watch.id, terms, ending, stopping);
        let lease = Arc::new(lease);
        admission.leased(&lease);
        // From here on, however this task ends, it is told so.
        let place = Place { lease: Arc::clone(&lease), watchers, observers, admission: Some(admission) };
        info!(session = %lease.id, "session is leased");
        let Watch { stop, giver, .. } = watch;
        drop(stop);
        // What was given may still lie there when the one who asked goes.
        let _ = giver.give(Ok(Answer::Opened(opened))).await;
        let nobody_took_it = tokio::select! {
            taken = taken => taken.is_err(),
            // It ends by itself then.
            () = lease.ending.cancelled() => false,
        };
        if nobody_took_it {
            lease.apply(Event::End(EndCause::Closed));
            driver.close().await;
        } else {
            let events = if notifies { watch_driver(&driver).await } else { None };
            tokio::select! {
                () = live(&lease, driver, &mut jobs, &place.watchers, &follow) => {}
                () = pass_on(events, &lease, &place.watchers) => unreachable!("it waits when there is nothing more"),
            }
        }
        // What was let in when the session had to end already was not sent.
        jobs.close();
        while let Some(job) = jobs.recv().await {
            job.refuse(&lease);
        }
        drop(place);
    }
}

/// Tells how the opening ended.
fn end_opening(telling: Telling, rejected: bool, last: &Result<(), SessionError>) {
    telling.end(derive_outcome(rejected, false, last), &Tally::new(StatementLimits::default()));
}

/// A driver that does not answer at once tells nothing, and the session is used without.
const WATCH_LIMIT: Duration = Duration::from_secs(1);

async fn watch_driver(driver: &OpenDriver) -> Option<SessionEvents> {
    timeout(WATCH_LIMIT, driver.watch()).await.ok()?.ok()
}

/// Passes on what the session is notified of. Never ends, and holds the driver's socket only while that is to be open.
async fn pass_on(events: Option<SessionEvents>, lease: &Lease, watchers: &Watchers) {
    if let Some(mut events) = events {
        while let Some(notification) = events.next().await {
            let event = FrontEndEvent::Notified { session: lease.id, notification };
            watchers.tell(lease.terms.front_end, event);
        }
    }
    pending().await
}

/// Does what is asked until the session has to end, and sees the driver gone.
async fn live(
    lease: &Lease,
    mut driver: OpenDriver,
    jobs: &mut mpsc::Receiver<Job>,
    watchers: &Watchers,
    follow: &Follow<'_>,
) {
    let idle_limit = lease.terms.idle_limit;
    loop {
        let idle_since = Instant::now();
        let unused = async {
            let remaining = (idle_limit / 5).min(WARNING_MAX);
            until(idle_since.checked_add(idle_limit - remaining)).await;
            watchers.tell(lease.terms.front_end, FrontEndEvent::IdleWarning { session: lease.id, remaining });
            until(idle_since.checked_add(idle_limit)).await;
        };
        // All can be dropped at any time.
        let job = tokio::select! {
            biased;
            () = lease.ending.cancelled() => {
                // Unless it was closed before.
                lease.apply(Event::End(EndCause::ShuttingDown));
                driver.close().await;
                return;
            }
            ending = driver.ended() => {
                debug!(session = %lease.id, cause = %ending.cause, stderr = ending.stderr_tail, "driver's last words");
                lease.apply(Event::End(EndCause::of_process(ending.cause)));
                return;
            }
            Some(job) = jobs.recv() => job,
            () = unused => {
                if lease.apply(Event::Unused(idle_limit)) == Verdict::Goes {
                    driver.close().await;
                    return;
                }
                // A request was let in at this very moment.
                continue;
            }
        };
        match job.run(driver, lease, follow).await {
            Some(asked_again) => driver = asked_again,
            None => return,
        }
    }
}

/// Waits for a moment. `None`: it is later than an instant can hold.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}

/// The session's place. Dropping it gives the place back, and then says that the driver is gone: whoever hears that may
/// open another session.
struct Place {
    lease: Arc<Lease>,
    watchers: Arc<Watchers>,
    observers: Observers,
    /// `None`: it was given back.
    admission: Option<Admission>,
}

impl Drop for Place {
    fn drop(&mut self) {
        // Unless it had to end for something else. The place is given back with the cause.
        self.lease.apply(Event::End(EndCause::DriverDied));
        self.admission.take();
        self.lease.apply(Event::DriverGone);
        if let Some(end) = self.lease.end() {
            info!(session = %self.lease.id, cause = ?end.cause, end.transaction_lost, "leased session ended");
            let event = FrontEndEvent::LeaseEnded { session: self.lease.id, end };
            self.watchers.tell(self.lease.terms.front_end, event);
            self.observers.tell(&Happening::SessionEnded { session: self.lease.id, end });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::Future as _,
        sync::Mutex,
        task::{Context, Wake, Waker},
    };

    use jiff::Timestamp;
    use querybox_store::{Deadline, HistoryLevel};

    use super::*;
    use crate::session::{FrontEndId, Kind, Sessions, budget::Budget, state::SessionEnd};

    /// Looks, when it is woken, whether there is room for another session.
    struct Look {
        sessions: Arc<Sessions>,
        has_room: Mutex<Vec<bool>>,
    }

    impl Wake for Look {
        fn wake(self: Arc<Self>) {
            self.has_room.lock().unwrap().push(self.sessions.running().is_empty());
        }
    }

    fn terms(front_end: FrontEndId) -> Terms {
        Terms {
            front_end,
            connection: None,
            connection_name: None,
            history: HistoryLevel::Texts,
            driver_type: "test".parse().unwrap(),
            dialect: None,
            deadline: Deadline::Default,
            rows_max: None,
            bytes_max: None,
            idle_limit: Duration::from_secs(1),
        }
    }

    #[tokio::test]
    async fn how_long_a_session_ends_is_counted_from_there() {
        let terms = terms(FrontEndId::default());
        let id = uuid::Uuid::now_v7().to_string().parse().unwrap();
        let (lease, _jobs) = Lease::new(id, terms, CancellationToken::new(), CancellationToken::new());
        tokio::time::sleep(Duration::from_millis(50)).await;
        let before = Instant::now();
        lease.apply(Event::End(EndCause::Closed));
        let ends_for = lease.activity().1;
        assert!(ends_for <= before.elapsed(), "{ends_for:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
        // A second cause changes nothing.
        lease.apply(Event::End(EndCause::DriverDied));
        assert!(lease.activity().1 >= Duration::from_millis(50));
    }

    #[tokio::test]
    async fn whoever_hears_that_a_session_has_ended_finds_its_place_free() {
        let sessions = Sessions::new(1, 1);
        let front_end = FrontEndId::default();
        let now = Timestamp::now();
        let id = uuid::Builder::from_unix_timestamp_millis(now.as_millisecond().unsigned_abs(), &[7; 10]);
        let id = id.into_uuid().to_string().parse().unwrap();
        let allowance = Budget::since(Instant::now(), None).allowance();
        let (admission, _stop) = sessions.admit(id, Kind::Leased(front_end), allowance, now).ok().unwrap();
        let terms = terms(front_end);
        let (lease, _jobs) = Lease::new(id, terms, CancellationToken::new(), CancellationToken::new());
        let lease = Arc::new(lease);
        admission.leased(&lease);
        let watchers = Arc::new(Watchers::new());
        let observers = Observers::default();
        let place = Place { lease: Arc::clone(&lease), watchers, observers, admission: Some(admission) };

        let look = Arc::new(Look { sessions, has_room: Mutex::default() });
        let mut closing = Box::pin(lease.close());
        let waker = Waker::from(Arc::clone(&look));
        assert!(closing.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        drop(place);
        assert_eq!(*look.has_room.lock().unwrap(), [true]);
        let end = SessionEnd { cause: EndCause::Closed, transaction_lost: false };
        assert_eq!(closing.await, Ok(end));
    }
}
