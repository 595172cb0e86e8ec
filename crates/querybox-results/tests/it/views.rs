//! Views of kept rows, against what a few lines over a `Vec` say.

use std::{
    cmp::Ordering,
    path::Path,
    sync::atomic::{AtomicBool, Ordering as Atomic},
};

use arrow_array::{Int64Array, StringArray};
use proptest::prelude::*;
use querybox_results::{
    Case, CellNote, Comparison, Condition, Direction, Display, Distinct, Limit, Limits, Note, Nulls, Rows,
    SortColumn, SpoolWriter, State, Statistics, Test, ViewError, Work, distinct, filter, sort, statistics,
};

use crate::{
    ipc::{Sent, filled, send},
    keeping::{budget, limits, numbered, raw, rows, window},
};

/// A row of tests: its number, an integer, a text, and a decimal that may be one of those Arrow has no form for.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    number: i64,
    integer: Option<i64>,
    text: Option<String>,
    decimal: Option<Decimal>,
}

/// The order of variants is that of PostgreSQL's numeric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Decimal {
    NegativeInfinity,
    /// Hundredths.
    Finite(i64),
    Infinity,
    NotANumber,
}

impl Decimal {
    fn text(self) -> String {
        match self {
            Decimal::NegativeInfinity => "-Infinity".to_owned(),
            Decimal::Finite(hundredths) => {
                let sign = if hundredths < 0 { "-" } else { "" };
                let hundredths = hundredths.unsigned_abs();
                format!("{sign}{}.{:02}", hundredths / 100, hundredths % 100)
            }
            Decimal::Infinity => "Infinity".to_owned(),
            Decimal::NotANumber => "NaN".to_owned(),
        }
    }
}

fn a_row() -> impl Strategy<Value = Row> {
    let decimal = prop_oneof![
        Just(Decimal::NegativeInfinity),
        Just(Decimal::Infinity),
        Just(Decimal::NotANumber),
        (-300..300_i64).prop_map(Decimal::Finite),
        any::<i32>().prop_map(|hundredths| Decimal::Finite(hundredths.into())),
    ];
    let integer = prop_oneof![-9..9_i64, any::<i64>()];
    let text = prop_oneof!["[abAB]{0,2}", "[aäÄ\0€]{0,4}"];
    (prop::option::of(integer), prop::option::of(text), prop::option::of(decimal))
        .prop_map(|(integer, text, decimal)| Row { number: 0, integer, text, decimal })
}

/// Rows in batches.
fn table() -> impl Strategy<Value = Vec<Vec<Row>>> {
    prop::collection::vec(prop::collection::vec(a_row(), 1..40), 0..8).prop_map(|mut batches| {
        batches.iter_mut().flatten().zip(0..).for_each(|(row, number)| row.number = number);
        batches
    })
}

/// As a driver sends them: decimals that are no digits in notes.
fn sent(rows: &[Row]) -> (Sent, Vec<CellNote>) {
    let numbers: Int64Array = rows.iter().map(|row| Some(row.number)).collect();
    let integers: Int64Array = rows.iter().map(|row| row.integer).collect();
    let texts: StringArray = rows.iter().map(|row| row.text.clone()).collect();
    let hundredths = rows.iter().map(|row| match row.decimal {
        Some(Decimal::Finite(hundredths)) => Some(i128::from(hundredths)),
        _ => None,
    });
    let decimals: arrow_array::Decimal128Array = hundredths.collect();
    let decimals = decimals.with_precision_and_scale(20, 2).unwrap();
    let notes = rows.iter().zip(0..).filter_map(|(row, at)| match row.decimal? {
        Decimal::Finite(_) => None,
        other => {
            let note = Note::ExactText(other.text());
            Some(CellNote { row: at, column: 3, note, display: None, full_size: None })
        }
    });
    let columns = vec![
        filled("number", Display::Integer, numbers),
        filled("integer", Display::Integer, integers),
        filled("text", Display::Text, texts),
        filled("decimal", Display::Decimal, decimals),
    ];
    (send(columns, rows.len()), notes.collect())
}

fn keep(batches: &[Vec<Row>], folder: &Path) -> Rows {
    let mut writer = SpoolWriter::new(&budget(folder, Limits { result_memory_bytes: 2000, ..limits() }));
    let kept = rows(&writer, &sent(&[]).0);
    for batch in batches {
        let (sent, notes) = sent(batch);
        writer.push(raw(&sent, notes)).unwrap();
    }
    writer.end().unwrap();
    kept
}

