//! The parts of an execution, gathered and checked against the contract's order.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::{convert::try_fb_to_schema, reader::RecordBatchDecoder, root_as_message};
use arrow_schema::{Schema, SchemaRef};
use querybox_contracts::plugin::v1::{self as pb, execute_response::Part};

/// What a script answered.
#[derive(Debug, Default)]
pub struct Answer {
    /// Its statements, in order.
    pub statements: Vec<Statement>,
    /// The last part, when the script left a transaction open in a one-shot session.
    pub rolled_back_at_end: Option<pb::Rejection>,
}

/// What one statement answered.
#[derive(Debug, Default)]
pub struct Statement {
    /// Its columns; none when it was refused before they were known.
    pub header: Option<pb::Header>,
    /// The Arrow schema of the header.
    pub schema: Option<SchemaRef>,
    /// Its rows with their notes.
    pub batches: Vec<(RecordBatch, Vec<pb::CellNote>)>,
    /// What it asked for.
    pub copy_in: Option<pb::CopyIn>,
    /// What the database said.
    pub notices: Vec<pb::Notice>,
    /// What was told of the columns.
    pub facts: Vec<pb::ColumnFact>,
    /// How it ended, when it was done.
    pub summary: Option<pb::Summary>,
    /// How it ended, when it was refused.
    pub rejection: Option<pb::Rejection>,
}

impl Statement {
    /// Rows in all batches.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.batches.iter().map(|(batch, _)| batch.num_rows() as u64).sum()
    }

    fn ended(&self) -> bool {
        self.summary.is_some() || self.rejection.is_some()
    }
}

impl Answer {
    /// Takes one part.
    ///
    /// # Panics
    ///
    /// When the part breaks the contract.
    pub(crate) fn take(&mut self, part: Part) {
        assert!(self.rolled_back_at_end.is_none(), "nothing follows the rollback at the end: {part:?}");
        match part {
            Part::Header(header) => {
                let statement = self.statement(header.statement);
                assert!(statement.header.is_none(), "a statement has one header");
                assert!(
                    statement.copy_in.is_none() || !header.returns_rows,
                    "what takes data returns no rows"
                );
                if header.returns_rows {
                    let schema = decode_schema(&header.arrow_schema);
                    assert_eq!(schema.fields().len(), header.columns.len(), "one field a column");
                    for (field, column) in schema.fields().iter().zip(&header.columns) {
                        assert_eq!(field.name(), &column.name, "a field is named like its column");
                        assert_ne!(column.display(), pb::Display::Unspecified, "a column has a display kind");
                    }
                    statement.schema = Some(Arc::new(schema));
                } else {
                    assert!(header.arrow_schema.is_empty() && header.columns.is_empty(), "{header:?}");
                }
                statement.header = Some(header);
            }
            Part::Batch(batch) => self.running().take_batch(&batch),
            Part::CopyIn(copy_in) => {
                let statement = self.statement(copy_in.statement);
                assert!(statement.header.is_none() && statement.copy_in.is_none(), "data is asked for once");
                assert_ne!(copy_in.format(), pb::CopyFormat::Unspecified, "data has a form");
                statement.copy_in = Some(copy_in);
            }
            Part::Notice(notice) => self.statement(notice.statement).notices.push(notice),
            Part::Progress(progress) => {
                self.statement(progress.statement);
                assert!(progress.fraction.is_none_or(|fraction| (0.0..=1.0).contains(&fraction)));
            }
            Part::ColumnFacts(facts) => {
                let statement = self.running();
                let columns = statement.header.as_ref().map_or(0, |header| header.columns.len());
                assert!(facts.columns.iter().all(|fact| (fact.column as usize) < columns), "{facts:?}");
                statement.facts.extend(facts.columns);
            }
            Part::Summary(summary) => {
                let statement = self.statement(summary.statement);
                assert!(statement.header.is_some(), "a summary follows its header");
                assert_eq!(statement.rows(), summary.rows, "a summary counts the rows that were sent");
                statement.summary = Some(summary);
            }
            Part::Rejection(rejection) if rejection.rolled_back_at_end => {
                assert!(self.statements.last().is_some_and(Statement::ended), "the last statement has ended");
                self.rolled_back_at_end = Some(rejection);
            }
            Part::Rejection(rejection) => {
                let statement = self.statement(rejection.statement);
                statement.rejection = Some(rejection);
            }
        }
    }

    /// The stream has ended.
    pub(crate) fn end(&self) {
        assert!(self.statements.iter().all(Statement::ended), "every statement ends: {self:?}");
    }

    /// The statement that a part names: the running one, or the next one.
    fn statement(&mut self, number: u32) -> &mut Statement {
        let number = number as usize;
        if number == self.statements.len() {
            assert!(self.statements.iter().all(Statement::ended), "a statement ends before the next begins");
            self.statements.push(Statement::default());
        }
        assert_eq!(number + 1, self.statements.len(), "a part belongs to the running statement");
        let statement = &mut self.statements[number];
        assert!(!statement.ended(), "nothing follows a statement's end");
        statement
    }

    fn running(&mut self) -> &mut Statement {
        let statement = self.statements.last_mut().expect("a header comes first");
        assert!(statement.header.is_some() && !statement.ended(), "rows stand between header and end");
        statement
    }
}

impl Statement {
    fn take_batch(&mut self, batch: &pb::Batch) {
        let schema = self.schema.clone().expect("only a statement that returns rows sends batches");
        assert!(batch.row_count > 0, "a batch is not empty");
        let message = root_as_message(&batch.arrow_metadata).expect("the metadata is an IPC message");
        let header = message.header_as_record_batch().expect("the message describes a record batch");
        assert_eq!(header.length(), i64::from(batch.row_count), "both say how many rows there are");
        assert!(header.compression().is_none(), "a batch is not compressed");
        let decoded = RecordBatchDecoder::try_new(
            &arrow_ipc_buffer(&batch.arrow_body),
            header,
            schema,
            &std::collections::HashMap::new(),
            &message.version(),
        )
        .and_then(RecordBatchDecoder::read_record_batch)
        .expect("the body is what the metadata says");
        let mut last = None;
        for note in &batch.notes {
            let at = (note.row, note.column);
            assert!(last < Some(at), "notes are sorted and come once a cell: {note:?}");
            assert!(note.row < batch.row_count && (note.column as usize) < decoded.num_columns(), "{note:?}");
            let null = decoded.column(note.column as usize).is_null(note.row as usize);
            match note.note.as_ref().expect("a note says something") {
                pb::cell_note::Note::CutAtSize(_) => {
                    assert!(!null, "the array holds the first part: {note:?}")
                }
                _ => assert!(null, "the array is null where a note has the value: {note:?}"),
            }
            last = Some(at);
        }
        self.batches.push((decoded, batch.notes.clone()));
    }
}

fn decode_schema(message: &[u8]) -> Schema {
    let message = root_as_message(message).expect("the schema is an IPC message");
    try_fb_to_schema(message.header_as_schema().expect("the message describes a schema"))
        .expect("the schema is one that Arrow knows")
}

/// An aligned copy: a body arrives wherever the message put it.
fn arrow_ipc_buffer(body: &[u8]) -> arrow_buffer::Buffer {
    arrow_buffer::Buffer::from(body)
}
