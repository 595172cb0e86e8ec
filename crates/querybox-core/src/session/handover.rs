//! Hands parts from a session's task to its reader, one at a time and only when the reader asks.
//!
//! A bounded channel would run one part ahead, and could not tell whether the reader waits for the database or the database
//! for the reader. The deadline needs to know: only the first counts.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures::Stream;
use tokio::sync::{Semaphore, mpsc};

/// Makes the two ends. The reader counts as asking for its first part already.
pub(crate) fn handover<T>() -> (Giver<T>, Reader<T>) {
    // One for the part that was asked for, and one for the last word, which need not be.
    let (tx, rx) = mpsc::channel(2);
    let asks = Arc::new(Semaphore::new(1));
    (Giver { tx, asks: Arc::clone(&asks) }, Reader { rx, asks, asked: true })
}

/// The end of the session's task.
pub(crate) struct Giver<T> {
    tx: mpsc::Sender<T>,
    asks: Arc<Semaphore>,
}

/// The reader is gone: nobody wants the session any more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ReaderGone;

impl<T> Giver<T> {
    /// Resolves when the reader waits for a part. Stays so until one is given. Cancel-safe.
    pub(crate) async fn asked(&self) -> Result<(), ReaderGone> {
        tokio::select! {
            biased;
            () = self.tx.closed() => Err(ReaderGone),
            // The permit goes back: `give` takes it.
            permit = self.asks.acquire() => permit.map(drop).map_err(|_| ReaderGone),
        }
    }

    /// Resolves when the reader is gone. Cancel-safe.
    pub(crate) async fn reader_gone(&self) {
        self.tx.closed().await;
    }

    /// Waits until the reader asks, then gives it a part.
    pub(crate) async fn give(&self, part: T) -> Result<(), ReaderGone> {
        self.asked().await?;
        if let Ok(permit) = self.asks.try_acquire() {
            permit.forget();
        }
        // A reader that asks has an empty slot.
        self.tx.try_send(part).map_err(|_| ReaderGone)
    }

    /// Leaves the last word for whenever the reader asks again. A reader that is gone does not hear it.
    pub(crate) fn leave(self, last: T) {
        // At most one part lies unread.
        let _ = self.tx.try_send(last);
    }
}

/// The reader's end: a stream that ends when the giver is dropped. Dropping it tells the giver.
pub(crate) struct Reader<T> {
    rx: mpsc::Receiver<T>,
    asks: Arc<Semaphore>,
    /// One permit lies in `asks`, or the giver took it and owes a part.
    asked: bool,
}

impl<T> Stream for Reader<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if !self.asked {
            self.asked = true;
            self.asks.add_permits(1);
        }
        let polled = self.rx.poll_recv(cx);
        if polled.is_ready() {
            self.asked = false;
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt as _, StreamExt as _};

    use super::*;

    #[tokio::test]
    async fn the_giver_waits_until_the_reader_asks_again() {
        let (giver, mut reader) = handover();
        assert_eq!(giver.give(1).now_or_never(), Some(Ok(())), "the first part is asked for");
        assert_eq!(giver.asked().now_or_never(), None);
        assert_eq!(reader.next().await, Some(1));
        assert_eq!(giver.asked().now_or_never(), None, "having read one is not asking for the next");
        assert_eq!(reader.next().now_or_never(), None);
        assert_eq!(giver.asked().now_or_never(), Some(Ok(())));
        assert_eq!(giver.asked().now_or_never(), Some(Ok(())), "an ask stays until it is answered");
        assert_eq!(reader.next().now_or_never(), None, "asking twice is asking once");
        assert_eq!(giver.give(2).now_or_never(), Some(Ok(())));
        assert_eq!(giver.give(3).now_or_never(), None);
        assert_eq!(reader.next().await, Some(2));
    }

    #[tokio::test]
    async fn either_end_learns_that_the_other_is_gone() {
        let (giver, reader) = handover::<u8>();
        drop(reader);
        giver.reader_gone().await;
        assert_eq!(giver.asked().await, Err(ReaderGone));
        assert_eq!(giver.give(1).await, Err(ReaderGone));

        let (giver, mut reader) = handover();
        giver.give(1).await.unwrap();
        drop(giver);
        assert_eq!(reader.next().await, Some(1));
        assert_eq!(reader.next().await, None);
    }

    #[tokio::test]
    async fn the_last_word_waits_for_the_reader_behind_the_last_part() {
        let (giver, mut reader) = handover();
        giver.give(1).await.unwrap();
        giver.leave(2);
        assert_eq!((reader.next().await, reader.next().await, reader.next().await), (Some(1), Some(2), None));
        let (giver, reader) = handover();
        drop(reader);
        giver.leave(1);
    }

    #[tokio::test]
    async fn many_parts_pass_in_order() {
        let (giver, reader) = handover();
        let send = async move {
            for part in 0..1000 {
                giver.give(part).await.unwrap();
            }
        };
        let (_, parts) = tokio::join!(send, reader.collect::<Vec<_>>());
        assert_eq!(parts, (0..1000).collect::<Vec<_>>());
    }
}
