//! The task of a session: starts the driver, opens it, hands its answer on, and sees it gone.

use std::{collections::VecDeque, future::Future, sync::Arc};

use querybox_launcher::{CallError, Launcher, OpenDriver, OpenOrder, OpenOutcome, StartOrder};
use tokio::time::timeout_at;
use tracing::{debug, info};

use super::{
    answers::{Event, Opened},
    error::SessionError,
    history::Note,
    id::SessionId,
    registry::End,
    tally::{Answer, StatementLimits, Tally},
    watch::{Interruption, Watch},
};

/// What a session does once it is open.
pub(crate) trait Work: Send + 'static {
    type Part: Answer;
    /// The driver's answer.
    type Parts: Send;

    /// Sends the request.
    fn begin(self, driver: &OpenDriver) -> impl Future<Output = Result<Self::Parts, CallError>> + Send;

    /// The next part; `None` after the last. Must be cancel-safe.
    fn next(parts: &mut Self::Parts) -> impl Future<Output = Result<Option<Self::Part>, CallError>> + Send;
}

/// A session that is about to start its driver.
pub(super) struct Task<W: Work> {
    pub(super) watch: Watch<W::Part>,
    pub(super) launcher: Arc<Launcher>,
    pub(super) start: StartOrder,
    pub(super) open: OpenOrder,
    pub(super) work: W,
    pub(super) limits: StatementLimits,
    pub(super) note: Note,
}

/// What is left to tell the reader when the driver is gone.
struct Finish<P> {
    /// Parts that came while the driver was stopped.
    parked: VecDeque<P>,
    last: Result<(), SessionError>,
}

impl<P> From<Result<(), SessionError>> for Finish<P> {
    fn from(last: Result<(), SessionError>) -> Self {
        Self { parked: VecDeque::new(), last }
    }
}

impl<W: Work> Task<W> {
    /// Runs the session to its end. The driver is gone before the reader hears of the end.
    pub(super) async fn run(self) {
        let Self { mut watch, launcher, start, open, work, limits, note } = self;
        let mut tally = Tally::new(limits);
        let finish = match open_driver(&mut watch, &launcher, &start, open).await {
            Ok(Some(driver)) => answer(&mut watch, driver, work, &mut tally).await,
            Ok(None) => {
                tally.rejected = true;
                Ok(()).into()
            }
            Err(error) => Err(error).into(),
        };
        let Finish { parked, last } = finish;
        log_end(watch.admission.id, &last);
        note.write(&tally, watch.admission.cancel_asked().is_cancelled(), &last);
        watch.conclude(parked, last.map(|()| tally.ended)).await;
    }
}

/// Starts the driver, opens the session and tells the reader. `None`: the database refused, which the reader was told.
async fn open_driver<P>(
    watch: &mut Watch<P>,
    launcher: &Launcher,
    start: &StartOrder,
    open: OpenOrder,
) -> Result<Option<OpenDriver>, SessionError> {
    // Dropping any of these calls kills the process.
    let driver = watch.unless_interrupted(launcher.start(start)).await??;
    let driver_pid = driver.pid();
    let degraded = driver.enforced().degraded.clone();
    let (opened, server, rejection) = match watch.unless_interrupted(driver.open(open)).await?? {
        OpenOutcome::Opened(driver, server) => (Some(*driver), Some(server), None),
        OpenOutcome::Rejected(rejection) => (None, None, Some(rejection)),
    };
    watch.give(Event::Opened(Opened { server, degraded, driver_pid })).await?;
    if let Some(rejection) = rejection {
        watch.give(Event::Refused(rejection)).await?;
    }
    Ok(opened)
}

/// Sends the request and hands its answer on.
async fn answer<W: Work>(
    watch: &mut Watch<W::Part>,
    driver: OpenDriver,
    work: W,
    tally: &mut Tally,
) -> Finish<W::Part> {
    let mut parts = match watch.unless_interrupted(work.begin(&driver)).await {
        Ok(Ok(parts)) => parts,
        Ok(Err(error)) => return fail(driver, error).await.into(),
        Err(interruption) => {
            driver.kill().await;
            return Err(interruption.into()).into();
        }
    };
    loop {
        let step = match watch.reader_asks().await {
            Ok(()) => watch.unless_interrupted(W::next(&mut parts)).await,
            Err(interruption) => Err(interruption),
        };
        match step {
            Ok(Ok(Some(part))) => {
                if let Err(broken) = part.count(tally) {
                    driver.kill().await;
                    return Err(CallError::from(broken).into()).into();
                }
                // The reader asked, so this does not wait, and no cancel can take the part away. A reader that goes now is
                // seen at the next step.
                let _ = watch.giver.give(Ok(Event::Part(part))).await;
            }
            Ok(Err(error)) => {
                drop(parts);
                return fail(driver, error).await.into();
            }
            Ok(Ok(None)) => {
                drop(parts);
                driver.close().await;
                return Ok(()).into();
            }
            Err(interruption) => return stop::<W>(watch, driver, parts, tally, interruption).await,
        }
    }
}

