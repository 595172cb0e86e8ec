//! Data for a statement that asks for it, from whoever knows the session's id.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use querybox_launcher::{CallError, CopyEnd, CopyOutcome, CopyPiece, CopySender, OpenDriver};

use super::{budget::Allowance, tally::Answer};

/// Where data of one request comes in. Open while a statement of it asks.
///
/// The time of the request stands still while a statement waits for data, and runs while the driver takes some. There is no
/// limit on the first: who gives nothing, and keeps the stream, keeps the session.
#[derive(Debug, Clone)]
pub(crate) struct Copying {
    slot: CopySlot,
    allowance: Allowance,
}

/// Filled while a statement asks.
#[derive(Clone, Default)]
pub(crate) struct CopySlot(Arc<Mutex<Option<CopySender>>>);

impl fmt::Debug for CopySlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CopySlot(..)")
    }
}

impl Copying {
    pub(super) fn new(slot: CopySlot, allowance: Allowance) -> Self {
        Self { slot, allowance }
    }

    /// Follows what a part says, before the reader has it.
    pub(super) fn follow(&self, part: &impl Answer, driver: &OpenDriver) {
        match part.asks_for_data() {
            Some(true) => {
                *self.lock() = Some(driver.copy_sender());
                self.allowance.hold();
            }
            Some(false) => self.close(),
            None => {}
        }
    }

    /// Nothing asks any more, and nobody is given anything.
    pub(super) fn close(&self) {
        if self.lock().take().is_some() {
            self.allowance.release();
        }
    }

    /// Gives a piece of data.
    pub(crate) async fn send(&self, piece: CopyPiece) -> Result<CopyOutcome, CallError> {
        let Some(sender) = self.lock().clone() else { return Ok(CopyOutcome::Unwanted) };
        let follows = piece.end == CopyEnd::More;
        self.allowance.release();
        // Whoever leaves meanwhile has given it all the same, and what takes it has an end of its own.
        let outcome = sender.send(piece).await;
        // Unless the statement has ended meanwhile.
        if follows && self.lock().is_some() {
            self.allowance.hold();
        }
        outcome
    }

    fn lock(&self) -> MutexGuard<'_, Option<CopySender>> {
        // Nothing panics while it holds the lock.
        self.slot.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
