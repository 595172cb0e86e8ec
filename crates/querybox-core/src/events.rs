//! What front ends are told while nobody asks.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{
    StreamExt as _,
    stream::{BoxStream, unfold},
};
use querybox_launcher::{Notification, Part};
use querybox_store::ConnectionId;
use tokio::sync::broadcast::{self, error::RecvError};

use crate::{
    Core, DraftId, ShuttingDown,
    results::{DownloadEnded, DropCause, RunProgress, ViewFacts},
    session::{FrontEndId, SessionEnd, SessionId},
};

/// Events kept for a reader that is slow: some for each session that a front end may lease.
const KEPT_MAX: usize = 128;
/// Streams of events at once. Each page holds one; more than this is somebody who opens and never closes.
const WATCHERS_MAX: usize = 1024;

/// Something that happened to what a front end holds.
#[derive(Debug, Clone, PartialEq)]
pub enum FrontEndEvent {
    /// A leased session ends when it is not used for this long.
    IdleWarning { session: SessionId, remaining: Duration },
    /// A leased session has ended.
    LeaseEnded { session: SessionId, end: SessionEnd },
    /// A leased session was notified of what it listens to.
    Notified { session: SessionId, notification: Notification },
    /// A kept result came along.
    ResultChanged(RunProgress),
    /// The database said something while it worked on a kept result: a notice.
    ResultNotice { result: SessionId, notice: Box<Part> },
    /// A view of a kept result came along.
    ViewChanged { result: SessionId, view: Box<ViewFacts> },
    /// A download of a kept result ended.
    DownloadEnded(DownloadEnded),
    /// A result is kept no longer.
    ResultDropped { result: SessionId, cause: DropCause },
    /// A saved connection or a draft was made, changed or removed. For every front end.
    KeptChanged { kept: KeptId, is_removed: bool },
    /// The reader was slow, and so many events before the next are lost.
    Missed { count: u64 },
}

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptId {
    /// What is saved of a connection, or its secrets.
    Connection(ConnectionId),
    Draft(DraftId),
}

/// Why a front end cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    #[error("{max} streams of events are open, and no more may be")]
    Full { max: usize },
    #[error(transparent)]
    ShuttingDown(#[from] ShuttingDown),
}

/// Those who are told.
pub(crate) struct Watchers {
    /// `None`: Core has ended. A sender without a receiver is taken out when it is next come by.
    senders: Mutex<Option<Senders>>,
}

type Senders = HashMap<FrontEndId, broadcast::Sender<FrontEndEvent>>;

impl Core {
    /// Tells what happens to what a front end holds, from now on until the stream is dropped or Core has ended all sessions.
    ///
    /// A reader that is slow is told how much it missed; nothing waits for it.
    ///
    /// # Errors
    ///
    /// See [`WatchError`].
    pub fn watch_events(
        &self,
        front_end: FrontEndId,
    ) -> Result<BoxStream<'static, FrontEndEvent>, WatchError> {
        if self.closing.is_cancelled() {
            return Err(ShuttingDown.into());
        }
        Ok(stream(self.watchers.add(front_end)?))
    }

    /// Tells every front end what became of something that is kept.
    pub(crate) fn tell_kept(&self, kept: KeptId, is_removed: bool) {
        self.watchers.tell_all(&FrontEndEvent::KeptChanged { kept, is_removed });
    }

    /// The same of a connection that was made or changed.
    pub(crate) fn tell_connection(&self, id: ConnectionId) {
        self.tell_kept(KeptId::Connection(id), false);
    }
}

fn stream(receiver: broadcast::Receiver<FrontEndEvent>) -> BoxStream<'static, FrontEndEvent> {
    unfold(receiver, |mut receiver| async move {
        let event = match receiver.recv().await {
            Ok(event) => event,
            Err(RecvError::Lagged(count)) => FrontEndEvent::Missed { count },
            Err(RecvError::Closed) => return None,
        };
        Some((event, receiver))
    })
    .boxed()
}

impl Watchers {
    pub(crate) fn new() -> Self {
        Self { senders: Mutex::new(Some(HashMap::new())) }
    }

