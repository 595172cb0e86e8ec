//! What the log shows of the statements that people run.

use querybox_sql::{Dialect, redact};
use tracing::info;

use crate::{Core, session::SessionId};

/// What the log shows of statements. Values of parameters it never shows, nor rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryText {
    /// Nothing.
    Off,
    /// Statements without their literals, by the driver's own rules; nothing where those are not known, or it is not sure what is
    /// a literal.
    Redacted,
    /// All, with whatever stands in it.
    Full,
}

/// A line of a log is for people. What is longer is cut.
const TEXT_BYTES_MAX: usize = 16 << 10;
/// A script is read whole to tell its literals from the rest. Of one that is longer, nothing is shown.
const READ_BYTES_MAX: usize = 1 << 20;

impl Core {
    /// From the beginning on, the log shows so much of statements. Without this it shows nothing.
    #[must_use]
    pub fn showing(mut self, query_text: QueryText) -> Self {
        self.query_text = query_text;
        self
    }

    /// Logs what is about to run.
    pub(crate) fn log_script(&self, session: SessionId, sql: &str, dialect: Option<&Dialect>) {
        let whole_bytes = sql.len();
        match self.query_text {
            QueryText::Off => {}
            QueryText::Full => info!(%session, whole_bytes, text = start(sql), "script"),
            QueryText::Redacted => match dialect.and_then(|dialect| redact_whole(sql, dialect)) {
                Some(text) => info!(%session, whole_bytes, text = start(&text), "script"),
                None => info!(%session, whole_bytes, "script, whose literals cannot be told from the rest"),
            },
        }
    }
}

/// A script without its literals. It is never cut before: a quote too many at its beginning may be told by its end alone.
fn redact_whole(sql: &str, dialect: &Dialect) -> Option<String> {
    if sql.len() > READ_BYTES_MAX {
        return None;
    }
    redact(sql, dialect)
}

/// What a line of the log has room for.
fn start(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_too_many_hides_a_long_script_wherever_it_would_be_cut() {
        let dialect = Dialect::postgres();
        let condition = " or a like ' c4n4ry ' or b ";
        for shift in 0..condition.len() {
            let sql = format!("select {} ' from t where b {}", "x".repeat(shift), condition.repeat(1000));
            assert!(sql.len() > TEXT_BYTES_MAX);
            assert_eq!(redact_whole(&sql, &dialect), None, "{shift}");
        }
    }

    #[test]
    fn a_long_script_is_shown_as_far_as_a_line_goes_and_an_endless_one_not_at_all() {
        let dialect = Dialect::postgres();
        let shown = redact_whole(&"select 'c4n4ry', é;".repeat(10_000), &dialect).unwrap();
        assert!(!shown.contains("c4n4ry") && shown.len() > TEXT_BYTES_MAX);
        assert!((TEXT_BYTES_MAX - 3..=TEXT_BYTES_MAX).contains(&start(&shown).len()));
        assert_eq!(redact_whole(&"select 1;".repeat(READ_BYTES_MAX / 8), &dialect), None);
    }
}
