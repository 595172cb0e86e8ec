//! How many tests passed: read from the last lines of the programs that run them.

use std::fmt;
use std::ops::Add;

/// Who runs the tests, and so says how they ended.
#[derive(Clone, Copy)]
pub(super) enum Runner {
    Nextest,
    Cargo,
    Vitest,
}

/// Tests by how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Counts {
    /// What a line of a test run counts; nothing for any line but the runner's own summary.
    pub(super) fn of_line(runner: Runner, line: &str) -> Self {
        let list = match runner {
            // `     Summary [   0.036s] 5 tests run: 4 passed (1 slow), 1 failed, 2 skipped`
            Runner::Nextest => {
                line.trim_start().strip_prefix("Summary [").and_then(|rest| rest.split_once("run: "))
            }
            // `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s`
            // Such a line further to the right is part of what a failed test had printed.
            Runner::Cargo => line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")),
            // `      Tests  1 failed | 57 passed | 1 skipped (59)`
            Runner::Vitest => line.trim_start().strip_prefix("Tests  ").map(|list| ("", list)),
        };
        let list = list.map_or("", |(_, list)| list);
        let mut counts = Self::default();
        for item in list.split([',', ';', '|']) {
            let mut words = item.split_whitespace();
            let Some(count) = words.next().and_then(|word| word.parse::<u64>().ok()) else { continue };
            match words.next() {
                Some("passed") => counts.passed += count,
                // A test that ran out of time or could not be started has failed, whatever its runner calls it.
                Some("failed" | "timed" | "exec") => counts.failed += count,
                Some("skipped" | "ignored") => counts.skipped += count,
                _ => {}
            }
        }
        counts
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(runner: Runner, line: &str, passed: u64, failed: u64, skipped: u64) {
        assert_eq!(Counts::of_line(runner, line), Counts { passed, failed, skipped }, "{line}");
    }

    #[test]
    fn nextest_summaries_are_read() {
        let check = |line, passed, failed, skipped| check(Runner::Nextest, line, passed, failed, skipped);
        check("     Summary [   0.036s] 5 tests run: 5 passed, 0 skipped\n", 5, 0, 0);
        check(
            "     Summary [  12.036s] 9 tests run: 6 passed (1 slow, 1 flaky), 1 failed, 2 timed out, 3 skipped",
            6,
            3,
            3,
        );
        check("     Summary [   0.2s] 3/40 tests run: 1 passed, 1 failed, 1 exec failed, 0 skipped", 1, 2, 0);
    }

    #[test]
    fn cargo_summaries_are_read() {
        let check = |line, passed, failed, skipped| check(Runner::Cargo, line, passed, failed, skipped);
        check(
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.01s\n",
            3,
            0,
            1,
        );
        check(
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s",
            3,
            2,
            0,
        );
    }

    #[test]
    fn vitest_summaries_are_read() {
        check(Runner::Vitest, "      Tests  63 passed (63)\n", 63, 0, 0);
        check(Runner::Vitest, "      Tests  1 failed | 57 passed | 2 skipped (60)\n", 57, 1, 2);
        check(Runner::Vitest, " Test Files  16 passed (16)\n", 0, 0, 0);
    }

    #[test]
    fn other_lines_count_nothing() {
        for line in
            ["", "test a ... ok", "    Finished `test` profile", "2 passed, 1 failed", "Summary [broken"]
        {
            check(Runner::Nextest, line, 0, 0, 0);
            check(Runner::Cargo, line, 0, 0, 0);
        }
        // nextest shows the output of a failed test, and in it the summary of the one test that its process ran.
        let inner = "    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 9 filtered out; finished in 0s";
        check(Runner::Nextest, inner, 0, 0, 0);
        check(Runner::Nextest, inner.trim(), 0, 0, 0);
        check(Runner::Cargo, inner, 0, 0, 0);
    }

    #[test]
    fn the_last_line_is_what_machines_read() {
        let counts =
            Counts { passed: 12, failed: 1, skipped: 0 } + Counts { passed: 1, failed: 0, skipped: 2 };
        assert_eq!(counts.to_string(), "13 passed, 1 failed, 2 skipped");
    }
}
