//! Who takes part in a bench, and what was measured of it.

use std::time::Duration;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::statistics::{Distribution, ratios};

/// What a sample counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Seconds that one operation took. Less is better.
    Seconds,
    /// Operations a second. More is better.
    PerSecond,
    /// Bytes of memory. Less is better.
    Bytes,
}

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// In the contender's unit.
    pub value: f64,
    /// What the whole process used up, for a contender that is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

/// What a process and the children that it waited for used up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    pub cpu_seconds: f64,
    /// Of the largest of them.
    pub peak_rss_bytes: u64,
}

impl Sample {
    /// The time that one operation took.
    #[must_use]
    pub fn of_time(elapsed: Duration) -> Self {
        Self { value: elapsed.as_secs_f64(), usage: None }
    }

    /// How many operations there were in a second.
    #[must_use]
    pub fn of_rate(operations: usize, elapsed: Duration) -> Self {
        Self { value: operations as f64 / elapsed.as_secs_f64(), usage: None }
    }

    /// Memory that was taken.
    #[must_use]
    pub fn of_memory(bytes: u64) -> Self {
        Self { value: bytes as f64, usage: None }
    }
}

/// What a contender does in one turn. It answers with at least one sample, or the bench ends.
pub trait Run: Send {
    fn run(&mut self) -> BoxFuture<'_, anyhow::Result<Vec<Sample>>>;
}

/// One who takes part.
pub struct Contender {
    /// Unique in the bench.
    pub name: &'static str,
    /// What exactly is measured, in a sentence.
    pub what: String,
    pub unit: Unit,
    /// The contender that stands for what cannot be done faster. `None`: this one is a floor itself, or nothing compares.
    pub floor: Option<&'static str>,
    pub run: Box<dyn Run>,
}

/// What was measured of a contender.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Outcome {
    pub name: String,
    pub what: String,
    pub unit: Unit,
    pub floor: Option<String>,
    /// The samples of each round, without the warm-up.
    pub rounds: Vec<Vec<Sample>>,
}

impl Outcome {
    /// The shape of all samples.
    #[must_use]
    pub fn distribution(&self) -> Option<Distribution> {
        Distribution::of(self.values())
    }

    /// Every sample's value.
    pub fn values(&self) -> impl Iterator<Item = f64> {
        self.rounds.iter().flatten().map(|sample| sample.value)
    }

    /// The ratio to another contender in each round.
    #[must_use]
    pub fn ratios_to(&self, floor: &Self) -> Vec<f64> {
        ratios(&self.values_by_round(), &floor.values_by_round())
    }

    fn values_by_round(&self) -> Vec<Vec<f64>> {
        self.rounds.iter().map(|round| round.iter().map(|sample| sample.value).collect()).collect()
    }

    /// The median of the CPU seconds and the largest peak of memory. `None`: it is no whole process.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        let usages: Vec<Usage> = self.rounds.iter().flatten().filter_map(|sample| sample.usage).collect();
        Some(Usage {
            cpu_seconds: Distribution::of(usages.iter().map(|usage| usage.cpu_seconds))?.median,
            peak_rss_bytes: usages.iter().map(|usage| usage.peak_rss_bytes).max()?,
        })
    }
}
