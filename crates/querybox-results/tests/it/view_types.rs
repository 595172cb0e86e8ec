//! Views keep each type of Arrow, and each kind of cell, as they were.

use std::{path::Path, sync::atomic::AtomicBool};

use arrow_array::{
    BinaryArray, BooleanArray, Date32Array, Decimal256Array, FixedSizeBinaryArray, Float32Array,
    Float64Array, Int64Array, LargeStringArray, StringArray, Time64MicrosecondArray,
    TimestampMicrosecondArray, UInt64Array,
    builder::{Int32Builder, ListBuilder},
};
use arrow_buffer::i256;
use bytes::Bytes;
use querybox_results::{
    Case, CellNote, Comparison, Condition, Direction, Display, Note, Nulls, Rows, SortColumn, SpoolWriter,
    State, Test, Work, filter, sort,
};

use crate::{
    ipc::{Filled, Sent, filled, send},
    keeping::{budget, limits, raw, rows, window},
};

const ROWS: i64 = 50;

/// Columns of every type, each third cell NULL.
pub(crate) fn all_types() -> Vec<Filled> {
    let some = |row: i64| (row % 3 != 0).then_some(row);
    let values = || (0..ROWS).map(some);
    let mut lists = ListBuilder::new(Int32Builder::new());
    for value in values() {
        if let Some(value) = value {
            lists.values().append_value(value as i32 - 20);
            lists.values().append_null();
        }
        lists.append(value.is_some());
    }
    let decimals: Decimal256Array = values().map(|value| value.map(i256::from)).collect();
    let uuids = values().map(|value| value.map(|value| i128::from(value).to_be_bytes()));
    let uuids = FixedSizeBinaryArray::try_from_sparse_iter_with_size(uuids, 16).unwrap();
    let bytes = values().map(|value| value.map(|value| vec![value as u8; 3]));
    let texts = || values().map(|value| value.map(|value| format!("text {value}")));
    let times = || values().map(|value| value.map(|value| value * 1_234_567_891));
    vec![
        filled("number", Display::Integer, Int64Array::from_iter_values(0..ROWS)),
        filled("bool", Display::BoolTF, values().map(|v| v.map(|v| v % 2 == 0)).collect::<BooleanArray>()),
        filled(
            "u64",
            Display::Integer,
            values().map(|v| v.map(|v| u64::MAX - v as u64)).collect::<UInt64Array>(),
        ),
        filled(
            "f32",
            Display::FloatPg,
            values().map(|v| v.map(|v| v as f32 / 7.0)).collect::<Float32Array>(),
        ),
        filled(
            "f64",
            Display::FloatPoint,
            values().map(|v| v.map(|v| v as f64 / -7.0)).collect::<Float64Array>(),
        ),
        filled("d256", Display::Decimal, decimals.with_precision_and_scale(70, 3).unwrap()),
        filled("date", Display::DateIso, values().map(|v| v.map(|v| v as i32)).collect::<Date32Array>()),
        filled("time", Display::Time, times().collect::<Time64MicrosecondArray>()),
        filled("at", Display::TimestampIso, times().collect::<TimestampMicrosecondArray>()),
        filled(
            "utc",
            Display::TimestampIsoUtc,
            times().collect::<TimestampMicrosecondArray>().with_timezone("UTC"),
        ),
        filled("uuid", Display::Uuid, uuids),
        filled("bytes", Display::BytesHex, bytes.collect::<BinaryArray>()),
        filled("text", Display::Text, texts().collect::<StringArray>()),
        filled("large", Display::Json, texts().collect::<LargeStringArray>()),
        filled("list", Display::Array(Box::new(Display::Integer)), lists.finish()),
    ]
}

/// A note of each form, in the text column.
fn notes() -> Vec<CellNote> {
    let note = |row, note| CellNote { row, column: 12, note, display: None, full_size: None };
    vec![
        note(3, Note::ExactText("exact".to_owned())),
        note(4, Note::CutAtSize(1 << 33)),
        CellNote { display: Some(Display::Integer), ..note(6, Note::ExactText("66".to_owned())) },
        CellNote { full_size: Some(77), ..note(9, Note::Undecodable(Bytes::from_static(b"\xff"))) },
        note(12, Note::Undecodable(Bytes::from_static(b"\xfe"))),
    ]
}

fn keep(sent: &Sent, folder: &Path) -> Rows {
    let mut writer = SpoolWriter::new(&budget(folder, limits()));
    let kept = rows(&writer, sent);
    for _ in 0..3 {
        writer.push(raw(sent, notes())).unwrap();
    }
    writer.end().unwrap();
    kept
}

/// A cell as a window shows it.
type Shown = (String, State, Option<Display>);

/// The rows of a view, each as it is shown.
fn shown(view: &Rows) -> Vec<Vec<Shown>> {
    let window = window(view, 0, u32::MAX).unwrap();
    let cell = |row, column| {
        let cell = window.cell(row, column);
        (cell.text.to_owned(), cell.state, cell.display.cloned())
    };
    let columns = view.columns().len();
    (0..window.row_count()).map(|row| (0..columns).map(|column| cell(row, column)).collect()).collect()
}

