//! What a bench shows: tables and drawings for people, a file for programs and for later comparison.

pub mod baseline;
pub mod file;
pub mod markdown;
pub mod note;
pub mod numbers;
pub mod plot;
mod rows;
pub mod table;

use crate::{
    frame::{Bench, Outcome, Plan, Verdict},
    machine::Machine,
};

/// Everything that came out of one run.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Report {
    pub bench: String,
    pub title: String,
    /// How it was run, in words that run it again.
    #[serde(default)]
    pub command: String,
    /// Brings the order of the turns back.
    #[serde(default)]
    pub seed: u64,
    /// Whether it was only tried that all works.
    pub quick: bool,
    pub machine: Machine,
    pub outcomes: Vec<Outcome>,
    pub verdicts: Vec<Verdict>,
}

impl Report {
    /// Judges what was measured.
    #[must_use]
    pub fn new(bench: &Bench, command: String, plan: Plan, machine: Machine, outcomes: Vec<Outcome>) -> Self {
        let verdicts = bench.goals.iter().filter_map(|goal| goal.judge(&outcomes)).collect();
        let (bench, title, Plan { quick, seed, .. }) = (bench.name.to_owned(), bench.title.clone(), plan);
        Self { bench, title, command, seed, quick, machine, outcomes, verdicts }
    }
}
