//! Results whose parts break their order, or contradict each other.

use querybox_plugin::pb::{self, execute_response::Part};

use crate::{
    arrow::{batch_message, schema_message},
    wish::wishes,
};

wishes! {
    /// What is wrong with the parts.
    PartsLie {
        /// A Batch comes first.
        BatchBeforeHeader = "batch-before-header",
        /// A Summary comes first.
        SummaryBeforeHeader = "summary-before-header",
        /// ColumnFacts come first.
        FactsBeforeHeader = "facts-before-header",
        /// Two Headers of one statement.
        HeaderTwice = "header-twice",
        /// Statement 1 begins inside statement 0.
        HeaderInside = "header-inside",
        /// The first statement has the number 1.
        NumbersStartLate = "numbers-start-late",
        /// Statement 2 follows statement 0.
        NumbersJump = "numbers-jump",
        /// Statement 0 follows statement 0.
        NumbersRepeat = "numbers-repeat",
        /// A Notice names another statement.
        NoticeForeign = "notice-foreign",
        /// A Progress names another statement.
        ProgressForeign = "progress-foreign",
        /// A Summary names another statement.
        SummaryForeign = "summary-foreign",
        /// A Rejection names another statement.
        RejectionForeign = "rejection-foreign",
        /// A Batch comes after the Summary.
        BatchAfterSummary = "batch-after-summary",
        /// A Batch comes after the Rejection.
        BatchAfterRejection = "batch-after-rejection",
        /// The Summary counts more rows than came.
        RowsOverstated = "rows-overstated",
        /// The Summary counts fewer rows than came.
        RowsUnderstated = "rows-understated",
        /// Nothing ends the statement.
        EndMissing = "end-missing",
        /// A part without content.
        PartEmpty = "part-empty",
        /// A statement after the roll-back at the end.
        PartAfterTheEnd = "part-after-the-end",
        /// The roll-back at the end comes inside a statement.
        RollbackInside = "rollback-inside",
        /// The roll-back at the end names a statement that never was.
        RollbackForeign = "rollback-foreign",
        /// A Batch of no rows.
        BatchEmpty = "batch-empty",
        /// A Batch of a statement that returns no rows.
        BatchUnannounced = "batch-unannounced",
        /// Batches of fewer columns than the Header has.
        ColumnsChange = "columns-change",
        /// The Header lists another number of columns than its Arrow schema.
        SchemaContradicts = "schema-contradicts",
        /// A statement that returns rows has no Arrow schema.
        SchemaMissing = "schema-missing",
        /// A statement that returns no rows has columns.
        ColumnsUnasked = "columns-unasked",
        /// A column has no display.
        DisplayMissing = "display-missing",
        /// More columns than any database has.
        ColumnsTooMany = "columns-too-many",
        /// A statement that ends before it starts.
        SpanReversed = "span-reversed",
        /// A note of a row that the batch does not have.
        NoteBeyondRows = "note-beyond-rows",
        /// A note of a column that the batch does not have.
        NoteBeyondColumns = "note-beyond-columns",
        /// A later cell's note comes first.
        NotesUnsorted = "notes-unsorted",
        /// Two notes of one cell.
        NotesDoubled = "notes-doubled",
        /// Facts of a column that the statement does not have.
        FactsBeyondColumns = "facts-beyond-columns",
    }
}

const COLUMNS: usize = 2;
const ROWS: u32 = 3;

