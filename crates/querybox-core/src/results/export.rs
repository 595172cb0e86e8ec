//! Exports of kept rows, as bytes for whoever asked.

use std::{
    io,
    sync::{Arc, atomic::AtomicBool, atomic::Ordering},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt as _, unfold};
use querybox_results::{
    ChannelSink, ExportError, ExportFormat, ExportProgress, ExportWatch, Exported, GrowingSource, KeptSource,
    Rows, export,
};
use querybox_store::Owner;
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, mpsc, watch},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use super::{
    error::ResultError,
    held::{Growth, Held},
    reading::{Found, Place},
    view::TOLD_EVERY,
};
use crate::{Core, ShuttingDown, session::SessionId};

/// A part of an export.
#[derive(Debug)]
pub enum ExportPart {
    /// The document's next bytes.
    Data(Bytes),
    Progress(ExportProgress),
    /// The document is whole. Last, and once.
    Done {
        exported: Exported,
        /// What it has are all rows that the database would have returned.
        is_whole: bool,
    },
}

/// An export, part by part. It ends with [`ExportPart::Done`] or with an error.
pub type ExportParts = BoxStream<'static, Result<ExportPart, ResultError>>;

/// Bytes of a piece.
const PIECE_BYTES: usize = 64 << 10;
/// Parts that wait for their reader, who may be slow.
const WAITING_MAX: usize = 8;

impl Core {
    /// Writes rows in a format: of a statement that runs also those that come, until it ends. Dropping the stream stops it.
    ///
    /// # Errors
    ///
    /// See [`ResultError`].
    pub fn export(
        &self,
        owner: &Owner,
        id: SessionId,
        place: Place,
        format: ExportFormat,
    ) -> Result<ExportParts, ResultError> {
        let held = self.shelf.find(owner, id)?;
        let Found { rows, is_growing } = held.rows(place)?;
        let room = self.shelf.export_room()?;
        Ok(self.export_of(held, Found { rows, is_growing }, place, format, room))
    }

    /// The same, when there is room for it.
    pub(super) fn export_of(
        &self,
        held: Arc<Held>,
        Found { rows, is_growing }: Found,
        place: Place,
        format: ExportFormat,
        room: OwnedSemaphorePermit,
    ) -> ExportParts {
        let (parts, received) = mpsc::channel(WAITING_MAX);
        let gave_up = Arc::new(AtomicBool::new(false));
        let reader = Reader {
            parts,
            idle: self.limits.stream_idle,
            cutting: self.cutting.clone(),
            handle: Handle::current(),
            gave_up: Arc::clone(&gave_up),
        };
        // The blocking thread holds the tracker's token, so that shutting down waits for it, after it has cut it.
        self.tracker.spawn_blocking(move || {
            // As long as there is a thread.
            let _room = room;
            let changes = held.changes.subscribe();
            let exporting = Exporting { held, place, rows, is_growing, reader, changes };
            exporting.run(format);
        });
        let (idle, cutting) = (self.limits.stream_idle, self.cutting.clone());
        let received = Received { parts: received, idle, cutting, gave_up };
        unfold(Some(received), Received::next).boxed()
    }
}

/// What the reader has of an export.
struct Received {
    parts: mpsc::Receiver<Result<ExportPart, ResultError>>,
    idle: Option<Duration>,
    cutting: CancellationToken,
    /// Who writes has waited for the reader for too long.
    gave_up: Arc<AtomicBool>,
}

impl Received {
    /// The next part; none after the last.
    async fn next(received: Option<Self>) -> Option<(Result<ExportPart, ResultError>, Option<Self>)> {
        let mut received = received?;
        let part = match received.parts.recv().await {
            Some(part) => part,
            // There was no room for the last word.
            None if received.cutting.is_cancelled() => Err(ShuttingDown.into()),
            None if received.gave_up.load(Ordering::Relaxed) => {
                Err(ResultError::ReaderIdle(received.idle.unwrap_or_default()))
            }
            // It panicked.
            None => Err(ResultError::Lost),
        };
        let goes_on = matches!(part, Ok(ExportPart::Data(_) | ExportPart::Progress(_)));
        Some((part, goes_on.then_some(received)))
    }
}

/// One export.
struct Exporting {
    held: Arc<Held>,
    place: Place,
    rows: Rows,
    /// Whether more were to come when it was asked for. What was broken off before has what it has.
    is_growing: bool,
    reader: Reader,
    changes: watch::Receiver<()>,
}

impl Exporting {
    fn run(mut self, format: ExportFormat) {
        // A view may be forgotten meanwhile; a statement may come to its end.
        let was_whole = self.held.is_whole(self.place);
        let last = match self.export(format) {
            Ok(exported) => {
                let is_whole = was_whole || self.is_growing && self.held.is_whole(self.place);
                Ok(ExportPart::Done { exported, is_whole })
            }
            // He has had his time.
            Err(ExportError::Write(error)) if error.kind() == io::ErrorKind::TimedOut => return,
            Err(ExportError::Canceled) if self.reader.cutting.is_cancelled() => Err(ShuttingDown.into()),
            Err(error) => Err(ResultError::Export(Arc::new(error))),
        };
        // Who has the last word may look whether anything is still held.
        let Self { reader, held, rows, changes, .. } = self;
        drop((held, rows, changes));
        // A reader that is gone misses nothing.
        let _ = reader.send(last);
    }

