//! The task of a session of one request: starts the driver, opens it, hands its answer on, and sees it gone.

use std::{collections::VecDeque, sync::Arc};

use querybox_launcher::{
    CallError, Driver, Launcher, OpenDriver, OpenOrder, OpenOutcome, Rejection, StartError, StartOrder,
};
use tokio::time::Instant;
use tracing::{debug, info};

use super::{
    aftermath::{Aftermath, Bequest},
    answers::{Ended, Event, Opened},
    error::SessionError,
    history::{Note, derive_outcome},
    id::SessionId,
    run::{Finish, Work, answer},
    state::{EndCause, Event as Happened, Machine},
    tally::{StatementLimits, Tally},
    watch::Watch,
};
use crate::happening::{DriverStart, Observers, Request, Telling};

/// A session that is about to start its driver.
pub(super) struct Task<W: Work> {
    pub(super) watch: Watch<W::Part>,
    pub(super) launcher: Arc<Launcher>,
    pub(super) aftermath: Aftermath,
    pub(super) start: StartOrder,
    pub(super) open: OpenOrder,
    pub(super) work: W,
    pub(super) limits: StatementLimits,
    pub(super) note: Note,
    pub(super) observers: Observers,
    pub(super) request: Request,
}

impl<W: Work> Task<W> {
    /// Runs the session to its end. The driver is gone before the reader hears of the end.
    pub(super) async fn run(self) {
        let Self { mut watch, launcher, aftermath, start, open, work, limits, note, observers, request } =
            self;
        let telling = Telling::begin(&observers, request, note.begun);
        let mut life = Machine::one_shot();
        let mut tally = Tally::new(limits);
        let (parked, last) = match open_and_tell(&mut watch, &launcher, &start, open, &telling).await {
            Ok(Ok(driver)) => {
                let Finish { parked, last, after, gone_by } =
                    answer(&mut watch, &driver, work, &mut tally).await;
                let bequest = Bequest::of(watch.id, &driver);
                let ending = after.end(driver, gone_by).await;
                aftermath.follow(bequest, &after, &start);
                tally.ended.driver_memory_peak_bytes = ending.memory_peak_bytes;
                watch.stop.tell(after.told());
                (parked, last)
            }
            Ok(Err(rejection)) => {
                tally.refused(&rejection);
                (VecDeque::new(), Ok(()))
            }
            Err(error) => (VecDeque::new(), Err(error)),
        };
        let was_cancelled = watch.stop.was_confirmed();
        life.apply(Happened::End(EndCause::of_request(&last, tally.rejected, was_cancelled)));
        life.apply(Happened::DriverGone);
        let cause = life.end().map_or(EndCause::DriverDied, |end| end.cause);
        log_end(watch.id, cause, &last);
        let outcome = derive_outcome(tally.rejected, was_cancelled, &last);
        note.write(&tally, outcome, &last);
        telling.end(outcome, &tally);
        watch.conclude(parked, last.map(|()| Ended { cause, ..tally.ended })).await;
    }
}

/// Starts the driver, opens the session and tells the reader. The inner `Err`: the database refused, which the reader was told.
async fn open_and_tell<P>(
    watch: &mut Watch<P>,
    launcher: &Launcher,
    start: &StartOrder,
    open: OpenOrder,
    telling: &Telling,
) -> Result<Result<OpenDriver, Box<Rejection>>, SessionError> {
    let (opened, driver) = open_driver(watch, launcher, start, open, telling).await?;
    watch.give(Event::Opened(opened)).await?;
    match driver {
        Ok(driver) => Ok(Ok(driver)),
        Err(rejection) => {
            watch.give(Event::Refused(rejection.clone())).await?;
            Ok(Err(rejection))
        }
    }
}

/// Starts the driver and opens the session. The inner `Err`: the database refused, and the driver is gone.
pub(super) async fn open_driver<P>(
    watch: &Watch<P>,
    launcher: &Launcher,
    start: &StartOrder,
    open: OpenOrder,
    telling: &Telling,
) -> Result<(Opened, Result<OpenDriver, Box<Rejection>>), SessionError> {
    // Dropping any of these calls kills the process.
    let driver = watch.unless_interrupted(start_driver(launcher, start, telling)).await??;
    let driver_pid = driver.pid();
    let degraded = driver.enforced().degraded.clone();
    let opened = |server| Opened { server, degraded, driver_pid };
    Ok(match watch.unless_interrupted(driver.open(open)).await?? {
        OpenOutcome::Opened(driver, server) => (opened(Some(server)), Ok(*driver)),
        OpenOutcome::Rejected(rejection) => (opened(None), Err(rejection)),
    })
}

/// Starts the driver, and tells how long that took.
pub(crate) async fn start_driver(
    launcher: &Launcher,
    start: &StartOrder,
    telling: &Telling,
) -> Result<Driver, StartError> {
    let begun = Instant::now();
    let driver = launcher.start(start).await?;
    let how = if driver.is_spare() { DriverStart::Spare } else { DriverStart::Fresh };
    telling.driver_started(how, begun.elapsed());
    Ok(driver)
}

pub(super) fn log_end(session: SessionId, cause: EndCause, last: &Result<(), SessionError>) {
    match last {
        Ok(()) => info!(%session, ?cause, "session ended"),
        Err(error) => info!(%session, ?cause, reason = error.word(), "session failed"),
    }
    log_last_words(session, last);
}

/// What a driver wrote last may hold anything, so that only those who look for mistakes see it.
pub(super) fn log_last_words(session: SessionId, last: &Result<(), SessionError>) {
    if let Err(SessionError::Driver(CallError::Ended(ending))) = last {
        debug!(%session, cause = %ending.cause, stderr = ending.stderr_tail, "driver's last words");
    }
}
