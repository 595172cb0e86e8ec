//! What can interrupt a session's work.

use std::{collections::VecDeque, future::Future, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    answers::{Ended, Event},
    budget::Budget,
    error::SessionError,
    handover::{Giver, ReaderGone},
    registry::{Admission, End},
};
use crate::{ConnectionError, ShuttingDown};

/// Why a session's work does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interruption {
    /// Somebody asked for it, and waits for a receipt.
    Cancelled,
    /// The time is over.
    Deadline(Duration),
    /// Nobody wants the answer any more.
    ReaderGone,
    /// Core ends.
    ShuttingDown,
}

/// A driver that is no longer wanted, and whose end nobody waits for with a receipt, has this long to stop of itself. With
/// the kill behind it, it is gone well within two seconds.
const UNWANTED_GRACE: Duration = Duration::from_millis(800);

impl Interruption {
    /// How long the driver may take to stop before it is killed.
    pub(super) fn grace(self, cancel_grace: Duration) -> Duration {
        match self {
            Self::Cancelled => cancel_grace,
            Self::Deadline(_) | Self::ReaderGone | Self::ShuttingDown => UNWANTED_GRACE,
        }
    }
}

impl From<Interruption> for SessionError {
    fn from(interruption: Interruption) -> Self {
        match interruption {
            // Nobody reads it when the reader is gone.
            Interruption::Cancelled | Interruption::ReaderGone => Self::Cancelled,
            Interruption::Deadline(limit) => Self::Deadline { limit },
            Interruption::ShuttingDown => Self::Connection(ConnectionError::ShuttingDown(ShuttingDown)),
        }
    }
}

impl From<ReaderGone> for Interruption {
    fn from(ReaderGone: ReaderGone) -> Self {
        Self::ReaderGone
    }
}

/// Everything outside a session that its work depends on: its reader, its time, those who may stop it.
pub(crate) struct Watch<P> {
    pub(super) admission: Admission,
    pub(super) giver: Giver<Result<Event<P>, SessionError>>,
    pub(super) budget: Budget,
    pub(super) closing: CancellationToken,
    pub(super) cancel_grace: Duration,
}

impl<P> Watch<P> {
    /// Does the work unless something interrupts it, which drops it.
    pub(crate) async fn unless_interrupted<T>(
        &self,
        work: impl Future<Output = T>,
    ) -> Result<T, Interruption> {
        tokio::select! {
            // Work that is always ready must not keep a cancel waiting.
            biased;
            interruption = self.interruption() => Err(interruption),
            done = work => Ok(done),
        }
    }

    /// Waits until the reader wants a part. Its time does not count.
    pub(super) async fn reader_asks(&mut self) -> Result<(), Interruption> {
        self.budget.pause(Instant::now());
        let asked = self.unless_interrupted(self.giver.asked()).await;
        self.budget.resume(Instant::now());
        Ok(asked??)
    }

    /// Gives the reader a part when it wants one.
    pub(crate) async fn give(&mut self, event: Event<P>) -> Result<(), Interruption> {
        self.reader_asks().await?;
        Ok(self.giver.give(Ok(event)).await?)
    }

    /// The moment until which an interrupted driver may stop of itself.
    pub(super) fn grace_end(&self, interruption: Interruption) -> Instant {
        Instant::now() + interruption.grace(self.cancel_grace)
    }

    /// Tells those who asked to stop the session how it went.
    pub(super) fn tell_end(&self, end: End) {
        self.admission.tell_end(end);
    }

    /// Gives the place back, then tells the reader the rest, for as long as it reads and Core is there.
    pub(crate) async fn conclude(self, parked: VecDeque<P>, last: Result<Ended, SessionError>) {
        let Self { admission, giver, closing, .. } = self;
        if matches!(last, Err(SessionError::Cancelled)) {
            // Nothing else was told: no database has answered.
            admission.tell_end(End::Killed);
        }
        drop(admission);
        let deliver = async {
            for part in parked {
                giver.give(Ok(Event::Part(part))).await?;
            }
            giver.give(last.map(Event::Ended)).await
        };
        tokio::select! {
            // A reader that waits hears the last word even when Core ends.
            biased;
            _ = deliver => {}
            () = closing.cancelled() => {}
        }
    }

    async fn interruption(&self) -> Interruption {
        tokio::select! {
            biased;
            () = self.closing.cancelled() => Interruption::ShuttingDown,
            () = self.admission.cancel_asked().cancelled() => Interruption::Cancelled,
            () = self.giver.reader_gone() => Interruption::ReaderGone,
            limit = self.budget.used_up() => Interruption::Deadline(limit),
        }
    }
}