/// What a view shows, row by row: all that the model knows too.
fn shown(view: &Rows) -> Vec<Vec<Option<String>>> {
    let window = window(view, 0, u32::MAX).unwrap();
    let cell = |row, column| {
        let cell = window.cell(row, column);
        (cell.state != State::Null).then(|| cell.text.to_owned())
    };
    (0..window.row_count()).map(|row| (0..4).map(|column| cell(row, column)).collect()).collect()
}

fn expected(rows: &[Row]) -> Vec<Vec<Option<String>>> {
    let cells = |row: &Row| {
        let integer = row.integer.map(|integer| integer.to_string());
        vec![Some(row.number.to_string()), integer, row.text.clone(), row.decimal.map(Decimal::text)]
    };
    rows.iter().map(cells).collect()
}

fn work(memory_bytes: usize, run: impl FnOnce(&mut Work<'_>) -> Result<Rows, ViewError>) -> Rows {
    let (mut told, cancel) = (Vec::new(), AtomicBool::new(false));
    let mut progress = |progress: querybox_results::Progress| told.push(progress);
    let view = run(&mut Work { memory_bytes, progress: &mut progress, cancel: &cancel }).unwrap();
    assert!(told.iter().all(|progress| progress.done <= progress.all), "{told:?}");
    view
}

fn sort_column() -> impl Strategy<Value = SortColumn> {
    let direction = prop_oneof![Just(Direction::Ascending), Just(Direction::Descending)];
    let nulls = prop_oneof![Just(Nulls::First), Just(Nulls::Last)];
    let case = prop_oneof![Just(Case::Counts), Just(Case::Ignored)];
    (1..4_usize, direction, nulls, case).prop_map(|(column, direction, nulls, case)| SortColumn {
        column,
        direction,
        nulls,
        case,
    })
}

/// The order of two rows, as the model has it.
fn compare(one: &Row, two: &Row, by: &[SortColumn]) -> Ordering {
    fn values<T: Ord>(one: Option<T>, two: Option<T>, by: &SortColumn) -> Ordering {
        match (one, two) {
            (Some(one), Some(two)) if by.direction == Direction::Descending => two.cmp(&one),
            (Some(one), Some(two)) => one.cmp(&two),
            (None, None) => Ordering::Equal,
            (None, Some(_)) if by.nulls == Nulls::First => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) if by.nulls == Nulls::First => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
        }
    }
    let cased = |row: &Row, by: &SortColumn| match by.case {
        Case::Counts => row.text.clone(),
        Case::Ignored => row.text.as_ref().map(|text| text.to_lowercase()),
    };
    by.iter()
        .map(|by| match by.column {
            1 => values(one.integer, two.integer, by),
            2 => values(cased(one, by), cased(two, by), by),
            _ => values(one.decimal, two.decimal, by),
        })
        .find(|ordering| ordering.is_ne())
        .unwrap_or(Ordering::Equal)
}