    fn add(&self, front_end: FrontEndId) -> Result<broadcast::Receiver<FrontEndEvent>, WatchError> {
        let mut senders = self.lock();
        let senders = senders.as_mut().ok_or(ShuttingDown)?;
        senders.retain(|_, sender| sender.receiver_count() > 0);
        if senders.values().map(broadcast::Sender::receiver_count).sum::<usize>() >= WATCHERS_MAX {
            return Err(WatchError::Full { max: WATCHERS_MAX });
        }
        let sender = senders.entry(front_end).or_insert_with(|| broadcast::channel(KEPT_MAX).0);
        Ok(sender.subscribe())
    }

    /// Tells whoever listens for the front end.
    pub(crate) fn tell(&self, front_end: FrontEndId, event: FrontEndEvent) {
        if let Some(senders) = self.lock().as_mut()
            && let Some(sender) = senders.get(&front_end)
            && sender.send(event).is_err()
        {
            senders.remove(&front_end);
        }
    }

    /// Tells whoever listens, for whichever front end.
    pub(crate) fn tell_all(&self, event: &FrontEndEvent) {
        if let Some(senders) = self.lock().as_mut() {
            senders.retain(|_, sender| sender.send(event.clone()).is_ok());
        }
    }

    /// Whether somebody listens for the front end.
    pub(crate) fn is_watched(&self, front_end: FrontEndId) -> bool {
        let senders = self.lock();
        let sender = senders.as_ref().and_then(|senders| senders.get(&front_end));
        sender.is_some_and(|sender| sender.receiver_count() > 0)
    }

    /// Ends all streams, behind what is still to be read.
    pub(crate) fn close(&self) {
        self.lock().take();
    }

    fn lock(&self) -> MutexGuard<'_, Option<Senders>> {
        // Every change is whole before anything can panic.
        self.senders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn warning(seconds: u64) -> FrontEndEvent {
        let session = "0193b3f2-7c00-7abc-8def-0123456789ab".parse().unwrap();
        FrontEndEvent::IdleWarning { session, remaining: Duration::from_secs(seconds) }
    }

    fn front_end(last: char) -> FrontEndId {
        format!("5b3e1d0a-7c00-4abc-8def-01234567890{last}").parse().unwrap()
    }

    #[tokio::test]
    async fn a_reader_that_is_slow_is_told_how_much_it_missed_and_has_the_newest() {
        let watchers = Watchers::new();
        let mut slow = stream(watchers.add(front_end('a')).unwrap());
        let mut other = stream(watchers.add(front_end('b')).unwrap());
        let told = KEPT_MAX as u64 + 7;
        for number in 0..told {
            watchers.tell(front_end('a'), warning(number));
        }
        assert_eq!(slow.next().await, Some(FrontEndEvent::Missed { count: 7 }));
        for number in 7..told {
            assert_eq!(slow.next().await, Some(warning(number)));
        }
        assert_eq!(slow.next().now_or_never(), None);
        assert_eq!(other.next().now_or_never(), None, "it was not for this one");
        watchers.close();
        assert_eq!((slow.next().await, other.next().await), (None, None));
    }

    #[tokio::test]
    async fn what_was_told_before_the_end_is_read_before_it() {
        let watchers = Watchers::new();
        let mut events = stream(watchers.add(FrontEndId::default()).unwrap());
        watchers.tell(FrontEndId::default(), warning(1));
        watchers.close();
        watchers.tell(FrontEndId::default(), warning(2));
        assert_eq!(events.next().await, Some(warning(1)));
        assert_eq!(events.next().await, None);
        assert!(matches!(watchers.add(FrontEndId::default()), Err(WatchError::ShuttingDown(_))));
    }

    #[test]
    fn there_are_no_more_watchers_than_may_be_and_those_who_left_leave_room() {
        let watchers = Watchers::new();
        let mut held: Vec<_> = (0..WATCHERS_MAX)
            .map(|number| watchers.add(front_end(if number % 2 == 0 { 'a' } else { 'b' })).unwrap())
            .collect();
        assert!(matches!(watchers.add(front_end('c')), Err(WatchError::Full { max: WATCHERS_MAX })));
        held.pop();
        held.push(watchers.add(front_end('c')).unwrap());
        drop(held);
        // Nobody is there any more, and nobody is remembered.
        watchers.tell(front_end('a'), warning(1));
        let _last = watchers.add(front_end('b')).unwrap();
        assert_eq!(watchers.lock().as_ref().unwrap().len(), 1);
    }
}
