//! Whole documents in each format.

use std::io;

use arrow_array::{
    BinaryArray, BooleanArray, Float64Array, Int64Array, StringArray,
    builder::{Int32Builder, ListBuilder},
};
use bytes::Bytes;
use expect_test::{Expect, expect};
use querybox_results::{Batch, CellNote, Display, Format, Note, Writer, Written};

use crate::ipc::{Filled, batch, filled, send};

/// The document of these batches, which all have the same columns.
pub(crate) fn document(format: Format, batches: &[Batch]) -> (String, Written) {
    let mut writer = Writer::begin(format, batches[0].columns(), Vec::new()).unwrap();
    for batch in batches {
        writer.batch(batch).unwrap();
    }
    let (bytes, written) = writer.end().unwrap();
    (String::from_utf8(bytes).unwrap(), written)
}

/// A raw string cannot hold a carriage return, so `␍` stands for it.
#[track_caller]
fn check(format: Format, columns: Vec<Filled>, notes: Vec<CellNote>, expected: Expect) {
    expected.assert_eq(&document(format, &[batch(columns, notes)]).0.replace('\r', "␍"));
}

fn words(values: &[Option<&str>]) -> Filled {
    filled("word", Display::Text, StringArray::from(values.to_vec()))
}

fn several() -> Vec<Filled> {
    let texts = vec![Some("plain"), Some(""), None, Some("a,b\t\"c\"\n\\d\r\u{8}\u{b}\u{c}")];
    let data: Vec<Option<&[u8]>> = vec![Some(b"\x01\x02"), Some(b""), None, None];
    let mut lists = ListBuilder::new(Int32Builder::new());
    lists.append_value([Some(1), None]);
    lists.append_null();
    lists.append_value([]);
    lists.append_value([Some(3)]);
    vec![
        filled("text", Display::Text, StringArray::from(texts)),
        filled("a \"name\",\t\\", Display::Integer, Int64Array::from(vec![Some(1), Some(-2), None, None])),
        filled("x", Display::FloatPg, Float64Array::from(vec![Some(0.1), Some(f64::NAN), None, Some(1e100)])),
        filled("", Display::BoolTF, BooleanArray::from(vec![Some(true), Some(false), None, None])),
        filled("x", Display::BytesHex, BinaryArray::from(data)),
        filled("x_2", Display::Array(Box::new(Display::Integer)), lists.finish()),
    ]
}

fn notes() -> Vec<CellNote> {
    let note = |row, column, note, display| CellNote { row, column, note, display, full_size: None };
    vec![
        note(2, 1, Note::ExactText("NaN".to_owned()), None),
        note(3, 1, Note::ExactText("00012345678901234567890".to_owned()), Some(Display::Decimal)),
        note(2, 0, Note::Undecodable(Bytes::from_static(b"\xe9")), None),
        note(3, 4, Note::ExactText("12345678901234567890.10".to_owned()), Some(Display::Decimal)),
        note(0, 0, Note::CutAtSize(1000), None),
    ]
}

