//! What a bench shows: tables for people, a file for programs.

pub mod file;
pub mod numbers;
pub mod table;

use crate::{
    frame::{Bench, Outcome, Verdict},
    machine::Machine,
};

/// Everything that came out of one run.
#[derive(Debug, serde::Serialize)]
pub struct Report {
    pub bench: &'static str,
    pub title: String,
    /// Whether it was only tried that all works.
    pub quick: bool,
    pub machine: Machine,
    pub outcomes: Vec<Outcome>,
    pub verdicts: Vec<Verdict>,
}

impl Report {
    /// Judges what was measured.
    #[must_use]
    pub fn new(bench: &Bench, quick: bool, machine: Machine, outcomes: Vec<Outcome>) -> Self {
        let verdicts = bench.goals.iter().filter_map(|goal| goal.judge(&outcomes)).collect();
        Self { bench: bench.name, title: bench.title.clone(), quick, machine, outcomes, verdicts }
    }
}
