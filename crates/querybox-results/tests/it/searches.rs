//! Searches look through whole columns at once, and find what a look at each cell finds.

use std::{path::Path, sync::atomic::AtomicBool};

use arrow_array::{BinaryArray, Int64Array, LargeStringArray, StringArray};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use bytes::Bytes;
use proptest::prelude::*;
use querybox_results::{
    Case, CellNote, Comparison, Condition, Direction, Display, Distinct, KeptSource, Note, Nulls, ReadError,
    Rows, SortColumn, Source as _, SpoolWriter, State, Test, ViewError, Work, distinct, filter, sort,
    statistics,
};

use crate::{
    ipc::{Filled, filled, send},
    keeping::{budget, limits, numbered, raw, rows, window},
    view_types::all_types,
};

fn keep(columns: Vec<Filled>, count: usize, notes: &[CellNote], copies: usize, folder: &Path) -> Rows {
    let sent = send(columns, count);
    let mut writer = SpoolWriter::new(&budget(folder, limits()));
    let kept = rows(&writer, &sent);
    for _ in 0..copies {
        writer.push(raw(&sent, notes.to_vec())).unwrap();
    }
    writer.end().unwrap();
    kept
}

fn work<T>(run: impl FnOnce(&mut Work<'_>) -> Result<T, ViewError>) -> Result<T, ViewError> {
    let cancel = AtomicBool::new(false);
    run(&mut Work { memory_bytes: 1 << 20, progress: &mut |_| (), cancel: &cancel })
}

type Shown = Vec<Option<String>>;

/// The texts of each row.
fn shown(kept: &Rows) -> Vec<Shown> {
    let window = window(kept, 0, u32::MAX).unwrap();
    let cell = |row, column| {
        let cell = window.cell(row, column);
        (cell.state != State::Null).then(|| cell.text.to_owned())
    };
    let columns = kept.columns().len();
    (0..window.row_count()).map(|row| (0..columns).map(|column| cell(row, column)).collect()).collect()
}

/// Holds a search against a look at each cell.
fn check(kept: &Rows, all: &[Shown], columns: &[usize], needle: &str, case: Case) {
    let view = work(|work| filter(kept, &Condition::search(columns.to_vec(), needle, case), work)).unwrap();
    let has = |text: &String| match case {
        Case::Counts => text.contains(needle),
        Case::Ignored => text.to_lowercase().contains(&needle.to_lowercase()),
    };
    let expected: Vec<_> = all
        .iter()
        .filter(|row| columns.iter().any(|column| row[*column].as_ref().is_some_and(has)))
        .collect();
    let found = shown(&view);
    assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{needle:?} in {columns:?}, {case:?}");
}

proptest! {
    #[test]
    fn what_lies_across_two_texts_is_in_none(
        texts in prop::collection::vec(prop::option::of("[aAb]{0,3}"), 1..40),
        needle in "[ab]{1,4}",
    ) {
        let folder = tempfile::tempdir().unwrap();
        let columns = vec![
            filled("t", Display::Text, StringArray::from(texts.clone())),
            filled("l", Display::Json, LargeStringArray::from(texts.clone())),
        ];
        let kept = keep(columns, texts.len(), &[], 2, folder.path());
        let all = shown(&kept);
        for case in [Case::Counts, Case::Ignored] {
            for columns in [&[0][..], &[1], &[0, 1]] {
                check(&kept, &all, columns, &needle, case);
            }
        }
    }

    #[test]
    fn any_part_of_any_cell_is_found(row in 0..50_usize, column in 0..15_usize, from in 0..30_usize, length in 1..9_usize) {
        let folder = tempfile::tempdir().unwrap();
        let note = |row, note| CellNote { row, column: 12, note, display: None, full_size: None };
        let notes = [
            note(3, Note::ExactText("-infinity, and more".to_owned())),
            note(4, Note::CutAtSize(1 << 33)),
            note(9, Note::Undecodable(Bytes::from_static(b"\xff"))),
            CellNote { column: 6, ..note(3, Note::ExactText("infinity".to_owned())) },
        ];
        let kept = keep(all_types(), 50, &notes, 3, folder.path());
        let all = shown(&kept);
        let text = all[row][column].clone().unwrap_or_else(|| "\\xff, infinity".to_owned());
        let letters: Vec<char> = text.chars().collect();
        let from = from % letters.len();
        let needle: String = letters[from..(from + length).min(letters.len())].iter().collect();
        let every: Vec<usize> = (0..15).collect();
        for case in [Case::Counts, Case::Ignored] {
            check(&kept, &all, &every, &needle, case);
            check(&kept, &all, &every, &needle.to_uppercase(), case);
            check(&kept, &all, &[column], &needle, case);
        }
    }
}

#[test]
fn what_lies_in_the_place_of_null_is_not_found() {
    let folder = tempfile::tempdir().unwrap();
    let offsets = OffsetBuffer::new(ScalarBuffer::from(vec![0, 3, 6]));
    let nulls = NullBuffer::from(vec![false, true]);
    let texts = StringArray::new(offsets, b"abcabc".as_slice().into(), Some(nulls));
    let kept = keep(vec![filled("t", Display::Text, texts)], 2, &[], 1, folder.path());
    for case in [Case::Counts, Case::Ignored] {
        check(&kept, &shown(&kept), &[0], "bc", case);
        check(&kept, &shown(&kept), &[0], "ca", case);
        // The empty text is in each that there is.
        check(&kept, &shown(&kept), &[0], "", case);
    }
}

#[test]
fn long_values_are_looked_through_part_by_part() {
    let folder = tempfile::tempdir().unwrap();
    let bytes: Vec<Vec<u8>> = (0..20_u8).map(|row| [vec![0; 9000], vec![0xab, row]].concat()).collect();
    let bytes = BinaryArray::from_iter_values(bytes);
    let kept = keep(vec![filled("b", Display::BytesHex, bytes)], 20, &[], 2, folder.path());
    let all = shown(&kept);
    for needle in ["ab13", "AB0", "00ab", "\\x00", "g"] {
        check(&kept, &all, &[0], needle, Case::Counts);
        check(&kept, &all, &[0], needle, Case::Ignored);
    }
}

#[test]
fn patterns_are_shared_and_no_more_than_may_be() {
    let folder = tempfile::tempdir().unwrap();
    let kept = keep(vec![filled("n", Display::Integer, Int64Array::from(vec![1]))], 1, &[], 1, folder.path());
    let matches =
        |pattern: String| Condition::Cell { column: 0, test: Test::Matches { pattern, case: Case::Counts } };
    let same = Condition::Any((0..1000).map(|_| matches("1".to_owned())).collect());
    assert_eq!(work(|work| filter(&kept, &same, work)).unwrap().row_count(), 1);
    let different = Condition::Any((0..1000).map(|at| matches(at.to_string())).collect());
    let refused = work(|work| filter(&kept, &different, work)).unwrap_err();
    assert!(matches!(refused, ViewError::Patterns { .. }), "{refused:?}");
    // A column that is named often is looked through once, and takes no more.
    let often = Condition::search(vec![0; 1_000_000], "1", Case::Ignored);
    assert_eq!(work(|work| filter(&kept, &often, work)).unwrap().row_count(), 1);
}

fn by(column: usize) -> SortColumn {
    SortColumn { column, direction: Direction::Ascending, nulls: Nulls::Last, case: Case::Counts }
}

/// Many blocks, so that several threads have some.
fn blocks(folder: &Path) -> Rows {
    let mut writer = SpoolWriter::new(&budget(folder, limits()));
    let text = |number: i64| format!("{number:06}{}", "x".repeat(400));
    let kept = rows(&writer, &numbered(0..1, text));
    for at in 0..40 {
        writer.push(raw(&numbered(at * 500..(at + 1) * 500, text), Vec::new())).unwrap();
    }
    // Nothing is read by who only adds rows.
    writer.end().unwrap();
    kept
}

#[test]
fn what_several_threads_found_comes_in_the_order_of_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let kept = blocks(folder.path());
    let view = work(|work| filter(&kept, &Condition::search([1], "7xxx", Case::Counts), work)).unwrap();
    let numbers: Vec<i64> =
        shown(&view).iter().map(|row| row[0].as_ref().unwrap().parse().unwrap()).collect();
    assert_eq!(numbers, (0..20_000).filter(|number| number % 10 == 7).collect::<Vec<_>>());
    let sorted = work(|work| sort(&kept, &[by(1)], work)).unwrap();
    assert_eq!(sorted.row_count(), 20_000);
    let found = work(|work| statistics(&kept, 0, work)).unwrap();
    assert_eq!((found.rows, found.numbers.unwrap().sum), (20_000, (19_999 * 10_000).to_string()));
    assert_eq!((found.least.as_deref(), found.greatest.as_deref()), (Some("0"), Some("19999")));
}

