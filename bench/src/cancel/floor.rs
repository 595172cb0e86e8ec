//! The fewest messages, on sockets that block.

use std::{thread::sleep, time::Instant};

use futures::future::BoxFuture;

use super::{RUNS_FOR, What};
use crate::{
    frame::{Run, Sample},
    hops::Hops,
    one_query::OneQuery,
};

/// Rows that are read before the cancel: a few megabytes.
const ROWS_BEFORE: usize = 50_000;

pub(super) fn run(hops: &Hops, what: What, times: usize) -> anyhow::Result<Box<dyn Run>> {
    Ok(Box::new(Floor { connection: OneQuery::connect(hops.server.port())?, what, times }))
}

struct Floor {
    connection: OneQuery,
    what: What,
    times: usize,
}

impl Run for Floor {
    fn run(&mut self) -> BoxFuture<'_, anyhow::Result<Vec<Sample>>> {
        // Nothing else runs in this process meanwhile, so it may block here.
        Box::pin(async { (0..self.times).map(|_| self.measure()).collect() })
    }
}

impl Floor {
    fn measure(&mut self) -> anyhow::Result<Sample> {
        self.connection.begin(self.what.sql())?;
        match self.what {
            What::Asleep => sleep(RUNS_FOR),
            What::Streaming => self.connection.skip_rows(ROWS_BEFORE)?,
        }
        let begun = Instant::now();
        self.connection.cancel()?;
        self.connection.until_cancelled()?;
        self.connection.select_one()?;
        Ok(Sample::of_time(begun.elapsed()))
    }
}