/// Compared with PostgreSQL 15, but for the undecodable text, which it does not have.
#[test]
fn csv_is_that_of_copy() {
    check(
        Format::Csv,
        several(),
        notes(),
        expect![[r#"
            text,"a ""name"",	\",x,"",x,x_2
            plain,1,0.1,t,\x0102,"{1,NULL}"
            "",-2,NaN,f,\x,
            \xe9,NaN,,,,{}
            "a,b	""c""
            \d␍",00012345678901234567890,1e+100,,12345678901234567890.10,{3}
        "#]],
    );
}

#[test]
fn tsv_is_that_of_copy() {
    check(
        Format::Tsv,
        several(),
        notes(),
        expect![[r#"
            text	a "name",\t\\	x		x	x_2
            plain	1	0.1	t	\\x0102	{1,NULL}
            	-2	NaN	f	\\x	\N
            \\xe9	NaN	\N	\N	\N	{}
            a,b\t"c"\n\\d\r\b\v\f	00012345678901234567890	1e+100	\N	12345678901234567890.10	{3}
        "#]],
    );
}

#[test]
fn markdown_is_one_table_whatever_the_cells_hold() {
    check(
        Format::Markdown,
        several(),
        notes(),
        expect![[r#"
        | text | a "name",&#x9;\\ | x |  | x | x_2 |
        | --- | ---: | ---: | --- | --- | --- |
        | plain… | 1 | 0.1 | t | \\x0102 | {1,NULL} |
        |  | -2 | NaN | f | \\x | *NULL* |
        | \\xe9 | NaN | *NULL* | *NULL* | *NULL* | {} |
        | a,b&#x9;"c"<br>\\d<br>&#x8;&#xb;&#xc; | 00012345678901234567890 | 1e+100 | *NULL* | 12345678901234567890.10 | {3} |
    "#]],
    );
    let hostile = [
        Some("| a | b |"),
        Some("<script>&lt;"),
        Some("*NULL*"),
        Some("a_b _c_ `d`"),
        Some("\u{1b}[2J\r\n\\"),
    ];
    check(
        Format::Markdown,
        vec![words(&hostile)],
        Vec::new(),
        expect![[r#"
        | word |
        | --- |
        | \| a \| b \| |
        | &lt;script>&amp;lt; |
        | \*NULL\* |
        | a_b \_c\_ \`d\` |
        | &#x1b;\[2J<br>\\ |
    "#]],
    );
}

#[test]
fn json_is_one_array_with_a_row_a_line() {
    check(
        Format::Json,
        several(),
        notes(),
        expect![[r#"
            [
            {"text":"plain","a \"name\",\t\\":1,"x":0.1,"":true,"x_3":"\\x0102","x_2":[1,null]},
            {"text":"","a \"name\",\t\\":-2,"x":"NaN","":false,"x_3":"\\x","x_2":null},
            {"text":"\\xe9","a \"name\",\t\\":"NaN","x":null,"":null,"x_3":null,"x_2":[]},
            {"text":"a,b\t\"c\"\n\\d\r\u0008\u000b\u000c","a \"name\",\t\\":"00012345678901234567890","x":1e+100,"":null,"x_3":12345678901234567890.10,"x_2":[3]}
            ]
        "#]],
    );
}

#[test]
fn ndjson_is_an_object_a_line() {
    check(
        Format::NdJson,
        several(),
        notes(),
        expect![[r#"
            {"text":"plain","a \"name\",\t\\":1,"x":0.1,"":true,"x_3":"\\x0102","x_2":[1,null]}
            {"text":"","a \"name\",\t\\":-2,"x":"NaN","":false,"x_3":"\\x","x_2":null}
            {"text":"\\xe9","a \"name\",\t\\":"NaN","x":null,"":null,"x_3":null,"x_2":[]}
            {"text":"a,b\t\"c\"\n\\d\r\u0008\u000b\u000c","a \"name\",\t\\":"00012345678901234567890","x":1e+100,"":null,"x_3":12345678901234567890.10,"x_2":[3]}
        "#]],
    );
}

#[test]
fn arrays_that_are_text_are_so_in_json_too() {
    let mut lists = ListBuilder::new(Int32Builder::new());
    lists.append_value([Some(1), None]);
    lists.append_null();
    lists.append_null();
    let display = Display::ArrayText(Box::new(Display::Integer));
    let text = Note::ExactText("[0:0]={1}".to_owned());
    check(
        Format::NdJson,
        vec![filled("list", display, lists.finish())],
        vec![CellNote { row: 1, column: 0, note: text, display: None, full_size: None }],
        expect![[r#"
            {"list":"{1,NULL}"}
            {"list":"[0:0]={1}"}
            {"list":null}
        "#]],
    );
}

#[test]
fn a_lone_null_is_an_empty_line_and_a_lone_end_mark_is_quoted() {
    let values = [None, Some(""), Some("\\."), Some("\\.."), Some(" "), Some("NULL")];
    let lone = [batch(vec![words(&values)], Vec::new())];
    assert_eq!(document(Format::Csv, &lone).0, "word\n\n\"\"\n\"\\.\"\n\\..\n \nNULL\n");
    assert_eq!(document(Format::Tsv, &lone).0, "word\n\\N\n\n\\\\.\n\\\\..\n \nNULL\n");
    let two = vec![words(&[Some("\\.")]), words(&[None])];
    check(
        Format::Csv,
        two,
        Vec::new(),
        expect![[r#"
        word,word
        \.,
    "#]],
    );
}

#[test]
fn json_values_stand_as_they_are_on_one_line() {
    let values = [
        r#" {"b":1.0,"a":1,"a":[1e400]} "#,
        "[1,\r\n 2]",
        "\"line\\n\"",
        "{broken",
        "",
        "1 2",
        "NaN",
        &"[".repeat(100_000),
    ];
    let column = filled("doc", Display::Json, StringArray::from(values.to_vec()));
    let (text, _) = document(Format::NdJson, &[batch(vec![column], Vec::new())]);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), values.len());
    expect![[r#"
        {"doc": {"b":1.0,"a":1,"a":[1e400]} }
        {"doc":[1,   2]}
        {"doc":"line\n"}
        {"doc":"{broken"}
        {"doc":""}
        {"doc":"1 2"}
        {"doc":"NaN"}"#]]
    .assert_eq(&lines[..7].join("\n"));
    assert_eq!(lines[7], format!(r#"{{"doc":"{}"}}"#, values[7]));
}

#[test]
fn json_escapes_what_it_must() {
    let text = "\u{0}\u{1f}\u{7f}\u{8}\u{c}/\"\\\u{2028}ä";
    let (json, _) = document(Format::NdJson, &[batch(vec![words(&[Some(text)])], Vec::new())]);
    let escaped = r#"\u0000\u001f"#.to_owned() + "\u{7f}" + r#"\u0008\u000c/\"\\"# + "\u{2028}ä";
    assert_eq!(json, format!("{{\"word\":\"{escaped}\"}}\n"));
}

#[test]
fn repeated_names_get_numbers_that_meet_no_other_name() {
    let names = ["a", "a", "a_2", "a", "", "", "a_2", "A"];
    let columns = names.map(|name| filled(name, Display::Integer, Int64Array::from(vec![1])));
    check(
        Format::NdJson,
        columns.into(),
        Vec::new(),
        expect![[r#"
        {"a":1,"a_3":1,"a_2":1,"a_4":1,"":1,"_2":1,"a_2_2":1,"A":1}
    "#]],
    );
}

#[test]
fn no_rows_still_make_a_document() {
    let empty = || vec![words(&[])];
    check(
        Format::Csv,
        empty(),
        Vec::new(),
        expect![[r#"
        word
    "#]],
    );
    check(
        Format::Tsv,
        empty(),
        Vec::new(),
        expect![[r#"
        word
    "#]],
    );
    check(
        Format::Json,
        empty(),
        Vec::new(),
        expect![[r#"
        []
    "#]],
    );
    check(Format::NdJson, empty(), Vec::new(), expect![[r#""#]]);
}

#[test]
fn no_columns_still_make_rows() {
    let batches = [send(Vec::new(), 2).read(Vec::new()).unwrap()];
    let text = |format| document(format, &batches).0;
    assert_eq!(text(Format::Csv), "\n\n\n");
    assert_eq!(text(Format::Tsv), "\n\n\n");
    assert_eq!(text(Format::Json), "[\n{},\n{}\n]\n");
    assert_eq!(text(Format::NdJson), "{}\n{}\n");
}

#[test]
fn batches_follow_one_another_without_a_seam() {
    let batches = [words(&[Some("a")]), words(&[]), words(&[Some("b"), Some("c")])];
    let batches = batches.map(|column| batch(vec![column], Vec::new()));
    let (text, written) = document(Format::Json, &batches);
    expect![[r#"
        [
        {"word":"a"},
        {"word":"b"},
        {"word":"c"}
        ]
    "#]]
    .assert_eq(&text);
    assert_eq!(written, Written { rows: 3, cells_cut: 0, cells_undecodable: 0 });
    assert_eq!(document(Format::Csv, &batches).0, "word\na\nb\nc\n");
}

#[test]
fn cells_that_are_not_what_they_were_are_counted() {
    let note = |row, note| CellNote { row, column: 0, note, display: None, full_size: None };
    let bytes = Bytes::from_static(b"\xe9");
    let notes =
        vec![note(0, Note::CutAtSize(9)), note(1, Note::Undecodable(bytes)), note(2, Note::CutAtSize(9))];
    let batch = batch(vec![words(&[Some("a"), None, Some("c")])], notes);
    for format in [Format::Csv, Format::Tsv, Format::Json, Format::NdJson, Format::Markdown] {
        let written = document(format, std::slice::from_ref(&batch)).1;
        assert_eq!(written, Written { rows: 3, cells_cut: 2, cells_undecodable: 1 });
    }
}

#[test]
fn huge_cells_pass_whole() {
    let text = "ä\"".repeat(6 << 20);
    let column = || vec![words(&[Some(&text), Some("b")])];
    let (csv, _) = document(Format::Csv, &[batch(column(), Vec::new())]);
    assert!(csv == format!("word\n\"{}\"\nb\n", text.replace('"', "\"\"")));
    let (json, _) = document(Format::NdJson, &[batch(column(), Vec::new())]);
    assert!(json == format!("{{\"word\":\"{}\"}}\n{{\"word\":\"b\"}}\n", text.replace('"', "\\\"")));
}

/// Accepts a number of bytes, then fails as a full disk does.
struct Full(usize);

impl io::Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0 -= bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let batch = batch(vec![words(&[Some("0123456789")])], Vec::new());
    let mut writer = Writer::begin(Format::Csv, batch.columns(), Full(16)).unwrap();
    writer.batch(&batch).unwrap();
    assert_eq!(writer.batch(&batch).unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert!(Writer::begin(Format::Csv, batch.columns(), Full(0)).is_err());
}

#[test]
fn rows_leave_with_their_batch() {
    let batch = batch(vec![words(&[Some("a")])], Vec::new());
    let mut out = Vec::new();
    let mut writer = Writer::begin(Format::Csv, batch.columns(), &mut out).unwrap();
    writer.batch(&batch).unwrap();
    drop(writer);
    assert_eq!(out, b"word\na\n");
}
