//! What a contender should reach.

use serde::{Deserialize, Serialize};

use crate::{frame::contender::Outcome, report::numbers, statistics::Distribution};

/// One goal of a bench.
#[derive(Debug, Clone, Copy)]
pub struct Goal {
    /// The contender that should reach it.
    pub of: &'static str,
    pub bound: Bound,
}

/// What is bounded.
#[derive(Debug, Clone, Copy)]
pub enum Bound {
    /// The median of the ratios to another contender in the same rounds is at most this.
    RatioAtMost { to: &'static str, times: f64 },
    /// The median is at most so many seconds.
    MedianAtMost(f64),
    /// The 99th percentile is at most so many seconds.
    P99AtMost(f64),
    /// The 99th percentile is at most so many medians.
    TailAtMost(f64),
    /// The median is at least so many a second.
    RateAtLeast(f64),
    /// The median of the processor time of all processes that are counted is at most so many seconds.
    CpuAtMost(f64),
    /// The most memory that the processes had which are counted.
    MemoryAtMost(u64),
}

/// What became of a goal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The contender that should reach it.
    pub of: String,
    /// The goal in words.
    pub goal: String,
    /// What was measured, in the same unit.
    pub measured: String,
    pub met: bool,
    /// Where the goal stands as a ratio to the contender's floor, for one that can be drawn there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<f64>,
}

impl Goal {
    /// Holds the goal against what was measured. `None`: its contender did not run.
    #[must_use]
    pub fn judge(&self, outcomes: &[Outcome]) -> Option<Verdict> {
        let find = |name: &str| outcomes.iter().find(|outcome| outcome.name == name);
        let ours = find(self.of)?;
        let shape = ours.distribution()?;
        let seconds = numbers::seconds;
        let (wish, value, met) = match self.bound {
            Bound::RatioAtMost { to, times } => {
                let ratio = Distribution::of(ours.ratios_to(find(to)?))?.median;
                (format!("≤ {} {to}", numbers::times(times)), numbers::times(ratio), ratio <= times)
            }
            Bound::MedianAtMost(most) => {
                (format!("median ≤ {}", seconds(most)), seconds(shape.median), shape.median <= most)
            }
            Bound::P99AtMost(most) => {
                (format!("p99 ≤ {}", seconds(most)), seconds(shape.p99), shape.p99 <= most)
            }
            Bound::TailAtMost(most) => {
                let tail = shape.p99 / shape.median;
                (format!("p99 ≤ {} its median", numbers::times(most)), numbers::times(tail), tail <= most)
            }
            Bound::RateAtLeast(least) => (
                format!("≥ {}", numbers::per_second(least)),
                numbers::per_second(shape.median),
                shape.median >= least,
            ),
            Bound::CpuAtMost(most) => {
                let cpu = ours.usage()?.cpu_seconds;
                (format!("CPU ≤ {}", seconds(most)), seconds(cpu), cpu <= most)
            }
            Bound::MemoryAtMost(most) => {
                let peak = ours.usage()?.peak_rss_bytes;
                (format!("memory ≤ {}", numbers::bytes(most)), numbers::bytes(peak), peak <= most)
            }
        };
        let line = ours.floor.as_deref().and_then(find).and_then(|floor| self.line(floor, find));
        Some(Verdict {
            of: self.of.to_owned(),
            goal: format!("{}: {wish}", self.of),
            measured: value,
            met,
            line,
        })
    }

