//! What a driver tells while nobody asks.

use querybox_contracts::plugin::v1::{self as pb, watch_session_response::Event};
use tokio_util::sync::CancellationToken;
use tonic::Streaming;

/// The events of a session.
pub struct SessionEvents {
    stream: Option<Streaming<pb::WatchSessionResponse>>,
    closing: CancellationToken,
}

/// What a session was notified of: data of the database, not made printable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// What was listened to.
    pub channel: String,
    /// The text.
    pub payload: String,
    /// The server's process that sent it.
    pub sender_pid: i32,
    /// How many before it are lost.
    pub lost_before: u64,
}

impl SessionEvents {
    pub(crate) fn new(stream: Streaming<pb::WatchSessionResponse>, closing: CancellationToken) -> Self {
        Self { stream: Some(stream), closing }
    }

    /// The next one; none when the driver has no more to tell, or is to be closed. Whoever waits for it lets the driver close.
    /// Cancel-safe.
    pub async fn next(&mut self) -> Option<Notification> {
        let next = {
            let stream = self.stream.as_mut()?;
            tokio::select! {
                biased;
                () = self.closing.cancelled() => None,
                // How it ended shows in what the session is asked next.
                message = stream.message() => message.ok().flatten(),
            }
        };
        let Some(pb::WatchSessionResponse { event: Some(Event::Notification(notification)) }) = next else {
            self.stream = None;
            return None;
        };
        let pb::Notification { channel, payload, sender_pid, lost_before } = notification;
        Some(Notification { channel, payload, sender_pid, lost_before })
    }
}
