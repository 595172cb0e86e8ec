//! Arrow IPC streams, as other readers of Arrow see them.

use std::io::Cursor;

use arrow_array::{Array, Int64Array, RecordBatch, StringArray, cast::AsArray, types::Int64Type};
use arrow_ipc::reader::StreamReader;
use querybox_results::{ArrowStream, ArrowWritten, Batch, CellNote, Display, Error, Note, Shape, Written};

use crate::ipc::{Sent, filled, send};

fn sent() -> Sent {
    let numbers = Int64Array::from(vec![Some(1), None, None]);
    let texts = StringArray::from(vec![Some("a"), None, Some("long")]);
    let mut sent = send(vec![filled("n", Display::Integer, numbers), filled("n", Display::Text, texts)], 3);
    // A driver's own names for the fields do not count.
    sent.columns[1].name = "täxt".to_owned();
    sent
}

fn notes() -> Vec<CellNote> {
    let note = |row, column, note| CellNote { row, column, note, display: None, full_size: None };
    vec![note(1, 0, Note::ExactText("99999999999999999999".to_owned())), note(2, 1, Note::CutAtSize(1000))]
}

fn read(bytes: Vec<u8>) -> (Vec<String>, Vec<RecordBatch>) {
    let reader = StreamReader::try_new(Cursor::new(bytes), None).unwrap();
    let names = reader.schema().fields().iter().map(|field| field.name().clone()).collect();
    (names, reader.map(Result::unwrap).collect())
}

#[test]
fn another_reader_sees_the_rows_and_names() {
    let Sent { schema, columns, metadata, body, row_count } = sent();
    let shape = Shape::new(&schema, columns).unwrap();
    let batch: Batch = shape.batch(&metadata, body.clone(), row_count, notes()).unwrap();
    let mut stream = ArrowStream::begin(&shape, Vec::new()).unwrap();
    stream.batch(&batch, &metadata, &body).unwrap();
    stream.batch(&batch, &metadata, &body).unwrap();
    let (bytes, written) = stream.end().unwrap();
    // The number that Int64 does not hold, and the text of which a part is there, in both batches.
    assert_eq!(
        written,
        ArrowWritten { written: Written { rows: 6, cells_cut: 2, cells_undecodable: 0 }, cells_left_out: 2 }
    );
    let (names, batches) = read(bytes);
    assert_eq!(names, ["n", "täxt"]);
    assert_eq!(batches.len(), 2);
    let numbers = batches[1].column(0).as_primitive::<Int64Type>();
    assert_eq!((numbers.value(0), numbers.is_null(1), numbers.is_null(2)), (1, true, true));
    assert_eq!(batches[1].column(1).as_string::<i32>().value(2), "long");
}

#[test]
fn a_result_without_rows_or_columns_is_a_stream_too() {
    let Sent { schema, columns, .. } = sent();
    let shape = Shape::new(&schema, columns).unwrap();
    let (bytes, written) = ArrowStream::begin(&shape, Vec::new()).unwrap().end().unwrap();
    assert_eq!(written, ArrowWritten::default());
    assert_eq!(read(bytes).1.len(), 0);

    let Sent { schema, columns, metadata, body, row_count } = send(Vec::new(), 2);
    let shape = Shape::new(&schema, columns).unwrap();
    let batch = shape.batch(&metadata, body.clone(), row_count, Vec::new()).unwrap();
    let mut stream = ArrowStream::begin(&shape, Vec::new()).unwrap();
    stream.batch(&batch, &metadata, &body).unwrap();
    let (names, batches) = read(stream.end().unwrap().0);
    assert_eq!((names.len(), batches[0].num_rows()), (0, 2));
}

#[test]
fn a_body_of_another_length_is_refused_because_it_would_break_the_frame() {
    let mut sent = sent();
    let mut longer = sent.body.to_vec();
    longer.extend([0; 8]);
    sent.body = longer.into();
    assert!(matches!(sent.read(Vec::new()), Err(Error::Refused("its body has another length than it says"))));
}
