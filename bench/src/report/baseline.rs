//! How a report compares with an earlier one: ratios to floors where there are any, for the machine may have been slower.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};

use crate::{
    frame::{Outcome, Unit},
    report::{Report, file, numbers, rows},
    statistics::Distribution,
};

/// What a contender did then and does now.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub contender: String,
    pub then: String,
    pub now: String,
    /// 0.1 is a tenth more of what is measured.
    pub change: f64,
    pub word: Word,
}

/// Whether it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Better,
    Worse,
    /// The middle halves of the rounds overlap: by chance, perhaps.
    AsBefore,
}

/// Where the baseline of a bench lies, in the folder of reports.
#[must_use]
pub fn kept(folder: &Path, bench: &str) -> PathBuf {
    folder.join("baseline").join(format!("{bench}.json"))
}

/// Keeps a report to compare later ones with.
///
/// # Errors
///
/// What the system says; quick figures are none.
pub fn keep(report: &Report, folder: &Path) -> anyhow::Result<PathBuf> {
    ensure!(!report.quick, "quick figures are no baseline");
    let path = kept(folder, &report.bench);
    file::write(report, &path)?;
    Ok(path)
}

/// Reads the baseline of a bench: `path` is its file, or a folder with one for each bench.
///
/// # Errors
///
/// It cannot be read, or is of another bench.
pub fn read(path: &Path, bench: &str) -> anyhow::Result<Report> {
    let path = if path.is_dir() { path.join(format!("{bench}.json")) } else { path.to_owned() };
    let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let report: Report =
        serde_json::from_slice(&text).with_context(|| format!("{} is no report", path.display()))?;
    ensure!(report.bench == bench, "{} is of the bench {}, and not of {bench}", path.display(), report.bench);
    Ok(report)
}

/// Compares contender by contender; who is new is left out.
#[must_use]
pub fn compare(now: &Report, then: &Report) -> Vec<Change> {
    now.outcomes.iter().filter_map(|outcome| change(outcome, now, then)).collect()
}

fn change(outcome: &Outcome, now: &Report, then: &Report) -> Option<Change> {
    let before = then.outcomes.iter().find(|before| before.name == outcome.name)?;
    let ratios = rows::ratios(outcome, &now.outcomes).zip(rows::ratios(before, &then.outcomes));
    let (shape_now, shape_then, is_ratio) = match ratios {
        Some((now, then)) => (now, then, true),
        None => (outcome.distribution()?, before.distribution()?, false),
    };
    let told = |shape: &Distribution| {
        if is_ratio { numbers::times(shape.median) } else { rows::in_unit(outcome.unit, shape.median) }
    };
    let overlap =
        shape_now.quartile_1 <= shape_then.quartile_3 && shape_then.quartile_1 <= shape_now.quartile_3;
    let is_more = shape_now.median > shape_then.median;
    let is_better = is_more == (outcome.unit == Unit::PerSecond);
    Some(Change {
        contender: outcome.name.clone(),
        then: told(&shape_then),
        now: told(&shape_now),
        change: shape_now.median / shape_then.median - 1.0,
        word: match (overlap, is_better) {
            (true, _) => Word::AsBefore,
            (false, true) => Word::Better,
            (false, false) => Word::Worse,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{frame::Sample, machine::Machine};

    fn report(outcomes: &[(&str, Unit, Option<&str>, [f64; 4])]) -> Report {
        let outcome = |(name, unit, floor, values): &(&str, Unit, Option<&str>, [f64; 4])| Outcome {
            name: (*name).to_owned(),
            what: String::new(),
            unit: *unit,
            floor: floor.map(str::to_owned),
            rounds: values.iter().map(|value| vec![Sample { value: *value, usage: None }]).collect(),
        };
        Report {
            bench: "b".to_owned(),
            title: String::new(),
            command: String::new(),
            seed: 0,
            quick: false,
            machine: Machine::look(),
            outcomes: outcomes.iter().map(outcome).collect(),
            verdicts: Vec::new(),
        }
    }

    #[test]
    fn a_slower_machine_changes_no_ratio_and_chance_is_no_change() {
        let then = report(&[
            ("floor", Unit::Seconds, None, [1.0; 4]),
            ("ours", Unit::Seconds, Some("floor"), [2.0; 4]),
            ("noisy", Unit::Seconds, Some("floor"), [1.0, 2.0, 3.0, 4.0]),
            ("rate", Unit::PerSecond, None, [100.0; 4]),
        ]);
        let now = report(&[
            ("floor", Unit::Seconds, None, [2.0; 4]),
            ("ours", Unit::Seconds, Some("floor"), [3.0; 4]),
            ("noisy", Unit::Seconds, Some("floor"), [4.0, 5.0, 6.0, 7.0]),
            ("rate", Unit::PerSecond, None, [90.0; 4]),
            ("new", Unit::Seconds, None, [1.0; 4]),
        ]);
        let changes = compare(&now, &then);
        let words: Vec<_> = changes.iter().map(|change| (change.contender.as_str(), change.word)).collect();
        assert_eq!(
            words,
            [
                ("floor", Word::Worse),
                ("ours", Word::Better),
                ("noisy", Word::AsBefore),
                ("rate", Word::Worse)
            ]
        );
        assert_eq!((changes[1].then.as_str(), changes[1].now.as_str()), ("2.00 ×", "1.50 ×"));
        assert!((changes[1].change + 0.25).abs() < 1e-9);
    }

    #[test]
    fn a_baseline_is_kept_and_read_back_and_that_of_another_bench_is_refused() {
        let folder = querybox_fixtures::Folder::make(crate::programs::owner(), 0o700).unwrap();
        let report = report(&[("ours", Unit::Seconds, None, [1.0; 4])]);
        let path = keep(&report, folder.path()).unwrap();
        assert_eq!(read(&path, "b").unwrap().outcomes[0].name, "ours");
        assert_eq!(read(path.parent().unwrap(), "b").unwrap().outcomes[0].rounds.len(), 4);
        assert!(read(&path, "c").unwrap_err().to_string().contains("is of the bench b"));
        assert!(keep(&Report { quick: true, ..report }, folder.path()).is_err());
    }
}
