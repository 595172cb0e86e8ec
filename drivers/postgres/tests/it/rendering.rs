//! Results as CSV by the product's own renderer, and the same by the server.

use futures::StreamExt as _;
use querybox_fixtures::Postgres;
use querybox_plugin::{
    pb::{self, cell_note, execute_response::Part},
    testkit::Client,
};
use querybox_results::{CellNote, Column, Display, Format, Note, Shape, Writer};

/// Checks that a query's result as CSV equals what the server's own COPY prints.
#[track_caller]
pub(crate) fn assert_same(ours: &[u8], theirs: &[u8], sql: &str) {
    if ours != theirs {
        let text = String::from_utf8_lossy;
        panic!("{sql}\n--- ours\n{}\n--- the server's\n{}", text(ours), text(theirs));
    }
}

/// The server's own CSV, printed with the settings of a fresh session after `set`.
pub(crate) fn copy_csv(server: &Postgres, set: &str, sql: &str) -> Vec<u8> {
    server.psql(&format!("{set}; copy ({sql}) to stdout (format csv, header)"))
}

/// The result of the last statement of a script as CSV, and its columns.
pub(crate) async fn csv(client: &mut Client, script: &str) -> (Vec<u8>, Vec<pb::Column>) {
    let mut parts =
        client.grpc.execute(client.execute_request(script)).await.expect("the script runs").into_inner();
    let mut result: Option<(Shape, Writer<Vec<u8>>, Vec<pb::Column>)> = None;
    while let Some(part) = parts.next().await {
        match part.expect("the connection stays").part.expect("a response holds a part") {
            Part::Header(header) if header.returns_rows => {
                let columns: Vec<Column> = header.columns.iter().map(column).collect();
                let shape = Shape::new(&header.arrow_schema, columns).expect("the schema can be shown");
                let writer = Writer::begin(Format::Csv, shape.columns(), Vec::new()).unwrap();
                result = Some((shape, writer, header.columns));
            }
            Part::Batch(batch) => {
                let (shape, writer, _) = result.as_mut().expect("a header comes first");
                let notes = batch.notes.into_iter().map(note).collect();
                let batch = shape
                    .batch(&batch.arrow_metadata, batch.arrow_body, batch.row_count, notes)
                    .expect("the batch fits its schema");
                writer.batch(&batch).unwrap();
            }
            Part::Rejection(rejection) => panic!("{script}: {rejection:?}"),
            Part::Header(_)
            | Part::Summary(_)
            | Part::Notice(_)
            | Part::Progress(_)
            | Part::ColumnFacts(_)
            | Part::CopyIn(_) => {}
        }
    }
    let (_, writer, columns) = result.expect("the script returns rows");
    (writer.end().unwrap().0, columns)
}

pub(crate) fn column(column: &pb::Column) -> Column {
    Column {
        name: column.name.clone(),
        database_type: column.database_type.clone(),
        display: match column.display() {
            pb::Display::ArrayText => Display::ArrayText(Box::new(display(column.element_display()))),
            scalar => display(scalar),
        },
    }
}

fn display(display: pb::Display) -> Display {
    match display {
        pb::Display::BoolTF => Display::BoolTF,
        pb::Display::Integer => Display::Integer,
        pb::Display::FloatPg => Display::FloatPg,
        pb::Display::Decimal => Display::Decimal,
        pb::Display::DateIso => Display::DateIso,
        pb::Display::TimestampIso => Display::TimestampIso,
        pb::Display::TimestampIsoUtc => Display::TimestampIsoUtc,
        pb::Display::Time => Display::Time,
        pb::Display::Uuid => Display::Uuid,
        pb::Display::BytesHex => Display::BytesHex,
        pb::Display::Text => Display::Text,
        pb::Display::Json => Display::Json,
        pb::Display::Interval => Display::Interval,
        pb::Display::TimeZoned => Display::TimeZoned,
        pb::Display::Money => Display::Money,
        other => panic!("the driver sends no {other:?}"),
    }
}

pub(crate) fn note(note: pb::CellNote) -> CellNote {
    assert_eq!(note.display(), pb::Display::Unspecified, "a value has its column's kind");
    CellNote {
        row: note.row,
        column: note.column,
        note: match note.note.expect("a note says something") {
            cell_note::Note::ExactText(text) => Note::ExactText(text),
            cell_note::Note::UndecodableBytes(bytes) => Note::Undecodable(bytes),
            cell_note::Note::CutAtSize(size) => Note::CutAtSize(size),
        },
        display: None,
        full_size: (note.full_size_bytes > 0).then_some(note.full_size_bytes),
    }
}
