//! What a session has answered so far, and whether its driver keeps within the limits it was given.

use querybox_launcher::{BrokenContract, Fact, Part, Rejection, TransactionState};
use tokio::time::Instant;

use super::answers::Ended;

/// What a session has answered so far.
#[derive(Debug)]
pub(crate) struct Tally {
    limits: StatementLimits,
    statement_rows: u64,
    statement_bytes: u64,
    /// Of all statements together.
    pub(super) rows: u64,
    pub(super) bytes: u64,
    /// When the first row came. `None`: none has.
    first_row: Option<Instant>,
    pub(super) ended: Ended,
    /// The database refused something.
    pub(super) rejected: bool,
    /// The code of what it refused first. Empty: none.
    pub(super) error_code: String,
    /// As the last statement left it. `None`: none has ended.
    pub(super) transaction: Option<TransactionState>,
}

/// How much was answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) first_row: Option<Instant>,
    pub(crate) statements_done: u32,
    pub(crate) statements_rejected: u32,
}

/// What one statement may return. The driver was told, and stops by itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StatementLimits {
    pub(crate) rows_max: Option<u64>,
    pub(crate) bytes_max: Option<u64>,
}

/// A part of an answer, of any kind of session.
pub(crate) trait Answer: Send + 'static {
    /// Adds the part to what was answered.
    ///
    /// # Errors
    ///
    /// The driver sent more than it was told it may.
    fn count(&self, tally: &mut Tally) -> Result<(), BrokenContract>;

    /// Whether a statement asks for data from here on. `None`: as before.
    fn asks_for_data(&self) -> Option<bool> {
        None
    }

    /// How a statement ended, if this is where it does.
    fn last_word(&self) -> Option<LastWord>;

    /// About how much memory it holds.
    fn bytes(&self) -> u64;
}

/// How a statement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LastWord {
    /// It was done.
    Done,
    /// The database refused it, or stopped it.
    Refusal,
}

impl Tally {
    pub(crate) fn new(limits: StatementLimits) -> Self {
        Self {
            limits,
            statement_rows: 0,
            statement_bytes: 0,
            rows: 0,
            bytes: 0,
            first_row: None,
            ended: Ended::default(),
            rejected: false,
            error_code: String::new(),
            transaction: None,
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts {
            rows: self.rows,
            bytes: self.bytes,
            first_row: self.first_row,
            statements_done: self.ended.statements_done,
            statements_rejected: self.ended.statements_rejected,
        }
    }

    fn statement_begins(&mut self) {
        self.statement_rows = 0;
        self.statement_bytes = 0;
    }

    fn batch(&mut self, rows: u32, bytes: u64) -> Result<(), BrokenContract> {
        // What counts as a byte of a batch is the driver's to say (with or without metadata): far more is what breaks it.
        const SLACK_BYTES: u64 = 1 << 20;
        let bytes_stop = |max: u64| max.saturating_mul(2).saturating_add(SLACK_BYTES);
        if self.limits.bytes_max.is_some_and(|max| self.statement_bytes >= bytes_stop(max)) {
            return Err(BrokenContract { what: "it went on after the limit of bytes".into() });
        }
        if self.rows == 0 && rows > 0 {
            self.first_row = Some(Instant::now());
        }
        self.statement_rows += u64::from(rows);
        self.statement_bytes += bytes;
        self.rows += u64::from(rows);
        self.bytes += bytes;
        if self.limits.rows_max.is_some_and(|max| self.statement_rows > max) {
            return Err(BrokenContract { what: "it sent more rows than the limit".into() });
        }
        Ok(())
    }

    /// The database refused something. What it says of it is not kept but for its code.
    pub(super) fn refused(&mut self, rejection: &Rejection) {
        // A code has five characters or so; a driver may send anything.
        const CODE_BYTES_MAX: usize = 64;
        self.rejected = true;
        if self.error_code.is_empty() {
            let Rejection { sqlstate, vendor_code, .. } = rejection;
            let code = if sqlstate.is_empty() { vendor_code } else { sqlstate };
            self.error_code = code[..code.floor_char_boundary(CODE_BYTES_MAX)].to_owned();
        }
    }

    /// Objects of a catalog count as rows.
    pub(crate) fn objects(&mut self, count: usize, rejection: Option<&Rejection>) {
        if self.rows == 0 && count > 0 {
            self.first_row = Some(Instant::now());
        }
        self.rows += count as u64;
        if rejection.is_some() {
            self.rejected = true;
        }
    }

    fn rejection(&mut self, rejection: &Rejection) {
        self.refused(rejection);
        // This one comes after its statement was counted.
        if !rejection.rolled_back_at_end {
            self.ended.statements_rejected += 1;
        }
        // A server's last word before it goes tells nothing of the transaction, which is as it was: lost with it.
        if rejection.transaction != TransactionState::Unknown {
            self.transaction = Some(rejection.transaction);
        }
    }
}

impl Answer for Part {
    fn count(&self, tally: &mut Tally) -> Result<(), BrokenContract> {
        match &self.fact {
            Fact::Header { .. } => tally.statement_begins(),
            Fact::Batch { rows, bytes } => tally.batch(*rows, *bytes)?,
            Fact::Notice | Fact::Progress | Fact::ColumnFacts | Fact::CopyIn { .. } => {}
            Fact::Summary(summary) => {
                tally.ended.statements_done += 1;
                tally.transaction = Some(summary.transaction);
            }
            Fact::Rejection(rejection) => tally.rejection(rejection),
        }
        Ok(())
    }

    fn last_word(&self) -> Option<LastWord> {
        match &self.fact {
            Fact::Summary(_) => Some(LastWord::Done),
            // This one is of no statement, but of what a script that is over leaves.
            Fact::Rejection(rejection) if rejection.rolled_back_at_end => None,
            Fact::Rejection(_) => Some(LastWord::Refusal),
            Fact::Header { .. }
            | Fact::Batch { .. }
            | Fact::Notice
            | Fact::Progress
            | Fact::ColumnFacts
            | Fact::CopyIn { .. } => None,
        }
    }

    fn asks_for_data(&self) -> Option<bool> {
        match self.fact {
            Fact::CopyIn { .. } => Some(true),
            Fact::Summary(_) | Fact::Rejection(_) => Some(false),
            Fact::Header { .. } | Fact::Batch { .. } | Fact::Notice | Fact::Progress | Fact::ColumnFacts => {
                None
            }
        }
    }

    fn bytes(&self) -> u64 {
        // Notices and the like are small; what counts is that many of them count.
        const SMALL_PART_BYTES: u64 = 1 << 10;
        match self.fact {
            Fact::Batch { bytes, .. } => bytes.max(SMALL_PART_BYTES),
            Fact::Header { .. }
            | Fact::Notice
            | Fact::Progress
            | Fact::ColumnFacts
            | Fact::CopyIn { .. }
            | Fact::Summary(_)
            | Fact::Rejection(_) => SMALL_PART_BYTES,
        }
    }
}
