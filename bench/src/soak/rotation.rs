//! Rotation under attack: a kill, a full disk or a broken one at a call to the disk. No secret is lost, the next rotation goes
//! on with the rest, and the one after that does nothing.

mod site;
mod struck;

use std::{collections::BTreeMap, time::Instant};

use anyhow::{Context as _, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use self::{
    site::{SECRETS, Site},
    struck::{Fault, Strike},
};
use crate::{programs::Programs, soak::Verdict};

pub use self::struck::rotate_when_told;

/// How much of it.
#[derive(Debug, Clone, Copy)]
pub struct RotationSoak {
    /// Strikes at so many calls of each kind at most, from the first to the last, with each fault. `None`: at every one.
    pub points_max: Option<usize>,
}

/// Failures that are told one by one.
const TOLD_MAX: usize = 10;

/// Runs the soak, with progress on standard error. It starts `querybox-bench` under strace.
///
/// # Errors
///
/// It cannot even begin: strace is not there, may not trace, or counts too few calls.
pub async fn run(programs: &Programs, soak: RotationSoak) -> anyhow::Result<Verdict> {
    ensure!(struck::can_trace(), "strace is needed, and has to be allowed to trace");
    let site = Site::make(programs).await?;
    let counts = struck::count_calls(&site).context("a rotation that nothing happens to")?;
    let total: usize = counts.values().sum();
    ensure!(total > SECRETS, "a rotation of {SECRETS} secrets made {total} calls to the disk");
    let strikes = strikes(&counts, soak.points_max);

    let progress = ProgressBar::new(strikes.len() as u64).with_style(style());
    let began = Instant::now();
    let mut verdict = Verdict::default();
    let (mut told, mut failed) = (0, 0);
    for strike in &strikes {
        progress.set_message(strike.to_string());
        match attack(&site, strike).await {
            Ok(has_told) => told += usize::from(has_told),
            Err(error) => {
                failed += 1;
                if failed <= TOLD_MAX {
                    verdict.failures.push(format!("{strike}: {error:#}"));
                }
            }
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    if failed > TOLD_MAX {
        verdict.failures.push(format!("and {} more attacks did not go as they should", failed - TOLD_MAX));
    }
    // Of the others nobody is told, because what failed was made up for: a checkpoint, the removal of the WAL.
    if told < 2 {
        verdict.failures.push(format!("an error of the disk was told {told} times only"));
    }
    let counts: Vec<_> = counts.iter().map(|(call, count)| format!("{call} {count}")).collect();
    verdict.figures = vec![
        format!(
            "soak rotation: {} rotations of {SECRETS} secrets attacked, {told} told of an error, {:.1} s",
            strikes.len(),
            began.elapsed().as_secs_f64()
        ),
        format!("calls to the disk in one rotation: {}", counts.join(", ")),
        "after each all secrets opened, the next rotation did the rest, the one after it nothing, and the old key could be \
         retired"
            .to_owned(),
    ];
    Ok(verdict)
}

/// Every fault at calls of each kind, spread evenly.
fn strikes(counts: &BTreeMap<&'static str, usize>, points_max: Option<usize>) -> Vec<Strike> {
    let mut strikes = Vec::new();
    for (&call, &count) in counts {
        let points = points_max.unwrap_or(count).min(count);
        for fault in Fault::ALL {
            let when = |point: usize| 1 + if points == 1 { 0 } else { point * (count - 1) / (points - 1) };
            strikes.extend((0..points).map(|point| Strike { call, fault, when: when(point), of: count }));
        }
    }
    strikes
}

/// Strikes a rotation. True: it told of an error.
async fn attack(site: &Site, strike: &Strike) -> anyhow::Result<bool> {
    let path = site.copy()?;
    let said = struck::rotate(site, &path, strike)?;
    site.check_nothing_is_lost(&path).await.context("after the attack")?;
    site.check_it_goes_on(&path).await?;
    site.check_nothing_is_lost(&path).await.context("after all rotations")?;
    Ok(said.contains("failed: "))
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("soak rotation [{bar:30}] {pos}/{len} {elapsed} (left: {eta}) {msg}")
        .expect("the template is well formed")
        .progress_chars("━╸─")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_the_first_call_and_the_last() {
        let counts = BTreeMap::from([("fsync", 1), ("pwrite64", 9)]);
        let at = |points_max, call| -> Vec<usize> {
            let all = strikes(&counts, points_max);
            all.iter()
                .filter(|one| one.call == call && one.fault == Fault::Full)
                .map(|one| one.when)
                .collect()
        };
        assert_eq!(at(Some(3), "fsync"), [1]);
        assert_eq!(at(Some(3), "pwrite64"), [1, 5, 9]);
        assert_eq!(at(None, "pwrite64"), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(strikes(&counts, None).len(), 30);
    }
}
