//! A CSV goes into PostgreSQL with `COPY … FROM` and comes out of it with the same bytes.

use std::fs;

use arrow_array::{
    BinaryArray, BooleanArray, Date32Array, FixedSizeBinaryArray, Float32Array, Float64Array, Int16Array,
    Int64Array, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
    builder::{Int32Builder, ListBuilder},
};
use querybox_fixtures::Postgres;
use querybox_results::{CellNote, CsvOptions, Display, ExportFormat, KeptSource, Note};

use crate::{
    exports::{exported, keep},
    ipc::{Sent, filled, send},
};

/// Values that have come to grief elsewhere, by the types of the table.
fn values() -> (Sent, Vec<CellNote>) {
    let mut lists = ListBuilder::new(Int32Builder::new());
    lists.append_value([Some(1), None, Some(-3)]);
    lists.append_value([]);
    lists.append_null();
    let uuids = [Some([0xab; 16]), None, Some([0; 16])];
    let uuids = FixedSizeBinaryArray::try_from_sparse_iter_with_size(uuids.into_iter(), 16).unwrap();
    let columns = vec![
        filled("small", Display::Integer, Int16Array::from(vec![Some(i16::MIN), None, Some(0)])),
        filled("large", Display::Integer, Int64Array::from(vec![i64::MIN, i64::MAX, 0])),
        filled("real", Display::FloatPg, Float32Array::from(vec![0.1, f32::MIN_POSITIVE, f32::INFINITY])),
        filled("double", Display::FloatPg, Float64Array::from(vec![0.1, 5e-324, f64::NAN])),
        filled(
            "number",
            Display::Decimal,
            StringArray::from(vec!["1.50", "NaN", "123456789012345678901234567890.123456789"]),
        ),
        filled("yes", Display::BoolTF, BooleanArray::from(vec![Some(true), Some(false), None])),
        filled("day", Display::DateIso, Date32Array::from(vec![Some(0), None, Some(19_782)])),
        filled("clock", Display::Time, Time64MicrosecondArray::from(vec![0, 1, 86_400_000_000])),
        filled(
            "at",
            Display::TimestampIso,
            TimestampMicrosecondArray::from(vec![0, 1, -62_135_596_800_000_000]),
        ),
        filled("uuid", Display::Uuid, uuids),
        filled("bytes", Display::BytesHex, BinaryArray::from_vec(vec![b"", b"\x00\xff", b"'\"\\"])),
        filled("text", Display::Text, StringArray::from(vec![Some("a,b\"c\"\r\nd\te"), None, Some("")])),
        filled("word", Display::Text, StringArray::from(vec!["NULL", "\\N", "größe 😀 \u{1}"])),
        filled("json", Display::Json, StringArray::from(vec![r#"{"a": "\"x\""}"#, "null", "1.0"])),
        filled("list", Display::Array(Box::new(Display::Integer)), lists.finish()),
    ];
    let infinity = Note::ExactText("infinity".to_owned());
    (send(columns, 3), vec![CellNote { row: 1, column: 6, note: infinity, display: None, full_size: None }])
}

const TABLE: &str = "create table t (small int2, large int8, real float4, double float8, number numeric, yes bool, \
    day date, clock time, at timestamp, uuid uuid, bytes bytea, text text, word text, json json, list int[])";

#[test]
fn a_csv_is_read_by_copy_from() {
    let folder = tempfile::tempdir().unwrap();
    let (sent, notes) = values();
    let kept = keep(&sent, notes, folder.path());
    let format = ExportFormat::Csv(CsvOptions::postgres());
    let (document, found) = exported(&mut KeptSource::new(&kept), format).unwrap();
    assert_eq!(found.rows, 3);
    let server = Postgres::start();
    let path = folder.path().join("values.csv");
    fs::write(&path, &document).unwrap();
    server.psql(TABLE);
    // By way of psql: the server is somebody else, who may not read the file.
    server.psql(&format!("\\copy t from '{}' with (format csv, header)", path.display()));
    let back = server.psql("copy t to stdout (format csv, header)");
    assert_eq!(String::from_utf8(back).unwrap(), String::from_utf8(document).unwrap());
}
