//! Rows of a statement, gathered into Arrow record batches and cut by their size.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions};
use arrow_schema::{Schema, SchemaRef};
use bytes::Bytes;
use querybox_contracts::plugin::v1::{self as pb, cell_note::Note};

use crate::{Column, builder::Builder};

/// A batch is sent when it holds this much: 64 to 256 KiB is where gRPC over a Unix socket is fastest.
const BATCH_BYTES: usize = 128 * 1024;
/// The second batch of a result is sent at this size, so that the first screen is there early. The first is one row.
const EARLY_BATCH_BYTES: usize = 8 * 1024;
/// A row that waits longer than this for the next one is sent without it.
pub(crate) const ROW_WAIT: Duration = Duration::from_millis(50);
/// What the cells of one row may hold together. A row is held some eight times at once on its way (builder, encoded batch,
/// message, two parts that wait, the next row), which has to fit into a process of 512 MiB.
const ROW_BYTES_MAX: usize = 24 * 1024 * 1024;
/// Bytes that a batch counts for each cell besides its text: validity, offset, or a fixed-size value.
const CELL_BYTES: usize = 8;
/// How many rows without columns a batch counts at most, as they have no size.
const BATCH_ROWS_MAX: u32 = 64 * 1024;

/// The limits that rows are cut by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowLimits {
    pub(crate) rows_max: Option<u64>,
    pub(crate) bytes_max: Option<u64>,
    pub(crate) cell_bytes_max: usize,
}

/// The batch that is being filled, and what was sent before it.
pub(crate) struct Batches {
    schema: SchemaRef,
    columns: Vec<Builder>,
    notes: Vec<pb::CellNote>,
    limits: RowLimits,
    /// The column that the next value belongs to.
    column: usize,
    rows: u32,
    bytes: usize,
    row_bytes: usize,
    batches_sent: u64,
    rows_sent: u64,
    bytes_sent: u64,
    oldest_row: Option<Instant>,
    stopped_by: pb::StoppedBy,
    context: IpcWriteContext,
}

impl Batches {
    pub(crate) fn new(columns: &[Column], limits: RowLimits) -> Self {
        let fields: Vec<_> = columns.iter().map(Column::field).collect();
        Self {
            schema: Arc::new(Schema::new(fields)),
            columns: columns.iter().map(|column| Builder::new(column.kind)).collect(),
            notes: Vec::new(),
            limits,
            column: 0,
            rows: 0,
            bytes: 0,
            row_bytes: 0,
            batches_sent: 0,
            rows_sent: 0,
            bytes_sent: 0,
            oldest_row: None,
            stopped_by: pb::StoppedBy::Unspecified,
            context: IpcWriteContext::default(),
        }
    }

    /// The schema as a bare IPC message.
    pub(crate) fn schema_message(&self) -> Bytes {
        IpcDataGenerator::default()
            .schema_to_bytes_with_dictionary_tracker(
                &self.schema,
                &mut DictionaryTracker::new(true),
                &options(),
            )
            .ipc_message
            .into()
    }

    pub(crate) fn rows_in_all(&self) -> u64 {
        self.rows_sent + u64::from(self.rows)
    }

    pub(crate) fn stopped_by(&self) -> pb::StoppedBy {
        self.stopped_by
    }

    pub(crate) fn has_rows(&self) -> bool {
        self.rows > 0
    }

    /// Whether a further row may come; if not, remembers which limit forbids it.
    pub(crate) fn admit_row(&mut self) -> bool {
        if self.limits.rows_max.is_some_and(|max| self.rows_in_all() >= max) {
            self.stopped_by = pb::StoppedBy::RowsMax;
        } else if self.limits.bytes_max.is_some_and(|max| self.bytes_sent >= max) {
            self.stopped_by = pb::StoppedBy::BytesMax;
        }
        self.stopped_by == pb::StoppedBy::Unspecified
    }

    /// Ends the row; whether the batch is now due.
    pub(crate) fn end_row(&mut self) -> bool {
        assert_eq!(self.column, self.columns.len(), "a row has one value a column");
        self.column = 0;
        self.rows += 1;
        self.bytes += self.row_bytes;
        self.row_bytes = 0;
        let oldest = *self.oldest_row.get_or_insert_with(Instant::now);
        self.bytes >= self.batch_bytes()
            || self.rows >= BATCH_ROWS_MAX
            // Looking at the clock for each row would cost more than most rows do.
            || ((self.rows < 16 || self.rows.is_multiple_of(64)) && oldest.elapsed() >= ROW_WAIT)
    }

    fn batch_bytes(&self) -> usize {
        match self.batches_sent {
            0 => 0,
            1 => EARLY_BATCH_BYTES,
            _ => BATCH_BYTES,
        }
    }

