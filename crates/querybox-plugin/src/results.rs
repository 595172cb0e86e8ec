//! Where a driver tells its results: the parts of an execution, in the contract's order.

use std::{
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

use querybox_contracts::plugin::v1 as pb;
use tokio::sync::mpsc;
use tonic::Status;
use tracing::{Instrument as _, trace_span};

use crate::{
    Column, CopyInput, ExecuteError,
    copy_input::CopyDoor,
    driver::span,
    rows::{Batches, RowLimits},
};

/// Parts that wait for the reader. Two keep the driver and the socket busy at once; more would only hold memory.
pub(crate) const PARTS_WAITING_MAX: usize = 2;

/// Spans of batches on their way, which a bench can look at.
const HOPS: &str = "querybox::hops";

type Part = pb::execute_response::Part;

/// Where the results of one script go, statement by statement.
///
/// Sending waits while the reader is slow. It fails with [`ExecuteError::Stopped`] when nobody listens any more: the
/// driver then stops the database and returns.
///
/// A driver that is not async calls the same functions through `futures::executor::block_on`.
#[derive(Debug)]
pub struct Results {
    parts: Sender,
    limits: RowLimits,
    /// None: the caller gives no data.
    copy: Option<Arc<CopyDoor>>,
    next_statement: u32,
}

/// Sends parts and remembers whether the statement that was begun has ended.
#[derive(Debug)]
struct Sender {
    tx: mpsc::Sender<Result<pb::ExecuteResponse, Status>>,
}

impl Sender {
    async fn send(&self, part: Part) -> Result<(), ExecuteError> {
        self.tx.send(Ok(pb::ExecuteResponse { part: Some(part) })).await.map_err(|_| ExecuteError::Stopped)
    }
}

impl Results {
    pub(crate) fn new(
        tx: mpsc::Sender<Result<pb::ExecuteResponse, Status>>,
        limits: RowLimits,
        copy: Option<Arc<CopyDoor>>,
    ) -> Self {
        Self { parts: Sender { tx }, limits, copy, next_statement: 0 }
    }

    /// Begins a statement that stands at `range` (bytes) of the script, and starts its clock.
    pub fn statement(&mut self, range: Range<usize>) -> Statement<'_> {
        let number = self.next_statement;
        self.next_statement += 1;
        let copy = self.copy.as_ref();
        Statement { parts: &self.parts, limits: self.limits, copy, number, range, started: Instant::now() }
    }

    /// Tells that the script ended inside a transaction, which was rolled back because the session was for it alone. Of a
    /// script without statements nothing was rolled back, and nothing is told.
    ///
    /// # Errors
    ///
    /// [`ExecuteError::Stopped`].
    pub async fn rolled_back_at_end(&mut self) -> Result<(), ExecuteError> {
        if self.next_statement == 0 {
            return Ok(());
        }
        self.parts
            .send(Part::Rejection(pb::Rejection {
                statement: self.next_statement.saturating_sub(1),
                // SQL:2023 class 25, invalid transaction state; "25000" is its subclass-free code.
                sqlstate: "25000".into(),
                severity: "ERROR".into(),
                message: "rolled back: one-shot session".into(),
                detail: "The script left a transaction open, and nothing could follow in this session."
                    .into(),
                hint: "End the script with COMMIT, or run it as a single transaction.".into(),
                transaction_state: pb::TransactionState::Idle.into(),
                rolled_back_at_end: true,
                ..pb::Rejection::default()
            }))
            .await
    }
}

/// One statement, before its columns are known.
#[derive(Debug)]
#[must_use = "a statement ends with rows, done or rejected"]
pub struct Statement<'a> {
    parts: &'a Sender,
    limits: RowLimits,
    copy: Option<&'a Arc<CopyDoor>>,
    number: u32,
    range: Range<usize>,
    started: Instant,
}

/// How a statement that was done ended.
#[derive(Debug, Clone)]
pub struct Done {
    /// Rows that it inserted, changed or deleted; none when the database does not say.
    pub affected_rows: Option<u64>,
    /// What was done, in the server's words.
    pub command_tag: String,
    /// The transaction's state afterwards.
    pub transaction_state: pb::TransactionState,
}

