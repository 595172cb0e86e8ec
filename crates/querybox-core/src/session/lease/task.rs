//! The task of a leased session: opens the driver, does what is asked, and sees the driver gone.

use std::{collections::VecDeque, sync::Arc};

use querybox_launcher::{Launcher, OpenDriver, OpenOrder, Part, StartOrder};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tracing::{debug, info};

use super::{
    EndCause, Job, Lease, Terms,
    job::derive_cause,
    state::{Event, Verdict},
};
use crate::session::{
    answers::{Ended, Event as Answer},
    registry::Admission,
    task::{log_end, open_driver},
    watch::Watch,
};

/// A session that is to be leased and is about to start its driver.
pub(crate) struct LeaseTask {
    pub(crate) admission: Admission,
    /// What the opening depends on, and who waits for it.
    pub(crate) watch: Watch<Part>,
    pub(crate) launcher: Arc<Launcher>,
    pub(crate) start: StartOrder,
    pub(crate) open: OpenOrder,
    pub(crate) terms: Terms,
}

impl LeaseTask {
    /// Runs the session to its end.
    pub(crate) async fn run(self) {
        let Self { admission, watch, launcher, start, open, terms } = self;
        let (opened, driver) = match open_driver(&watch, &launcher, &start, open).await {
            Ok((opened, Ok(driver))) => (opened, driver),
            Ok((opened, Err(rejection))) => {
                drop(admission);
                // Whoever asked to open, and does not wait any more, need not hear it.
                if watch.giver.give(Ok(Answer::Opened(opened))).await.is_ok() {
                    let _ = watch.giver.give(Ok(Answer::Refused(rejection))).await;
                }
                return;
            }
            Err(error) => {
                let last = Err(error);
                log_end(watch.id, &last);
                drop(admission);
                watch.conclude(VecDeque::new(), last.map(|()| Ended::default())).await;
                return;
            }
        };
        let (lease, mut jobs) = Lease::new(watch.id, terms, watch.closing.child_token());
        let lease = Arc::new(lease);
        admission.leased(&lease);
        // From here on, however this task ends, it is told so.
        let place = Place { lease: Arc::clone(&lease), _admission: admission };
        info!(session = %lease.id, "session is leased");
        let Watch { stop, giver, .. } = watch;
        drop(stop);
        match giver.give(Ok(Answer::Opened(opened))).await {
            Ok(()) => {
                live(&lease, driver, &mut jobs).await;
                // What was let in when the session had to end already was not sent.
                jobs.close();
                while let Some(job) = jobs.recv().await {
                    job.refuse(&lease);
                }
            }
            Err(_) => {
                // Nobody knows of the session.
                lease.apply(Event::End(EndCause::Closed));
                driver.close().await;
            }
        }
        drop(place);
    }
}

/// Does what is asked until the session has to end, and sees the driver gone.
async fn live(lease: &Lease, mut driver: OpenDriver, jobs: &mut mpsc::Receiver<Job>) {
    let idle_limit = lease.terms.idle_limit;
    loop {
        let unused = async {
            match Instant::now().checked_add(idle_limit) {
                Some(end) => sleep_until(end).await,
                // Longer than an instant can hold.
                None => std::future::pending().await,
            }
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
                lease.apply(Event::End(derive_cause(ending.cause)));
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
        match job.run(driver, lease).await {
            Some(asked_again) => driver = asked_again,
            None => return,
        }
    }
}

/// The session's place. Dropping it says that the driver is gone, and gives the place back.
struct Place {
    lease: Arc<Lease>,
    _admission: Admission,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.lease.apply(Event::DriverGone);
        if let Some(end) = self.lease.end() {
            info!(session = %self.lease.id, cause = ?end.cause, end.transaction_lost, "leased session ended");
        }
    }
}