fn sorted(kept: &Rows, column: usize, memory_bytes: usize) -> Vec<Vec<Shown>> {
    let cancel = AtomicBool::new(false);
    let mut work = Work { memory_bytes, progress: &mut |_| (), cancel: &cancel };
    let by = SortColumn { column, direction: Direction::Descending, nulls: Nulls::First, case: Case::Counts };
    shown(&sort(kept, &[by], &mut work).unwrap())
}

#[test]
fn a_view_shows_each_cell_as_the_result_does() {
    let folder = tempfile::tempdir().unwrap();
    let kept = keep(&send(all_types(), ROWS as usize), folder.path());
    let all = shown(&kept);
    for memory_bytes in [1, 1 << 20] {
        let view = sorted(&kept, 0, memory_bytes);
        let expected: Vec<_> = (0..ROWS as usize)
            .rev()
            .flat_map(|row| [0, 1, 2].map(|copy| all[copy * ROWS as usize + row].clone()))
            .collect();
        assert_eq!(view, expected);
    }
    let cancel = AtomicBool::new(false);
    let mut work = Work { memory_bytes: 0, progress: &mut |_| (), cancel: &cancel };
    let test = Test::Compares { comparison: Comparison::Less, value: "10".to_owned(), case: Case::Counts };
    let view = filter(&kept, &Condition::Cell { column: 0, test }, &mut work).unwrap();
    let expected: Vec<_> =
        [0, 1, 2].into_iter().flat_map(|copy| all[copy * ROWS as usize..][..10].to_vec()).collect();
    assert_eq!(shown(&view), expected);
}

#[test]
fn arrays_are_sorted_and_filtered_by_their_text() {
    let folder = tempfile::tempdir().unwrap();
    let mut lists = ListBuilder::new(Int32Builder::new());
    for list in [vec![2], vec![10], Vec::new(), vec![2, 1]] {
        lists.append_value(list.into_iter().map(Some));
    }
    lists.append_null();
    let list = filled("list", Display::Array(Box::new(Display::Integer)), lists.finish());
    let sent = send(vec![list], 5);
    let mut writer = SpoolWriter::new(&budget(folder.path(), limits()));
    let kept = rows(&writer, &sent);
    // What is no list stands among the others.
    let note = Note::ExactText("{{1},{3}}".to_owned());
    writer
        .push(raw(&sent, vec![CellNote { row: 4, column: 0, note, display: None, full_size: None }]))
        .unwrap();
    writer.end().unwrap();
    let texts = |view: Vec<Vec<Shown>>| view.into_iter().map(|mut row| row.remove(0).0).collect::<Vec<_>>();
    assert_eq!(texts(sorted(&kept, 0, 1)), ["{}", "{{1},{3}}", "{2}", "{2,1}", "{10}"]);
    let cancel = AtomicBool::new(false);
    let mut work = Work { memory_bytes: 0, progress: &mut |_| (), cancel: &cancel };
    let test = Test::Compares { comparison: Comparison::Less, value: "{2}".to_owned(), case: Case::Counts };
    let view = filter(&kept, &Condition::Cell { column: 0, test }, &mut work).unwrap();
    assert_eq!(texts(shown(&view)), ["{10}", "{2,1}"]);
}

#[test]
fn each_type_is_sorted_by_its_values() {
    let folder = tempfile::tempdir().unwrap();
    let kept = keep(&send(all_types(), ROWS as usize), folder.path());
    // What grows with the row's number, or shrinks with it.
    for (column, grows) in [
        (2, false),
        (3, true),
        (4, false),
        (5, true),
        (6, true),
        (7, true),
        (8, true),
        (9, true),
        (10, true),
        (11, true),
    ] {
        let view = sorted(&kept, column, 1);
        let numbers: Vec<i64> = view
            .iter()
            .filter(|row| row[column].1 != State::Null)
            .map(|row| row[0].0.parse().unwrap())
            .collect();
        assert_eq!(numbers.len(), 3 * (ROWS as usize - 17), "column {column}");
        match grows {
            true => assert!(numbers.is_sorted_by(|one, two| one >= two), "column {column}: {numbers:?}"),
            false => assert!(numbers.is_sorted(), "column {column}: {numbers:?}"),
        }
        // NULL comes first.
        assert!(view[..3 * 17].iter().all(|row| row[column].1 == State::Null));
    }
}

#[test]
fn a_result_without_columns_has_views_too() {
    let folder = tempfile::tempdir().unwrap();
    let sent = send(Vec::new(), 3);
    let mut writer = SpoolWriter::new(&budget(folder.path(), limits()));
    let kept = rows(&writer, &sent);
    writer.push(raw(&sent, Vec::new())).unwrap();
    writer.end().unwrap();
    let cancel = AtomicBool::new(false);
    let mut work = Work { memory_bytes: 1, progress: &mut |_| (), cancel: &cancel };
    assert_eq!(sort(&kept, &[], &mut work).unwrap().row_count(), 3);
    assert_eq!(filter(&kept, &Condition::Any(Vec::new()), &mut work).unwrap().row_count(), 0);
}