impl<'a> Statement<'a> {
    /// The statement's number in its script.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Begins its rows.
    ///
    /// # Errors
    ///
    /// [`ExecuteError::Stopped`].
    pub async fn rows(self, columns: &[Column]) -> Result<Rows<'a>, ExecuteError> {
        let batches = Batches::new(columns, self.limits);
        self.parts
            .send(Part::Header(pb::Header {
                statement: self.number,
                returns_rows: true,
                arrow_schema: batches.schema_message(),
                columns: columns.iter().map(Column::to_wire).collect(),
                span: Some(span(self.range.clone())),
            }))
            .await?;
        Ok(Rows { statement: self, batches, first_row: None })
    }

    /// Asks for data, once at most and of a statement that returns no rows. None: the caller gives none.
    ///
    /// # Errors
    ///
    /// [`ExecuteError::Stopped`].
    pub async fn asks_for_data(
        &self,
        format: pb::CopyFormat,
        columns: u32,
    ) -> Result<Option<CopyInput>, ExecuteError> {
        let Some(copy) = self.copy else { return Ok(None) };
        // Open before anybody knows of it.
        let input = copy.open(self.number);
        let copy_in = pb::CopyIn { statement: self.number, format: format.into(), columns };
        self.parts.send(Part::CopyIn(copy_in)).await?;
        Ok(Some(input))
    }

    /// Ends a statement that returns no rows.
    ///
    /// # Errors
    ///
    /// [`ExecuteError::Stopped`].
    pub async fn done(self, done: Done) -> Result<(), ExecuteError> {
        self.parts
            .send(Part::Header(pb::Header {
                statement: self.number,
                returns_rows: false,
                span: Some(span(self.range.clone())),
                ..pb::Header::default()
            }))
            .await?;
        self.parts.send(Part::Summary(self.summary(done))).await
    }

    /// Ends a statement that the database refused. `statement` and `span` of the rejection are filled in here, and its
    /// `position_byte`, which counts from the statement's first byte, is made one of the script.
    ///
    /// # Errors
    ///
    /// [`ExecuteError::Stopped`].
    pub async fn rejected(self, rejection: pb::Rejection) -> Result<(), ExecuteError> {
        self.parts.send(Part::Rejection(self.place(rejection))).await
    }

    /// Tells something that the database said. Its number is filled in here.
    ///
    /// # Errors
    ///
    /// [`ExecuteError::Stopped`].
    pub async fn notice(&self, notice: pb::Notice) -> Result<(), ExecuteError> {
        self.parts.send(Part::Notice(pb::Notice { statement: self.number, ..notice })).await
    }

    fn place(&self, rejection: pb::Rejection) -> pb::Rejection {
        let span = span(self.range.clone());
        pb::Rejection {
            statement: self.number,
            position_byte: rejection.position_byte.map(|position| span.start_byte.saturating_add(position)),
            span: Some(span),
            ..rejection
        }
    }

    fn summary(&self, done: Done) -> pb::Summary {
        pb::Summary {
            statement: self.number,
            rows: 0,
            affected_rows: done.affected_rows,
            command_tag: done.command_tag,
            transaction_state: done.transaction_state.into(),
            elapsed: Some(wire_duration(self.started.elapsed())),
            first_row: None,
            stopped_by: pb::StoppedBy::Unspecified.into(),
        }
    }
}

/// The rows of a statement, told value by value.
///
/// For each row: [`begin_row`](Self::begin_row), one value a column in order, [`end_row`](Self::end_row); when that says
/// that the batch is due, [`flush`](Self::flush). A value of another type than the column's kind is a mistake and panics.
pub struct Rows<'a> {
    statement: Statement<'a>,
    batches: Batches,
    first_row: Option<Duration>,
}

