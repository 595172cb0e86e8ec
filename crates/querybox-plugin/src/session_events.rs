//! Where a driver tells what happens in its session while nobody asks.

use querybox_contracts::plugin::v1::{self as pb, watch_session_response::Event};
use tokio::sync::mpsc;
use tonic::Status;

/// Events that wait for their reader. What a driver keeps beyond them is its own to bound.
pub(crate) const EVENTS_WAITING_MAX: usize = 16;

/// Where the events of a session go.
#[derive(Debug)]
pub struct SessionEvents {
    tx: mpsc::Sender<Result<pb::WatchSessionResponse, Status>>,
}

impl SessionEvents {
    pub(crate) fn new(tx: mpsc::Sender<Result<pb::WatchSessionResponse, Status>>) -> Self {
        Self { tx }
    }

    /// Tells of a notification. Waits while the reader is slow. False: nobody listens any more.
    pub async fn notification(&self, notification: pb::Notification) -> bool {
        let event = pb::WatchSessionResponse { event: Some(Event::Notification(notification)) };
        self.tx.send(Ok(event)).await.is_ok()
    }

    /// Resolves when nobody listens any more.
    pub async fn closed(&self) {
        self.tx.closed().await;
    }
}
