//! A report as Markdown: for notes, and for those who read them.

use std::fmt::Write as _;

use crate::{
    frame::Verdict,
    report::{Report, rows},
};

/// The whole report, as a page below a heading of the second level.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut text = format!("## {}\n\n", report.bench);
    text.push_str(&section(report));
    text.push_str("\nWhat was measured:\n\n");
    for outcome in &report.outcomes {
        line(&mut text, &format!("- **{}**: {}", outcome.name, outcome.what));
    }
    text
}

/// Without the heading, and without what exactly each contender is.
#[must_use]
pub fn section(report: &Report) -> String {
    let Report { title, command, quick, machine, outcomes, verdicts, .. } = report;
    let mut text = String::new();
    line(&mut text, &format!("`{command}`: {}", escaped(title)));
    line(&mut text, "");
    for words in machine.to_string().lines() {
        line(&mut text, &format!("{}  ", escaped(words)));
    }
    if *quick {
        line(&mut text, "**Quick: too few samples for figures to be trusted.**");
    }
    line(&mut text, "");
    table(&mut text, &rows::TITLES.map(str::to_owned), &rows::of(outcomes));
    if !verdicts.is_empty() {
        line(&mut text, "");
        let goals: Vec<[String; 3]> = verdicts.iter().map(goal).collect();
        table(&mut text, &["goal", "measured", ""].map(str::to_owned), &goals);
    }
    text
}

fn goal(verdict: &Verdict) -> [String; 3] {
    let met = if verdict.met { "met" } else { "**missed**" };
    [verdict.goal.clone(), verdict.measured.clone(), met.to_owned()]
}

/// Columns without a value in any row are left out; numbers stand on the right.
fn table<const N: usize>(text: &mut String, titles: &[String; N], rows: &[[String; N]]) {
    let is_used: [bool; N] = std::array::from_fn(|at| at == 0 || rows.iter().any(|row| !row[at].is_empty()));
    let mut row = |cells: [String; N]| {
        let cells = cells.into_iter().zip(is_used).filter(|(_, is_used)| *is_used);
        let cells: Vec<String> = cells.map(|(cell, _)| cell).collect();
        line(text, &format!("| {} |", cells.join(" | ")));
    };
    row(titles.clone());
    row(std::array::from_fn(|at| if at == 0 { "---" } else { "---:" }.to_owned()));
    for cells in rows {
        row(std::array::from_fn(|at| escaped(&cells[at]).replace("  ", "&emsp;")));
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|")
}

fn line(text: &mut String, words: &str) {
    writeln!(text, "{words}").expect("a string takes all");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_columns_are_left_out_and_a_backslash_stays_one() {
        let mut text = String::new();
        let row = |cells: [&str; 3]| cells.map(str::to_owned);
        table(&mut text, &row(["", "a", "b"]), &[row(["  psql \\copy", "", "1 | 2"])]);
        assert_eq!(text, "|  | b |\n| --- | ---: |\n| &emsp;psql \\\\copy | 1 \\| 2 |\n");
    }
}
