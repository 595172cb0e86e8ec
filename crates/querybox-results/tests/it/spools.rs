//! Batches kept outside of memory.

use std::{
    fs,
    io::{Read, Seek, SeekFrom, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use querybox_results::{
    KeptWriter, Limit, Limits, RawBatch, ReadError, Shape, SpoolError, SpoolWriter, Used,
};

use crate::keeping::{budget, limits, numbered, raw, rows, texts, window};

/// Rows of a batch that is as long as a block.
const ROWS: i64 = 1500;

fn text(number: i64) -> String {
    format!("canary-{number}-{}", "x".repeat(100))
}

/// The file that this process has without a name in a folder, by its road through /proc.
fn unnamed_file(folder: &Path) -> Option<PathBuf> {
    let links = fs::read_dir("/proc/self/fd").unwrap().map(|entry| entry.unwrap().path());
    let mut found = links.filter(|link| {
        let target = fs::read_link(link).unwrap_or_default();
        target.starts_with(folder) && target.to_string_lossy().ends_with("(deleted)")
    });
    found.next()
}

fn limit(result: Result<(), SpoolError>) -> Limit {
    match result {
        Err(SpoolError::Limit(limit)) => limit,
        other => panic!("no limit: {other:?}"),
    }
}

#[test]
fn rows_come_back_from_memory_and_file() {
    let folder = tempfile::tempdir().unwrap();
    for result_memory_bytes in [0, 1_000_000, u64::MAX] {
        let budget = budget(folder.path(), Limits { result_memory_bytes, ..limits() });
        let mut writer = SpoolWriter::new(&budget);
        let sent: Vec<_> = (0..20).map(|at| numbered(at * ROWS..(at + 1) * ROWS, text)).collect();
        let rows = rows(&writer, &sent[0]);
        for sent in &sent {
            writer.push(raw(sent, Vec::new())).unwrap();
        }
        writer.end().unwrap();
        assert_eq!(rows.row_count(), 20 * ROWS as u64);
        for first in [0, 1, 1499, 1500, 17_000, 29_990] {
            let window = window(&rows, first, 20).unwrap();
            let expected: Vec<_> = (first..(first + 20).min(30_000)).map(|row| text(row as i64)).collect();
            assert_eq!(texts(&window, 1), expected);
        }
        assert_eq!(window(&rows, 30_000, 1).unwrap().row_count(), 0);
        let used = budget.used();
        assert_eq!(used.bytes, rows.spool().bytes());
        // The first of them stay, as far as there is memory.
        assert!(used.memory_bytes <= result_memory_bytes, "{used:?}");
        match result_memory_bytes {
            0 => assert!(used.disk_bytes > used.bytes * 9 / 10, "{used:?}"),
            u64::MAX => assert_eq!(used, Used { memory_bytes: used.bytes, disk_bytes: 0, ..used }),
            _ => assert!(used.memory_bytes > 700_000 && used.disk_bytes > 2_000_000, "{used:?}"),
        }
        drop(rows);
        assert_eq!(budget.used(), Used { memory_bytes: 0, bytes: 0, disk_bytes: 0, files: 0 });
        assert_eq!(unnamed_file(folder.path()), None);
    }
}

#[test]
fn many_small_batches_lie_together() {
    let folder = tempfile::tempdir().unwrap();
    let budget = budget(folder.path(), limits());
    let mut writer = SpoolWriter::new(&budget);
    for number in 0..3000 {
        writer.push(raw(&numbered(number..number + 1, text), Vec::new())).unwrap();
    }
    let rows = rows(&writer, &numbered(0..1, text));
    writer.end().unwrap();
    let expected: Vec<_> = (700..800).map(text).collect();
    assert_eq!(texts(&window(&rows, 700, 100).unwrap(), 1), expected);
}

#[test]
fn the_statements_of_a_result_lie_in_one_file() {
    const STATEMENTS: i64 = 300;
    let folder = tempfile::tempdir().unwrap();
    let budget = budget(folder.path(), limits());
    let mut writer = KeptWriter::<(), ()>::new(&budget);
    for statement in 0..STATEMENTS {
        let sent = numbered(statement..statement + 30, text);
        writer.begin(Some(Shape::new(&sent.schema, sent.columns.clone()).unwrap()));
        writer.push(raw(&sent, Vec::new())).unwrap();
        writer.complete(()).unwrap();
    }
    let kept = writer.kept().clone();
    drop(writer);
    assert_eq!((budget.used().files, budget.used().memory_bytes), (1, 0));
    for statement in (0..STATEMENTS).step_by(7) {
        let statement_rows = kept.statement(statement as usize).unwrap();
        let window = window(statement_rows.rows().unwrap(), 29, 1).unwrap();
        assert_eq!(texts(&window, 1), [text(statement + 29)]);
    }
    drop(kept);
    assert_eq!(budget.used().files, 0);
}

#[test]
fn so_many_files_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let budget = budget(folder.path(), limits());
    let sent = numbered(0..30, text);
    let mut kept = Vec::new();
    let refused = loop {
        let mut writer = SpoolWriter::new(&budget);
        kept.push(rows(&writer, &sent));
        writer.push(raw(&sent, Vec::new())).unwrap();
        if let Err(refused) = writer.end() {
            break refused;
        }
    };
    assert_eq!(refused.to_string(), "kept results lie in 256 files, and in no more; drop one");
    assert_eq!((kept.len(), budget.used().files), (257, 256));
    // What did not get a file is in memory, and what goes makes room.
    assert_eq!(texts(&window(&kept[256], 0, 1).unwrap(), 1), [text(0)]);
    kept.swap_remove(0);
    let mut writer = SpoolWriter::new(&budget);
    writer.push(raw(&sent, Vec::new())).unwrap();
    writer.end().unwrap();
}

#[test]
fn the_file_shows_nothing_and_has_no_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = SpoolWriter::new(&budget(folder.path(), limits()));
    for at in 0..4 {
        writer.push(raw(&numbered(at * ROWS..(at + 1) * ROWS, text), Vec::new())).unwrap();
    }
    let spool = writer.spool().clone();
    writer.end().unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let link = unnamed_file(folder.path()).unwrap();
    let facts = fs::metadata(&link).unwrap();
    assert_eq!((facts.mode() & 0o777, facts.nlink()), (0o600, 0));
    let bytes = fs::read(&link).unwrap();
    assert!(bytes.len() > 500_000);
    assert!(!bytes.windows(6).any(|part| part == b"canary" || part == b"xxxxxx" || part == [0; 6]));
    drop(spool);
    assert_eq!(unnamed_file(folder.path()), None);
}

