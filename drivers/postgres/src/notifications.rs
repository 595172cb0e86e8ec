//! What the session is notified of, on its way to whoever watches the session.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use querybox_plugin::{Error, SessionEvents, pb};
use tokio::sync::Notify;

use crate::{
    decode::{self, Encoding},
    message::Reader,
};

/// Notifications that wait for their reader, and the bytes of them. A slow reader loses the oldest, and is told how many: what
/// follows a loss is always there to tell of it.
const WAITING_MAX: usize = 1_000;
const WAITING_BYTES_MAX: usize = 1024 * 1024;

/// Notifications, from the connection's reader to the session's watcher.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiting: Mutex<Waiting>,
    more: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Nobody else would ever fetch them.
    is_watched: bool,
    notifications: VecDeque<pb::Notification>,
    bytes: usize,
    lost: u64,
}

impl Outbox {
    /// Keeps a notification for the watcher, if there is one.
    pub(crate) fn put(&self, notification: pb::Notification) {
        let mut waiting = self.lock();
        if !waiting.is_watched {
            return;
        }
        waiting.bytes += size(&notification);
        waiting.notifications.push_back(notification);
        while waiting.notifications.len() > WAITING_MAX || waiting.bytes > WAITING_BYTES_MAX {
            let Some(oldest) = waiting.notifications.pop_front() else { break };
            waiting.bytes -= size(&oldest);
            waiting.lost += 1;
        }
        self.more.notify_one();
    }

    /// Tells what comes, in its order, until nobody listens any more or this is dropped.
    pub(crate) async fn tell(&self, events: &SessionEvents) {
        let _watched = Watched::new(self);
        loop {
            while let Some(notification) = self.take() {
                if !events.notification(notification).await {
                    return;
                }
            }
            self.more.notified().await;
        }
    }

    fn take(&self) -> Option<pb::Notification> {
        let mut waiting = self.lock();
        let notification = waiting.notifications.pop_front()?;
        waiting.bytes -= size(&notification);
        let lost_before = std::mem::take(&mut waiting.lost);
        Some(pb::Notification { lost_before, ..notification })
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Every change is whole before anything can panic.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn size(notification: &pb::Notification) -> usize {
    notification.channel.len() + notification.payload.len()
}

/// Somebody watches, for as long as this lives.
struct Watched<'a>(&'a Outbox);

impl<'a> Watched<'a> {
    fn new(outbox: &'a Outbox) -> Self {
        outbox.lock().is_watched = true;
        Self(outbox)
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        *self.0.lock() = Waiting::default();
    }
}

/// Reads a NotificationResponse.
pub(crate) fn parse(body: &[u8], encoding: Encoding) -> Result<pb::Notification, Error> {
    let mut reader = Reader::new(body);
    let sender_pid = reader.i32()?;
    let channel = decode::name(reader.until_zero()?, encoding);
    let payload = decode::name(reader.until_zero()?, encoding);
    reader.end()?;
    Ok(pb::Notification { channel, payload, sender_pid, lost_before: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notification(payload: &str) -> pb::Notification {
        pb::Notification { channel: "c".into(), payload: payload.into(), ..pb::Notification::default() }
    }

    #[test]
    fn nothing_is_kept_for_nobody() {
        let outbox = Outbox::default();
        outbox.put(notification("early"));
        let watched = Watched::new(&outbox);
        assert_eq!(outbox.take(), None);
        outbox.put(notification("a"));
        assert_eq!(outbox.take(), Some(notification("a")));
        outbox.put(notification("b"));
        drop(watched);
        assert_eq!(outbox.take(), None);
    }

    #[test]
    fn what_comes_too_fast_is_counted() {
        let outbox = Outbox::default();
        let _watched = Watched::new(&outbox);
        for number in 0..WAITING_MAX + 3 {
            outbox.put(notification(&number.to_string()));
        }
        let told = std::iter::from_fn(|| outbox.take()).collect::<Vec<_>>();
        assert_eq!(told.len(), WAITING_MAX);
        assert_eq!(told.first(), Some(&pb::Notification { lost_before: 3, ..notification("3") }));
        assert_eq!(told.last(), Some(&notification(&(WAITING_MAX + 2).to_string())));
        let huge = "x".repeat(WAITING_BYTES_MAX / 2);
        for _ in 0..3 {
            outbox.put(notification(&huge));
        }
        outbox.put(notification("last"));
        assert_eq!(outbox.take(), Some(pb::Notification { lost_before: 2, ..notification(&huge) }));
        assert_eq!(outbox.take(), Some(notification("last")));
        assert_eq!(outbox.take(), None);
    }
}