proptest! {
    #[test]
    fn a_sort_is_that_of_a_vec(
        batches in table(),
        by in prop::collection::vec(sort_column(), 0..3),
        memory_bytes in prop_oneof![Just(1), Just(3000), Just(1 << 20)],
    ) {
        let folder = tempfile::tempdir().unwrap();
        let kept = keep(&batches, folder.path());
        let mut model: Vec<Row> = batches.into_iter().flatten().collect();
        model.sort_by(|one, two| compare(one, two, &by));
        let view = work(memory_bytes, |work| sort(&kept, &by, work));
        prop_assert_eq!(shown(&view), expected(&model));
        // The runs are gone.
        let spools = kept.spool().bytes() + view.spool().bytes();
        drop(kept);
        prop_assert!(view.spool().bytes() <= spools);

        model.dedup_by(|later, earlier| compare(earlier, later, &by).is_eq());
        let again = work(memory_bytes, |work| distinct(&view, &by, work));
        prop_assert_eq!(shown(&again), expected(&model));
    }

    #[test]
    fn a_filter_is_that_of_a_vec(batches in table(), integer in -9..9_i64, hundredths in -300..300_i64, text in "[abAB]{0,2}") {
        let folder = tempfile::tempdir().unwrap();
        let kept = keep(&batches, folder.path());
        let model: Vec<Row> = batches.into_iter().flatten().collect();
        let decimal = Decimal::Finite(hundredths);
        let compares = |column, comparison, value: String| Condition::Cell {
            column,
            test: Test::Compares { comparison, value, case: Case::Counts },
        };
        let contains = |case| Condition::Cell { column: 2, test: Test::Contains { text: text.clone(), case } };
        let is_null = Condition::Cell { column: 3, test: Test::IsNull };
        let has = |row: &Row| row.text.as_ref().is_some_and(|found| found.contains(&text));
        let has_in_any_case = |row: &Row| {
            row.text.as_ref().is_some_and(|found| found.to_lowercase().contains(&text.to_lowercase()))
        };
        type Holds<'m> = Box<dyn Fn(&Row) -> bool + 'm>;
        let cases: Vec<(Condition, Holds<'_>)> = vec![
            (compares(1, Comparison::Equal, format!("{integer}.0")), Box::new(|row| row.integer == Some(integer))),
            (compares(1, Comparison::Less, integer.to_string()),
                Box::new(|row| row.integer.is_some_and(|found| found < integer))),
            (compares(3, Comparison::GreaterOrEqual, decimal.text()),
                Box::new(|row| row.decimal.is_some_and(|found| found >= decimal))),
            (compares(3, Comparison::Equal, "nan".to_owned()),
                Box::new(|row| row.decimal == Some(Decimal::NotANumber))),
            (compares(2, Comparison::NotEqual, text.clone()),
                Box::new(|row| row.text.as_ref().is_some_and(|found| *found != text))),
            (compares(2, Comparison::Greater, text.clone()),
                Box::new(|row| row.text.as_ref().is_some_and(|found| *found > text))),
            (contains(Case::Counts), Box::new(has)),
            (contains(Case::Ignored), Box::new(has_in_any_case)),
            (is_null.clone(), Box::new(|row| row.decimal.is_none())),
            (Condition::Not(Box::new(is_null.clone())), Box::new(|row| row.decimal.is_some())),
            (Condition::All(vec![contains(Case::Counts), is_null.clone()]),
                Box::new(|row| has(row) && row.decimal.is_none())),
            (Condition::Any(vec![contains(Case::Counts), is_null]),
                Box::new(|row| has(row) || row.decimal.is_none())),
        ];
        for (condition, holds) in cases {
            let expected_rows: Vec<Row> = model.iter().filter(|row| holds(row)).cloned().collect();
            let view = work(0, |work| filter(&kept, &condition, work));
            prop_assert_eq!(shown(&view), expected(&expected_rows), "{:?}", condition);
        }
    }
}

fn by(column: usize) -> SortColumn {
    SortColumn { column, direction: Direction::Ascending, nulls: Nulls::Last, case: Case::Counts }
}

/// Each text in one row, with the text column of this kind.
fn texts_of(display: Display, texts: &[&str], folder: &Path) -> Rows {
    let sent = send(vec![filled("v", display, StringArray::from(texts.to_vec()))], texts.len());
    let mut writer = SpoolWriter::new(&budget(folder, limits()));
    let kept = rows(&writer, &sent);
    writer.push(raw(&sent, Vec::new())).unwrap();
    writer.end().unwrap();
    kept
}

fn first_column(view: &Rows) -> Vec<String> {
    crate::keeping::texts(&window(view, 0, u32::MAX).unwrap(), 0)
}

#[test]
fn servers_own_text_is_ordered_by_its_kind() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(Display, &[&str]); 4] = [
        (Display::Decimal, &["-Infinity", "-10.5", "-2", "0.000", "1e-3", "2", "10", "1e400", "NaN", "n/a"]),
        (
            Display::DateIso,
            &["-infinity", "0044-03-15 BC", "0001-01-01", "2024-02-29", "12024-01-01", "infinity"],
        ),
        (
            Display::TimestampIsoUtc,
            &["2024-02-29 01:00:00+02", "2024-02-28 23:00:00-01", "2024-02-29 00:30:00+00"],
        ),
        (Display::Text, &["", "10", "2", "B", "a", "ä"]),
    ];
    for (display, ordered) in cases {
        let mut mixed = ordered.to_vec();
        mixed.reverse();
        mixed.rotate_left(ordered.len() / 2);
        let kept = texts_of(display, &mixed, folder.path());
        let sorted = first_column(&work(1 << 20, |work| sort(&kept, &[by(0)], work)));
        assert_eq!(sorted, ordered);
    }
}