/// What a window says after the file was changed by `change`.
fn read_after(change: impl FnOnce(&mut fs::File)) -> ReadError {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = SpoolWriter::new(&budget(folder.path(), limits()));
    let sent = numbered(0..ROWS, text);
    let rows = rows(&writer, &sent);
    for _ in 0..3 {
        writer.push(raw(&sent, Vec::new())).unwrap();
    }
    writer.end().unwrap();
    let link = unnamed_file(folder.path()).unwrap();
    change(&mut fs::File::options().read(true).write(true).open(link).unwrap());
    // What was not changed is still there.
    assert_eq!(texts(&window(&rows, 3 * ROWS as u64 - 1, 1).unwrap(), 1), [text(ROWS - 1)]);
    window(&rows, 0, 1).unwrap_err()
}

#[test]
fn a_changed_file_is_an_error() {
    let is_damaged = |error| matches!(error, ReadError::Spool(SpoolError::Damaged));
    assert!(is_damaged(read_after(|file| {
        let mut byte = [0];
        file.seek(SeekFrom::Start(1000)).unwrap();
        file.read_exact(&mut byte).unwrap();
        file.seek(SeekFrom::Start(1000)).unwrap();
        file.write_all(&[byte[0] ^ 1]).unwrap();
    })));
    // The second block, of the same bytes, in the place of the first.
    assert!(is_damaged(read_after(|file| {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        let block = bytes.len() / 3;
        file.seek(SeekFrom::Start(0)).unwrap();
        file.write_all(&bytes[block..2 * block]).unwrap();
    })));
}

#[test]
fn a_shortened_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = SpoolWriter::new(&budget(folder.path(), limits()));
    let sent = numbered(0..ROWS, text);
    let rows = rows(&writer, &sent);
    writer.push(raw(&sent, Vec::new())).unwrap();
    writer.end().unwrap();
    let link = unnamed_file(folder.path()).unwrap();
    fs::File::options().write(true).open(link).unwrap().set_len(100).unwrap();
    let error = window(&rows, 0, 1).unwrap_err();
    assert!(matches!(error, ReadError::Spool(SpoolError::Damaged)), "{error:?}");
    assert_eq!(error.to_string(), "the file of a kept result was changed or damaged");
}

#[test]
fn a_folder_that_is_gone_is_an_error_and_what_is_in_memory_stays() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let mut writer = SpoolWriter::new(&budget(&missing, limits()));
    let sent = numbered(0..ROWS, text);
    let rows = rows(&writer, &sent);
    writer.push(raw(&sent, Vec::new())).unwrap();
    let refused = writer.push(raw(&sent, Vec::new())).unwrap_err();
    assert!(matches!(refused, SpoolError::File(_)), "{refused:?}");
    assert_eq!(rows.row_count(), ROWS as u64);
    assert_eq!(window(&rows, 0, 9).unwrap().row_count(), 9);
    // With a folder, the same spool goes on.
    fs::create_dir(&missing).unwrap();
    writer.push(raw(&sent, Vec::new())).unwrap();
    assert_eq!(rows.row_count(), 2 * ROWS as u64);
}

