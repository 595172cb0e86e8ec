//! Sorts of results that several threads read, in many runs, against what `Vec::sort` says.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering as Atomic},
};

use proptest::prelude::*;
use querybox_results::{
    Case, CellNote, Direction, Note, Nulls, Rows, SortColumn, SpoolWriter, ViewError, Work, distinct, sort,
};

use crate::keeping::{budget, limits, numbered, raw, rows, texts, window};

/// Which of few texts a row has: alike in more than the first bytes of their keys, or not.
fn text_of(number: i64, different: i64) -> String {
    let value = number.wrapping_mul(7919).rem_euclid(different);
    match value % 3 {
        0 => format!("the same in its first forty bytes, and not behind: {value}"),
        1 => format!("{value}"),
        _ => "a".repeat((value % 40) as usize),
    }
}

/// Rows in blocks enough for each thread, with a long row here and there. One in 90 has its text in a note.
fn kept(batches: &[(i64, bool)], different: i64, folder: &Path) -> Rows {
    let text = |number| text_of(number, different);
    let mut writer = SpoolWriter::new(&budget(folder, limits()));
    let kept = rows(&writer, &numbered(0..1, text));
    let mut first = 0;
    for (count, is_long) in batches {
        let numbers = first..first + count;
        let sent =
            numbered(
                numbers.clone(),
                |number| {
                    if *is_long && number == first { long(number) } else { text(number) }
                },
            );
        let sizes = numbers.zip(0..).filter(|(number, _)| number % 90 == 7);
        let note =
            |row| CellNote { row, column: 1, note: Note::CutAtSize(1 << 30), display: None, full_size: None };
        let notes = sizes.map(|(_, row)| note(row)).collect();
        writer.push(raw(&sent, notes)).unwrap();
        first += count;
    }
    writer.end().unwrap();
    kept
}

fn long(number: i64) -> String {
    format!("the same in its first forty bytes, and not behind: {}", "x".repeat(100_000 + number as usize))
}

/// The text and the number of each row, in their order.
fn shown(view: &Rows) -> Vec<(String, i64)> {
    let window = window(view, 0, u32::MAX).unwrap();
    let numbers = texts(&window, 0).into_iter().map(|number| number.parse().unwrap());
    texts(&window, 1).into_iter().zip(numbers).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_long_sort_is_that_of_a_vec(
        batches in prop::collection::vec((1..1500_i64, any::<bool>()), 20..50),
        different in prop_oneof![Just(1_i64), Just(50), Just(1_000_000)],
        direction in prop_oneof![Just(Direction::Ascending), Just(Direction::Descending)],
        memory_bytes in prop_oneof![Just(1_usize), Just(300_000), Just(1 << 20), Just(1 << 28)],
    ) {
        let folder = tempfile::tempdir().unwrap();
        let kept = kept(&batches, different, folder.path());
        let by = [SortColumn { column: 1, direction, nulls: Nulls::Last, case: Case::Counts }];
        let (mut told, cancel) = (Vec::new(), AtomicBool::new(false));
        let mut progress = |progress: querybox_results::Progress| told.push(progress);
        let work = &mut Work { memory_bytes, progress: &mut progress, cancel: &cancel };

        let mut model = shown(&kept);
        model.sort_by(|one, two| match direction {
            Direction::Ascending => one.0.cmp(&two.0),
            Direction::Descending => two.0.cmp(&one.0),
        });
        let view = sort(&kept, &by, work).unwrap();
        prop_assert_eq!(shown(&view) == model, true, "another order");
        prop_assert_eq!(view.columns().len(), 2);

        // Of two that are cut nobody knows whether they are equal.
        let is_cut = |row: &(String, i64)| row.1 % 90 == 7;
        let once = distinct(&kept, &by, work).unwrap();
        let (cut, whole): (Vec<_>, Vec<_>) = shown(&once).into_iter().partition(is_cut);
        let (model_cut, mut model_whole): (Vec<_>, Vec<_>) = model.into_iter().partition(is_cut);
        model_whole.dedup_by(|later, earlier| later.0 == earlier.0);
        prop_assert_eq!(whole == model_whole, true, "others are repeated");
        prop_assert_eq!(cut == model_cut, true, "one that is cut is missing");
        prop_assert!(told.iter().all(|progress| progress.done <= progress.all));
    }
}

#[test]
fn a_long_sort_is_canceled_by_every_thread() {
    let folder = tempfile::tempdir().unwrap();
    let kept = kept(&[(1500, true); 40], 1000, folder.path());
    let by =
        [SortColumn { column: 1, direction: Direction::Ascending, nulls: Nulls::Last, case: Case::Counts }];
    for stop_at in [1, 30_000, 61_000, 100_000] {
        let cancel = AtomicBool::new(false);
        let mut progress = |progress: querybox_results::Progress| {
            if progress.done >= stop_at {
                cancel.store(true, Atomic::Relaxed);
            }
        };
        let mut work = Work { memory_bytes: 500_000, progress: &mut progress, cancel: &cancel };
        let ended = sort(&kept, &by, &mut work);
        assert!(matches!(ended, Err(ViewError::Canceled)), "at {stop_at}: {ended:?}");
    }
}

#[test]
fn a_disk_that_takes_no_runs_ends_a_sort() {
    let folder = tempfile::tempdir().unwrap();
    let gone = folder.path().join("gone");
    std::fs::create_dir(&gone).unwrap();
    let kept = kept(&[(1500, false); 40], 1000, &gone);
    std::fs::remove_dir(&gone).unwrap();
    let by =
        [SortColumn { column: 1, direction: Direction::Ascending, nulls: Nulls::Last, case: Case::Counts }];
    let cancel = AtomicBool::new(false);
    let mut work = Work { memory_bytes: 500_000, progress: &mut |_| (), cancel: &cancel };
    let ended = sort(&kept, &by, &mut work);
    assert!(matches!(ended, Err(ViewError::Spool(_))), "{ended:?}");
}