#[test]
fn a_pattern_finds_a_part_and_must_be_one() {
    let folder = tempfile::tempdir().unwrap();
    let kept = texts_of(Display::Text, &["error 12", "Error x", "warning 7"], folder.path());
    let matches = |pattern: &str, case| Condition::Cell {
        column: 0,
        test: Test::Matches { pattern: pattern.to_owned(), case },
    };
    let found = |condition: Condition| first_column(&work(0, |work| filter(&kept, &condition, work)));
    assert_eq!(found(matches(r"\d+$", Case::Counts)), ["error 12", "warning 7"]);
    assert_eq!(found(matches("^error", Case::Ignored)), ["error 12", "Error x"]);
    assert_eq!(found(Condition::search([0], "ERROR", Case::Ignored)), ["error 12", "Error x"]);
    assert_eq!(found(Condition::search([0], ".", Case::Ignored)), [""; 0]);
    let refused = |condition| {
        let cancel = AtomicBool::new(false);
        let mut work = Work { memory_bytes: 0, progress: &mut |_| (), cancel: &cancel };
        filter(&kept, &condition, &mut work).unwrap_err()
    };
    assert!(matches!(refused(matches("(", Case::Counts)), ViewError::Pattern(_)));
    assert!(matches!(refused(matches("((x{1000}){1000}){1000}", Case::Counts)), ViewError::Pattern(_)));
    assert!(matches!(refused(Condition::search([1], "", Case::Counts)), ViewError::Read(_)));
    let kept = texts_of(Display::Decimal, &["1"], folder.path());
    let test = Test::Compares { comparison: Comparison::Less, value: "ten".to_owned(), case: Case::Counts };
    let cancel = AtomicBool::new(false);
    let mut work = Work { memory_bytes: 0, progress: &mut |_| (), cancel: &cancel };
    let error = filter(&kept, &Condition::Cell { column: 0, test }, &mut work).unwrap_err();
    assert_eq!(error.to_string(), "\"ten\" is no value of column 0, whose kind is Decimal");
}

/// A hundred batches, of which each is a run when a sort has no memory.
fn many(folder: &Path, limits: Limits) -> Rows {
    let text = |number: i64| format!("{}", (number * 7919) % 100_003);
    let mut writer = SpoolWriter::new(&budget(folder, limits));
    let kept = rows(&writer, &numbered(0..1, text));
    for at in 0..100 {
        writer.push(raw(&numbered(at * 200..(at + 1) * 200, text), Vec::new())).unwrap();
    }
    writer.end().unwrap();
    kept
}

#[test]
fn more_runs_than_are_merged_at_once_are_merged_in_turns() {
    let folder = tempfile::tempdir().unwrap();
    let kept = many(folder.path(), limits());
    let view = work(1, |work| sort(&kept, &[by(1)], work));
    assert_eq!(view.row_count(), 20_000);
    let texts = crate::keeping::texts(&window(&view, 0, u32::MAX).unwrap(), 1);
    assert!(texts.is_sorted());
}

#[test]
fn a_view_is_canceled_between_batches() {
    let folder = tempfile::tempdir().unwrap();
    let kept = many(folder.path(), limits());
    let used = kept.spool().bytes();
    for stop_at in [1000, 19_000, 21_000, 39_000] {
        let cancel = AtomicBool::new(false);
        let mut progress = |progress: querybox_results::Progress| {
            if progress.done >= stop_at {
                cancel.store(true, Atomic::Relaxed);
            }
        };
        let mut work = Work { memory_bytes: 100_000, progress: &mut progress, cancel: &cancel };
        let ended = sort(&kept, &[by(1)], &mut work);
        assert!(matches!(ended, Err(ViewError::Canceled)), "at {stop_at}: {ended:?}");
        assert_eq!(kept.spool().bytes(), used);
    }
}

