//! A report on the terminal.

use std::fmt::Write as _;

use comfy_table::{Cell, CellAlignment, Table, presets};

use crate::{
    frame::{Outcome, Verdict},
    report::{
        Report,
        baseline::{Change, Word},
        rows::{self, SAMPLES_OF_A_TAIL},
    },
    statistics::histogram::Histogram,
};

/// Characters of a distribution's line.
const BUCKETS: usize = 40;

/// Whether colors are welcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    Plain,
    Ansi,
}

/// The whole report as text.
#[must_use]
pub fn render(report: &Report, color: Color) -> String {
    let mut text = String::new();
    let mut line = |words: &str| writeln!(text, "{words}").expect("a string takes all");
    line(&color.bold(&format!("{}: {}", report.bench, report.title)));
    line(&format!("{}, order of turns by seed {}", report.command, report.seed));
    line(&report.machine.to_string());
    if report.quick {
        line(&color.red("quick: too few samples for figures to be trusted"));
    }
    line("");
    line(&figures(&report.outcomes));
    line("");
    line(&color.bold("How it is spread (logarithmic scale)"));
    line(&distributions(&report.outcomes));
    line("");
    line(&color.bold("Goals"));
    line(&goals(&report.verdicts, color));
    line("");
    line(&color.bold("What was measured"));
    for outcome in &report.outcomes {
        line(&format!("  {}: {}", outcome.name, outcome.what));
    }
    text
}

/// What became of a baseline.
#[must_use]
pub fn changes(then: &Report, changes: &[Change], color: Color) -> String {
    let mut table = plain();
    for change in changes {
        let word = match change.word {
            Word::Better => color.green("better"),
            Word::Worse => color.red("worse"),
            Word::AsBefore => "as before, or by chance".to_owned(),
        };
        let percent = format!("{:+.1} %", change.change * 100.0);
        table.add_row(right_from(
            1,
            [change.contender.clone(), change.then.clone(), change.now.clone(), percent, word],
        ));
    }
    let machine = &then.machine;
    let title = format!("Beside the baseline: commit {}, {}", machine.commit, machine.date);
    format!("{}\n{table}\n", color.bold(&title))
}

/// The goals of several benches, once more and together.
#[must_use]
pub fn goals_of_all(reports: &[Report], color: Color) -> String {
    let mut text = color.bold("All goals");
    for report in reports.iter().filter(|report| !report.verdicts.is_empty()) {
        write!(text, "\n{}\n{}", report.bench, goals(&report.verdicts, color)).expect("a string takes all");
    }
    text
}

fn figures(outcomes: &[Outcome]) -> String {
    let mut table = plain();
    table.set_header(right_from(1, rows::TITLES.map(str::to_owned)));
    for row in rows::of(outcomes) {
        table.add_row(right_from(1, row));
    }
    table.to_string()
}

fn distributions(outcomes: &[Outcome]) -> String {
    let mut table = plain();
    for outcome in rows::in_groups(outcomes) {
        let values: Vec<f64> = outcome.values().collect();
        if values.len() < SAMPLES_OF_A_TAIL {
            continue;
        }
        let Some(histogram) = Histogram::of(&values, BUCKETS) else { continue };
        table.add_row([
            Cell::new(&outcome.name),
            Cell::new(rows::in_unit(outcome.unit, histogram.from)).set_alignment(CellAlignment::Right),
            Cell::new(format!("|{}|", histogram.line())),
            Cell::new(rows::in_unit(outcome.unit, histogram.to)),
            Cell::new(format!("{} samples", values.len())).set_alignment(CellAlignment::Right),
        ]);
    }
    table.to_string()
}

fn goals(verdicts: &[Verdict], color: Color) -> String {
    let width = verdicts.iter().map(|verdict| verdict.goal.chars().count()).max().unwrap_or_default();
    let lines = verdicts.iter().map(|verdict| {
        let mark = if verdict.met { color.green("met   ") } else { color.red("MISSED") };
        format!("  {mark}  {:width$}  {}", verdict.goal, verdict.measured)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// No frame: numbers in columns are enough.
fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

fn right_from<const N: usize>(column: usize, words: [String; N]) -> Vec<Cell> {
    let aligned = |(at, word): (usize, String)| {
        let alignment = if at < column { CellAlignment::Left } else { CellAlignment::Right };
        Cell::new(word).set_alignment(alignment)
    };
    words.into_iter().enumerate().map(aligned).collect()
}

impl Color {
    fn bold(self, text: &str) -> String {
        self.styled("1", text)
    }

    fn green(self, text: &str) -> String {
        self.styled("32", text)
    }

    fn red(self, text: &str) -> String {
        self.styled("31", text)
    }

    fn styled(self, code: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Ansi => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Sample, Unit, Usage};

    fn outcome(name: &str, floor: Option<&str>, values: &[f64]) -> Outcome {
        let sample = |value: &f64| Sample {
            value: *value,
            usage: Some(Usage { cpu_seconds: 0.001, peak_rss_bytes: 4 << 20 }),
        };
        let rounds = vec![values.iter().map(sample).collect()];
        let floor = floor.map(str::to_owned);
        Outcome { name: name.to_owned(), what: String::new(), unit: Unit::Seconds, floor, rounds }
    }

    #[test]
    fn each_floor_is_followed_by_those_that_it_stands_for() {
        let outcomes = [
            outcome("ours", Some("floor"), &[0.002, 0.004]),
            outcome("alone", None, &[1.0]),
            outcome("floor", None, &[0.001]),
        ];
        let text = figures(&outcomes);
        let lines: Vec<Vec<&str>> =
            text.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0][..3], ["alone", "1.00", "s"]);
        assert_eq!(lines[1][..4], ["floor", "(floor)", "1.00", "ms"]);
        assert_eq!(
            lines[2].join(" "),
            "ours 3.00 ms 2.50 ms – 3.50 ms 2.00 ms – 4.00 ms 3.00 × 3.00 × – 3.00 × 1.00 ms 4.00 MiB"
        );
    }

    #[test]
    fn goals_are_marked() {
        let verdict = |met| Verdict {
            of: "a".to_owned(),
            goal: "a: ≤ 1.00 ms".to_owned(),
            measured: "2.00 ms".to_owned(),
            met,
            line: None,
        };
        assert_eq!(goals(&[verdict(false)], Color::Plain), "  MISSED  a: ≤ 1.00 ms  2.00 ms");
        assert!(goals(&[verdict(true)], Color::Ansi).contains("\x1b[32mmet"));
    }
}
