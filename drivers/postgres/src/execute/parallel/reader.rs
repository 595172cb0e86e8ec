//! One of the connections that read a table: range after range, into the output that they share.

use std::sync::atomic::Ordering;

use postgres_protocol::message::{backend, frontend};
use querybox_plugin::ExecuteError;
use tokio::{sync::MutexGuard, time::timeout};

use super::{Output, Work};
use crate::{
    cancel::Canceller,
    connection::{Answer, Connection, out_of_order},
    execute::{ROWS_WAIT, output::Taken},
    rejection::Refusal,
};

pub(super) struct Reader<'a> {
    pub(super) connection: &'a mut Connection,
    pub(super) canceller: &'a Canceller,
}

/// What ended the reading of all.
pub(super) enum Fault {
    Refused(Refusal),
    Failed(ExecuteError),
}

/// What one of them has read.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// Ranges that were read to their end.
    pub(super) ranges: u32,
    pub(super) rows: u64,
}

impl Reader<'_> {
    /// Reads ranges until none is left, or all have to stop. The connection is in step then, unless it was lost or nobody
    /// listens any more.
    pub(super) async fn run(mut self, work: &Work<'_>) -> Read {
        let mut read = Read::default();
        while !work.stop.is_cancelled() {
            let range = work.next.fetch_add(1, Ordering::Relaxed);
            if range >= work.table.ranges() {
                break;
            }
            match self.range(work, range).await {
                Ok(Ok(rows)) => {
                    read.ranges += 1;
                    read.rows += rows;
                }
                Ok(Err(refusal)) => work.fail(Fault::Refused(refusal)),
                Err(error) => work.fail(Fault::Failed(error)),
            }
        }
        read
    }

    async fn range(&mut self, work: &Work<'_>, range: u32) -> Result<Result<u64, Refusal>, ExecuteError> {
        let sql = work.table.part(range);
        self.connection.put(|output| frontend::parse("", &sql, [], output))?;
        self.connection.put_bind([], work.formats.iter().copied())?;
        self.connection.put(|output| frontend::execute("", 0, output))?;
        self.connection.put_sync();
        self.connection.wire.send().await?;
        let encoding = self.connection.reported.encoding();
        let mut refused = None;
        let mut rows = 0;
        loop {
            // Held as long as something is in the buffer, so that the others get their turn while this one waits.
            let mut output: Option<MutexGuard<'_, Output<'_>>> = None;
            while let Some(answer) = self.connection.next()? {
                match answer {
                    Answer::Row(head) => {
                        let output = match &mut output {
                            Some(output) => output,
                            none => none.insert(work.output.lock().await),
                        };
                        let taken = output.row(self.connection.wire.body(head), encoding)?;
                        self.connection.wire.consume(head);
                        rows += 1;
                        if taken != Taken::Held {
                            output.flush().await?;
                        }
                    }
                    Answer::Notice(notice) => {
                        drop(output.take());
                        work.output.lock().await.notice(notice).await?;
                    }
                    Answer::Refused(fatal) if fatal.is_fatal() => return Ok(Err(fatal)),
                    Answer::Refused(refusal) => refused = Some(refusal),
                    Answer::Ready => return Ok(refused.map_or(Ok(rows), Err)),
                    Answer::Other(
                        backend::Message::ParseComplete
                        | backend::Message::BindComplete
                        | backend::Message::CommandComplete(_),
                    ) => {}
                    Answer::Fields(_) | Answer::CopyData(_) | Answer::Other(_) => {
                        return Err(out_of_order().into());
                    }
                }
            }
            drop(output);
            self.wait(work).await?;
        }
    }

    /// Waits for the server, and sends what was told before when that takes a while.
    async fn wait(&mut self, work: &Work<'_>) -> Result<(), ExecuteError> {
        match timeout(ROWS_WAIT, self.connection.wait_until(&work.stop)).await {
            Ok(Some(waited)) => return Ok(waited?),
            Ok(None) => {}
            Err(_) => work.output.lock().await.flush().await?,
        }
        Ok(self.connection.wait(&work.stop, self.canceller).await?)
    }
}