/// A call failed: a driver that still runs may leave its database, then it goes too.
async fn fail(driver: OpenDriver, error: CallError) -> Result<(), SessionError> {
    driver.close().await;
    Err(error.into())
}

/// Asks the driver to stop, reads what it still has to say, and kills it when its grace is over.
///
/// It reads on without the reader: whoever cancels is answered also when nobody reads.
async fn stop<W: Work>(
    watch: &Watch<W::Part>,
    driver: OpenDriver,
    mut parts: W::Parts,
    tally: &mut Tally,
    interruption: Interruption,
) -> Finish<W::Part> {
    let end = watch.grace_end(interruption);
    let mut parking = Parking::new(interruption);
    let drained = {
        let ask = driver.cancel();
        let drain = timeout_at(end, drain::<W>(watch, &mut parts, tally, &mut parking));
        tokio::pin!(drain);
        tokio::select! {
            biased;
            drained = &mut drain => drained,
            // Whatever it answers: what counts is how the parts go on.
            _ = ask => drain.await,
        }
    };
    drop(parts);
    let last = match drained {
        Ok(Ok(())) => {
            driver.close().await;
            parking.is_whole().then_some(()).ok_or_else(|| interruption.into())
        }
        Ok(Err(error)) => fail(driver, error).await,
        Err(_) => {
            driver.kill().await;
            watch.tell_end(End::Killed);
            Err(interruption.into())
        }
    };
    match interruption {
        Interruption::Cancelled => Finish { parked: parking.parts, last },
        Interruption::Deadline(_) | Interruption::ReaderGone | Interruption::ShuttingDown => {
            Err(interruption.into()).into()
        }
    }
}

/// Reads to the end of the answer.
async fn drain<W: Work>(
    watch: &Watch<W::Part>,
    parts: &mut W::Parts,
    tally: &mut Tally,
    parking: &mut Parking<W::Part>,
) -> Result<(), CallError> {
    while let Some(part) = W::next(parts).await? {
        part.count(tally)?;
        if part.is_rejection() {
            watch.tell_end(End::Confirmed);
        }
        parking.park(part);
    }
    Ok(())
}

/// Parts that came while the driver was stopped, for a reader that may be slow.
struct Parking<P> {
    parts: VecDeque<P>,
    bytes: u64,
    state: ParkingState,
}

#[derive(PartialEq, Eq)]
enum ParkingState {
    /// Every part that came is here.
    Whole,
    /// Some were left out.
    Overflown,
    /// Nobody wants them.
    Closed,
}

/// What is on its way when a driver is asked to stop: its window (2 MiB) and what the two ends hold. One that sends more did
/// not stop.
const PARKED_BYTES_MAX: u64 = 4 << 20;

impl<P: Answer> Parking<P> {
    fn new(interruption: Interruption) -> Self {
        let state = match interruption {
            Interruption::Cancelled => ParkingState::Whole,
            Interruption::Deadline(_) | Interruption::ReaderGone | Interruption::ShuttingDown => {
                ParkingState::Closed
            }
        };
        Self { parts: VecDeque::new(), bytes: 0, state }
    }

    fn park(&mut self, part: P) {
        if self.state == ParkingState::Whole && self.bytes + part.bytes() > PARKED_BYTES_MAX {
            self.state = ParkingState::Overflown;
        }
        if self.state == ParkingState::Whole {
            self.bytes += part.bytes();
            self.parts.push_back(part);
        }
    }

    fn is_whole(&self) -> bool {
        self.state == ParkingState::Whole
    }
}

fn log_end(session: SessionId, last: &Result<(), SessionError>) {
    match last {
        Ok(()) => info!(%session, "session ended"),
        Err(error) => info!(%session, reason = error.word(), "session failed"),
    }
    if let Err(SessionError::Driver(CallError::Ended(ending))) = last {
        debug!(%session, cause = %ending.cause, stderr = ending.stderr_tail, "driver's last words");
    }
}
