//! Data that a statement asks its caller for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use querybox_contracts::plugin::v1 as pb;
use tokio::sync::{mpsc, oneshot};

use crate::{Error, Reason};

/// Data that comes in one message, by the contract.
const PIECE_BYTES_MAX: usize = 1024 * 1024;

/// The data that a statement asked for, piece by piece. Whoever sends it is answered when the driver asks for the next piece,
/// so that at most one lies here.
///
/// Dropping it says that no more is wanted.
#[derive(Debug)]
pub struct CopyInput {
    rx: mpsc::Receiver<Piece>,
    door: Arc<CopyDoor>,
    /// The sender of the piece that was given out last.
    taken: Option<oneshot::Sender<()>>,
    /// What follows that piece.
    end: Option<CopyPiece>,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyPiece {
    /// Data, cut anywhere.
    Data(Bytes),
    /// Nothing more: it is whole.
    Done,
    /// Nothing more: it is not whole, for this reason, and none of it may count.
    Failed(String),
}

impl CopyInput {
    /// The next piece, waited for. Cancel-safe. What went before counts as taken.
    pub async fn next(&mut self) -> CopyPiece {
        if let Some(end) = self.end.take() {
            self.acknowledge();
            return end;
        }
        self.acknowledge();
        let Some(piece) = self.rx.recv().await else {
            // The door keeps a sender for as long as this lives.
            return CopyPiece::Failed("nobody sends data".into());
        };
        self.taken = Some(piece.taken);
        match (piece.data.is_empty(), piece.end) {
            (true, Some(end)) => {
                self.acknowledge();
                end
            }
            (_, end) => {
                self.end = end;
                CopyPiece::Data(piece.data)
            }
        }
    }

    fn acknowledge(&mut self) {
        if let Some(taken) = self.taken.take() {
            // Whoever does not wait for it needs not know.
            taken.send(()).ok();
        }
    }
}

impl Drop for CopyInput {
    fn drop(&mut self) {
        *self.door.lock() = None;
    }
}

/// Where the data of a session's statements comes in.
#[derive(Debug, Default)]
pub(crate) struct CopyDoor {
    asking: Mutex<Option<Asking>>,
}

/// A statement that asks for data.
#[derive(Debug)]
struct Asking {
    statement: u32,
    tx: mpsc::Sender<Piece>,
}

#[derive(Debug)]
struct Piece {
    data: Bytes,
    end: Option<CopyPiece>,
    taken: oneshot::Sender<()>,
}

impl CopyDoor {
    /// Opens it for a statement. Only one is open at a time, as one statement runs at a time.
    pub(crate) fn open(self: &Arc<Self>, statement: u32) -> CopyInput {
        let (tx, rx) = mpsc::channel(1);
        *self.lock() = Some(Asking { statement, tx });
        CopyInput { rx, door: Arc::clone(self), taken: None, end: None }
    }

    /// Gives a piece to the statement that asks for it, and waits until it is taken.
    pub(crate) async fn give(&self, request: pb::SendCopyDataRequest) -> Result<pb::CopyDataOutcome, Error> {
        if request.data.len() > PIECE_BYTES_MAX {
            let message = format!("a piece of data is at most {PIECE_BYTES_MAX} bytes long");
            return Err(Error::new(Reason::LimitReached, message));
        }
        let end = match request.end() {
            pb::CopyDataEnd::Unspecified => None,
            pb::CopyDataEnd::Done => Some(CopyPiece::Done),
            pb::CopyDataEnd::Failed => Some(CopyPiece::Failed(request.failure)),
        };
        let tx = match &*self.lock() {
            Some(asking) if asking.statement == request.statement => asking.tx.clone(),
            Some(_) | None => return Ok(pb::CopyDataOutcome::Unwanted),
        };
        let (taken, is_taken) = oneshot::channel();
        if tx.send(Piece { data: request.data, end, taken }).await.is_err() {
            return Ok(pb::CopyDataOutcome::Unwanted);
        }
        drop(tx);
        Ok(match is_taken.await {
            Ok(()) => pb::CopyDataOutcome::Taken,
            Err(_) => pb::CopyDataOutcome::Unwanted,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Asking>> {
        // Nothing panics while it holds the lock.
        self.asking.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt as _, join};

    use super::*;

    fn piece(statement: u32, data: &'static [u8], end: pb::CopyDataEnd) -> pb::SendCopyDataRequest {
        pb::SendCopyDataRequest {
            session_id: String::new(),
            statement,
            data: Bytes::from_static(data),
            end: end.into(),
            failure: "it broke".into(),
        }
    }

    const MORE: pb::CopyDataEnd = pb::CopyDataEnd::Unspecified;

    #[tokio::test]
    async fn a_piece_is_taken_when_the_next_is_asked_for() {
        let door = Arc::new(CopyDoor::default());
        let mut input = door.open(3);
        let mut first = Box::pin(door.give(piece(3, b"one", MORE)));
        assert!(first.as_mut().now_or_never().is_none());
        assert_eq!(input.next().await, CopyPiece::Data(Bytes::from_static(b"one")));
        assert!(first.as_mut().now_or_never().is_none(), "it may still be lost");
        let (next, last) = join!(input.next(), async {
            assert_eq!(first.await.unwrap(), pb::CopyDataOutcome::Taken);
            door.give(piece(3, b"", pb::CopyDataEnd::Done)).await.unwrap()
        });
        assert_eq!((next, last), (CopyPiece::Done, pb::CopyDataOutcome::Taken));
    }

    #[tokio::test]
    async fn the_last_piece_may_bring_its_end_along() {
        let door = Arc::new(CopyDoor::default());
        let mut input = door.open(0);
        let read = async { [input.next().await, input.next().await] };
        let (read, outcome) = join!(read, door.give(piece(0, b"x", pb::CopyDataEnd::Failed)));
        assert_eq!(read, [CopyPiece::Data(Bytes::from_static(b"x")), CopyPiece::Failed("it broke".into())]);
        assert_eq!(outcome.unwrap(), pb::CopyDataOutcome::Taken);
    }

    #[tokio::test]
    async fn what_nobody_asks_for_goes_nowhere() {
        let door = Arc::new(CopyDoor::default());
        assert_eq!(door.give(piece(0, b"x", MORE)).await.unwrap(), pb::CopyDataOutcome::Unwanted);
        let mut input = door.open(1);
        assert_eq!(door.give(piece(0, b"x", MORE)).await.unwrap(), pb::CopyDataOutcome::Unwanted);
        let mut lost = Box::pin(door.give(piece(1, b"x", MORE)));
        assert!(lost.as_mut().now_or_never().is_none());
        input.next().await;
        drop(input);
        assert_eq!(lost.await.unwrap(), pb::CopyDataOutcome::Unwanted, "the server refused meanwhile");
        assert_eq!(door.give(piece(1, b"x", MORE)).await.unwrap(), pb::CopyDataOutcome::Unwanted);
        let huge = pb::SendCopyDataRequest {
            data: vec![0; PIECE_BYTES_MAX + 1].into(),
            ..pb::SendCopyDataRequest::default()
        };
        assert_eq!(door.give(huge).await.unwrap_err().reason(), Reason::LimitReached);
    }
}
