//! Turns.

use anyhow::{Context as _, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    frame::{
        contender::{Contender, Outcome},
        goal::Goal,
    },
    random::Random,
};

/// What is run against each other, and what should come out.
pub struct Bench {
    /// Also the name of its file.
    pub name: &'static str,
    /// What all contenders have in common, in a line.
    pub title: String,
    pub contenders: Vec<Contender>,
    pub goals: Vec<Goal>,
}

/// How long a bench runs.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Rounds that count; one more comes before them.
    pub rounds: usize,
    /// A few samples a turn, to see that all works: the figures are not to be trusted.
    pub quick: bool,
    /// Brings the order of the turns back.
    pub seed: u64,
}

/// Runs a bench to its end, with progress on standard error.
///
/// # Errors
///
/// The first contender that fails: a bench of which one part does not work measures nothing.
pub async fn run(bench: &mut Bench, plan: Plan) -> anyhow::Result<Vec<Outcome>> {
    let mut outcomes: Vec<Outcome> = bench
        .contenders
        .iter()
        .map(|contender| Outcome {
            name: contender.name.to_owned(),
            what: contender.what.clone(),
            unit: contender.unit,
            floor: contender.floor.map(str::to_owned),
            rounds: Vec::with_capacity(plan.rounds),
        })
        .collect();
    let count = bench.contenders.len();
    let progress = ProgressBar::new(((plan.rounds + 1) * count) as u64).with_style(style());
    progress.set_prefix(bench.name);
    let mut turns: Vec<usize> = (0..count).collect();
    for round in 0..=plan.rounds {
        // Another order each round, so that nobody always runs behind the same one, in the warmth or cold that it leaves.
        Random::of_cycle(plan.seed, round).shuffle(&mut turns);
        for &at in &turns {
            let contender = &mut bench.contenders[at];
            let name = contender.name;
            progress.set_message(if round == 0 { format!("warm-up: {name}") } else { name.to_owned() });
            let samples = contender.run.run().await.with_context(|| format!("{name} failed"))?;
            ensure!(!samples.is_empty(), "{name} measured nothing");
            if round > 0 {
                outcomes[at].rounds.push(samples);
            }
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    Ok(outcomes)
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len} {elapsed} (left: {eta}) {msg}")
        .expect("the template is well formed")
        .progress_chars("━╸─")
}
