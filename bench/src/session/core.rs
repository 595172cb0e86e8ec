//! Through a Core that runs in this process, by the API's client, as every front end does.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::ensure;
use futures::{
    StreamExt as _, TryStreamExt as _,
    future::{BoxFuture, ready},
    stream,
};
use tokio::time::sleep;

use crate::{
    frame::{Contender, Run, Sample, Unit},
    process::children,
    session::{FLOOR, LEASE, ONE_SHOT, ONE_SHOT_SPARE, OPEN_FLOOR, THROUGHPUT, Turn},
    site::Site,
};

/// Sessions at once, as the goal has it.
const AT_ONCE: usize = 200;

pub(super) fn one_shots(site: &Arc<Site>, turn: Turn) -> [Contender; 2] {
    let road = "log-in, answer, driver gone: to the stream's last word";
    let contender = |name, what: &str, is_warm| Contender {
        name,
        what: format!("API, Core, {what}, {road}"),
        unit: Unit::Seconds,
        floor: Some(FLOOR),
        run: Box::new(OneShot { site: Arc::clone(site), is_warm, times: turn.sessions }),
    };
    [
        contender(ONE_SHOT, "a driver spawned for it in the jail", false),
        contender(ONE_SHOT_SPARE, "a driver that was kept ready", true),
    ]
}

pub(super) async fn lease(site: &Arc<Site>, turn: Turn) -> anyhow::Result<Contender> {
    let lease = site.cold.lease().await?;
    Ok(Contender {
        name: LEASE,
        what: "API, Core, driver, server and back on a leased session: to the stream's end".to_owned(),
        unit: Unit::Seconds,
        floor: Some(OPEN_FLOOR),
        run: Box::new(Lease { site: Arc::clone(site), lease, times: turn.statements }),
    })
}

pub(super) fn throughput(site: &Arc<Site>, turn: Turn) -> Contender {
    Contender {
        name: THROUGHPUT,
        what: format!("{} one-shot sessions, {AT_ONCE} of them at any time, each answer checked", turn.crowd),
        unit: Unit::PerSecond,
        floor: None,
        run: Box::new(Throughput { site: Arc::clone(site), sessions: turn.crowd }),
    }
}

struct OneShot {
    site: Arc<Site>,
    is_warm: bool,
    times: usize,
}

/// Between two sessions on spares: the next one is being made meanwhile, on a core that the second session needs.
const REFILL: Duration = Duration::from_millis(50);
/// For each session on a spare so many may have met none, before the warm road counts as broken.
const MISSES_MAX: f64 = 0.1;

impl Run for OneShot {
    fn run(&mut self) -> BoxFuture<'_, anyhow::Result<Vec<Sample>>> {
        Box::pin(async {
            let mut samples = Vec::with_capacity(self.times);
            let mut misses = 0_u32;
            while samples.len() < self.times {
                match self.measure().await? {
                    Some(sample) => samples.push(sample),
                    None => misses += 1,
                }
                let most = (self.times as f64 * MISSES_MAX).ceil();
                ensure!(
                    f64::from(misses) <= most,
                    "{misses} of {} met no spare",
                    samples.len() + misses as usize
                );
            }
            Ok(samples)
        })
    }
}

impl OneShot {
    /// `None`: it was to take a spare, and there was none.
    async fn measure(&self) -> anyhow::Result<Option<Sample>> {
        if !self.is_warm {
            let begun = Instant::now();
            self.site.cold.select_one().await?;
            return Ok(Some(Sample::of_time(begun.elapsed())));
        }
        sleep(REFILL).await;
        let there = children()?;
        let begun = Instant::now();
        let driver = self.site.warm.select_one().await?;
        let elapsed = begun.elapsed();
        Ok(there.contains(&driver).then(|| Sample::of_time(elapsed)))
    }
}

struct Lease {
    site: Arc<Site>,
    lease: String,
    times: usize,
}

impl Run for Lease {
    fn run(&mut self) -> BoxFuture<'_, anyhow::Result<Vec<Sample>>> {
        Box::pin(async {
            let mut samples = Vec::with_capacity(self.times);
            for _ in 0..self.times {
                let begun = Instant::now();
                self.site.cold.select_one_in(&self.lease).await?;
                samples.push(Sample::of_time(begun.elapsed()));
            }
            Ok(samples)
        })
    }
}

struct Throughput {
    site: Arc<Site>,
    sessions: usize,
}

impl Run for Throughput {
    fn run(&mut self) -> BoxFuture<'_, anyhow::Result<Vec<Sample>>> {
        Box::pin(async {
            let begun = Instant::now();
            stream::iter(0..self.sessions)
                .map(|_| self.site.cold.select_one())
                .buffer_unordered(AT_ONCE)
                .try_for_each(|_| ready(Ok(())))
                .await?;
            Ok(vec![Sample::of_rate(self.sessions, begun.elapsed())])
        })
    }
}