#[test]
fn a_view_that_is_too_long_names_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let whole = many(folder.path(), limits()).spool().bytes();
    let all_bytes = whole + whole / 2;
    let kept = many(folder.path(), Limits { all_bytes, ..limits() });
    let cancel = AtomicBool::new(false);
    let mut work = Work { memory_bytes: 1 << 20, progress: &mut |_| (), cancel: &cancel };
    let ended = sort(&kept, &[by(0)], &mut work);
    assert!(
        matches!(ended, Err(ViewError::Limit(Limit::AllBytes(bytes))) if bytes == all_bytes),
        "{ended:?}"
    );
    // A view of less has room.
    let test = Test::Compares { comparison: Comparison::Less, value: "500".to_owned(), case: Case::Counts };
    let view = filter(&kept, &Condition::Cell { column: 0, test }, &mut work).unwrap();
    assert_eq!(view.row_count(), 500);
}

fn statistics_of(kept: &Rows, column: usize, memory_bytes: usize) -> Statistics {
    let cancel = AtomicBool::new(false);
    statistics(kept, column, &mut Work { memory_bytes, progress: &mut |_| (), cancel: &cancel }).unwrap()
}

proptest! {
    #[test]
    fn statistics_are_those_of_a_vec(batches in table()) {
        let folder = tempfile::tempdir().unwrap();
        let kept = keep(&batches, folder.path());
        let model: Vec<Row> = batches.into_iter().flatten().collect();
        let integers: Vec<i64> = model.iter().filter_map(|row| row.integer).collect();
        let different: std::collections::BTreeSet<i64> = integers.iter().copied().collect();
        let found = statistics_of(&kept, 1, 1 << 20);
        prop_assert_eq!(found.rows, model.len() as u64);
        prop_assert_eq!(found.nulls, (model.len() - integers.len()) as u64);
        prop_assert_eq!(found.distinct, Distinct::Exact(different.len() as u64));
        prop_assert_eq!(found.least, different.first().map(i64::to_string));
        prop_assert_eq!(found.greatest, different.last().map(i64::to_string));
        let sum: i128 = integers.iter().map(|integer| i128::from(*integer)).sum();
        let numbers = found.numbers.unwrap();
        prop_assert_eq!((numbers.count, numbers.not_finite), (integers.len() as u64, 0));
        prop_assert_eq!(numbers.sum, sum.to_string());
        prop_assert_eq!(found.histogram.iter().map(|bar| bar.count).sum::<u64>(), integers.len() as u64);

        let found = statistics_of(&kept, 3, 1 << 20);
        let decimals: Vec<Decimal> = model.iter().filter_map(|row| row.decimal).collect();
        let finite = decimals.iter().filter(|decimal| matches!(decimal, Decimal::Finite(_))).count();
        prop_assert_eq!(found.greatest, decimals.iter().max().map(|decimal| decimal.text()));
        let numbers = found.numbers.unwrap();
        prop_assert_eq!((numbers.count, numbers.not_finite), (finite as u64, (decimals.len() - finite) as u64));

        let found = statistics_of(&kept, 2, 1 << 20);
        prop_assert_eq!(found.least, model.iter().filter_map(|row| row.text.clone()).min());
        prop_assert_eq!((found.numbers, found.histogram), (None, Vec::new()));
    }
}

#[test]
fn statistics_say_when_they_estimate() {
    let folder = tempfile::tempdir().unwrap();
    let kept = many(folder.path(), limits());
    assert_eq!(statistics_of(&kept, 0, 1 << 24).distinct, Distinct::Exact(20_000));
    let Distinct::About(about) = statistics_of(&kept, 0, 1000).distinct else { panic!("20,000 fit") };
    assert!((18_000..22_000).contains(&about), "{about}");
}

#[test]
fn statistics_of_times_have_bars_in_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let days = ["1970-01-01", "1970-01-02", "infinity", "1970-01-02"];
    let found = statistics_of(&texts_of(Display::DateIso, &days, folder.path()), 0, 1000);
    assert_eq!((found.least.as_deref(), found.greatest.as_deref()), (Some("1970-01-01"), Some("infinity")));
    assert_eq!((found.distinct, found.numbers), (Distinct::Exact(3), None));
    let bars: Vec<_> = found.histogram.iter().filter(|bar| bar.count > 0).collect();
    assert_eq!(bars.iter().map(|bar| bar.count).collect::<Vec<_>>(), [1, 2]);
    assert!(bars[1].from <= 86_400.0 && bars[1].to > 86_400.0);
}
