//! A report as a drawing: for each contender the ratios to its floor, round by round, beside its goal.
//!
//! Whoever is fast stands on the left; a point is the median, the bar half of the rounds, the thin line all of them. The scale
//! is logarithmic: twice as fast is as far as half as fast.

mod scale;

use std::fmt::Write as _;

use crate::{
    frame::{Outcome, Verdict},
    report::{Report, numbers, plot::scale::Scale, rows},
    statistics::Distribution,
};

const WIDTH: f64 = 980.0;
/// Where the drawing stands between names and figures.
const LEFT: f64 = 290.0;
const RIGHT: f64 = 780.0;
const TOP: f64 = 84.0;
const ROW: f64 = 26.0;
const GROUP: f64 = 34.0;
const FOOT: f64 = 62.0;
/// How far a goal's line reaches above and below its row's middle.
const GOAL_REACH: f64 = 11.0;

const STYLE: &str = "text{font:13px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:#24292f}\
.title{font-size:18px;font-weight:600}.small{font-size:11.5px;fill:#656d76}.group{font-weight:600}\
.figure{font-variant-numeric:tabular-nums}.end{text-anchor:end}.middle{text-anchor:middle}\
.grid{stroke:#eaeef2}.floor{stroke:#57606a;stroke-width:1.5}\
.ours{stroke:#0969da;fill:#0969da}.other{stroke:#8c959f;fill:#8c959f}\
.met{stroke:#1a7f37;stroke-width:2.5}.missed{stroke:#cf222e;stroke-width:2.5}";

/// A row of the drawing.
struct Line<'r> {
    outcome: &'r Outcome,
    ratio: Distribution,
    goal: Option<&'r Verdict>,
}

/// The drawing as SVG. `None`: nobody is compared with a floor.
#[must_use]
pub fn render(report: &Report) -> Option<String> {
    let groups = groups(report);
    let values = groups.iter().flat_map(|(_, lines)| lines).flat_map(|line| {
        [line.ratio.min, line.ratio.max].into_iter().chain(line.goal.and_then(|goal| goal.line))
    });
    let scale = Scale::over(values, LEFT, RIGHT)?;
    let lines: usize = groups.iter().map(|(_, lines)| lines.len()).sum();
    let bottom = TOP + groups.len() as f64 * GROUP + lines as f64 * ROW;
    let height = bottom + FOOT;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\">\n\
         <style>{STYLE}</style>\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#ffffff\"/>\n"
    );
    let mut put = |element: String| writeln!(svg, "{element}").expect("a string takes all");
    put(text("title", 24.0, 34.0, &format!("{}: ratio to the floor", report.bench)));
    put(text("small", 24.0, 54.0, &shortened(&report.title)));
    for mark in scale.marks() {
        let x = scale.place(mark);
        let class = if mark == 1.0 { "floor" } else { "grid" };
        put(rule(class, x, TOP - 8.0, bottom + 4.0));
        put(text("small middle", x, bottom + 20.0, &scale::label(mark)));
    }
    let mut y = TOP;
    for (floor, lines) in &groups {
        let median = floor.distribution().map_or(0.0, |shape| shape.median);
        y += GROUP;
        put(text("group", 24.0, y - 9.0, &floor.name));
        let figure = format!("floor: {}", rows::in_unit(floor.unit, median));
        put(text("small end", WIDTH - 24.0, y - 9.0, &figure));
        for line in lines {
            draw(line, &scale, y + ROW / 2.0, &mut put);
            y += ROW;
        }
    }
    put(legend(bottom + 42.0));
    put(text("small end", WIDTH - 24.0, bottom + 46.0, &origin(report)));
    svg.push_str("</svg>\n");
    Some(svg)
}

fn groups(report: &Report) -> Vec<(&Outcome, Vec<Line<'_>>)> {
    let outcomes = &report.outcomes;
    let groups = outcomes.iter().filter(|outcome| rows::is_floor(outcome, outcomes)).map(|floor| {
        let members = outcomes.iter().filter(|outcome| outcome.floor.as_ref() == Some(&floor.name));
        let mut lines: Vec<Line<'_>> = members.filter_map(|outcome| Line::of(outcome, report)).collect();
        lines.sort_by(|a, b| a.ratio.median.total_cmp(&b.ratio.median));
        (floor, lines)
    });
    groups.filter(|(_, lines)| !lines.is_empty()).collect()
}

impl<'r> Line<'r> {
    fn of(outcome: &'r Outcome, report: &'r Report) -> Option<Self> {
        let goals = report.verdicts.iter().filter(|verdict| verdict.of == outcome.name);
        // The strictest, where there are several.
        let goal = goals
            .filter_map(|goal| Some((goal.line?, goal)))
            .min_by(|(a, _), (b, _)| a.total_cmp(b))
            .map(|(_, goal)| goal);
        Some(Self { outcome, ratio: rows::ratios(outcome, &report.outcomes)?, goal })
    }
}