#[test]
fn each_limit_is_named_and_what_was_kept_stays() {
    let folder = tempfile::tempdir().unwrap();
    let sent = numbered(0..ROWS, text);
    let bytes = raw(&sent, Vec::new()).bytes();
    let cases = [
        (Limits { result_bytes: 3 * bytes, ..limits() }, Limit::ResultBytes(3 * bytes)),
        (Limits { all_bytes: 4 * bytes, ..limits() }, Limit::AllBytes(4 * bytes)),
        (Limits { free_disk_percent: 0, ..limits() }, Limit::FreeDisk(0)),
    ];
    for (limits, expected) in cases {
        let budget = budget(folder.path(), limits);
        let mut other = SpoolWriter::new(&budget);
        other.push(raw(&sent, Vec::new())).unwrap();
        let mut writer = SpoolWriter::new(&budget);
        let rows = rows(&writer, &sent);
        let mut kept = 0;
        let reached = loop {
            match writer.push(raw(&sent, Vec::new())) {
                Ok(()) => kept += 1,
                refused => break limit(refused),
            }
            assert!(kept < 10, "{expected} is never reached");
        };
        assert_eq!(reached, expected);
        assert_eq!(kept, if expected == Limit::FreeDisk(0) { 1 } else { 3 });
        // A shorter one might fit, but rows before it are missing.
        assert_eq!(limit(writer.push(raw(&numbered(0..1, text), Vec::new()))), expected);
        assert_eq!(rows.row_count(), kept * ROWS as u64);
        assert_eq!(texts(&window(&rows, kept * ROWS as u64 - 1, 2).unwrap(), 1), [text(ROWS - 1)]);
        // What the refused ones would have taken is free for others.
        assert_eq!(budget.used().bytes, (kept + 1) * bytes);
    }
}

#[test]
fn what_one_gives_back_another_can_have() {
    let folder = tempfile::tempdir().unwrap();
    let sent = numbered(0..ROWS, text);
    let bytes = raw(&sent, Vec::new()).bytes();
    let budget = budget(folder.path(), Limits { all_bytes: bytes, ..limits() });
    let mut one = SpoolWriter::new(&budget);
    one.push(raw(&sent, Vec::new())).unwrap();
    let mut two = SpoolWriter::new(&budget);
    assert_eq!(limit(two.push(raw(&sent, Vec::new()))), Limit::AllBytes(bytes));
    drop((one, two));
    SpoolWriter::new(&budget).push(raw(&sent, Vec::new())).unwrap();
}

#[test]
fn a_batch_without_rows_is_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let sent = numbered(0..0, text);
    let mut writer = SpoolWriter::new(&budget(folder.path(), limits()));
    writer.push(RawBatch { row_count: 0, ..raw(&sent, Vec::new()) }).unwrap();
    let rows = rows(&writer, &sent);
    assert_eq!((rows.row_count(), rows.spool().bytes()), (0, 0));
    writer.end().unwrap();
    assert_eq!(window(&rows, 0, 5).unwrap().row_count(), 0);
}

#[test]
fn readers_see_whole_rows_while_rows_arrive() {
    let folder = tempfile::tempdir().unwrap();
    let budget = budget(folder.path(), Limits { cache_bytes: 300_000, ..limits() });
    let mut writer = SpoolWriter::new(&budget);
    let sent: Vec<_> = (0..60).map(|at| numbered(at * ROWS..(at + 1) * ROWS, text)).collect();
    let rows = rows(&writer, &sent[0]);
    let is_through = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let read = |step: u64| {
            let (rows, is_through) = (&rows, &is_through);
            move || {
                let mut windows = 0;
                let mut row = 0;
                while !is_through.load(Ordering::Acquire) || windows < 50 {
                    let count = rows.row_count();
                    if count > 0 {
                        let first = row % count;
                        let window = window(rows, first, 3).unwrap();
                        let expected = (first..(first + 3).min(count)).map(|row| text(row as i64));
                        // Rows that came since may be there too.
                        assert!(texts(&window, 1).into_iter().zip(expected).all(|(is, was)| is == was));
                        assert!(window.row_count() > 0);
                        (row, windows) = (row + step, windows + 1);
                    }
                    std::thread::yield_now();
                }
            }
        };
        let readers = [scope.spawn(read(7919)), scope.spawn(read(104_729))];
        for sent in &sent {
            writer.push(raw(sent, Vec::new())).unwrap();
        }
        writer.end().unwrap();
        is_through.store(true, Ordering::Release);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
    assert_eq!(rows.row_count(), 60 * ROWS as u64);
}

#[test]
fn a_million_small_rows_are_kept_and_found() {
    let folder = tempfile::tempdir().unwrap();
    let budget = budget(folder.path(), Limits { result_memory_bytes: 4 << 20, ..limits() });
    let mut writer = SpoolWriter::new(&budget);
    let short = |number: i64| format!("row {number}");
    let sent = numbered(0..5000, short);
    let rows = rows(&writer, &sent);
    let begun = Instant::now();
    for _ in 0..200 {
        writer.push(raw(&sent, Vec::new())).unwrap();
    }
    writer.end().unwrap();
    for at in 0..200 {
        let first = at * 4999;
        let window = window(&rows, first, 100).unwrap();
        assert_eq!(window.cell(0, 1).text, short((first % 5000) as i64));
    }
    // Takes a tenth of a second when nothing else is busy.
    assert!(begun.elapsed() < Duration::from_secs(60));
}