    /// The goal as a ratio to this floor.
    fn line<'o>(&self, floor: &Outcome, find: impl Fn(&str) -> Option<&'o Outcome>) -> Option<f64> {
        match self.bound {
            Bound::RatioAtMost { to, times } if to == floor.name => Some(times),
            Bound::RatioAtMost { to, times } => {
                Some(times * Distribution::of(find(to)?.ratios_to(floor))?.median)
            }
            Bound::MedianAtMost(most) => Some(most / floor.distribution()?.median),
            Bound::P99AtMost(_)
            | Bound::TailAtMost(_)
            | Bound::RateAtLeast(_)
            | Bound::CpuAtMost(_)
            | Bound::MemoryAtMost(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Sample, Unit, Usage};

    fn outcome(name: &str, unit: Unit, rounds: &[&[f64]]) -> Outcome {
        let sample = |value: &f64| Sample { value: *value, usage: None };
        let rounds = rounds.iter().map(|round| round.iter().map(sample).collect()).collect();
        Outcome { name: name.to_owned(), what: String::new(), unit, floor: None, rounds }
    }

    #[track_caller]
    fn check(bound: Bound, rounds: &[&[f64]], goal: &str, measured: &str, met: bool) {
        let outcomes =
            [outcome("ours", Unit::Seconds, rounds), outcome("psql", Unit::Seconds, &[&[0.010], &[0.020]])];
        let verdict = Goal { of: "ours", bound }.judge(&outcomes).unwrap();
        let told = (verdict.goal.as_str(), verdict.measured.as_str(), verdict.met, verdict.line);
        assert_eq!(told, (goal, measured, met, None));
    }

    #[test]
    fn a_goal_that_is_told_by_others_stands_where_it_is_as_a_ratio_to_the_floor() {
        let mut outcomes = [
            outcome("ours", Unit::Seconds, &[&[0.015], &[0.030]]),
            outcome("psql", Unit::Seconds, &[&[0.012], &[0.024]]),
            outcome("floor", Unit::Seconds, &[&[0.010], &[0.020]]),
        ];
        outcomes[0].floor = Some("floor".to_owned());
        let line = |bound| Goal { of: "ours", bound }.judge(&outcomes).unwrap().line.unwrap();
        assert!((line(Bound::RatioAtMost { to: "floor", times: 1.1 }) - 1.1).abs() < 1e-9);
        assert!((line(Bound::RatioAtMost { to: "psql", times: 0.5 }) - 0.6).abs() < 1e-9);
        assert!((line(Bound::MedianAtMost(0.030)) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn a_goal_is_met_at_its_bound_and_missed_beyond_it() {
        let ratio = Bound::RatioAtMost { to: "psql", times: 1.5 };
        check(ratio, &[&[0.015], &[0.030]], "ours: ≤ 1.50 × psql", "1.50 ×", true);
        check(ratio, &[&[0.016], &[0.032]], "ours: ≤ 1.50 × psql", "1.60 ×", false);
        check(Bound::MedianAtMost(0.005), &[&[0.005]], "ours: median ≤ 5.00 ms", "5.00 ms", true);
        check(Bound::MedianAtMost(0.005), &[&[0.0051]], "ours: median ≤ 5.00 ms", "5.10 ms", false);
        check(Bound::P99AtMost(0.003), &[&[0.001], &[0.001]], "ours: p99 ≤ 3.00 ms", "1.00 ms", true);
        check(
            Bound::TailAtMost(3.0),
            &[&[0.001, 0.001, 0.1]],
            "ours: p99 ≤ 3.00 × its median",
            "98.0 ×",
            false,
        );
        check(Bound::RateAtLeast(150.0), &[&[149.0]], "ours: ≥ 150 /s", "149 /s", false);
    }

    #[test]
    fn what_processes_use_up_is_bounded_by_its_median_and_its_peak() {
        let usage = |cpu_seconds, mebibytes: u64| Usage { cpu_seconds, peak_rss_bytes: mebibytes << 20 };
        let sample = |usage| Sample { value: 1.0, usage: Some(usage) };
        let mut ours = outcome("ours", Unit::Seconds, &[]);
        ours.rounds = vec![vec![sample(usage(0.5, 40)), sample(usage(0.7, 61)), sample(usage(0.9, 50))]];
        let judge = |bound| {
            let verdict = Goal { of: "ours", bound }.judge(std::slice::from_ref(&ours)).unwrap();
            (verdict.measured, verdict.met)
        };
        assert_eq!(judge(Bound::CpuAtMost(0.8)), ("700 ms".to_owned(), true));
        assert_eq!(judge(Bound::MemoryAtMost(60 << 20)), ("61.0 MiB".to_owned(), false));
    }

    #[test]
    fn a_goal_of_nobody_has_no_verdict() {
        assert_eq!(Goal { of: "absent", bound: Bound::MedianAtMost(1.0) }.judge(&[]), None);
    }
}