fn draw(line: &Line<'_>, scale: &Scale, y: f64, put: &mut impl FnMut(String)) {
    let Line { outcome, ratio, goal } = line;
    let class = if outcome.name.to_lowercase().contains("querybox") { "ours" } else { "other" };
    let x = |value: f64| scale.place(value);
    put(text("", 40.0, y + 4.5, &outcome.name));
    put(format!(
        "<line class=\"{class}\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{y}\" y2=\"{y}\"/>",
        x(ratio.min),
        x(ratio.max)
    ));
    let (from, to) = (x(ratio.quartile_1), x(ratio.quartile_3));
    put(format!(
        "<rect class=\"{class}\" x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"8\" rx=\"2\" opacity=\"0.45\"/>",
        y - 4.0,
        (to - from).max(1.0)
    ));
    put(format!("<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{y}\" r=\"4\"/>", x(ratio.median)));
    if let Some((place, goal)) = goal.and_then(|goal| Some((x(goal.line?), goal))) {
        put(rule(if goal.met { "met" } else { "missed" }, place, y - GOAL_REACH, y + GOAL_REACH));
    }
    let figures = format!("{}  ({} – {})", numbers::times(ratio.median), two(ratio.min), two(ratio.max));
    put(text("figure end", WIDTH - 24.0, y + 4.5, &figures));
}

fn legend(y: f64) -> String {
    format!(
        "<circle class=\"ours\" cx=\"30\" cy=\"{y}\" r=\"4\"/>{}<circle class=\"other\" cx=\"112\" cy=\"{y}\" r=\"4\"/>{}{}{}{}{}{}{}",
        text("small", 40.0, y + 4.0, "QueryBox"),
        text("small", 122.0, y + 4.0, "others"),
        rule("floor", 180.0, y - 7.0, y + 7.0),
        text("small", 188.0, y + 4.0, "floor"),
        rule("met", 234.0, y - 7.0, y + 7.0),
        text("small", 242.0, y + 4.0, "goal, met"),
        rule("missed", 312.0, y - 7.0, y + 7.0),
        text("small", 320.0, y + 4.0, "goal, missed"),
    )
}

fn origin(report: &Report) -> String {
    let machine = &report.machine;
    let quick = if report.quick { "quick, not to be trusted; " } else { "" };
    format!("{quick}commit {}, {}, {} cores", machine.commit, machine.date, machine.cores)
}

fn rule(class: &str, x: f64, from: f64, to: f64) -> String {
    format!("<line class=\"{class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{from:.1}\" y2=\"{to:.1}\"/>")
}

fn text(class: &str, x: f64, y: f64, words: &str) -> String {
    let words = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" xml:space=\"preserve\">{words}</text>")
}

fn two(value: f64) -> String {
    let decimals = if value.abs() >= 9.995 { 1 } else { 2 };
    format!("{value:.decimals$}")
}

/// A line of small words holds so much.
fn shortened(title: &str) -> String {
    const CHARACTERS: usize = 150;
    if title.chars().count() <= CHARACTERS {
        return title.to_owned();
    }
    let mut short: String = title.chars().take(CHARACTERS - 1).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        frame::{Sample, Unit},
        machine::Machine,
    };

    fn outcome(name: &str, floor: Option<&str>, values: &[f64]) -> Outcome {
        let rounds = values.iter().map(|value| vec![Sample { value: *value, usage: None }]).collect();
        let floor = floor.map(str::to_owned);
        Outcome { name: name.to_owned(), what: String::new(), unit: Unit::Seconds, floor, rounds }
    }

    fn report(outcomes: Vec<Outcome>) -> Report {
        let verdicts = vec![Verdict {
            of: "QueryBox".to_owned(),
            goal: String::new(),
            measured: String::new(),
            met: false,
            line: Some(1.5),
        }];
        let machine = Machine::look();
        Report {
            bench: "b".to_owned(),
            title: "a < b".to_owned(),
            command: String::new(),
            seed: 0,
            quick: false,
            machine,
            outcomes,
            verdicts,
        }
    }

    #[test]
    fn each_contender_with_a_floor_has_a_point_and_a_goal_its_line() {
        let outcomes = vec![
            outcome("floor", None, &[1.0, 1.0]),
            outcome("QueryBox", Some("floor"), &[1.6, 1.8]),
            outcome("psql", Some("floor"), &[3.0, 3.0]),
            outcome("alone", None, &[9.0]),
        ];
        let svg = render(&report(outcomes)).unwrap();
        // One in the legend for each of the two kinds.
        assert_eq!(svg.matches("<circle class=\"ours\"").count(), 2);
        assert_eq!(svg.matches("<circle class=\"other\"").count(), 2);
        assert_eq!(svg.matches("class=\"missed\"").count(), 2);
        assert!(svg.contains("a &lt; b") && !svg.contains("alone"));
        assert_eq!(svg.matches('<').count(), svg.matches('>').count());
    }

    #[test]
    fn without_a_floor_there_is_nothing_to_draw() {
        assert_eq!(render(&report(vec![outcome("alone", None, &[1.0])])), None);
    }
}
