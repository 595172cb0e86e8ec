//! What there is to say of a column.

use std::{
    sync::{Arc, atomic::AtomicBool, atomic::Ordering},
    time::{Duration, Instant},
};

use futures::stream::{BoxStream, StreamExt as _, unfold};
use querybox_results::{Progress, Rows, Statistics, Work, statistics};
use querybox_store::Owner;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    error::{DropCause, ResultError},
    reading::Place,
    view::{TOLD_EVERY, WORK_BYTES},
};
use crate::{Core, ShuttingDown, session::SessionId};

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
        let held = self.shelf.find(owner, id)?;
        let rows = held.rows(place)?.rows;
        if column as usize >= rows.columns().len() {
            return Err(ResultError::NoColumn { column, columns: rows.columns().len() });
        }
        let waiting = self.shelf.turns.wait()?;
        let (parts, received) = mpsc::channel(WAITING_MAX);
        let end = End {
            gone: [held.dropping.clone(), held.gone.clone(), self.cutting.clone()],
            closing: self.closing.clone(),
            idle: self.limits.stream_idle,
        };
        // What looks is not to keep the result.
        drop(held);
        let tracker = self.tracker.clone();
        self.tracker.spawn(async move {
            let unwanted = async {
                tokio::select! {
                    () = parts.closed() => {}
                    () = end.gone() => {}
                }
            };
            let Some(turn) = waiting.turn(unwanted).await else {
                drop(rows);
                return end.tell(&parts, Err(end.why())).await;
            };
            let (told, is_over) = (parts.clone(), end.gone.clone());
            let looking = tracker.spawn_blocking(move || look(&rows, column, &told, &is_over));
            let last = looking.await.unwrap_or(Err(ResultError::Lost));
            // The next one need not wait until this one is read.
            drop(turn);
            let last = if end.is_over() { Err(end.why()) } else { last };
            end.tell(&parts, last).await;
        });
        let parts = unfold(received, |mut received: mpsc::Receiver<_>| async move {
            let part = received.recv().await?;
            Some((part, received))
        });
        Ok(parts.boxed())
    }
}

/// Looks, on a thread that may wait for the disk.
fn look(
    rows: &Rows,
    column: u32,
    parts: &mpsc::Sender<Result<StatisticsPart, ResultError>>,
    is_over: &[CancellationToken],
) -> Result<StatisticsPart, ResultError> {
    let cancel = AtomicBool::new(false);
    let mut told = Instant::now();
    let mut progress = |progress| {
        let is_over = parts.is_closed() || is_over.iter().any(CancellationToken::is_cancelled);
        cancel.store(is_over, Ordering::Relaxed);
        if told.elapsed() >= TOLD_EVERY {
            told = Instant::now();
            // No room, no word.
            let _ = parts.try_send(Ok(StatisticsPart::Progress(progress)));
        }
    };
    let work = &mut Work { memory_bytes: WORK_BYTES, progress: &mut progress, cancel: &cancel };
    let found = statistics(rows, column as usize, work);
    found
        .map(|found| StatisticsPart::Done(Box::new(found)))
        .map_err(|error| ResultError::View(Arc::new(error)))
}

/// What ends statistics before their own end.
struct End {
    /// The result goes, is gone, or Core ends.
    gone: [CancellationToken; 3],
    /// With it all results go.
    closing: CancellationToken,
    /// Time for which a reader may take nothing.
    idle: Option<Duration>,
}

impl End {
    fn is_over(&self) -> bool {
        self.gone.iter().any(CancellationToken::is_cancelled)
    }

    async fn gone(&self) {
        let [dropping, gone, cutting] = &self.gone;
        tokio::select! {
            () = dropping.cancelled() => {}
            () = gone.cancelled() => {}
            () = cutting.cancelled() => {}
        }
    }

    fn why(&self) -> ResultError {
        match self.closing.is_cancelled() {
            true => ShuttingDown.into(),
            false => ResultError::Dropped(DropCause::Dropped),
        }
    }

    /// Has the last word, unless the reader takes nothing. One that is gone misses nothing.
    async fn tell(
        &self,
        parts: &mpsc::Sender<Result<StatisticsPart, ResultError>>,
        last: Result<StatisticsPart, ResultError>,
    ) {
        let [.., cutting] = &self.gone;
        let sent = tokio::time::timeout(self.idle.unwrap_or(Duration::MAX), parts.send(last));
        let _ = cutting.run_until_cancelled(sent).await;
    }
}
