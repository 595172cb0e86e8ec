//! Rows of a statement, gathered into Arrow record batches and cut by their size.

use std::time::{Duration, Instant};

use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteOptions};
use arrow_schema::Schema;
use bytes::Bytes;
use querybox_contracts::plugin::v1::{self as pb, cell_note::Note};

use crate::{
    Column,
    builder::{Builder, Mark},
    record_batch::Encoder,
};

/// A batch is sent when it holds this much: 64 to 256 KiB is where gRPC over a Unix socket is fastest.
const BATCH_BYTES: usize = 128 * 1024;
/// The second batch of a result is sent at this size and the third at four times as much, so that the first screens are
/// there early. The first is one row.
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
    schema: Schema,
    columns: Vec<Builder>,
    notes: Vec<pb::CellNote>,
    limits: RowLimits,
    /// The column that the next value belongs to.
    column: usize,
    /// The value is a list, and what comes are its elements.
    list: Option<OpenList>,
    rows: u32,
    bytes: usize,
    row_bytes: usize,
    batches_sent: u64,
    rows_sent: u64,
    bytes_sent: u64,
    oldest_row: Option<Instant>,
    stopped_by: pb::StoppedBy,
    encoder: Encoder,
}

/// A list whose elements come.
struct OpenList {
    /// Where the elements stood before.
    elements: Mark,
    row_bytes: usize,
}

impl Batches {
    pub(crate) fn new(columns: &[Column], limits: RowLimits) -> Self {
        let fields: Vec<_> = columns.iter().map(Column::field).collect();
        Self {
            schema: Schema::new(fields),
            columns: columns.iter().map(|column| Builder::new(&column.kind)).collect(),
            notes: Vec::new(),
            limits,
            column: 0,
            list: None,
            rows: 0,
            bytes: 0,
            row_bytes: 0,
            batches_sent: 0,
            rows_sent: 0,
            bytes_sent: 0,
            oldest_row: None,
            stopped_by: pb::StoppedBy::Unspecified,
            encoder: Encoder::default(),
        }
    }

    /// The schema as a bare IPC message.
    pub(crate) fn schema_message(&self) -> Bytes {
        IpcDataGenerator::default()
            .schema_to_bytes_with_dictionary_tracker(
                &self.schema,
                &mut DictionaryTracker::new(true),
                &IpcWriteOptions::default(),
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
            2 => 4 * EARLY_BATCH_BYTES,
            _ => BATCH_BYTES,
        }
    }

    /// The rows so far as a part, and a fresh batch.
    pub(crate) fn cut(&mut self) -> pb::Batch {
        assert_eq!(self.column, 0, "a batch is cut between rows");
        let (arrow_metadata, arrow_body) = self.encoder.encode(&self.columns, self.rows);
        self.columns.iter_mut().for_each(Builder::clear);
        let part = pb::Batch {
            arrow_metadata,
            arrow_body,
            row_count: self.rows,
            notes: std::mem::take(&mut self.notes),
        };
        self.batches_sent += 1;
        self.rows_sent += u64::from(self.rows);
        self.bytes_sent += part.arrow_body.len() as u64;
        self.rows = 0;
        self.bytes = 0;
        self.oldest_row = None;
        part
    }

    pub(crate) fn null(&mut self) {
        self.next(0).null();
    }

    #[inline]
    pub(crate) fn bool(&mut self, value: bool) {
        self.next(0).bool(value);
    }

    #[inline]
    pub(crate) fn int(&mut self, value: i64) {
        self.next(0).int(value);
    }

    pub(crate) fn uint(&mut self, value: u64) {
        self.next(0).uint(value);
    }

    #[inline]
    pub(crate) fn float(&mut self, value: f64) {
        self.next(0).float(value);
    }

    #[inline]
    pub(crate) fn float32(&mut self, value: f32) {
        self.next(0).float32(value);
    }

    #[inline]
    pub(crate) fn decimal(&mut self, unscaled: i128) {
        self.next(8).decimal(unscaled);
    }

    #[inline]
    pub(crate) fn uuid(&mut self, value: [u8; 16]) {
        self.next(8).uuid(value);
    }

    #[inline]
    pub(crate) fn text(&mut self, value: &str) {
        if self.list.is_some() {
            // There is room for all of it.
            return self.next(0).text(value);
        }
        let part = &value[..value.floor_char_boundary(self.room(value.len()))];
        if part.len() < value.len() {
            self.note(Note::CutAtSize(value.len() as u64), pb::Display::Unspecified, 0);
        }
        self.next(part.len()).text(part);
    }

