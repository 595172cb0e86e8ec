//! The task of one result: reads the answer to its end, keeps it, tells of it, and sees it gone when its time is over.

use std::{ops::ControlFlow, sync::Arc, time::Duration};

use futures::StreamExt as _;
use querybox_launcher::{BrokenContract, CallError, Fact, Part};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::{
    Reading,
    error::DropCause,
    facts::{RunFailure, RunState, StatementFailure},
    held::Held,
    keeper::{Keeper, NotKept},
    shelf::Slot,
    teller::Teller,
};
use crate::{
    events::{FrontEndEvent, Watchers},
    session::{Answers, EndCause, Ended, Event, SessionError},
};

/// A run that has begun.
pub(super) struct Task {
    pub(super) held: Arc<Held>,
    pub(super) slot: Slot,
    pub(super) answers: Answers<Part>,
    pub(super) keeper: Keeper,
    pub(super) reading: Reading,
    pub(super) watchers: Arc<Watchers>,
    pub(super) closing: CancellationToken,
    pub(super) idle: Duration,
}

impl Task {
    pub(super) async fn run(self) {
        let Self { held, mut slot, answers, mut keeper, reading, watchers, closing, idle } = self;
        let told = Told { held: Arc::clone(&held), watchers };
        let run = Run { told: &told, keeper: &mut keeper, reading, rejected: false };
        // Dropping the answers stops what runs.
        let end = held.dropping.run_until_cancelled(run.finish(answers)).await;
        // What is on its way to the disk holds the writer.
        let _ = keeper.settle().await;
        drop(keeper);
        if let Some(end) = end {
            info!(result = %held.origin.id, state = end.word(), "result kept");
            held.note_end(end);
            told.progress();
        }
        slot.cause = unused(&told, &closing, idle).await;
        info!(result = %held.origin.id, cause = ?slot.cause, "result gone");
        let cause = slot.cause;
        // Nobody is told of it before it is gone.
        drop(slot);
        told.all(&FrontEndEvent::ResultDropped { result: held.origin.id, cause });
    }
}

/// Waits until the result is to go.
async fn unused(told: &Told, closing: &CancellationToken, idle: Duration) -> DropCause {
    loop {
        let end = told.held.used() + idle;
        tokio::select! {
            biased;
            () = told.held.dropping.cancelled() => return DropCause::Dropped,
            () = closing.cancelled() => return DropCause::ShuttingDown,
            () = sleep_until(end) => {
                if told.held.front_ends().iter().any(|front_end| told.watchers.is_watched(*front_end)) {
                    told.held.touch();
                } else if told.held.used() + idle <= Instant::now() {
                    return DropCause::Idle;
                }
            }
        }
    }
}

/// Those who are told of a result.
struct Told {
    held: Arc<Held>,
    watchers: Arc<Watchers>,
}

impl Told {
    fn all(&self, event: &FrontEndEvent) {
        for front_end in self.held.front_ends() {
            self.watchers.tell(front_end, event.clone());
        }
    }

    fn progress(&self) {
        self.all(&FrontEndEvent::ResultChanged(self.held.progress()));
    }
}

/// Reads an answer and keeps it.
struct Run<'t> {
    told: &'t Told,
    keeper: &'t mut Keeper,
    reading: Reading,
    rejected: bool,
}