/// The parts of the whole answer.
pub(crate) fn parts(lie: PartsLie) -> Vec<Option<Part>> {
    use PartsLie as Lie;
    let told = match lie {
        Lie::BatchBeforeHeader => vec![batch()],
        Lie::SummaryBeforeHeader => vec![summary(0, 0)],
        Lie::FactsBeforeHeader => vec![facts(0)],
        Lie::HeaderTwice => vec![header(0), header(0)],
        Lie::HeaderInside => vec![header(0), batch(), header(1)],
        Lie::NumbersStartLate => vec![header(1)],
        Lie::NumbersJump => vec![header(0), summary(0, 0), header(2)],
        Lie::NumbersRepeat => vec![header(0), summary(0, 0), header(0)],
        Lie::NoticeForeign => {
            vec![header(0), Part::Notice(pb::Notice { statement: 7, ..pb::Notice::default() })]
        }
        Lie::ProgressForeign => {
            vec![header(0), Part::Progress(pb::Progress { statement: 7, ..pb::Progress::default() })]
        }
        Lie::SummaryForeign => vec![header(0), summary(7, 0)],
        Lie::RejectionForeign => vec![header(0), rejection(7, false)],
        Lie::BatchAfterSummary => vec![header(0), batch(), summary(0, ROWS.into()), batch()],
        Lie::BatchAfterRejection => vec![header(0), rejection(0, false), batch()],
        Lie::RowsOverstated => vec![header(0), batch(), summary(0, u64::MAX)],
        Lie::RowsUnderstated => vec![header(0), batch(), summary(0, 1)],
        Lie::EndMissing => vec![header(0), batch()],
        Lie::PartEmpty => return vec![Some(header(0)), None],
        Lie::PartAfterTheEnd => vec![header(0), summary(0, 0), rejection(0, true), header(1)],
        Lie::RollbackInside => vec![header(0), rejection(0, true)],
        Lie::RollbackForeign => vec![rejection(0, true)],
        Lie::BatchEmpty => vec![header(0), with_batch(|batch| batch.row_count = 0)],
        Lie::BatchUnannounced => {
            let silent = with_header(|header| {
                *header = pb::Header::default();
            });
            vec![silent, batch()]
        }
        Lie::ColumnsChange => {
            let narrow = with_batch(|batch| {
                (batch.arrow_metadata, batch.arrow_body) = batch_message(COLUMNS - 1, ROWS);
            });
            vec![header(0), batch(), narrow, summary(0, 2 * u64::from(ROWS))]
        }
        Lie::SchemaContradicts => {
            let contradiction = with_header(|header| header.arrow_schema = schema_message(COLUMNS + 1));
            vec![contradiction, batch(), summary(0, ROWS.into())]
        }
        Lie::SchemaMissing => vec![with_header(|header| header.arrow_schema.clear())],
        Lie::ColumnsUnasked => vec![with_header(|header| {
            header.returns_rows = false;
            header.arrow_schema.clear();
        })],
        Lie::DisplayMissing => vec![with_header(|header| header.columns[0].display = 0)],
        Lie::ColumnsTooMany => {
            vec![with_header(|header| header.columns = vec![header.columns[0].clone(); 40_000])]
        }
        Lie::SpanReversed => {
            vec![with_header(|header| header.span = Some(pb::Span { start_byte: 2, end_byte: 1 }))]
        }
        Lie::NoteBeyondRows => vec![header(0), noted(&[(ROWS, 0)])],
        Lie::NoteBeyondColumns => vec![header(0), noted(&[(0, 2)])],
        Lie::NotesUnsorted => vec![header(0), noted(&[(1, 0), (0, 1)])],
        Lie::NotesDoubled => vec![header(0), noted(&[(1, 1), (1, 1)])],
        Lie::FactsBeyondColumns => vec![header(0), facts(2)],
    };
    told.into_iter().map(Some).collect()
}

fn header(statement: u32) -> Part {
    with_header(|header| header.statement = statement)
}

fn with_header(change: impl FnOnce(&mut pb::Header)) -> Part {
    let column =
        pb::Column { name: "n".to_owned(), display: pb::Display::Integer.into(), ..pb::Column::default() };
    let mut header = pb::Header {
        statement: 0,
        returns_rows: true,
        arrow_schema: schema_message(COLUMNS),
        columns: vec![column; COLUMNS],
        span: None,
    };
    change(&mut header);
    Part::Header(header)
}

fn batch() -> Part {
    with_batch(|_| {})
}

fn noted(cells: &[(u32, u32)]) -> Part {
    let note = Some(pb::cell_note::Note::ExactText("infinity".to_owned()));
    let notes = cells.iter().map(|&(row, column)| pb::CellNote {
        row,
        column,
        note: note.clone(),
        ..pb::CellNote::default()
    });
    with_batch(|batch| batch.notes = notes.collect())
}

fn with_batch(change: impl FnOnce(&mut pb::Batch)) -> Part {
    let (arrow_metadata, arrow_body) = batch_message(COLUMNS, ROWS);
    let mut batch = pb::Batch { arrow_metadata, arrow_body, row_count: ROWS, notes: Vec::new() };
    change(&mut batch);
    Part::Batch(batch)
}

fn facts(column: u32) -> Part {
    Part::ColumnFacts(pb::ColumnFacts {
        columns: vec![pb::ColumnFact { column, ..pb::ColumnFact::default() }],
    })
}

fn summary(statement: u32, rows: u64) -> Part {
    Part::Summary(pb::Summary { statement, rows, ..pb::Summary::default() })
}

fn rejection(statement: u32, rolled_back_at_end: bool) -> Part {
    Part::Rejection(pb::Rejection {
        statement,
        message: "refused".to_owned(),
        rolled_back_at_end,
        ..pb::Rejection::default()
    })
}
