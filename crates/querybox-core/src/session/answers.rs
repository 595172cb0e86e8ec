//! What a session answers, as a stream.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures::{Stream, StreamExt as _};
use querybox_launcher::{Rejection, ServerFacts};
use tokio_util::sync::DropGuard;

use super::{error::SessionError, handover::Reader, state::EndCause};
use crate::{ConnectionError, ShuttingDown};

/// One event of a session.
#[derive(Debug)]
pub enum Event<P> {
    /// The driver runs. First, and once. Not in a leased session.
    Opened(Opened),
    /// The database refused to open; only [`Event::Ended`] follows. Not in a leased session.
    Refused(Box<Rejection>),
    /// A part of the answer, in the driver's order.
    Part(P),
    /// The driver is gone; that of a leased session can be asked again. Last, unless an error is.
    Ended(Ended),
}

/// A driver runs for the session.
#[derive(Debug, Clone)]
pub struct Opened {
    /// What was found. `None`: the database refused to open, and the next event says why.
    pub server: Option<ServerFacts>,
    /// What this machine could not enforce on the driver, a sentence each.
    pub degraded: Vec<String>,
    pub driver_pid: u32,
}

/// The session, or the request in a leased one, came to its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ended {
    pub statements_done: u32,
    pub statements_rejected: u32,
    /// The most memory that the driver was seen to have resident. Not told in a leased session, whose driver goes on.
    pub driver_memory_peak_bytes: u64,
    /// Why, when no failure is why. In a leased session: why the request did.
    pub cause: EndCause,
}

/// The stream of a session's events.
///
/// The session *is* this stream: dropping it cancels what runs, and the driver is gone within two seconds. (In a leased
/// session it is the request; dropping it cancels that alone.) After an error or [`Event::Ended`] it is over. It need not be
/// polled for the session to be cancelled or to reach its deadline.
pub struct Answers<P> {
    reader: Reader<Result<Event<P>, SessionError>>,
    over: bool,
    /// Tells a leased session that nobody reads, the moment it is so.
    _gone: Option<DropGuard>,
}

impl<P> Answers<P> {
    pub(super) fn new(reader: Reader<Result<Event<P>, SessionError>>) -> Self {
        Self { reader, over: false, _gone: None }
    }

    pub(super) fn in_lease(reader: Reader<Result<Event<P>, SessionError>>, gone: DropGuard) -> Self {
        Self { reader, over: false, _gone: Some(gone) }
    }
}

impl<P> Stream for Answers<P> {
    type Item = Result<Event<P>, SessionError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.over {
            return Poll::Ready(None);
        }
        let Poll::Ready(item) = self.reader.poll_next_unpin(cx) else {
            return Poll::Pending;
        };
        // A task that goes without a last word does so because Core ends and its reader has not taken the rest.
        let item = item.unwrap_or(Err(SessionError::Connection(ConnectionError::ShuttingDown(ShuttingDown))));
        self.over = matches!(item, Err(_) | Ok(Event::Ended(_)));
        Poll::Ready(Some(item))
    }
}
