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
        let start = &sql[..sql.floor_char_boundary(TEXT_BYTES_MAX)];
        match self.query_text {
            QueryText::Off => {}
            QueryText::Full => info!(%session, whole_bytes, text = start, "script"),
            // A literal that is cut has no end, so that nothing is shown.
            QueryText::Redacted => match dialect.and_then(|dialect| redact(start, dialect)) {
                Some(text) => info!(%session, whole_bytes, text, "script"),
                None => info!(%session, whole_bytes, "script, whose literals cannot be told from the rest"),
            },
        }
    }
}
