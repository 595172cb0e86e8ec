//! Soaks: the same thing thousands of times, after which nothing may be left.
//!
//! The figures of a soak are facts and no measurements: each is held against what it must be, and what is not so is named.

pub mod cancel;
mod counts;
mod crowd;
pub mod rotation;
pub mod server;
pub mod spawn;

use std::fmt;

/// What a soak found.
#[derive(Debug, Default)]
pub struct Verdict {
    /// What was done, and its figures.
    pub figures: Vec<String>,
    /// What is not as it must be. Empty: the soak has passed.
    pub failures: Vec<String>,
}

impl Verdict {
    /// Whether everything was as it must be.
    #[must_use]
    pub fn has_passed(&self) -> bool {
        self.failures.is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for figure in &self.figures {
            writeln!(f, "{figure}")?;
        }
        for failure in &self.failures {
            writeln!(f, "FAILURE: {failure}")?;
        }
        match self.failures.len() {
            0 => f.write_str("PASSED"),
            count => write!(f, "FAILED: {count} of the facts above are not as they must be"),
        }
    }
}
