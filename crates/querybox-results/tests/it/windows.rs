//! Kept rows as text: windows, cells by parts, statements.

use arrow_array::{BinaryArray, Date32Array, StringArray};
use bytes::Bytes;
use proptest::prelude::*;
use querybox_results::{
    CellNote, CellPart, Display, KeptWriter, Limit, Limits, Note, ReadError, Rows, Shape, SpoolError,
    SpoolWriter, State, StatementState, WindowQuery,
};

use crate::{
    ipc::{Sent, filled, send},
    keeping::{budget, limits, numbered, raw, rows, texts, window},
};

fn note(row: u32, column: u32, note: Note) -> CellNote {
    CellNote { row, column, note, display: None, full_size: None }
}

/// A date, a text and bytes in four rows.
fn mixed() -> (Sent, Vec<CellNote>) {
    let sent = send(
        vec![
            filled("day", Display::DateIso, Date32Array::from(vec![Some(0), None, None, Some(1)])),
            filled(
                "text",
                Display::Text,
                StringArray::from(vec![Some("größe"), None, Some("first"), Some("")]),
            ),
            filled("bytes", Display::BytesHex, BinaryArray::from_opt_vec(vec![Some(b"\x01\xab\xff"); 4])),
        ],
        4,
    );
    let notes = vec![
        note(1, 0, Note::ExactText("infinity".to_owned())),
        CellNote { display: Some(Display::Integer), ..note(1, 1, Note::ExactText("42".to_owned())) },
        note(2, 0, Note::Undecodable(Bytes::from_static(b"\xe9"))),
        note(2, 1, Note::CutAtSize(1 << 40)),
    ];
    (sent, notes)
}

/// Keeps a batch in the file.
fn kept(sent: &Sent, notes: Vec<CellNote>, folder: &std::path::Path) -> Rows {
    let mut writer = SpoolWriter::new(&budget(folder, limits()));
    let rows = rows(&writer, sent);
    writer.push(raw(sent, notes)).unwrap();
    writer.end().unwrap();
    rows
}

#[test]
fn a_window_tells_what_each_cell_is() {
    let folder = tempfile::tempdir().unwrap();
    let (sent, notes) = mixed();
    let rows = kept(&sent, notes, folder.path());
    let window = window(&rows, 0, 4).unwrap();
    let cell = |row, column| {
        let cell = window.cell(row, column);
        (cell.state, cell.text)
    };
    assert_eq!(cell(0, 0), (State::Value, "1970-01-01"));
    assert_eq!(cell(0, 1), (State::Value, "größe"));
    assert_eq!(cell(0, 2), (State::Value, "\\x01abff"));
    assert_eq!(cell(1, 0), (State::Value, "infinity"));
    assert_eq!(cell(1, 1), (State::Value, "42"));
    assert_eq!(window.cell(1, 1).display, Some(&Display::Integer));
    assert_eq!(window.cell(1, 0).display, None);
    assert_eq!(cell(2, 0), (State::Undecodable, "\\xe9"));
    assert_eq!(cell(2, 1), (State::Cut { full_size: 1 << 40 }, "first"));
    assert_eq!(cell(3, 1), (State::Value, ""));
}

#[test]
fn a_window_has_the_columns_that_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (sent, notes) = mixed();
    let rows = kept(&sent, notes, folder.path());
    let query = WindowQuery { first: 3, count: 9, columns: &[2, 0], cell_bytes: 100, window_bytes: 100 };
    let window = rows.window(&query).unwrap();
    assert_eq!((window.first(), window.row_count()), (3, 1));
    assert_eq!((window.cell(0, 0).text, window.cell(0, 1).text), ("\\x01abff", "1970-01-02"));
    // One that is wanted again is what it was, as far as there is room.
    let again = WindowQuery { first: 0, columns: &[1, 2, 1, 2], window_bytes: 1000, ..query };
    for cell_bytes in [2, 3, 100] {
        let window = rows.window(&WindowQuery { cell_bytes, ..again }).unwrap();
        assert_eq!(window.row_count(), 4);
        for (row, column) in (0..4).flat_map(|row| [(row, 0), (row, 1)]) {
            assert_eq!(window.cell(row, column), window.cell(row, column + 2), "{cell_bytes} bytes");
        }
    }
    let full = rows.window(&WindowQuery { window_bytes: 8, ..again }).unwrap();
    let cut = full.cell(0, 3);
    assert_eq!((cut.text, cut.text_bytes, cut.state), ("", 8, State::Cut { full_size: 3 }));
    let refused = rows.window(&WindowQuery { columns: &[0, 3], ..query }).unwrap_err();
    assert!(matches!(refused, ReadError::NoSuchColumn { column: 3, columns: 3 }), "{refused:?}");
    let refused = rows.cell(0, 7, 0..1).unwrap_err();
    assert!(matches!(refused, ReadError::NoSuchColumn { column: 7, columns: 3 }), "{refused:?}");
}

