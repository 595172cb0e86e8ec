//! Exports of kept rows, as bytes for whoever asked.

use std::{
    io,
    sync::{Arc, atomic::AtomicBool, atomic::Ordering},
    time::Instant,
};

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt as _, unfold};
use querybox_results::{
    ChannelSink, ExportFormat, ExportProgress, ExportWatch, Exported, KeptSource, export,
};
use querybox_store::Owner;
use tokio::sync::mpsc;

use super::{error::ResultError, reading::Place, view::TOLD_EVERY};
use crate::{Core, session::SessionId};

/// A part of an export.
#[derive(Debug)]
pub enum ExportPart {
    /// The document's next bytes.
    Data(Bytes),
    Progress(ExportProgress),
    /// The document is whole. Last, and once.
    Done(Exported),
}

/// Bytes of a piece.
const PIECE_BYTES: usize = 64 << 10;
/// Parts that wait for their reader, who may be slow.
const WAITING_MAX: usize = 8;

impl Core {
    /// Writes the rows that are there now in a format. Dropping the stream stops it.
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
    ) -> Result<BoxStream<'static, Result<ExportPart, ResultError>>, ResultError> {
        let held = self.shelf.find(owner, id)?;
        let rows = held.rows(place)?.rows;
        let (parts, received) = mpsc::channel(WAITING_MAX);
        self.tracker.spawn_blocking(move || {
            let cancel = AtomicBool::new(false);
            let mut told = Instant::now();
            let mut progress = |progress| {
                cancel.store(parts.is_closed(), Ordering::Relaxed);
                // A long export is a use of its result.
                if told.elapsed() >= TOLD_EVERY {
                    told = Instant::now();
                    held.touch();
                    // No room, no word.
                    let _ = parts.try_send(Ok(ExportPart::Progress(progress)));
                }
            };
            let sink = ChannelSink::new(PIECE_BYTES, |piece| {
                let sent = parts.blocking_send(Ok(ExportPart::Data(piece)));
                sent.map_err(|_| io::ErrorKind::BrokenPipe.into())
            });
            let mut source = KeptSource::new(&rows);
            let watch = &mut ExportWatch { progress: &mut progress, cancel: &cancel };
            let last = export(&mut source, format, sink, watch).map(ExportPart::Done);
            // A reader that is gone misses nothing.
            let _ = parts.blocking_send(last.map_err(|error| ResultError::Export(Arc::new(error))));
        });
        let parts = unfold(received, |mut received: mpsc::Receiver<_>| async move {
            let part = received.recv().await?;
            Some((part, received))
        });
        Ok(parts.boxed())
    }
}
