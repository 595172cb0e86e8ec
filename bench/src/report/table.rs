//! A report on the terminal.

use std::fmt::Write as _;

use comfy_table::{Cell, CellAlignment, Table, presets};

use crate::{
    frame::{Outcome, Unit, Verdict},
    report::{Report, numbers},
    statistics::{Distribution, histogram::Histogram},
};

/// Characters of a distribution's line.
const BUCKETS: usize = 40;
/// Samples below which a 99th percentile, or a distribution, is one sample's word.
const SAMPLES_OF_A_TAIL: usize = 100;

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

fn figures(outcomes: &[Outcome]) -> String {
    let mut table = plain();
    table.set_header(right_from(
        1,
        ["", "median", "quartiles", "range", "p99", "to its floor", "(range)", "CPU", "memory"]
            .map(str::to_owned),
    ));
    for outcome in in_groups(outcomes) {
        let Some(shape) = outcome.distribution() else { continue };
        let of = |value: f64| in_unit(outcome.unit, value);
        let ratio = outcome
            .floor
            .and_then(|name| outcomes.iter().find(|other| other.name == name))
            .and_then(|floor| Distribution::of(outcome.ratios_to(floor)));
        let usage = outcome.usage();
        let name = match (outcome.floor, outcomes.iter().any(|other| other.floor == Some(outcome.name))) {
            (None, true) => format!("{} (floor)", outcome.name),
            (None, false) => outcome.name.to_owned(),
            (Some(_), _) => format!("  {}", outcome.name),
        };
        let has_tail = shape.count >= SAMPLES_OF_A_TAIL;
        table.add_row(right_from(
            1,
            [
                name,
                of(shape.median),
                format!("{} – {}", of(shape.quartile_1), of(shape.quartile_3)),
                format!("{} – {}", of(shape.min), of(shape.max)),
                if has_tail { of(shape.p99) } else { String::new() },
                ratio.map_or_else(String::new, |ratio| numbers::times(ratio.median)),
                ratio.map_or_else(String::new, |ratio| {
                    format!("{} – {}", numbers::times(ratio.min), numbers::times(ratio.max))
                }),
                usage.map_or_else(String::new, |usage| numbers::seconds(usage.cpu_seconds)),
                usage.map_or_else(String::new, |usage| numbers::bytes(usage.peak_rss_bytes)),
            ],
        ));
    }
    table.to_string()
}

fn distributions(outcomes: &[Outcome]) -> String {
    let mut table = plain();
    for outcome in in_groups(outcomes) {
        let values: Vec<f64> = outcome.values().collect();
        if values.len() < SAMPLES_OF_A_TAIL {
            continue;
        }
        let Some(histogram) = Histogram::of(&values, BUCKETS) else { continue };
        table.add_row([
            Cell::new(outcome.name),
            Cell::new(in_unit(outcome.unit, histogram.from)).set_alignment(CellAlignment::Right),
            Cell::new(format!("|{}|", histogram.line())),
            Cell::new(in_unit(outcome.unit, histogram.to)),
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

/// Each floor is followed by those that are compared with it.
fn in_groups(outcomes: &[Outcome]) -> Vec<&Outcome> {
    let mut ordered = Vec::with_capacity(outcomes.len());
    for floor in outcomes.iter().filter(|outcome| outcome.floor.is_none()) {
        ordered.push(floor);
        ordered.extend(outcomes.iter().filter(|outcome| outcome.floor == Some(floor.name)));
    }
    ordered
}

fn in_unit(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Seconds => numbers::seconds(value),
        Unit::PerSecond => numbers::per_second(value),
    }
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
    use crate::frame::{Sample, Usage};

    fn outcome(name: &'static str, floor: Option<&'static str>, values: &[f64]) -> Outcome {
        let sample = |value: &f64| Sample {
            value: *value,
            usage: Some(Usage { cpu_seconds: 0.001, peak_rss_bytes: 4 << 20 }),
        };
        let rounds = vec![values.iter().map(sample).collect()];
        Outcome { name, what: String::new(), unit: Unit::Seconds, floor, rounds }
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
        let verdict =
            |met| Verdict { goal: "a: ≤ 1.00 ms".to_owned(), measured: "2.00 ms".to_owned(), met };
        assert_eq!(goals(&[verdict(false)], Color::Plain), "  MISSED  a: ≤ 1.00 ms  2.00 ms");
        assert!(goals(&[verdict(true)], Color::Ansi).contains("\x1b[32mmet"));
    }
}