    #[inline]
    pub(crate) fn bytes(&mut self, value: &[u8]) {
        if self.list.is_some() {
            return self.next(0).bytes(value);
        }
        let room = self.room(value.len());
        if room < value.len() {
            self.note(Note::CutAtSize(value.len() as u64), pb::Display::Unspecified, 0);
        }
        self.next(room).bytes(&value[..room]);
    }

    /// Begins a list of so many elements, whose texts or bytes are so many in all, when there is room for it.
    pub(crate) fn begin_list(&mut self, elements: usize, bytes: usize) -> bool {
        assert!(self.list.is_none(), "a list has one dimension");
        let row_bytes = self.row_bytes;
        let builder = self.columns.get_mut(self.column).expect("a row has one value a column").elements();
        let bytes = builder.fixed_bytes(elements).saturating_add(bytes);
        let mark = builder.mark();
        if self.room(bytes) < bytes {
            return false;
        }
        self.row_bytes += CELL_BYTES + bytes;
        self.list = Some(OpenList { elements: mark, row_bytes });
        true
    }

    pub(crate) fn end_list(&mut self) {
        self.list.take().expect("a list was begun");
        self.columns[self.column].end_list();
        self.column += 1;
    }

    /// Forgets the elements of a list that turns out to be none.
    fn give_list_up(&mut self) {
        let Some(OpenList { elements, row_bytes }) = self.list.take() else { return };
        self.columns[self.column].elements().back_to(elements);
        self.row_bytes = row_bytes;
    }

    /// A cell whose array slot is null and whose value is a text of its own.
    pub(crate) fn exact_text(&mut self, text: &str, display: pb::Display) {
        self.give_list_up();
        let part = &text[..text.floor_char_boundary(self.room(text.len()))];
        self.noted(Note::ExactText(part.to_owned()), display, part.len(), text.len());
    }

    /// A cell whose array slot is null and whose value is no text of the database's encoding.
    pub(crate) fn undecodable(&mut self, bytes: &[u8]) {
        self.give_list_up();
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
        self.next(part_bytes).null();
    }

    /// How much of a value of so many bytes may be sent.
    #[inline]
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

    #[inline]
    fn next(&mut self, bytes: usize) -> &mut Builder {
        let builder = self.columns.get_mut(self.column).expect("a row has one value a column");
        if self.list.is_some() {
            return builder.elements();
        }
        self.column += 1;
        self.row_bytes += CELL_BYTES + bytes;
        builder
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ColumnKind, TextKind};

    fn lists_and_numbers(element: ColumnKind) -> Batches {
        let limits = RowLimits { rows_max: None, bytes_max: None, cell_bytes_max: 24 };
        let column = |kind| Column {
            name: String::new(),
            database_type: String::new(),
            kind,
            origin_id: String::new(),
        };
        Batches::new(&[ColumnKind::List(Box::new(element)), ColumnKind::Int64].map(column), limits)
    }

    #[test]
    fn a_list_that_turns_out_to_be_none_leaves_nothing_but_its_note() {
        let batch = |gives_up: bool| {
            let mut batches = lists_and_numbers(ColumnKind::Int64);
            for number in 0..3 {
                if number == 1 {
                    if gives_up {
                        assert!(batches.begin_list(3, 0));
                        batches.int(1);
                        batches.null();
                    }
                    batches.exact_text("{1,NULL,infinity}", pb::Display::Unspecified);
                } else {
                    assert!(batches.begin_list(2, 0));
                    batches.int(number);
                    batches.null();
                    batches.end_list();
                }
                batches.int(number);
                let _is_due = batches.end_row();
            }
            (batches.bytes, batches.cut())
        };
        let (_, batch_of_notes) = batch(false);
        assert_eq!(batch_of_notes.notes.len(), 1);
        assert_eq!(batch(true), batch(false));
    }

    #[test]
    fn a_list_beyond_the_limit_of_a_cell_is_not_begun() {
        let mut batches = lists_and_numbers(ColumnKind::Int64);
        assert!(!batches.begin_list(4, 0));
        assert!(!batches.begin_list(usize::MAX, 0));
        batches.exact_text("{1,2,3,4,5,6,7,8,9,10,11,12}", pb::Display::Unspecified);
        batches.null();
        let _is_due = batches.end_row();
        let note = &batches.cut().notes[0];
        assert_eq!(
            (note.full_size_bytes, &note.note),
            (28, &Some(Note::ExactText("{1,2,3,4,5,6,7,8,9,10,11".into())))
        );

        let mut batches = lists_and_numbers(ColumnKind::Text(TextKind::Text));
        assert!(!batches.begin_list(3, 13));
        assert!(batches.begin_list(3, 12));
        for text in ["abcd", "efgh", "ijkl"] {
            batches.text(text);
        }
        batches.end_list();
        batches.null();
        let _is_due = batches.end_row();
        assert!(batches.cut().notes.is_empty());
    }
}