#[test]
fn what_cannot_be_read_is_told_whichever_thread_meets_it() {
    let folder = tempfile::tempdir().unwrap();
    for broken_at in [0, 17, 18, 39] {
        let mut writer = SpoolWriter::new(&budget(folder.path(), limits()));
        let text = |number: i64| format!("{number}{}", "x".repeat(400));
        let kept = rows(&writer, &numbered(0..1, text));
        for at in 0..40 {
            let mut batch = raw(&numbered(at * 500..(at + 1) * 500, text), Vec::new());
            if at == broken_at {
                batch.metadata = Bytes::from_static(b"nothing of Arrow's");
            }
            writer.push(batch).unwrap();
        }
        writer.end().unwrap();
        let first = broken_at as u64 * 500;
        let ended = work(|work| statistics(&kept, 0, work));
        let Err(ViewError::Read(ReadError::Rows { rows, .. })) = ended else { panic!("{ended:?}") };
        assert_eq!(rows, first..first + 500);
    }
}

#[test]
fn a_value_that_is_cut_is_equal_to_none() {
    let folder = tempfile::tempdir().unwrap();
    let texts = StringArray::from(vec!["same", "same", "same", "same", ""]);
    let cut =
        |row| CellNote { row, column: 0, note: Note::CutAtSize(1 << 30), display: None, full_size: None };
    let notes = [cut(1), cut(3), cut(4)];
    let kept = keep(vec![filled("t", Display::Text, texts)], 5, &notes, 1, folder.path());
    let view = work(|work| distinct(&kept, &[by(0)], work)).unwrap();
    assert_eq!(view.row_count(), 4, "two that are whole are the same");
    let compares = |comparison, value: &str| {
        let test = Test::Compares { comparison, value: value.to_owned(), case: Case::Counts };
        work(|work| filter(&kept, &Condition::Cell { column: 0, test }, work)).unwrap().row_count()
    };
    use Comparison::{Equal, Greater, LessOrEqual, NotEqual};
    assert_eq!((compares(Equal, "same"), compares(NotEqual, "same")), (2, 3));
    assert_eq!((compares(Greater, "same"), compares(LessOrEqual, "same")), (2, 3));
    assert_eq!(compares(Equal, ""), 0);
}

