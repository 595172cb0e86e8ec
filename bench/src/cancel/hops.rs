//! A leased session of a Core in another process.

use std::{sync::Arc, time::Instant};

use anyhow::ensure;
use futures::future::BoxFuture;
use querybox_contracts::{
    core::v1::{
        self as pb, CancelReceipt, CancelSessionRequest, execute_in_session_response::Part as LeasePart,
    },
    plugin::v1::execute_response::Part,
};
use tokio::{sync::oneshot, time::sleep};
use tonic::Streaming;

use super::{RUNS_FOR, What};
use crate::{
    frame::{Run, Sample},
    hops::{Client, Hops},
};

/// SQLSTATE `query_canceled`.
const CANCELED: &str = "57014";
/// Rows that are read before the cancel: a few megabytes.
const ROWS_BEFORE: u64 = 50_000;

pub(super) async fn run(hops: &Arc<Hops>, what: What, times: usize) -> anyhow::Result<Box<dyn Run>> {
    let client = hops.client().await?;
    let lease = client.lease().await?;
    Ok(Box::new(BothHops { client, lease, what, times, _hops: Arc::clone(hops) }))
}

struct BothHops {
    client: Client,
    lease: String,
    what: What,
    times: usize,
    _hops: Arc<Hops>,
}

impl Run for BothHops {
    fn run(&mut self) -> BoxFuture<'_, anyhow::Result<Vec<Sample>>> {
        Box::pin(async {
            let mut samples = Vec::with_capacity(self.times);
            for _ in 0..self.times {
                samples.push(self.measure().await?);
            }
            Ok(samples)
        })
    }
}

impl BothHops {
    async fn measure(&self) -> anyhow::Result<Sample> {
        let stream = self.client.begin(&self.lease, self.what.sql()).await?;
        let (runs, running) = oneshot::channel();
        let cancel = async {
            running.await?;
            if self.what == What::Asleep {
                sleep(RUNS_FOR).await;
            }
            let begun = Instant::now();
            let request = CancelSessionRequest { session_id: self.lease.clone() };
            let receipt = self.client.sessions().cancel_session(request).await?.into_inner().receipt();
            ensure!(receipt == CancelReceipt::Confirmed, "the receipt is {receipt:?}");
            anyhow::Ok(begun)
        };
        let (begun, read) = tokio::join!(cancel, self.read(stream, runs));
        read?;
        self.client.run_in(&self.lease, "select 1").await?;
        Ok(Sample::of_time(begun?.elapsed()))
    }

    /// Reads to the end, which must be the cancel, and tells when the statement surely runs.
    async fn read(
        &self,
        mut stream: Streaming<pb::ExecuteInSessionResponse>,
        runs: oneshot::Sender<()>,
    ) -> anyhow::Result<()> {
        let (mut runs, mut rows, mut last) = (Some(runs), 0, String::new());
        loop {
            let message = match stream.message().await {
                Ok(Some(message)) => message,
                Ok(None) => break,
                // What was on its way when the cancel came did not fit.
                Err(status) if status.code() == tonic::Code::Cancelled => return Ok(()),
                Err(status) => return Err(status.into()),
            };
            let Some(LeasePart::Result(part)) = message.part else { continue };
            let is_running = match part.part {
                Some(Part::Header(_)) => self.what == What::Asleep,
                Some(Part::Batch(batch)) => {
                    rows += u64::from(batch.row_count);
                    rows >= ROWS_BEFORE
                }
                Some(Part::Rejection(rejection)) => {
                    last = rejection.sqlstate;
                    false
                }
                Some(
                    Part::Summary(_)
                    | Part::Notice(_)
                    | Part::Progress(_)
                    | Part::ColumnFacts(_)
                    | Part::CopyIn(_),
                )
                | None => false,
            };
            if is_running && let Some(runs) = runs.take() {
                // Nobody waits when the cancel has failed, which is told by itself.
                runs.send(()).ok();
            }
        }
        ensure!(last == CANCELED, "the stream ended with {last:?}");
        Ok(())
    }
}