    /// The rows so far as a part, and a fresh batch.
    pub(crate) fn cut(&mut self) -> pb::Batch {
        assert_eq!(self.column, 0, "a batch is cut between rows");
        let arrays = self.columns.iter_mut().map(Builder::finish).collect();
        let row_count = RecordBatchOptions::new().with_row_count(Some(self.rows as usize));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), arrays, &row_count)
            .expect("the builders are those of the schema and hold one value a row");
        let (dictionaries, encoded) = IpcDataGenerator::default()
            .encode(&batch, &mut DictionaryTracker::new(true), &options(), &mut self.context)
            .expect("types without dictionaries or compression can always be encoded");
        debug_assert!(dictionaries.is_empty(), "no column kind has a dictionary");
        let part = pb::Batch {
            arrow_metadata: encoded.ipc_message.into(),
            arrow_body: encoded.arrow_data.into(),
            row_count: self.rows,
            notes: std::mem::take(&mut self.notes),
        };
        if part.arrow_body.len() > 4 * BATCH_BYTES {
            // The context keeps a buffer of the last batch's size; one huge cell must not be paid for ever after.
            self.context = IpcWriteContext::default();
        }
        self.batches_sent += 1;
        self.rows_sent += u64::from(self.rows);
        self.bytes_sent += part.arrow_body.len() as u64;
        self.rows = 0;
        self.bytes = 0;
        self.oldest_row = None;
        part
    }

    pub(crate) fn null(&mut self) {
        self.next(0).append_null();
    }

    pub(crate) fn bool(&mut self, value: bool) {
        match self.next(0) {
            Builder::Bool(builder) => builder.append_value(value),
            _ => panic!("a bool belongs into a bool column"),
        }
    }

    pub(crate) fn int(&mut self, value: i64) {
        let fits = "the value fits the column's type";
        match self.next(0) {
            Builder::Int64(builder) => builder.append_value(value),
            Builder::Int32(builder) => builder.append_value(i32::try_from(value).expect(fits)),
            Builder::Int16(builder) => builder.append_value(i16::try_from(value).expect(fits)),
            Builder::UInt32(builder) => builder.append_value(u32::try_from(value).expect(fits)),
            Builder::UInt64(builder) => builder.append_value(u64::try_from(value).expect(fits)),
            Builder::Date(builder) => builder.append_value(i32::try_from(value).expect(fits)),
            Builder::Timestamp(builder) => builder.append_value(value),
            Builder::Time(builder) => builder.append_value(value),
            _ => panic!("an integer belongs into an integer, date or time column"),
        }
    }

    pub(crate) fn uint(&mut self, value: u64) {
        match self.next(0) {
            Builder::UInt64(builder) => builder.append_value(value),
            _ => panic!("an unsigned integer of 64 bits belongs into such a column"),
        }
    }

    pub(crate) fn float(&mut self, value: f64) {
        match self.next(0) {
            Builder::Float64(builder) => builder.append_value(value),
            _ => panic!("a double belongs into a double column"),
        }
    }

    pub(crate) fn float32(&mut self, value: f32) {
        match self.next(0) {
            Builder::Float32(builder) => builder.append_value(value),
            _ => panic!("a float belongs into a float column"),
        }
    }

    pub(crate) fn decimal(&mut self, unscaled: i128) {
        match self.next(8) {
            Builder::Decimal(builder) => builder.append_value(unscaled),
            _ => panic!("a decimal belongs into a decimal column"),
        }
    }

    pub(crate) fn uuid(&mut self, value: [u8; 16]) {
        match self.next(8) {
            Builder::Uuid(builder) => builder.append_value(value).expect("a UUID has 16 bytes"),
            _ => panic!("a UUID belongs into a UUID column"),
        }
    }

    pub(crate) fn text(&mut self, value: &str) {
        let part = &value[..value.floor_char_boundary(self.room(value.len()))];
        if part.len() < value.len() {
            self.note(Note::CutAtSize(value.len() as u64), pb::Display::Unspecified, 0);
        }
        match self.next(part.len()) {
            Builder::Text(builder) => builder.append_value(part),
            _ => panic!("text belongs into a text column"),
        }
    }

    pub(crate) fn bytes(&mut self, value: &[u8]) {
        let room = self.room(value.len());
        if room < value.len() {
            self.note(Note::CutAtSize(value.len() as u64), pb::Display::Unspecified, 0);
        }
        match self.next(room) {
            Builder::Bytes(builder) => builder.append_value(&value[..room]),
            _ => panic!("bytes belong into a bytes column"),
        }
    }

    /// A cell whose array slot is null and whose value is a text of its own.
    pub(crate) fn exact_text(&mut self, text: &str, display: pb::Display) {
        let part = &text[..text.floor_char_boundary(self.room(text.len()))];
        self.noted(Note::ExactText(part.to_owned()), display, part.len(), text.len());
    }

    /// A cell whose array slot is null and whose value is no text of the database's encoding.
    pub(crate) fn undecodable(&mut self, bytes: &[u8]) {
        let part = &bytes[..self.room(bytes.len())];
        self.noted(
            Note::UndecodableBytes(Bytes::copy_from_slice(part)),
            pb::Display::Unspecified,
            part.len(),
            bytes.len(),
        );
    }

    fn noted(&mut self, note: Note, display: pb::Display, part_bytes: usize, full_bytes: usize) {
        let full_size_bytes = if part_bytes < full_bytes { full_bytes as u64 } else { 0 };
        self.note(note, display, full_size_bytes);
        self.next(part_bytes).append_null();
    }

    /// How much of a value of so many bytes may be sent.
    fn room(&self, bytes: usize) -> usize {
        bytes.min(self.limits.cell_bytes_max).min(ROW_BYTES_MAX.saturating_sub(self.row_bytes))
    }

    fn note(&mut self, note: Note, display: pb::Display, full_size_bytes: u64) {
        let column = u32::try_from(self.column).expect("a result has fewer columns");
        self.notes.push(pb::CellNote {
            row: self.rows,
            column,
            display: display.into(),
            full_size_bytes,
            note: Some(note),
        });
    }

    fn next(&mut self, bytes: usize) -> &mut Builder {
        let builder = self.columns.get_mut(self.column).expect("a row has one value a column");
        self.column += 1;
        self.row_bytes += CELL_BYTES + bytes;
        builder
    }
}

fn options() -> IpcWriteOptions {
    // Buffers start at multiples of 16 in the body: decimals need it, and 64 would swell small batches.
    IpcWriteOptions::try_new(16, false, arrow_ipc::MetadataVersion::V5)
        .expect("16 is one of the alignments that Arrow allows")
}
