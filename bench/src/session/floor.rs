//! Floors within this process.

use std::{sync::Arc, time::Instant};

use futures::future::BoxFuture;

use crate::{
    frame::{Contender, Run, Sample, Unit},
    one_query::OneQuery,
    session::{FLOOR, OPEN_FLOOR, Turn},
    site::Site,
};

pub(super) fn own_connect(site: &Arc<Site>, turn: Turn) -> Contender {
    Contender {
        name: FLOOR,
        what: "TCP, SCRAM-SHA-256, the simple protocol and a good-bye on a blocking socket of this process"
            .to_owned(),
        unit: Unit::Seconds,
        floor: None,
        run: Box::new(OwnConnect { port: site.server.port(), times: turn.sessions }),
    }
}

pub(super) fn open_connection(site: &Arc<Site>, turn: Turn) -> anyhow::Result<Contender> {
    Ok(Contender {
        name: OPEN_FLOOR,
        what: "the simple protocol on a blocking socket that is logged in".to_owned(),
        unit: Unit::Seconds,
        floor: None,
        run: Box::new(OpenConnection {
            connection: OneQuery::connect(site.server.port())?,
            times: turn.statements,
        }),
    })
}

struct OwnConnect {
    port: u16,
    times: usize,
}

impl Run for OwnConnect {
    fn run(&mut self) -> BoxFuture<'_, anyhow::Result<Vec<Sample>>> {
        // Nothing else runs in this process meanwhile, so it may block here.
        Box::pin(async {
            let measure = |_| {
                let begun = Instant::now();
                let mut connection = OneQuery::connect(self.port)?;
                connection.select_one()?;
                connection.close()?;
                Ok(Sample::of_time(begun.elapsed()))
            };
            (0..self.times).map(measure).collect()
        })
    }
}

struct OpenConnection {
    connection: OneQuery,
    times: usize,
}

impl Run for OpenConnection {
    fn run(&mut self) -> BoxFuture<'_, anyhow::Result<Vec<Sample>>> {
        Box::pin(async {
            let mut samples = Vec::with_capacity(self.times);
            for _ in 0..self.times {
                let begun = Instant::now();
                self.connection.select_one()?;
                samples.push(Sample::of_time(begun.elapsed()));
            }
            Ok(samples)
        })
    }
}
