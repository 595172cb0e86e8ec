//! The figures of a report, a row a contender, as every table shows them.

use crate::{
    frame::{Outcome, Unit},
    report::numbers,
    statistics::Distribution,
};

/// Samples below which a 99th percentile, or a distribution, is one sample's word.
pub(super) const SAMPLES_OF_A_TAIL: usize = 100;

/// What stands above the columns.
pub(super) const TITLES: [&str; 9] =
    ["", "median", "quartiles", "range", "p99", "to its floor", "(range)", "CPU", "memory"];

/// A row a contender; what was not measured is empty.
pub(super) fn of(outcomes: &[Outcome]) -> Vec<[String; 9]> {
    in_groups(outcomes).into_iter().filter_map(|outcome| row(outcome, outcomes)).collect()
}

fn row(outcome: &Outcome, outcomes: &[Outcome]) -> Option<[String; 9]> {
    let shape = outcome.distribution()?;
    let of = |value: f64| in_unit(outcome.unit, value);
    let ratio = ratios(outcome, outcomes);
    let usage = outcome.usage();
    let name = match (&outcome.floor, is_floor(outcome, outcomes)) {
        (None, true) => format!("{} (floor)", outcome.name),
        (None, false) => outcome.name.clone(),
        (Some(_), _) => format!("  {}", outcome.name),
    };
    let has_tail = shape.count >= SAMPLES_OF_A_TAIL;
    Some([
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
    ])
}

/// The ratios to its floor, round by round.
pub(super) fn ratios(outcome: &Outcome, outcomes: &[Outcome]) -> Option<Distribution> {
    let floor = outcome.floor.as_deref()?;
    let floor = outcomes.iter().find(|other| other.name == floor)?;
    Distribution::of(outcome.ratios_to(floor))
}

/// Each floor is followed by those that are compared with it.
pub(super) fn in_groups(outcomes: &[Outcome]) -> Vec<&Outcome> {
    let mut ordered = Vec::with_capacity(outcomes.len());
    for floor in outcomes.iter().filter(|outcome| outcome.floor.is_none()) {
        ordered.push(floor);
        ordered.extend(outcomes.iter().filter(|outcome| outcome.floor.as_ref() == Some(&floor.name)));
    }
    ordered
}

pub(super) fn is_floor(outcome: &Outcome, outcomes: &[Outcome]) -> bool {
    outcomes.iter().any(|other| other.floor.as_ref() == Some(&outcome.name))
}

pub(super) fn in_unit(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Seconds => numbers::seconds(value),
        Unit::PerSecond => numbers::per_second(value),
        // Memory is whole pages.
        Unit::Bytes => numbers::bytes(value as u64),
    }
}