impl Run<'_> {
    async fn finish(mut self, mut answers: Answers<Part>) -> RunState {
        let mut changes = self.told.held.changes.subscribe();
        let mut teller = Teller::default();
        let end = loop {
            // Each branch is cancel-safe.
            tokio::select! {
                event = answers.next() => match self.event(event).await {
                    ControlFlow::Continue(()) => {}
                    ControlFlow::Break(end) => break end,
                },
                // The sender is in the held result.
                _ = changes.changed() => teller.note(Instant::now()),
                () = teller.due() => {
                    self.told.progress();
                    teller.told(Instant::now());
                }
            }
        };
        // A batch that was handed over last may have met a limit only now.
        let end = match self.keeper.settle().await {
            Ok(()) => end,
            Err(not_kept) => self.not_kept(not_kept),
        };
        // One that still runs does not any more.
        let _ = self.keeper.fail(StatementFailure::BrokenOff).await;
        end
    }

    async fn event(&mut self, event: Option<Result<Event<Part>, SessionError>>) -> ControlFlow<RunState> {
        let held = &self.told.held;
        let kept = match event {
            Some(Ok(Event::Opened(opened))) => {
                held.note_opened(opened);
                return ControlFlow::Continue(());
            }
            Some(Ok(Event::Refused(rejection))) => {
                self.rejected = true;
                held.note_refused(*rejection);
                return ControlFlow::Continue(());
            }
            Some(Ok(Event::Part(part))) => self.part(part).await,
            Some(Ok(Event::Ended(ended))) => return ControlFlow::Break(self.ended(ended)),
            Some(Err(SessionError::Cancelled)) => return ControlFlow::Break(RunState::Cancelled),
            Some(Err(error)) => return ControlFlow::Break(self.failed(error)),
            // It ends with a word.
            None => return ControlFlow::Break(RunState::Cancelled),
        };
        match kept {
            Ok(()) => ControlFlow::Continue(()),
            Err(Stop::NotKept(not_kept)) => ControlFlow::Break(self.not_kept(not_kept)),
            Err(Stop::Broken(broken)) => ControlFlow::Break(self.failed(CallError::from(broken).into())),
        }
    }

    async fn part(&mut self, part: Part) -> Result<(), Stop> {
        let held = &self.told.held;
        match &part.fact {
            Fact::Header { statement, returns_rows, .. } => {
                let number = *statement;
                let shape = if *returns_rows { Some((self.reading.shape)(&part)?) } else { None };
                let is_kept = self.keeper.begin(shape).await?;
                held.note_begun(number, Some(part), is_kept);
            }
            Fact::Batch { .. } => {
                let batch = (self.reading.batch)(part)?;
                self.keeper.push(batch, held).await?;
            }
            Fact::Notice => {
                self.told.all(&FrontEndEvent::ResultNotice {
                    result: held.origin.id,
                    notice: Box::new(part.clone()),
                });
                held.note_word(part);
            }
            Fact::Progress | Fact::ColumnFacts => held.note_word(part),
            // Data was not offered: a driver that asks for it all the same gets none.
            Fact::CopyIn { .. } => {}
            Fact::Summary(summary) => {
                held.note_transaction(summary.transaction);
                self.keeper.complete(part).await?;
                held.changed();
            }
            Fact::Rejection(rejection) => {
                self.rejected = true;
                held.note_transaction(rejection.transaction);
                let (number, is_of_statement) = (rejection.statement, !rejection.rolled_back_at_end);
                if is_of_statement {
                    self.reject(number, part).await?;
                } else {
                    held.note_rolled_back(part);
                }
                held.changed();
            }
        }
        Ok(())
    }

    /// A statement was refused, perhaps before it had a header.
    async fn reject(&mut self, number: u32, rejection: Part) -> Result<(), Stop> {
        if !self.keeper.is_open() {
            let is_kept = self.keeper.begin(None).await?;
            self.told.held.note_begun(number, None, is_kept);
        }
        Ok(self.keeper.fail(StatementFailure::Rejected(Box::new(rejection))).await?)
    }

    fn ended(&self, ended: Ended) -> RunState {
        match ended.cause {
            EndCause::Cancelled => RunState::Cancelled,
            _ if self.rejected => RunState::Rejected,
            _ => RunState::Done,
        }
    }

    fn failed(&self, error: SessionError) -> RunState {
        RunState::Failed(Arc::new((self.reading.failure)(error)))
    }

    fn not_kept(&self, not_kept: NotKept) -> RunState {
        let message = match not_kept {
            NotKept::Limit | NotKept::Statements => return RunState::Limited,
            NotKept::File(error) => {
                tracing::warn!(%error, "a result cannot be kept");
                error.to_string()
            }
            NotKept::Lost => "what keeps the result failed".to_owned(),
        };
        RunState::Failed(Arc::new(RunFailure { reason: "RESULT_NOT_KEPT".to_owned(), message }))
    }
}

/// Why no more of an answer is read.
enum Stop {
    NotKept(NotKept),
    Broken(BrokenContract),
}

impl From<NotKept> for Stop {
    fn from(not_kept: NotKept) -> Self {
        Self::NotKept(not_kept)
    }
}

impl From<BrokenContract> for Stop {
    fn from(broken: BrokenContract) -> Self {
        Self::Broken(broken)
    }
}

impl RunState {
    /// One word for the log.
    fn word(&self) -> &str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Limited => "limited",
            Self::Failed(failure) => &failure.reason,
        }
    }
}
