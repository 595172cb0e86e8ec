//! Money in whole cents, so that sums are exact until SQLite gets them.

use std::fmt;

use rusqlite::ToSql;
use rusqlite::types::ToSqlOutput;

/// An amount of money.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Cents(pub(super) i64);

impl ToSql for Cents {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        // SQLite has no decimal type: a DECIMAL column keeps the nearest double, which shows the same two digits.
        Ok(ToSqlOutput::from(self.0 as f64 / 100.0))
    }
}

/// As a JSON number, with both digits.
impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{}.{:02}", self.0.abs() / 100, self.0.abs() % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cents_keep_both_digits() {
        for (cents, text) in [(0, "0.00"), (5, "0.05"), (1990, "19.90"), (-5, "-0.05"), (-1234, "-12.34")] {
            assert_eq!(Cents(cents).to_string(), text);
        }
    }
}
