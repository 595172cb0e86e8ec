//! The whole process that keeps rows, looks at them and views them: a line of JSON for each thing that was measured.

use std::{
    fs,
    hint::black_box,
    io::Write,
    panic::resume_unwind,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool, mpsc::sync_channel},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use querybox_results::{
    Budget, Case, Comparison, Condition, Direction, ExportFormat, ExportWatch, FileSink, KeptSource, Limits,
    Nulls, RawBatch, Rows, SortColumn, SpoolWriter, Test, ViewError, WindowQuery, Work, export, filter, sort,
    statistics,
};
use serde::{Deserialize, Serialize};

use super::rows;

/// What Core gives a view, of which the allocator's part is no part.
const VIEW_MEMORY_BYTES: usize = 192 << 20;
/// Rows that are made and kept nowhere, to see how fast that is.
const ROWS_ALONE: u64 = 500_000;
/// As long as the blocks of a spool.
const WRITTEN_BYTES: usize = 128 << 10;
/// Bytes that are written beside, to see how fast the disk is.
const WRITTEN_BYTES_MAX: u64 = 2 << 30;
const WINDOWS: u64 = 1000;
const WINDOW_ROWS: u32 = 100;
/// The columns of whole numbers and of long text.
const NUMBER: usize = 1;
pub(super) const TEXT: usize = 6;

/// What was measured.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) name: String,
    /// Seconds, or rows a second.
    pub(super) samples: Vec<f64>,
    /// Memory at its largest since the thing began, above what the process had before there were any rows.
    pub(super) grown_bytes: u64,
}

/// Keeps so many rows in files of this folder and tells what that and everything else took. With `parquet` the rows are also
/// written there, before anything is measured that could be compared with what others make of them.
///
/// # Errors
///
/// The disk is full, or an output that nobody reads.
pub fn keep(rows: u64, folder: &Path, parquet: Option<&Path>, out: &mut impl Write) -> anyhow::Result<()> {
    let limits = Limits {
        result_memory_bytes: 32 << 20,
        all_memory_bytes: 64 << 20,
        result_bytes: u64::MAX,
        all_bytes: u64::MAX,
        free_disk_percent: 90,
        cache_bytes: 16 << 20,
        files_max: 256,
    };
    let budget = Budget::new(folder.to_owned(), limits);
    // What making rows takes of memory is there before.
    rows::batches(10_000).try_for_each(|batch| batch.map(|batch| drop(black_box(batch))))?;
    let mut meter = Meter { base: memory("VmRSS")?, folder: folder.to_owned(), out };
    let kept = meter.spool(&budget, rows)?;
    meter.windows("window of a result", &kept)?;
    if let Some(path) = parquet {
        let sink = FileSink::create(path, querybox_results::Existing::Replaced)?;
        let mut watch = ExportWatch { progress: &mut |_| (), cancel: &AtomicBool::new(false) };
        export(&mut KeptSource::new(&kept), ExportFormat::Parquet, sink, &mut watch)?;
    }
    let is_less = |value: &str| Condition::Cell {
        column: NUMBER,
        test: Test::Compares { comparison: Comparison::Less, value: value.to_owned(), case: Case::Counts },
    };
    meter.timed("filter by a number", |work| filter(&kept, &is_less("100000"), work))?;
    let search = Condition::search(0..kept.columns().len(), "abcdef", Case::Ignored);
    meter.timed("search in all columns", |work| filter(&kept, &search, work))?;
    meter.timed("statistics of a text", |work| statistics(&kept, TEXT, work))?;
    for (name, column) in [("sort by a number", NUMBER), ("sort by a text", TEXT)] {
        let (direction, nulls, case) = (Direction::Ascending, Nulls::Last, Case::Counts);
        let by = [SortColumn { column, direction, nulls, case }];
        let view = meter.timed(name, |work| sort(&kept, &by, work))?;
        if column == TEXT {
            ensure!(view.row_count() == rows, "{} rows were sorted", view.row_count());
            meter.windows("window of a sorted view", &view)?;
        }
    }
    Ok(())
}

struct Meter<'o, W> {
    base: u64,
    folder: PathBuf,
    out: &'o mut W,
}