    fn export(&mut self, format: ExportFormat) -> Result<Exported, ExportError> {
        let (held, rows, reader) = (&*self.held, &self.rows, &self.reader);
        let changes = &mut self.changes;
        let mut growing = Growing { held, place: self.place, reader, changes, told: Instant::now() };
        let follows = self.is_growing && !format.has_types();
        if self.is_growing && format.has_types() {
            growing.wait_for_end(rows)?;
        }
        let cancel = AtomicBool::new(false);
        let mut told = Instant::now();
        let mut progress = |progress| {
            cancel.store(reader.is_gone(), Ordering::Relaxed);
            // A long export is a use of its result.
            if told.elapsed() >= TOLD_EVERY {
                told = Instant::now();
                held.touch();
                // No room, no word.
                let _ = reader.parts.try_send(Ok(ExportPart::Progress(progress)));
            }
        };
        let sink = ChannelSink::new(PIECE_BYTES, |piece| reader.send(Ok(ExportPart::Data(piece))));
        let watch = &mut ExportWatch { progress: &mut progress, cancel: &cancel };
        match follows {
            true => {
                let mut source = GrowingSource::new(rows, |read| growing.wait(rows, read));
                export(&mut source, format, sink, watch)
            }
            false => export(&mut KeptSource::new(rows), format, sink, watch),
        }
    }
}

/// Waits for rows of a statement that runs.
struct Growing<'e> {
    held: &'e Held,
    place: Place,
    reader: &'e Reader,
    changes: &'e mut watch::Receiver<()>,
    told: Instant,
}

impl Growing<'_> {
    /// Waits until there are more rows than were read, or all.
    fn wait(&mut self, rows: &Rows, read: u64) -> Result<(), ExportError> {
        loop {
            // Before the rows are counted: a statement that has ended has all of them.
            let growth = self.held.growth(self.place);
            match growth {
                _ if rows.row_count() > read => return Ok(()),
                Growth::Over => return Ok(()),
                Growth::BrokenOff => return Err(ExportError::BrokenOff),
                Growth::GoesOn => self.reader.wait_for_change(self.changes, self.held)?,
            }
        }
    }

    /// Waits until all rows are there, and tells how many there are meanwhile.
    fn wait_for_end(&mut self, rows: &Rows) -> Result<(), ExportError> {
        let mut read = 0;
        loop {
            match self.held.growth(self.place) {
                Growth::Over => return Ok(()),
                Growth::BrokenOff => return Err(ExportError::BrokenOff),
                Growth::GoesOn => {}
            }
            self.wait(rows, read)?;
            read = rows.row_count();
            if self.told.elapsed() >= TOLD_EVERY {
                self.told = Instant::now();
                self.held.touch();
                let progress = ExportProgress { rows: 0, all: Some(read), bytes: 0 };
                let _ = self.reader.parts.try_send(Ok(ExportPart::Progress(progress)));
            }
        }
    }
}

/// Whoever reads an export, as the thread sees him that writes it.
struct Reader {
    parts: mpsc::Sender<Result<ExportPart, ResultError>>,
    /// Time for which he may take nothing.
    idle: Option<Duration>,
    cutting: CancellationToken,
    handle: Handle,
    gave_up: Arc<AtomicBool>,
}

impl Reader {
    fn is_gone(&self) -> bool {
        self.parts.is_closed() || self.cutting.is_cancelled()
    }

    /// Hands a part over, and waits for room.
    fn send(&self, part: Result<ExportPart, ResultError>) -> io::Result<()> {
        let part = match self.parts.try_send(part) {
            Ok(()) => return Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(io::ErrorKind::BrokenPipe.into()),
            Err(mpsc::error::TrySendError::Full(part)) => part,
        };
        let idle = async {
            match self.idle {
                Some(idle) => sleep(idle).await,
                None => std::future::pending().await,
            }
        };
        self.handle.block_on(async {
            tokio::select! {
                sent = self.parts.send(part) => sent.map_err(|_| io::ErrorKind::BrokenPipe.into()),
                () = idle => {
                    self.gave_up.store(true, Ordering::Relaxed);
                    Err(io::ErrorKind::TimedOut.into())
                }
                () = self.cutting.cancelled() => Err(io::ErrorKind::BrokenPipe.into()),
            }
        })
    }

    /// Waits until something is new of a result, for which nobody may wait any more.
    fn wait_for_change(&self, changes: &mut watch::Receiver<()>, held: &Held) -> Result<(), ExportError> {
        self.handle.block_on(async {
            tokio::select! {
                _ = changes.changed() => Ok(()),
                () = held.dropping.cancelled() => Err(ExportError::BrokenOff),
                () = held.gone.cancelled() => Err(ExportError::BrokenOff),
                () = self.parts.closed() => Err(ExportError::Canceled),
                () = self.cutting.cancelled() => Err(ExportError::Canceled),
            }
        })
    }
}