#[test]
fn bytes_in_a_column_of_another_type_are_no_text() {
    let folder = tempfile::tempdir().unwrap();
    let texts = StringArray::from(vec![Some("\\x6162"), None, Some("z"), None]);
    let blob = |row, text: &str| CellNote {
        row,
        column: 0,
        note: Note::ExactText(text.to_owned()),
        display: Some(Display::BytesHex),
        full_size: None,
    };
    let notes = [blob(1, "\\x6162"), blob(3, "\\x00")];
    let kept = keep(vec![filled("t", Display::Text, texts)], 4, &notes, 1, folder.path());
    let sorted = work(|work| sort(&kept, &[by(0)], work)).unwrap();
    let texts: Vec<_> = shown(&sorted).into_iter().map(|mut row| row.remove(0).unwrap()).collect();
    assert_eq!(texts, ["\\x6162", "z", "\\x00", "\\x6162"]);
    assert_eq!(work(|work| distinct(&kept, &[by(0)], work)).unwrap().row_count(), 4);
    let found = work(|work| statistics(&kept, 0, work)).unwrap();
    assert_eq!(found.distinct, Distinct::Exact(4));
    // In a column of numbers they can be asked for, too.
    let numbers = Int64Array::from(vec![Some(1), None, Some(2), None]);
    let kept = keep(vec![filled("n", Display::Integer, numbers)], 4, &notes, 1, folder.path());
    let comparison = Comparison::Equal;
    let test = Test::Compares { comparison, value: "\\x6162".to_owned(), case: Case::Counts };
    let view = work(|work| filter(&kept, &Condition::Cell { column: 0, test }, work)).unwrap();
    assert_eq!(view.row_count(), 1);
}

#[test]
fn long_rows_that_come_together_are_no_long_batch() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = SpoolWriter::new(&budget(folder.path(), limits()));
    // One long row among a thousand short ones, in each batch; the sort brings the long ones together.
    let text = |number: i64| if number % 1000 == 0 { "z".repeat(400_000) } else { String::new() };
    let kept = rows(&writer, &numbered(0..1, text));
    for at in 0..30 {
        writer.push(raw(&numbered(at * 1000..(at + 1) * 1000, text), Vec::new())).unwrap();
    }
    writer.end().unwrap();
    let cancel = AtomicBool::new(false);
    for memory_bytes in [1 << 20, 1 << 30] {
        let mut work = Work { memory_bytes, progress: &mut |_| (), cancel: &cancel };
        let view = sort(&kept, &[by(1)], &mut work).unwrap();
        assert_eq!(view.row_count(), 30_000);
        let mut batches = KeptSource::new(&view);
        while let Some(batch) = batches.next_batch().unwrap() {
            assert!(batch.bytes() < 1 << 20, "{} rows of {} bytes", batch.row_count, batch.bytes());
        }
    }
}
