//! What a view takes of memory, measured at a child of its own.

use std::{env, fs, path::Path, process::Command, sync::atomic::AtomicBool};

use querybox_results::{Case, Direction, Nulls, Progress, Rows, SortColumn, SpoolWriter, Work, sort};

use crate::keeping::{budget, limits, numbered, raw, rows, texts, window};

const FOLDER: &str = "QUERYBOX_RESULTS_MEMORY_FOLDER";
const COLUMN: &str = "QUERYBOX_RESULTS_MEMORY_COLUMN";

const MIB: u64 = 1 << 20;
const WORK_BYTES: u64 = 24 * MIB;
const ROWS: i64 = 60;
const LONGEST_BYTES: u64 = 5 * MIB;

/// Rows of 1 to 5 MiB.
fn text_bytes(number: i64) -> usize {
    (1 + number as usize * 7 % 5) << 20
}

/// Alike in their first bytes, and in another order than their numbers.
fn text(number: i64) -> String {
    format!("{}{:03}{}", "x".repeat(1000), number * 37 % ROWS, "y".repeat(text_bytes(number) - 1003))
}

fn status_bytes(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let kib: u64 = line.trim().strip_suffix(" kB").unwrap().parse().unwrap();
    kib * 1024
}

fn kept(folder: &Path) -> Rows {
    let mut writer = SpoolWriter::new(&budget(folder, limits()));
    let kept = rows(&writer, &numbered(0..1, |_| String::new()));
    for number in 0..ROWS {
        writer.push(raw(&numbered(number..number + 1, text), Vec::new())).unwrap();
    }
    writer.end().unwrap();
    kept
}

/// What sorting by a column takes at most, in a process in which nothing else runs.
fn grown_bytes(column: &str) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let child = Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "--test-threads=1", "memory::sort_long_rows_child"])
        .env(FOLDER, folder.path())
        .env(COLUMN, column)
        // What is freed goes back at once, so that what is there is what is held.
        .env("MALLOC_MMAP_THRESHOLD_", "131072")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&child.stdout);
    let complained = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success() && told.contains("1 passed"), "{told}{complained}");
    let grown = told.lines().find_map(|line| line.split("grown by ").nth(1)).unwrap();
    grown.trim().parse().unwrap()
}

#[test]
fn a_sort_of_long_rows_holds_no_more_than_it_may() {
    for column in ["0", "1"] {
        let grown = grown_bytes(column);
        // Beside what is its own there are the few rows that are just read, put together and written.
        let most = WORK_BYTES + 8 * LONGEST_BYTES;
        assert!(grown < most, "by column {column}: {} MiB", grown / MIB);
    }
}

#[test]
#[ignore = "half of a_sort_of_long_rows_holds_no_more_than_it_may"]
fn sort_long_rows_child() {
    let folder = env::var_os(FOLDER).expect("this is half of another test, which starts it");
    let column: usize = env::var(COLUMN).unwrap().parse().unwrap();
    let kept = kept(folder.as_ref());
    let by =
        [SortColumn { column, direction: Direction::Descending, nulls: Nulls::Last, case: Case::Counts }];
    let (cancel, mut told) = (AtomicBool::new(false), Vec::new());
    let mut progress = |progress: Progress| told.push(progress);
    let work = &mut Work { memory_bytes: WORK_BYTES as usize, progress: &mut progress, cancel: &cancel };

    let before = status_bytes("VmRSS:");
    let sorted = sort(&kept, &by, work).unwrap();
    println!("grown by {}", status_bytes("VmHWM:").saturating_sub(before));

    let mut expected: Vec<i64> = (0..ROWS).collect();
    expected.sort_by_key(|number| -if column == 0 { *number } else { number * 37 % ROWS });
    let number = |row| texts(&window(&sorted, row, 1).unwrap(), 0)[0].parse().unwrap();
    let numbers: Vec<i64> = (0..ROWS as u64).map(number).collect();
    assert_eq!(numbers, expected);
    assert!(told.iter().all(|progress| progress.done <= progress.all));
}
