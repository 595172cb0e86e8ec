//! A statement while it runs: waiting for it, stopping it, and coming back into step when it is over.

use postgres_protocol::message::{backend, frontend};
use querybox_plugin::Error;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Answer, Connection};
use crate::{
    cancel::{Canceller, Patience},
    copy,
};

impl Connection {
    /// Forgets that a statement was cancelled: another one is about to run.
    pub(crate) fn begin(&mut self) {
        self.cancel_again_at = None;
        self.patience = Patience::new();
    }

    /// Waits for bytes while a statement runs, until it is to be cancelled: none then. Cancel-safe.
    pub(crate) async fn wait_until(&mut self, cancelled: &CancellationToken) -> Option<Result<(), Error>> {
        if cancelled.is_cancelled() {
            return None;
        }
        tokio::select! {
            biased;
            filled = self.wire.fill() => Some(filled),
            () = cancelled.cancelled() => None,
        }
    }

    /// Waits for bytes while a statement runs. Once it was asked to be cancelled, it is asked again and again until it
    /// ends: a request that overtook its statement stopped nothing. Not cancel-safe: the server may still take a request that
    /// is given up, and stop whatever runs then.
    pub(crate) async fn wait(
        &mut self,
        cancelled: &CancellationToken,
        canceller: &Canceller,
    ) -> Result<(), Error> {
        if let Some(filled) = self.wait_until(cancelled).await {
            return filled;
        }
        loop {
            let again_at = *self.cancel_again_at.get_or_insert_with(|| Instant::now() + self.patience.next());
            tokio::select! {
                // The clock first: rows of a statement that nobody stopped are always there.
                biased;
                () = sleep_until(again_at) => {}
                filled = self.wire.fill() => return filled,
            }
            // A failure is left to the next attempt.
            canceller.send().await.ok();
            self.cancel_again_at = None;
        }
    }

    /// Stops what runs, as nobody listens any more, and makes ready for the next call.
    pub(crate) async fn abandon(
        &mut self,
        cancelled: &CancellationToken,
        canceller: &Canceller,
    ) -> Result<(), Error> {
        if !cancelled.is_cancelled() {
            cancelled.cancel();
            canceller.send().await.ok();
        }
        if std::mem::take(&mut self.is_copying_in) {
            // While it waits for data, the server throws a Sync away.
            copy::fail(self, "nobody listens any more");
        }
        if self.is_unsynced {
            self.put_sync();
            self.wire.send().await?;
        }
        while self.readies_awaited > 0 {
            match self.next()? {
                Some(answer) => self.forget(answer).await?,
                None => self.wait(cancelled, canceller).await?,
            }
        }
        Ok(())
    }

    /// Reads and forgets until nothing is outstanding of a statement that has ended, so that the next statement finds the connection in step.
    pub(crate) async fn settle(&mut self) -> Result<(), Error> {
        if self.is_unsynced {
            self.put_sync();
            self.wire.send().await?;
        }
        while self.readies_awaited > 0 {
            let answer = self.answer().await?;
            self.forget(answer).await?;
        }
        Ok(())
    }

    /// Drops an answer of a statement whose results nobody wants.
    async fn forget(&mut self, answer: Answer) -> Result<(), Error> {
        match answer {
            Answer::Row(head) | Answer::CopyData(head) => self.wire.consume(head),
            Answer::Other(backend::Message::CopyInResponse(_)) => {
                copy::refuse_input(self);
                // The Sync that was sent was thrown away while the server waited for data.
                frontend::sync(&mut self.wire.output);
                self.wire.send().await?;
            }
            Answer::Fields(_) | Answer::Notice(_) | Answer::Refused(_) | Answer::Ready | Answer::Other(_) => {
            }
        }
        Ok(())
    }
}
