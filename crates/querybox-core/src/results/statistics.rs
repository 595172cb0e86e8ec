//! What there is to say of a column.

use std::{
    sync::{Arc, atomic::AtomicBool, atomic::Ordering},
    time::Instant,
};

use futures::stream::{BoxStream, StreamExt as _, unfold};
use querybox_results::{Progress, Statistics, Work, statistics};
use querybox_store::Owner;
use tokio::sync::mpsc;

use super::{
    error::ResultError,
    reading::Place,
    view::{TOLD_EVERY, WORK_BYTES},
};
use crate::{Core, session::SessionId};

/// A part of the answer.
#[derive(Debug)]
pub enum StatisticsPart {
    Progress(Progress),
    /// Last, and once.
    Done(Box<Statistics>),
}

/// Words of progress that wait for their reader; what has no room is not told.
const WAITING_MAX: usize = 4;

impl Core {
    /// Looks through a column of the rows that are there now. Dropping the stream stops it.
    ///
    /// # Errors
    ///
    /// See [`ResultError`].
    pub fn statistics(
        &self,
        owner: &Owner,
        id: SessionId,
        place: Place,
        column: u32,
    ) -> Result<BoxStream<'static, Result<StatisticsPart, ResultError>>, ResultError> {
        let rows = self.shelf.find(owner, id)?.rows(place)?.rows;
        if column as usize >= rows.columns().len() {
            return Err(ResultError::NoColumn { column, columns: rows.columns().len() });
        }
        let (parts, received) = mpsc::channel(WAITING_MAX);
        let (turns, tracker) = (Arc::clone(&self.shelf.turns), self.tracker.clone());
        self.tracker.spawn(async move {
            // Never closed.
            let _turn = turns.acquire().await;
            let looking = tracker.spawn_blocking(move || {
                let cancel = AtomicBool::new(false);
                let mut told = Instant::now();
                let mut progress = |progress| {
                    cancel.store(parts.is_closed(), Ordering::Relaxed);
                    if told.elapsed() >= TOLD_EVERY {
                        told = Instant::now();
                        // No room, no word.
                        let _ = parts.try_send(Ok(StatisticsPart::Progress(progress)));
                    }
                };
                let work = &mut Work { memory_bytes: WORK_BYTES, progress: &mut progress, cancel: &cancel };
                let found = statistics(&rows, column as usize, work);
                let last = found.map(|found| StatisticsPart::Done(Box::new(found)));
                // Who has the last word may look whether anything is still held.
                drop(rows);
                // A reader that is gone misses nothing.
                let _ = parts.blocking_send(last.map_err(|error| ResultError::View(Arc::new(error))));
            });
            // One that panics ends the stream without an answer.
            let _ = looking.await;
        });
        let parts = unfold(received, |mut received: mpsc::Receiver<_>| async move {
            let part = received.recv().await?;
            Some((part, received))
        });
        Ok(parts.boxed())
    }
}
