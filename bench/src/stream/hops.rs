//! QueryBox with a Core and a client in processes of their own.

use std::{path::Path, sync::Arc};

use futures::future::BoxFuture;

use super::Names;
use crate::{
    frame::{Contender, Run, Sample, Unit, Usage},
    hops::{Hops, WholeRead},
    tables::Table,
};

pub(super) fn contender(hops: &Arc<Hops>, own: &Path, names: Names, table: Table) -> Contender {
    let what = "server, driver, Core, client, as one session: gRPC over a socket pair and over a Unix socket. The whole \
                process of a client, from its start to its end, which adds up what it reads; a Core that was running, with \
                a driver kept ready. CPU is that of client, Core and driver, memory that of Core and driver";
    let read = WholeRead::new(hops, Arc::clone(&hops.host), own, table.query(), table.rows, table.sum());
    Contender {
        name: names.hops,
        what: what.to_owned(),
        unit: Unit::Seconds,
        floor: Some(names.floor),
        run: Box::new(BothHops(read)),
    }
}

struct BothHops(WholeRead);

impl Run for BothHops {
    fn run(&mut self) -> BoxFuture<'_, anyhow::Result<Vec<Sample>>> {
        Box::pin(async {
            let reading = self.0.measure()?;
            let usage = Usage {
                cpu_seconds: reading.client_usage.cpu_seconds + reading.core.cpu_seconds,
                peak_rss_bytes: reading.core.peak_rss_bytes + reading.driver_peak_bytes,
            };
            Ok(vec![Sample { usage: Some(usage), ..reading.client }])
        })
    }
}
