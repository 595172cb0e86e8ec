//! Tables as they look.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteOptions};
use arrow_schema::{DataType, Field, Schema};
use expect_test::{Expect, expect};
use querybox_results::{Batch, CellNote, Column, Display, Note, Shape};

use super::{Arrangement, Counts, PAGE_ROWS, Table};
use crate::screen::Paint;

/// A column of texts, which every kind of value can be sent as.
type Texts<'a> = (&'a str, Display, Vec<Option<&'a str>>);

fn columns(texts: &[Texts<'_>]) -> Vec<Column> {
    let column = |(name, display, _): &Texts<'_>| Column {
        name: (*name).to_owned(),
        database_type: String::new(),
        display: display.clone(),
    };
    texts.iter().map(column).collect()
}

fn batch(texts: &[Texts<'_>], row_count: usize, notes: Vec<CellNote>) -> Batch {
    let fields: Vec<_> = texts.iter().map(|(name, ..)| Field::new(*name, DataType::Utf8, true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let arrays = texts
        .iter()
        .map(|(_, _, values)| -> ArrayRef { Arc::new(values.iter().copied().collect::<StringArray>()) });
    let options = RecordBatchOptions::new().with_row_count(Some(row_count));
    let rows = RecordBatch::try_new_with_options(Arc::clone(&schema), arrays.collect(), &options).unwrap();
    let (generator, write) = (IpcDataGenerator::default(), IpcWriteOptions::default());
    let mut tracker = DictionaryTracker::new(true);
    let header = generator.schema_to_bytes_with_dictionary_tracker(&schema, &mut tracker, &write);
    let (_, sent) = generator.encode(&rows, &mut tracker, &write, &mut Default::default()).unwrap();
    let shape = Shape::new(&header.ipc_message.into(), columns(texts)).unwrap();
    let row_count = u32::try_from(row_count).unwrap();
    shape.batch(&sent.ipc_message.into(), sent.arrow_data.into(), row_count, notes).unwrap()
}

fn table(batches: &[&[Texts<'_>]], room: Option<usize>, paint: Paint) -> (String, Counts) {
    let mut table = Table::begin(&columns(batches[0]), Vec::new(), room, paint, Arrangement::Fitting);
    for texts in batches {
        let row_count = texts.first().map_or(0, |(_, _, values)| values.len());
        table.batch(&batch(texts, row_count, Vec::new())).unwrap();
        table.flush().unwrap();
    }
    let (out, counts) = table.end().unwrap();
    (String::from_utf8(out).unwrap(), counts)
}

fn check(texts: &[Texts<'_>], room: Option<usize>, expected: Expect) -> Counts {
    let (out, counts) = table(&[texts], room, Paint::OFF);
    expected.assert_eq(&out);
    if let Some(room) = room {
        let widths = out.lines().map(unicode_width::UnicodeWidthStr::width);
        assert!(widths.clone().max() <= Some(room), "{:?}", widths.collect::<Vec<_>>());
    }
    counts
}

fn shop() -> Vec<Texts<'static>> {
    vec![
        ("id", Display::Integer, vec![Some("1"), Some("20"), Some("300")]),
        ("name", Display::Text, vec![Some("Ada"), None, Some("日本語")]),
        ("price", Display::Decimal, vec![Some("12.50"), Some("3.00"), None]),
    ]
}

#[test]
fn numbers_stand_right_and_null_is_visible() {
    check(
        &shop(),
        Some(80),
        expect![[r#"
              id │ name   │ price
            ─────┼────────┼──────
               1 │ Ada    │ 12.50
              20 │ ∅      │  3.00
             300 │ 日本語 │     ∅
        "#]],
    );
}

#[test]
fn the_text_null_is_not_the_value_null() {
    let texts = [("value", Display::Text, vec![Some("NULL"), None, Some("")])];
    let (out, _) = table(&[&texts], Some(80), Paint::ON);
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines[2], " NULL");
    assert_eq!(lines[3], format!(" {}", Paint::ON.dim("NULL")));
    assert_eq!(lines[4], "");
}

#[test]
fn nothing_that_a_terminal_obeys_comes_out() {
    let texts = [
        ("na\x1b[31mme", Display::Text, vec![Some("a\nb\tc"), Some("\x1b]0;owned\x07"), Some("\u{202e}txt")]),
        ("n", Display::Integer, vec![Some("1\r"), Some("2"), Some("3")]),
    ];
    check(
        &texts,
        None,
        expect![[r#"
             na\x1b[31mme     │   n
            ──────────────────┼────
             a\nb\tc          │ 1\r
             \x1b]0;owned\x07 │   2
             \u{202e}txt      │   3
        "#]],
    );
}

#[test]
fn only_what_the_terminal_has_no_room_for_is_cut() {
    let texts = [
        ("id", Display::Integer, vec![Some("1"), Some("2")]),
        ("note", Display::Text, vec![Some("short"), Some("a note that is far too long for this terminal")]),
        ("other", Display::Text, vec![Some("also rather long text"), Some("x")]),
    ];
    let counts = check(
        &texts,
        Some(40),
        expect![[r#"
             id │ note             │ other
            ────┼──────────────────┼────────────────
              1 │ short            │ also rather lo…
              2 │ a note that is … │ x
        "#]],
    );
    assert_eq!(counts, Counts { rows: 2, cells_cut: 0, cells_narrowed: 2 });
}

#[test]
fn off_a_terminal_no_cell_is_cut() {
    let long = "x".repeat(1000);
    let texts = [
        ("a", Display::Text, vec![Some(long.as_str()), Some("short")]),
        ("b", Display::Integer, vec![Some("1"), Some("2")]),
    ];
    let (out, counts) = table(&[&texts], None, Paint::OFF);
    assert!(out.contains(&format!(" {long} │ 1\n")));
    assert!(out.lines().all(|line| line.len() < 1100), "no other line is as long");
    assert_eq!(counts.cells_narrowed, 0);
}

#[test]
fn widths_grow_with_later_pages() {
    let first = [("name", Display::Text, vec![Some("Ada")]), ("n", Display::Integer, vec![Some("1")])];
    let later =
        [("name", Display::Text, vec![Some("Grace Hopper")]), ("n", Display::Integer, vec![Some("2")])];
    let (out, _) = table(&[&first, &later, &first], Some(80), Paint::OFF);
    expect![[r#"
         name │ n
        ──────┼──
         Ada  │ 1
         Grace Hopper │ 2
         Ada          │ 1
    "#]]
    .assert_eq(&out);
}

#[test]
fn too_many_columns_are_shown_a_row_at_a_time() {
    let names = ["identifier", "first_name", "last_name", "email_address", "a\nb"];
    let texts: Vec<Texts<'_>> =
        names.iter().map(|name| (*name, Display::Text, vec![Some("some longer value"), None])).collect();
    check(
        &texts,
        Some(45),
        expect![[r#"
            -[ RECORD 1 ]---------------------------
             identifier    │ some longer value
             first_name    │ some longer value
             last_name     │ some longer value
             email_address │ some longer value
             a\nb          │ some longer value
            -[ RECORD 2 ]---------------------------
             identifier    │ ∅
             first_name    │ ∅
             last_name     │ ∅
             email_address │ ∅
             a\nb          │ ∅
        "#]],
    );
}

#[test]
fn a_result_without_rows_shows_its_columns() {
    let texts = [("id", Display::Integer, vec![]), ("", Display::Text, vec![])];
    check(
        &texts,
        Some(80),
        expect![[r#"
             id │
            ────┼──
        "#]],
    );
}

#[test]
fn a_result_without_columns_shows_nothing_and_counts() {
    let mut table = Table::begin(&[], Vec::new(), Some(80), Paint::OFF, Arrangement::Fitting);
    table.batch(&batch(&[], 3, Vec::new())).unwrap();
    let (out, counts) = table.end().unwrap();
    assert_eq!((out.as_slice(), counts.rows), (b"".as_slice(), 3));
}

#[test]
fn rows_never_wait_for_more_than_a_page() {
    let values = vec![Some("x"); PAGE_ROWS + 1];
    let texts = [("v", Display::Text, values)];
    let mut table = Table::begin(&columns(&texts), Vec::new(), Some(80), Paint::OFF, Arrangement::Fitting);
    table.batch(&batch(&texts, PAGE_ROWS + 1, Vec::new())).unwrap();
    assert!(table.is_waiting());
    assert_eq!(String::from_utf8_lossy(&table.out).lines().count(), 2 + PAGE_ROWS);
}

#[test]
fn memory_does_not_grow_with_huge_cells() {
    let huge = "y".repeat(3 << 20);
    let texts = [("v", Display::Text, vec![Some(huge.as_str()); 8])];
    let mut table =
        Table::begin(&columns(&texts), std::io::sink(), Some(80), Paint::OFF, Arrangement::Fitting);
    let rows = batch(&texts, 8, Vec::new());
    for _ in 0..50 {
        table.batch(&rows).unwrap();
        assert!(table.page.bytes() < 8 << 20);
    }
}

#[test]
fn a_value_that_the_driver_cut_says_so() {
    let texts = [("v", Display::Text, vec![Some("begin")])];
    let note = CellNote { row: 0, column: 0, note: Note::CutAtSize(1 << 30), display: None, full_size: None };
    let mut table = Table::begin(&columns(&texts), Vec::new(), None, Paint::OFF, Arrangement::Fitting);
    table.batch(&batch(&texts, 1, vec![note])).unwrap();
    let (out, counts) = table.end().unwrap();
    assert!(String::from_utf8(out).unwrap().contains(" begin…\n"));
    assert_eq!(counts.cells_cut, 1);
}
