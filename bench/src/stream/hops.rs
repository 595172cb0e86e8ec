//! QueryBox with a Core and a client in processes of their own.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, ensure};
use futures::future::BoxFuture;

use super::Names;
use crate::{
    frame::{Contender, Run, Sample, Unit, Usage},
    hops::Hops,
    process::Process,
    tables::Table,
};

pub(super) fn contender(hops: &Arc<Hops>, own: &Path, names: Names, table: Table) -> Contender {
    let (socket, query) = (hops.host.socket().to_owned(), table.query());
    let client = Process {
        own: own.to_owned(),
        program: own.to_owned(),
        arrange: Box::new(move |command| {
            command.arg("read").arg(&socket).arg(&query);
        }),
        input: "",
        answers: String::new(),
        figures: hops.folder().join("figures"),
        times: 1,
    };
    let what = "server, driver, Core, client, as one session: gRPC over a socket pair and over a Unix socket. The whole \
                process of a client, from its start to its end, which adds up what it reads; a Core that was running, with \
                a driver kept ready. CPU is that of client, Core and driver, memory that of Core and driver";
    Contender {
        name: names.hops,
        what: what.to_owned(),
        unit: Unit::Seconds,
        floor: Some(names.floor),
        run: Box::new(BothHops { hops: Arc::clone(hops), client, table }),
    }
}

struct BothHops {
    hops: Arc<Hops>,
    client: Process,
    table: Table,
}

impl Run for BothHops {
    fn run(&mut self) -> BoxFuture<'_, anyhow::Result<Vec<Sample>>> {
        // Nothing else runs in this process meanwhile, so it may wait here.
        Box::pin(async { Ok(vec![self.measure()?]) })
    }
}

impl BothHops {
    fn measure(&self) -> anyhow::Result<Sample> {
        let host = &self.hops.host;
        host.forget_peak()?;
        let before = host.usage()?;
        let (sample, answer) = self.client.once()?;
        let after = host.usage()?;
        let expected = format!("{} {} ", self.table.rows, self.table.sum());
        let driver = answer.strip_prefix(&expected);
        ensure!(driver.is_some(), "a client read {answer:?} and not {expected:?}");
        let client = sample.usage.context("a process uses something up")?;
        let usage = Usage {
            cpu_seconds: client.cpu_seconds + after.cpu_seconds - before.cpu_seconds,
            peak_rss_bytes: after.peak_rss_bytes + driver.unwrap_or_default().trim_end().parse::<u64>()?,
        };
        Ok(Sample { usage: Some(usage), ..sample })
    }
}