#[test]
fn a_long_cell_is_cut_between_characters_and_says_its_size() {
    let folder = tempfile::tempdir().unwrap();
    let (sent, notes) = mixed();
    let rows = kept(&sent, notes, folder.path());
    let query = WindowQuery { first: 0, count: 3, columns: &[1, 2], cell_bytes: 3, window_bytes: 100 };
    let window = rows.window(&query).unwrap();
    let text = window.cell(0, 0);
    assert_eq!((text.text, text.text_bytes, text.state), ("gr", 7, State::Cut { full_size: 7 }));
    // The size of the value, not of its digits.
    let bytes = window.cell(0, 1);
    assert_eq!((bytes.text, bytes.text_bytes, bytes.state), ("\\x0", 8, State::Cut { full_size: 3 }));
    assert_eq!(window.cell(1, 0).state, State::Value);
    // What the driver cut has the size that it says.
    assert_eq!(window.cell(2, 0).state, State::Cut { full_size: 1 << 40 });
    assert_eq!(window.cell(2, 0).text_bytes, 5);
}

#[test]
fn a_window_of_long_rows_ends_early() {
    let folder = tempfile::tempdir().unwrap();
    let rows = kept(&numbered(0..50, |_| "x".repeat(100)), Vec::new(), folder.path());
    let query = WindowQuery { first: 10, count: 40, columns: &[1], cell_bytes: 1000, window_bytes: 250 };
    assert_eq!(rows.window(&query).unwrap().row_count(), 3);
    assert_eq!(rows.window(&WindowQuery { window_bytes: 0, ..query }).unwrap().row_count(), 1);
    assert_eq!(rows.window(&WindowQuery { first: u64::MAX, ..query }).unwrap().row_count(), 0);
    assert_eq!(rows.cell(u64::MAX, 0, 0..1).unwrap(), None);
}

#[test]
fn rows_that_cannot_be_shown_say_so_and_others_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let (sent, _) = mixed();
    let mut writer = SpoolWriter::new(&budget(folder.path(), limits()));
    let rows = rows(&writer, &sent);
    writer.push(raw(&sent, Vec::new())).unwrap();
    writer.push(raw(&sent, vec![note(0, 0, Note::ExactText("a value is there".to_owned()))])).unwrap();
    let error = window(&rows, 3, 2).unwrap_err();
    assert_eq!(error.to_string(), "rows 5 to 8 cannot be shown");
    assert_eq!(window(&rows, 0, 4).unwrap().row_count(), 4);
}

proptest! {
    #[test]
    fn a_cell_comes_whole_by_parts(text in "[aäß€😀]{0,40}", bytes: Vec<u8>, step in 1..9_u64) {
        let folder = tempfile::tempdir().unwrap();
        let sent = send(
            vec![
                filled("text", Display::Text, StringArray::from(vec![text.as_str()])),
                filled("bytes", Display::BytesHex, BinaryArray::from_vec(vec![&bytes])),
                filled("day", Display::DateIso, Date32Array::from(vec![12])),
            ],
            1,
        );
        let rows = kept(&sent, Vec::new(), folder.path());
        let window = window(&rows, 0, 1).unwrap();
        for column in 0..3 {
            let mut whole = String::new();
            loop {
                let start = whole.len() as u64;
                let part = rows.cell(0, column, start..start + step).unwrap().unwrap();
                let expected =
                    CellPart { start, text: part.text.clone(), text_bytes: window.cell(0, column).text_bytes,
                        state: State::Value };
                prop_assert_eq!(&part, &expected);
                // A character of four bytes, when fewer were asked for.
                prop_assert!(part.text.len() as u64 <= step.max(4));
                if part.text.is_empty() {
                    break;
                }
                whole.push_str(&part.text);
            }
            prop_assert_eq!(whole.as_str(), window.cell(0, column).text);
        }
    }

    #[test]
    fn each_window_is_what_memory_has(
        lengths in prop::collection::vec(1..400_i64, 1..12),
        windows in prop::collection::vec((0..3000_u64, 0..500_u32), 1..20),
        result_memory_bytes in prop_oneof![Just(0), Just(100_000), Just(u64::MAX)],
        cache_bytes in prop_oneof![Just(0), Just(200_000), Just(1 << 20)],
    ) {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits { result_memory_bytes, cache_bytes, ..limits() };
        let mut writer = SpoolWriter::new(&budget(folder.path(), limits));
        let text = |number: i64| format!("{number}{}", "y".repeat((number % 300) as usize));
        let rows = rows(&writer, &numbered(0..1, text));
        let mut end = 0;
        for length in lengths {
            writer.push(raw(&numbered(end..end + length, text), Vec::new())).unwrap();
            end += length;
        }
        for (first, count) in windows {
            let expected: Vec<_> =
                (first..(first + u64::from(count)).min(end as u64)).map(|row| text(row as i64)).collect();
            prop_assert_eq!(texts(&window(&rows, first, count).unwrap(), 1), expected);
        }
    }
}

type Writer = KeptWriter<&'static str, &'static str>;

fn shape(sent: &Sent) -> Shape {
    Shape::new(&sent.schema, sent.columns.clone()).unwrap()
}

