//! One request on an open driver: sent, handed on part by part, stopped when it must be.

use std::{
    collections::VecDeque,
    future::{Future, ready},
    sync::Arc,
    time::Duration,
};

use querybox_launcher::{CallError, CancelOutcome, Ending, OpenDriver};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, trace_span};

use super::{
    answers::Event,
    copying::Copying,
    error::SessionError,
    parking::Parking,
    stop::End,
    tally::{Answer, LastWord, Tally},
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

/// What a request came to.
pub(super) struct Finish<P> {
    /// Parts that came while the driver was stopped, for the reader.
    pub(super) parked: VecDeque<P>,
    /// What the reader hears last.
    pub(super) last: Result<(), SessionError>,
    pub(super) after: After,
    /// When the driver has to be gone, if it is to go. `None`: nobody is in a hurry.
    pub(super) gone_by: Option<Instant>,
}

/// How the driver stands after a request.
#[derive(Debug)]
pub(super) enum After {
    /// It has answered to the end, and can be asked again.
    Ready,
    /// The call failed.
    Failed(CallError),
    /// It did not stop within its grace, or the wish to stop it is still on its way.
    Stuck,
}

impl After {
    /// Sees the driver gone: one that still obeys may leave its database, until the moment at which it has to be gone.
    pub(super) async fn end(&self, driver: OpenDriver, gone_by: Option<Instant>) -> Arc<Ending> {
        match (self, gone_by) {
            (Self::Failed(CallError::Broken(_)) | Self::Stuck, _) => driver.kill().await,
            (Self::Ready | Self::Failed(CallError::Driver { .. } | CallError::Ended(_)), Some(moment)) => {
                driver.close_within(moment.saturating_duration_since(Instant::now())).await
            }
            (Self::Ready | Self::Failed(CallError::Driver { .. } | CallError::Ended(_)), None) => {
                driver.close().await
            }
        }
    }

    /// What those are told who asked to stop, and were told nothing yet, once a driver that had to be killed is gone.
    pub(super) fn told(&self) -> End {
        match self {
            Self::Ready | Self::Failed(_) => End::AlreadyDone,
            Self::Stuck => End::Killed,
        }
    }
}

impl<P> Finish<P> {
    fn failed(error: CallError) -> Self {
        let last = Err(error.clone().into());
        Self { parked: VecDeque::new(), last, after: After::Failed(error), gone_by: None }
    }
}

/// Sends the request and hands its answer on.
pub(super) async fn answer<W: Work>(
    watch: &mut Watch<W::Part>,
    driver: &OpenDriver,
    work: W,
    tally: &mut Tally,
) -> Finish<W::Part> {
    let copying = watch.budget.allowance().copying();
    let finish = answer_with(watch, driver, work, tally, &copying).await;
    // What is still being given holds the driver's socket open no longer than the driver takes to refuse it.
    copying.close();
    finish
}

async fn answer_with<W: Work>(
    watch: &mut Watch<W::Part>,
    driver: &OpenDriver,
    work: W,
    tally: &mut Tally,
    copying: &Copying,
) -> Finish<W::Part> {
    let begun = work.begin(driver);
    tokio::pin!(begun);
    let mut parts = match watch.unless_interrupted(&mut begun).await {
        Ok(Ok(parts)) => parts,
        Ok(Err(error)) => return Finish::failed(error),
        Err(interruption) => return stop::<W>(watch, driver, begun, tally, interruption).await,
    };
    loop {
        // A bench looks at it.
        let span = trace_span!(target: "querybox::hops", "Core waits for reader");
        let step = match watch.reader_asks().instrument(span).await {
            Ok(()) => watch.unless_interrupted(W::next(&mut parts)).await,
            Err(interruption) => Err(interruption),
        };
        match step {
            Ok(Ok(Some(part))) => {
                if let Err(broken) = part.count(tally) {
                    return Finish::failed(broken.into());
                }
                copying.follow(&part, driver);
                // The reader asked, so this does not wait, and no cancel can take the part away. A reader that goes now is
                // seen at the next step.
                let _ = watch.giver.give(Ok(Event::Part(part))).await;
            }
            Ok(Ok(None)) => {
                return Finish { parked: VecDeque::new(), last: Ok(()), after: After::Ready, gone_by: None };
            }
            Ok(Err(error)) => return Finish::failed(error),
            Err(interruption) => {
                return stop::<W>(watch, driver, ready(Ok(parts)), tally, interruption).await;
            }
        }
    }
}

/// Asks the driver to stop, and reads what it still has to say until its grace is over.
///
/// It reads on without the reader: whoever cancels is answered also when nobody reads.
async fn stop<W: Work>(
    watch: &Watch<W::Part>,
    driver: &OpenDriver,
    parts: impl Future<Output = Result<W::Parts, CallError>>,
    tally: &mut Tally,
    interruption: Interruption,
) -> Finish<W::Part> {
    watch.budget.close();
    let end = watch.grace_end(interruption);
    let keeps = watch.keeps_rest(interruption);
    let mut parking = if keeps { Parking::open() } else { Parking::closed() };
    let over = CancellationToken::new();
    let asking = ask_to_stop(driver, &over);
    tokio::pin!(asking);
    let mut found = None;
    let drained = {
        let drain = timeout_at(end, drain::<W>(parts, tally, &mut parking));
        tokio::pin!(drain);
        tokio::select! {
            biased;
            drained = &mut drain => drained,
            asked = &mut asking => {
                found = Some(asked);
                drain.await
            }
        }
    };
    over.cancel();
    // A cancel that is still on its way would stop the session's next request. And it tells whether anything ran.
    if found.is_none() && (watch.is_leased() || interruption == Interruption::Cancelled) {
        found = timeout_at(end, asking).await.ok();
    }
    let (last, after) = match drained {
        Ok(Ok(last_word)) => {
            let last = if parking.is_whole() { Ok(()) } else { Err(interruption.into()) };
            if watch.is_leased() && found.is_none() {
                (last, After::Stuck)
            } else {
                if last_word == Some(LastWord::Refusal) && found != Some(Found::Nothing) {
                    watch.stop.tell(End::Confirmed);
                }
                (last, After::Ready)
            }
        }
        Ok(Err(error)) => (Err(error.clone().into()), After::Failed(error)),
        Err(_) => (Err(interruption.into()), After::Stuck),
    };
    // What a cancelled driver says counts. Whoever asked for something else is told that.
    let last = if interruption == Interruption::Cancelled { last } else { Err(interruption.into()) };
    let gone_by = (interruption != Interruption::Cancelled).then_some(end);
    Finish { parked: parking.into_parts(), last, after, gone_by }
}

/// A cancel may overtake the request that it is to stop; until that has come too, nothing runs.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// What a driver that was asked to stop has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// Something ran, as far as is known.
    Something,
    /// All was over.
    Nothing,
}

/// Asks until the driver has heard it, or what ran is `over`. Whatever is answered: what counts is how the parts go on.
async fn ask_to_stop(driver: &OpenDriver, over: &CancellationToken) -> Found {
    while let Ok(CancelOutcome::NothingRuns) = driver.cancel().await {
        if over.run_until_cancelled(sleep(ASK_AGAIN)).await.is_none() {
            return Found::Nothing;
        }
    }
    Found::Something
}

/// Reads to the end of the answer, and tells how its last statement ended. What was refused before it confirms no cancel.
async fn drain<W: Work>(
    parts: impl Future<Output = Result<W::Parts, CallError>>,
    tally: &mut Tally,
    parking: &mut Parking<W::Part>,
) -> Result<Option<LastWord>, CallError> {
    let mut parts = parts.await?;
    let mut last_word = None;
    while let Some(part) = W::next(&mut parts).await? {
        part.count(tally)?;
        last_word = part.last_word().or(last_word);
        parking.park(part);
    }
    Ok(last_word)
}