impl<W: Write> Meter<'_, W> {
    fn spool(&mut self, budget: &Arc<Budget>, rows: u64) -> anyhow::Result<Rows> {
        let few = rows.min(ROWS_ALONE);
        let begun = Instant::now();
        rows::batches(few).try_for_each(|batch| batch.map(|batch| drop(black_box(batch))))?;
        let alone = few as f64 / begun.elapsed().as_secs_f64();
        self.tell("rows alone", vec![alone])?;

        forget_peak();
        let mut writer = SpoolWriter::new(budget);
        let kept = Rows::new(rows::shape()?, writer.spool().clone());
        let begun = Instant::now();
        let took = thread::scope(|scope| {
            // As in Core: while a batch is on its way to the disk the next one is waited for, and no more.
            let (send, receive) = sync_channel::<RawBatch>(0);
            let keeping = scope.spawn(move || {
                let mut took = Duration::ZERO;
                for batch in receive {
                    let begun = Instant::now();
                    writer.push(batch)?;
                    took += begun.elapsed();
                }
                let begun = Instant::now();
                writer.end()?;
                anyhow::Ok(took + begun.elapsed())
            });
            let mut batches = rows::batches(rows);
            if let Some(first) = batches.next() {
                send.send(first?)?;
                self.first_page(&kept)?;
            }
            for batch in batches {
                // One that keeps no more says why.
                if send.send(batch?).is_err() {
                    break;
                }
            }
            drop(send);
            keeping.join().unwrap_or_else(|panic| resume_unwind(panic))
        })?;
        let spooled = rows as f64 / begun.elapsed().as_secs_f64();
        self.tell("spool", vec![took.as_secs_f64()])?;
        self.tell("rows into the spool", vec![spooled])?;
        let on_disk = self.disk(budget, rows)?;
        self.tell("rows that maker and disk give", vec![alone.min(on_disk)])?;
        Ok(kept)
    }

    /// Waits for the first rows and reads them, as whoever asked for them does.
    fn first_page(&mut self, kept: &Rows) -> anyhow::Result<()> {
        while kept.row_count() == 0 {
            thread::yield_now();
        }
        let columns: Vec<usize> = (0..kept.columns().len()).collect();
        let (cell_bytes, window_bytes) = (1024, 1 << 20);
        let query = WindowQuery { first: 0, count: WINDOW_ROWS, columns: &columns, cell_bytes, window_bytes };
        let begun = Instant::now();
        let window = kept.window(&query)?;
        let took = begun.elapsed();
        ensure!(window.row_count() > 0, "the first page is empty");
        self.tell("first page", vec![took.as_secs_f64()])
    }

    /// Writes as many bytes as the spool has on the disk, or a part of them, into another file there: rows a second.
    fn disk(&mut self, budget: &Budget, rows: u64) -> anyhow::Result<f64> {
        let all = budget.used().disk_bytes.max(WRITTEN_BYTES as u64);
        let written = all.min(WRITTEN_BYTES_MAX);
        let mut file = tempfile::tempfile_in(&self.folder)?;
        let block: Vec<u8> = (0..WRITTEN_BYTES).map(|at| ((at * 31) >> 3) as u8).collect();
        let begun = Instant::now();
        for _ in 0..written.div_ceil(WRITTEN_BYTES as u64) {
            file.write_all(&block)?;
        }
        let per_second = rows as f64 * (written as f64 / all as f64) / begun.elapsed().as_secs_f64();
        self.tell("rows on the disk alone", vec![per_second])?;
        Ok(per_second)
    }

    fn windows(&mut self, name: &str, rows: &Rows) -> anyhow::Result<()> {
        let columns: Vec<usize> = (0..rows.columns().len()).collect();
        let mut seconds = Vec::new();
        forget_peak();
        for at in 0..WINDOWS {
            // Anywhere, the same in every run.
            let first = at.wrapping_mul(0x9e37_79b9_7f4a_7c15) % rows.row_count().max(1);
            let (cell_bytes, window_bytes) = (1024, 1 << 20);
            let query =
                WindowQuery { first, count: WINDOW_ROWS, columns: &columns, cell_bytes, window_bytes };
            let begun = Instant::now();
            let window = rows.window(&query)?;
            seconds.push(begun.elapsed().as_secs_f64());
            ensure!(window.row_count() > 0, "row {first} is not there");
        }
        self.tell(name, seconds)
    }

    fn timed<T>(
        &mut self,
        name: &str,
        run: impl FnOnce(&mut Work<'_>) -> Result<T, ViewError>,
    ) -> anyhow::Result<T> {
        forget_peak();
        let cancel = AtomicBool::new(false);
        let begun = Instant::now();
        let made =
            run(&mut Work { memory_bytes: VIEW_MEMORY_BYTES, progress: &mut |_| (), cancel: &cancel })?;
        self.tell(name, vec![begun.elapsed().as_secs_f64()])?;
        Ok(made)
    }

    fn tell(&mut self, name: &str, samples: Vec<f64>) -> anyhow::Result<()> {
        let grown_bytes = memory("VmHWM")?.saturating_sub(self.base);
        let told = Told { name: name.to_owned(), samples, grown_bytes };
        writeln!(self.out, "{}", serde_json::to_string(&told)?)?;
        Ok(self.out.flush()?)
    }
}

/// Resident memory of this process: `VmRSS` now, `VmHWM` at its largest.
fn memory(name: &str) -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib: u64 = line.and_then(|line| line.split_whitespace().next()).context("no figure")?.parse()?;
    Ok(kib << 10)
}

/// From now on `VmHWM` is what was largest from now on. Where the kernel cannot forget, it is what was largest ever, which is no
/// less.
fn forget_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}
