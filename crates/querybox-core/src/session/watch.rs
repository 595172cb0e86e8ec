//! What can interrupt a session's work.

use std::{collections::VecDeque, future::Future, time::Duration};

use tokio::time::Instant;
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

    /// Whether the session goes on after this request.
    pub(super) fn is_leased(&self) -> bool {
        self.admission.is_none()
    }

    /// The moment until which an interrupted driver may stop of itself.
    pub(super) fn grace_end(&self, interruption: Interruption) -> Instant {
        let grace = match interruption {
            Interruption::Cancelled => self.cancel_grace,
            // A kill would take the whole session away, with its transaction.
            Interruption::ReaderGone if self.is_leased() => self.cancel_grace,
            Interruption::Deadline(_) | Interruption::ReaderGone | Interruption::ShuttingDown => {
                UNWANTED_GRACE
            }
        };
        Instant::now() + grace
    }

    /// Whether the reader is given what the driver says after it was told to stop.
    pub(super) fn keeps_rest(&self, interruption: Interruption) -> bool {
        match interruption {
            Interruption::Cancelled => true,
            // The session goes on: its reader has to hear how the transaction stands.
            Interruption::Deadline(_) => self.is_leased(),
            Interruption::ReaderGone | Interruption::ShuttingDown => false,
        }
    }

    /// Gives the place back, then tells the reader the rest, for as long as it reads and Core is there.
    pub(crate) async fn conclude(self, parked: VecDeque<P>, last: Result<Ended, SessionError>) {
        let Self { stop, admission, giver, closing, .. } = self;
        if matches!(last, Err(SessionError::Cancelled)) {
            // Nothing else was told: no database has answered.
            stop.tell(End::Killed);
        }
        drop(stop);
        drop(admission);
        // Parts that nobody took while Core was there are missed by whoever reads on, who is told that Core ended.
        if deliver(&giver, parked, &closing).await {
            giver.leave(last.map(Event::Ended));
        }
    }

    async fn interruption(&self) -> Interruption {
        tokio::select! {
            biased;
            () = self.closing.cancelled() => Interruption::ShuttingDown,
            () = self.stop.asked().cancelled() => Interruption::Cancelled,
            () = self.giver.reader_gone() => Interruption::ReaderGone,
            limit = self.budget.used_up() => Interruption::Deadline(limit),
        }
    }
}

/// Gives the reader what is left, as it asks for it. `false`: it has not taken all, and the session has to end.
pub(super) async fn deliver<P>(
    giver: &Giver<Result<Event<P>, SessionError>>,
    parked: VecDeque<P>,
    closing: &CancellationToken,
) -> bool {
    let give_all = async {
        for part in parked {
            // Nobody misses what is left when the reader is gone.
            let Ok(()) = giver.give(Ok(Event::Part(part))).await else { break };
        }
    };
    tokio::select! {
        biased;
        () = give_all => true,
        () = closing.cancelled() => false,
    }
}
