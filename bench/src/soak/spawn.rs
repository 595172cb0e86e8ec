//! Spawn and kill: thousands of drivers, each let go in one of many ways, leave nothing.

mod ways;
mod yard;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::{Instant, timeout};

use self::{ways::Way, yard::Yard};
use crate::{
    programs::Programs,
    random::Random,
    soak::{
        Verdict,
        counts::{Counts, RSS_SLACK_BYTES},
        crowd,
    },
};

/// How many, and which.
#[derive(Debug, Clone, Copy)]
pub struct SpawnSoak {
    pub cycles: usize,
    /// Brings the same moments back.
    pub seed: u64,
}

/// Drivers that live at the same time.
const AT_ONCE: usize = 8;
/// How often all is looked at on the way.
const LOOKS: usize = 10;
/// Cycles before the first look: each way opens what then stays open, and the allocator takes what it will keep.
const WARM_UP_CYCLES: usize = 4 * Way::ALL.len();
/// A machine that needs longer for one cycle is not working.
const CYCLE_WITHIN: Duration = Duration::from_secs(60);
/// Failures that are told one by one.
const TOLD_MAX: usize = 10;

/// Runs the soak, with progress on standard error. Its runtime must let idle threads of its pool go early
/// (`thread_keep_alive`), or they are counted.
///
/// # Errors
///
/// It cannot even begin, or not count.
pub async fn run(programs: &Programs, soak: SpawnSoak) -> anyhow::Result<Verdict> {
    let SpawnSoak { cycles, seed } = soak;
    let yard = Arc::new(Yard::make(programs)?);
    let mut verdict = Verdict::default();
    let progress = ProgressBar::new((WARM_UP_CYCLES + cycles) as u64).with_style(style());
    progress.set_message("warm-up");
    let mut tally = Tally::default();
    tally.add(batch(&yard, seed, 0..WARM_UP_CYCLES, &progress).await);
    // The first settling is with itself: whatever is on its way out shall not be counted as held from the start.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = Counts::look(yard.folder())?;

    let begun = Instant::now();
    let mut last = before;
    let mut done = 0;
    for look in 1..=LOOKS {
        let end = cycles * look / LOOKS;
        let numbers = WARM_UP_CYCLES + done..WARM_UP_CYCLES + end;
        tally.add(batch(&yard, seed, numbers, &progress).await);
        done = end;
        last = Counts::settle(yard.folder(), &before).await?;
        progress.set_message(last.to_string());
        let growth = before.growth(&last);
        if !growth.is_empty() {
            // Later looks could only say the same again.
            verdict.failures.extend(growth.into_iter().map(|what| format!("after {done} cycles: {what}")));
            break;
        }
    }
    progress.finish_and_clear();
    let took = begun.elapsed();

    let spares_used = yard.spares_used();
    yard.shutdown().await;
    let down = Counts::settle(yard.folder(), &Counts { children: 0, control_groups: 0, ..before }).await?;
    for (what, count) in [("children", down.children), ("control groups", down.control_groups)] {
        if count > 0 {
            verdict.failures.push(format!("{count} {what} are left after the launcher's shutdown"));
        }
    }
    verdict.failures.extend(tally.failures.iter().take(TOLD_MAX).cloned());
    if tally.failures.len() > TOLD_MAX {
        verdict
            .failures
            .push(format!("and {} more cycles did not go as they should", tally.failures.len() - TOLD_MAX));
    }
    verdict.figures = vec![
        format!(
            "soak spawn: {done} cycles after {WARM_UP_CYCLES} for warming up, {AT_ONCE} at once, seed {seed}, {:.1} s \
             ({:.0} cycles a second)",
            took.as_secs_f64(),
            done as f64 / took.as_secs_f64()
        ),
        format!("ways: {}; {spares_used} spares taken", tally.ways()),
        format!("at the start:   {before}"),
        format!("at the end:     {last}"),
        format!("after shutdown: {down}"),
        format!("nothing may grow; resident memory by at most {} MiB", RSS_SLACK_BYTES >> 20),
    ];
    Ok(verdict)
}

type Gone = (Way, usize, anyhow::Result<()>);

async fn batch(
    yard: &Arc<Yard>,
    seed: u64,
    numbers: std::ops::Range<usize>,
    progress: &ProgressBar,
) -> Vec<Gone> {
    let yard = Arc::clone(yard);
    let cycle = move |number: usize| {
        let yard = Arc::clone(&yard);
        async move {
            let way = Way::ALL[number % Way::ALL.len()];
            let mut random = Random::of_cycle(seed, number);
            let gone = match timeout(CYCLE_WITHIN, way.go(&yard, &mut random)).await {
                Ok(gone) => gone,
                Err(_) => Err(anyhow::anyhow!("not over within {CYCLE_WITHIN:?}")),
            };
            (way, number, gone)
        }
    };
    crowd::run(numbers, AT_ONCE, progress, cycle).await
}

#[derive(Default)]
struct Tally {
    counts: BTreeMap<&'static str, usize>,
    failures: Vec<String>,
}

impl Tally {
    fn add(&mut self, gone: Vec<Gone>) {
        for (way, number, outcome) in gone {
            *self.counts.entry(way.name()).or_default() += 1;
            if let Err(error) = outcome {
                self.failures.push(format!("cycle {number} ({}): {error:#}", way.name()));
            }
        }
    }

    fn ways(&self) -> String {
        let ways = self.counts.iter().map(|(name, count)| format!("{name} {count}"));
        ways.collect::<Vec<_>>().join(", ")
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("soak spawn [{bar:30}] {pos}/{len} {elapsed} (left: {eta}) {msg}")
        .expect("the template is well formed")
        .progress_chars("━╸─")
}