#[test]
fn statements_stand_each_for_itself() {
    let folder = tempfile::tempdir().unwrap();
    let sent = numbered(0..3, |number| number.to_string());
    let mut writer = Writer::new(&budget(folder.path(), limits()));
    let kept = writer.kept().clone();
    assert_eq!(kept.statement_count(), 0);
    assert!(kept.statement(0).is_none());

    writer.begin(Some(shape(&sent)));
    writer.push(raw(&sent, Vec::new())).unwrap();
    let first = kept.statement(0).unwrap();
    assert_eq!(first.state(), StatementState::Running);
    assert_eq!(first.rows().unwrap().row_count(), 3);
    writer.complete("SELECT 3").unwrap();
    assert_eq!(first.state(), StatementState::Complete("SELECT 3"));

    writer.begin(None);
    writer.fail("42601").unwrap();
    let second = kept.statement(1).unwrap();
    assert_eq!(second.state(), StatementState::Failed("42601"));
    assert!(second.rows().is_none());

    writer.begin(Some(shape(&sent)));
    drop(writer);
    assert_eq!(kept.statement_count(), 3);
    assert_eq!(kept.statement(2).unwrap().state(), StatementState::Abandoned);
    assert_eq!(texts(&window(first.rows().unwrap(), 0, 9).unwrap(), 0), ["0", "1", "2"]);
}

#[test]
fn a_limit_stays_the_state_of_its_statement() {
    let folder = tempfile::tempdir().unwrap();
    let sent = numbered(0..3, |number| number.to_string());
    let limits = Limits { result_bytes: 2000, ..limits() };
    let mut writer = Writer::new(&budget(folder.path(), limits));
    writer.begin(Some(shape(&sent)));
    let mut kept_rows = 0;
    let refused = loop {
        match writer.push(raw(&sent, Vec::new())) {
            Ok(()) => kept_rows += 3,
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, SpoolError::Limit(Limit::ResultBytes(2000))), "{refused:?}");
    writer.fail("canceled").unwrap();
    let statement = writer.kept().statement(0).unwrap();
    assert_eq!(statement.state(), StatementState::LimitReached(Limit::ResultBytes(2000)));
    assert!(kept_rows > 0);
    assert_eq!(window(statement.rows().unwrap(), 0, 100).unwrap().row_count(), kept_rows);
}

#[test]
fn a_row_of_many_long_cells_does_not_fill_memory() {
    let folder = tempfile::tempdir().unwrap();
    let text = |_| "x".repeat(100_000);
    let sent = numbered(0..3, text);
    let rows = kept(&sent, Vec::new(), folder.path());
    let columns = vec![1; 1000];
    let (cell_bytes, window_bytes) = (1 << 20, 1_000_000);
    let query = WindowQuery { first: 1, count: 2, columns: &columns, cell_bytes, window_bytes };
    let window = rows.window(&query).unwrap();
    assert_eq!(window.row_count(), 1);
    assert_eq!((window.cell(0, 0).text.len(), window.cell(0, 0).state), (100_000, State::Value));
    // What has no room is cut, and says so.
    let last = window.cell(0, 999);
    assert!(last.text.len() <= 1 && last.state == State::Cut { full_size: 100_000 }, "{last:?}");
    let bytes: usize = (0..1000).map(|column| window.cell(0, column).text.len()).sum();
    assert!(bytes < 2 * window_bytes + 1000, "{bytes} bytes");
}

#[test]
fn the_statements_of_a_result_have_its_limits_together() {
    let folder = tempfile::tempdir().unwrap();
    let text = |number: i64| format!("{number} {}", "x".repeat(1000));
    let bytes = raw(&numbered(0..100, text), Vec::new()).bytes();
    let limits = Limits { result_bytes: 5 * bytes / 2, result_memory_bytes: 3 * bytes / 2, ..limits() };
    let budget = budget(folder.path(), limits);
    let mut writer = KeptWriter::<(), ()>::new(&budget);
    for statement in 0..2 {
        let sent = numbered(0..100, text);
        writer.begin(Some(Shape::new(&sent.schema, sent.columns.clone()).unwrap()));
        writer.push(raw(&sent, Vec::new())).unwrap();
        if statement == 1 {
            let over = writer.push(raw(&sent, Vec::new()));
            assert!(matches!(over, Err(SpoolError::Limit(Limit::ResultBytes(_)))), "{over:?}");
        }
        writer.complete(()).unwrap();
    }
    // The second did not stay in memory beside the first, and another result has room of its own.
    let used = budget.used();
    assert!(used.memory_bytes <= 3 * bytes / 2 && used.disk_bytes > 0, "{used:?}");
    let mut other = KeptWriter::<(), ()>::new(&budget);
    let sent = numbered(0..100, text);
    other.begin(Some(Shape::new(&sent.schema, sent.columns.clone()).unwrap()));
    other.push(raw(&sent, Vec::new())).unwrap();
    drop((writer, other));
    assert_eq!((budget.used().bytes, budget.used().memory_bytes), (0, 0));
}
