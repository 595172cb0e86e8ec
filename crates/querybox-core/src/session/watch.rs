//! What can interrupt a session's work.

use std::{collections::VecDeque, future::Future, time::Duration};

use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::{
    answers::{Ended, Event},
    budget::Budget,
    error::SessionError,
    handover::{Giver, ReaderGone},
    id::SessionId,
    registry::Admission,
    stop::{End, Stoppable},
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
    /// The reader is there, and took nothing for this long.
    StreamIdle(Duration),
    /// Core ends.
    ShuttingDown,
}

/// A driver that is no longer wanted, and whose end nobody waits for with a receipt, has this long to stop of itself. With
/// the kill behind it, it is gone well within two seconds, and within one of a deadline.
const UNWANTED_GRACE: Duration = Duration::from_millis(800);

impl From<Interruption> for SessionError {
    fn from(interruption: Interruption) -> Self {
        match interruption {
            // Nobody reads it when the reader is gone.
            Interruption::Cancelled | Interruption::ReaderGone => Self::Cancelled,
            Interruption::Deadline(limit) => Self::Deadline { limit },
            Interruption::StreamIdle(limit) => Self::StreamIdle { limit },
            Interruption::ShuttingDown => Self::Connection(ConnectionError::ShuttingDown(ShuttingDown)),
        }
    }
}

impl From<ReaderGone> for Interruption {
    fn from(ReaderGone: ReaderGone) -> Self {
        Self::ReaderGone
    }
}

/// Everything outside a request that its work depends on: its reader, its time, those who may stop it.
pub(crate) struct Watch<P> {
    pub(super) id: SessionId,
    // Before the place, so that those who asked are told before the session is gone.
    pub(super) stop: Stoppable,
    /// The session's place, which ends with this request. `None`: the session is leased, and goes on.
    pub(super) admission: Option<Admission>,
    pub(super) giver: Giver<Result<Event<P>, SessionError>>,
    pub(super) budget: Budget,
    /// Cancelled when what runs has to stop: Core has waited for it long enough, or its session is closed.
    pub(super) stopping: CancellationToken,
    pub(super) cancel_grace: Duration,
    /// How long the reader may take nothing. `None`: as it likes.
    pub(super) stream_idle: Option<Duration>,
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

    /// Waits until the reader wants a part, as long as it may take. That time does not count for the deadline.
    pub(super) async fn reader_asks(&mut self) -> Result<(), Interruption> {
        self.budget.pause(Instant::now());
        let asked = self.unless_interrupted(within(self.stream_idle, self.giver.asked())).await;
        self.budget.resume(Instant::now());
        Ok(asked?.map_err(Interruption::StreamIdle)??)
    }

    /// Gives the reader a part when it wants one.
    pub(crate) async fn give(&mut self, event: Event<P>) -> Result<(), Interruption> {
        self.reader_asks().await?;
        Ok(self.giver.give(Ok(event)).await?)
    }

    /// Whether the session goes on after this request.
    pub(super) fn is_leased(&self) -> bool {
        self.admission.is_none()
    }

    /// The moment until which an interrupted driver may stop of itself.
    pub(super) fn grace_end(&self, interruption: Interruption) -> Instant {
        let grace = match interruption {
            Interruption::Cancelled => self.cancel_grace,
            // A kill would take the whole session away, with its transaction.
            Interruption::ReaderGone | Interruption::StreamIdle(_) if self.is_leased() => self.cancel_grace,
            Interruption::Deadline(_)
            | Interruption::ReaderGone
            | Interruption::StreamIdle(_)
            | Interruption::ShuttingDown => UNWANTED_GRACE,
        };
        Instant::now() + grace
    }

    /// Whether the reader is given what the driver says after it was told to stop.
    pub(super) fn keeps_rest(&self, interruption: Interruption) -> bool {
        match interruption {
            Interruption::Cancelled => true,
            // The session goes on: its reader has to hear how the transaction stands.
            Interruption::Deadline(_) => self.is_leased(),
            // One that took nothing would let it lie, and the session could not be used.
            Interruption::ReaderGone | Interruption::StreamIdle(_) | Interruption::ShuttingDown => false,
        }
    }

    /// Gives the place back, then tells the reader the rest, for as long as it reads and Core is there.
    pub(crate) async fn conclude(self, parked: VecDeque<P>, last: Result<Ended, SessionError>) {
        let Self { stop, admission, giver, budget, stopping, stream_idle, .. } = self;
        drop(budget);
        if matches!(last, Err(SessionError::Cancelled)) {
            // Nothing else was told: no database has answered.
            stop.tell(End::Killed);
        }
        drop(stop);
        drop(admission);
        match deliver(&giver, parked, &stopping, stream_idle).await {
            Delivered::All => giver.leave(last.map(Event::Ended)),
            Delivered::Idle(limit) => giver.leave(Err(SessionError::StreamIdle { limit })),
            // Parts that nobody took while Core was there are missed by whoever reads on, who is told that Core ended.
            Delivered::Stopped => {}
        }
    }

    async fn interruption(&self) -> Interruption {
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => Interruption::ShuttingDown,
            () = self.stop.asked().cancelled() => Interruption::Cancelled,
            () = self.giver.reader_gone() => Interruption::ReaderGone,
            limit = self.budget.used_up() => Interruption::Deadline(limit),
        }
    }
}

/// What became of the last parts of an answer.
pub(super) enum Delivered {
    /// The reader has taken them, or is gone and misses nothing.
    All,
    /// It took nothing for this long.
    Idle(Duration),
    /// It has not taken all, and the session has to end.
    Stopped,
}

/// Gives the reader what is left, as it asks for it.
pub(super) async fn deliver<P>(
    giver: &Giver<Result<Event<P>, SessionError>>,
    parked: VecDeque<P>,
    stopping: &CancellationToken,
    stream_idle: Option<Duration>,
) -> Delivered {
    let give_all = async {
        for part in parked {
            match within(stream_idle, giver.give(Ok(Event::Part(part)))).await {
                Ok(Ok(())) => {}
                Ok(Err(ReaderGone)) => break,
                Err(limit) => return Delivered::Idle(limit),
            }
        }
        Delivered::All
    };
    tokio::select! {
        biased;
        delivered = give_all => delivered,
        () = stopping.cancelled() => Delivered::Stopped,
    }
}

/// Does what waits for a reader. `Err`: the reader took nothing for the limit.
async fn within<T>(limit: Option<Duration>, waiting: impl Future<Output = T>) -> Result<T, Duration> {
    match limit {
        Some(limit) => timeout(limit, waiting).await.map_err(|_| limit),
        None => Ok(waiting.await),
    }
}