impl Rows<'_> {
    /// Whether a further row is wanted. When it is not, the driver stops the statement and calls
    /// [`finish`](Self::finish), which says which limit it was.
    pub fn begin_row(&mut self) -> bool {
        self.batches.admit_row()
    }

    /// NULL.
    pub fn null(&mut self) {
        self.batches.null();
    }

    /// A value of a bool column.
    pub fn bool(&mut self, value: bool) {
        self.batches.bool(value);
    }

    /// A value of an integer column that it fits, days of a date column, or microseconds of a time column.
    pub fn int(&mut self, value: i64) {
        self.batches.int(value);
    }

    /// A value of a column of unsigned 64-bit integers.
    pub fn uint(&mut self, value: u64) {
        self.batches.uint(value);
    }

    /// A value of a double column.
    pub fn float(&mut self, value: f64) {
        self.batches.float(value);
    }

    /// A value of a float column.
    pub fn float32(&mut self, value: f32) {
        self.batches.float32(value);
    }

    /// A value of a decimal column times ten to the column's scale.
    pub fn decimal(&mut self, unscaled: i128) {
        self.batches.decimal(unscaled);
    }

    /// A value of a UUID column.
    pub fn uuid(&mut self, value: [u8; 16]) {
        self.batches.uuid(value);
    }

    /// A value of a text column. What is larger than the limit is cut, and noted with its full size.
    pub fn text(&mut self, value: &str) {
        self.batches.text(value);
    }

    /// A value of a bytes column. What is larger than the limit is cut, and noted with its full size.
    pub fn bytes(&mut self, value: &[u8]) {
        self.batches.bytes(value);
    }

    /// Begins a value of a list column: its elements follow, each as a value of their kind or NULL, and then
    /// [`end_list`](Self::end_list). The list has so many of them, and their texts or bytes so many bytes in all.
    ///
    /// When it is larger than a limit, which the answer then says, nothing was begun: it is told as
    /// [`exact_text`](Self::exact_text), which can be cut. So is a list of which an element turns out to be beyond its kind:
    /// what was told of it is forgotten.
    #[must_use = "a list that is too large is not begun"]
    pub fn begin_list(&mut self, elements: usize, bytes: usize) -> bool {
        self.batches.begin_list(elements, bytes)
    }

    /// Ends a list.
    pub fn end_list(&mut self) {
        self.batches.end_list();
    }

    /// A value that the column's kind cannot hold, as the server prints it. `display` is its kind when that is not the
    /// column's, else UNSPECIFIED.
    pub fn exact_text(&mut self, text: &str, display: pb::Display) {
        self.batches.exact_text(text, display);
    }

    /// Text that is not valid in the database's encoding.
    pub fn undecodable(&mut self, bytes: &[u8]) {
        self.batches.undecodable(bytes);
    }

    /// Ends the row. Whether the batch is due: then [`flush`](Self::flush) follows.
    #[must_use = "a batch that is due is flushed"]
    pub fn end_row(&mut self) -> bool {
        if self.first_row.is_none() {
            self.first_row = Some(self.statement.started.elapsed());
        }
        self.batches.end_row()
    }

    /// Sends the rows so far. A driver also calls it before it waits for the server, so that no row waits with it.
    ///
    /// # Errors
    ///
    /// [`ExecuteError::Stopped`].
    pub async fn flush(&mut self) -> Result<(), ExecuteError> {
        if !self.batches.has_rows() {
            return Ok(());
        }
        let batch = trace_span!(target: HOPS, "driver encodes").in_scope(|| self.batches.cut());
        let sending = self.statement.parts.send(Part::Batch(batch));
        sending.instrument(trace_span!(target: HOPS, "driver sends")).await
    }

    /// Tells something that the database said.
    ///
    /// # Errors
    ///
    /// [`ExecuteError::Stopped`].
    pub async fn notice(&mut self, notice: pb::Notice) -> Result<(), ExecuteError> {
        self.statement.notice(notice).await
    }

    /// Tells how far the statement has come; at most once a second.
    ///
    /// # Errors
    ///
    /// [`ExecuteError::Stopped`].
    pub async fn progress(&mut self, progress: pb::Progress) -> Result<(), ExecuteError> {
        let progress = pb::Progress { statement: self.statement.number, ..progress };
        self.statement.parts.send(Part::Progress(progress)).await
    }

    /// Tells what is known of the columns.
    ///
    /// # Errors
    ///
    /// [`ExecuteError::Stopped`].
    pub async fn column_facts(&mut self, columns: Vec<pb::ColumnFact>) -> Result<(), ExecuteError> {
        self.statement.parts.send(Part::ColumnFacts(pb::ColumnFacts { columns })).await
    }

    /// Ends the statement.
    ///
    /// # Errors
    ///
    /// [`ExecuteError::Stopped`].
    pub async fn finish(mut self, done: Done) -> Result<(), ExecuteError> {
        self.flush().await?;
        let summary = pb::Summary {
            rows: self.batches.rows_in_all(),
            first_row: self.first_row.map(wire_duration),
            stopped_by: self.batches.stopped_by().into(),
            ..self.statement.summary(done)
        };
        self.statement.parts.send(Part::Summary(summary)).await
    }

    /// Ends a statement that the database refused after its columns were known; rows that were told before are sent.
    ///
    /// # Errors
    ///
    /// [`ExecuteError::Stopped`].
    pub async fn rejected(mut self, rejection: pb::Rejection) -> Result<(), ExecuteError> {
        self.flush().await?;
        self.statement.rejected(rejection).await
    }
}

fn wire_duration(duration: Duration) -> prost_types::Duration {
    duration.try_into().expect("a statement runs for less than 292 billion years")
}
