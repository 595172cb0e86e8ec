//! Measures kept results: `cargo run --release -p querybox-results --example kept -- ROWS FOLDER [PART…]`.
//!
//! Keeps rows of twelve mixed columns in a file in the folder, reads windows of it, makes views and exports, and prints what each
//! took and how much memory the process has had. The rows are made here, so that nothing else is measured. The parts are
//! `filter`, `search`, `statistics`, `sort` and `export`; none: all.

#![expect(clippy::print_stdout, reason = "it is a program")]

use std::{
    env, fs, io,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float64Array, Int32Array,
    Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_ipc::writer::{DictionaryTracker, EncodedData, IpcDataGenerator, IpcWriteOptions};
use querybox_results::{
    Budget, Case, Column, Comparison, Condition, CsvOptions, Direction, Display, ExportFormat, ExportWatch,
    KeptSource, Limits, Nulls, RawBatch, Rows, Shape, SortColumn, SpoolWriter, StreamSink, Test, WindowQuery,
    Work, export, filter, sort, statistics,
};

const USAGE: &str = "ROWS FOLDER [PART…]";

type Failure = Box<dyn std::error::Error>;

/// As drivers send them.
const BATCH_ROWS: u64 = 500;
/// What design gives a view.
const VIEW_MEMORY_BYTES: usize = 256 * 1024 * 1024;
const WINDOWS: u64 = 1000;
const WINDOW_ROWS: u32 = 100;

fn main() -> Result<(), Failure> {
    let mut arguments = env::args().skip(1);
    let rows: u64 = arguments.next().ok_or(USAGE)?.parse()?;
    let folder = PathBuf::from(arguments.next().ok_or(USAGE)?);
    let parts: Vec<String> = arguments.collect();
    let is_wanted = |part: &str| parts.is_empty() || parts.iter().any(|wanted| wanted == part);
    let limits = Limits {
        result_memory_bytes: 32 << 20,
        all_memory_bytes: 64 << 20,
        result_bytes: u64::MAX,
        all_bytes: u64::MAX,
        free_disk_percent: 90,
        cache_bytes: 16 << 20,
    };
    let budget = Budget::new(folder, limits);
    println!("{rows} rows of 12 columns; memory at the start: {}", memory()?);
    let kept = keep(&budget, rows)?;
    windows("windows", &kept)?;
    let cancel = AtomicBool::new(false);
    let progress = &mut |_| ();
    let mut work = Work { memory_bytes: VIEW_MEMORY_BYTES, progress, cancel: &cancel };
    if is_wanted("filter") {
        let test =
            Test::Compares { comparison: Comparison::Less, value: "100000".to_owned(), case: Case::Counts };
        let condition = Condition::Cell { column: 1, test };
        let view = timed("filter: an integer", || Ok(filter(&kept, &condition, &mut work)?))?;
        println!("  {} rows", view.row_count());
        let test = Test::Contains { text: "abcde".to_owned(), case: Case::Counts };
        let condition = Condition::Cell { column: 6, test };
        let view = timed("filter: a text", || Ok(filter(&kept, &condition, &mut work)?))?;
        println!("  {} rows", view.row_count());
    }
    if is_wanted("search") {
        let condition = Condition::search(0..12, "abcdef", Case::Ignored);
        let view = timed("search: all columns", || Ok(filter(&kept, &condition, &mut work)?))?;
        println!("  {} rows", view.row_count());
    }
    if is_wanted("statistics") {
        for (name, column) in
            [("statistics: an integer", 1), ("statistics: a decimal", 3), ("statistics: a text", 6)]
        {
            timed(name, || Ok(statistics(&kept, column, &mut work)?))?;
        }
    }
    if is_wanted("sort") {
        for (name, column) in [("sort: an integer", 1), ("sort: a text", 6)] {
            let (direction, nulls, case) = (Direction::Ascending, Nulls::Last, Case::Counts);
            let by = [SortColumn { column, direction, nulls, case }];
            let view = timed(name, || Ok(sort(&kept, &by, &mut work)?))?;
            windows("windows of the sorted view", &view)?;
        }
    }
    if is_wanted("export") {
        let formats = [
            ("export: CSV", ExportFormat::Csv(CsvOptions::postgres())),
            ("export: JSON lines", ExportFormat::NdJson),
            ("export: Parquet", ExportFormat::Parquet),
            ("export: XLSX", ExportFormat::Xlsx),
        ];
        for (name, format) in formats {
            let mut watch = ExportWatch { progress: &mut |_| (), cancel: &cancel };
            let sink = StreamSink(io::sink());
            let exported =
                timed(name, || Ok(export(&mut KeptSource::new(&kept), format, sink, &mut watch)?))?;
            println!("  {:.1} MB", exported.bytes as f64 / 1e6);
        }
    }
    Ok(())
}

fn timed<T>(name: &str, run: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let start = Instant::now();
    let done = run()?;
    println!("{name}: {:.2} s; memory {}", start.elapsed().as_secs_f64(), memory()?);
    Ok(done)
}

/// The memory of this process, now and at its largest.
fn memory() -> Result<String, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let find = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.map_or("?", |line| line.trim_matches([':', ' ', '\t'])).to_owned()
    };
    Ok(format!("{} (at most {})", find("VmRSS"), find("VmHWM")))
}

fn windows(name: &str, rows: &Rows) -> Result<(), Failure> {
    let columns: Vec<usize> = (0..rows.columns().len()).collect();
    let mut took: Vec<Duration> = Vec::new();
    for at in 0..WINDOWS {
        // Anywhere, the same in every run.
        let first = at.wrapping_mul(0x9e37_79b9_7f4a_7c15) % rows.row_count().max(1);
        let query = WindowQuery {
            first,
            count: WINDOW_ROWS,
            columns: &columns,
            cell_bytes: 1024,
            window_bytes: 1 << 20,
        };
        let start = Instant::now();
        let window = rows.window(&query)?;
        took.push(start.elapsed());
        assert!(window.row_count() > 0, "row {first} is there");
    }
    took.sort();
    let (median, p99) = (took[took.len() / 2], took[took.len() * 99 / 100]);
    println!("{name} of {WINDOW_ROWS} rows: median {median:.2?}, p99 {p99:.2?}; memory {}", memory()?);
    Ok(())
}

fn keep(budget: &Arc<Budget>, rows: u64) -> Result<Rows, Failure> {
    let (schema, columns) = (batch(0, 1)?, columns());
    let mut tracker = DictionaryTracker::new(true);
    let options = IpcWriteOptions::default();
    let schema = IpcDataGenerator::default().schema_to_bytes_with_dictionary_tracker(
        &schema.schema(),
        &mut tracker,
        &options,
    );
    let shape = Shape::new(&schema.ipc_message.into(), columns)?;
    let mut writer = SpoolWriter::new(budget);
    let kept = Rows::new(shape, writer.spool().clone());
    let mut took = Duration::ZERO;
    for first in (0..rows).step_by(BATCH_ROWS as usize) {
        let batch = encode(&batch(first, BATCH_ROWS.min(rows - first))?)?;
        let start = Instant::now();
        writer.push(batch)?;
        took += start.elapsed();
    }
    let start = Instant::now();
    writer.end()?;
    took += start.elapsed();
    let (bytes, seconds) = (kept.spool().bytes() as f64 / 1e6, took.as_secs_f64());
    println!("spool: {bytes:.0} MB in {seconds:.2} s, {:.0} MB/s; memory {}", bytes / seconds, memory()?);
    Ok(kept)
}

fn columns() -> Vec<Column> {
    let column =
        |name: &str, display| Column { name: name.to_owned(), database_type: String::new(), display };
    vec![
        column("id", Display::Integer),
        column("amount", Display::Integer),
        column("ratio", Display::FloatPg),
        column("price", Display::Decimal),
        column("active", Display::BoolTF),
        column("label", Display::Text),
        column("body", Display::Text),
        column("key", Display::Uuid),
        column("seen", Display::TimestampIsoUtc),
        column("day", Display::DateIso),
        column("doc", Display::Json),
        column("marks", Display::Text),
    ]
}

/// Rows as those of the table `mixed` of the benches: one value in twenty is NULL.
fn batch(first: u64, count: u64) -> Result<RecordBatch, Failure> {
    let some = |null: u64| (first..first + count).map(move |row| (row % 20 != null).then_some(row));
    let mixed = |row: u64| (row ^ 0x5851_f42d).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let prices: Decimal128Array =
        some(3).map(|row| row.map(|row| i128::from(row * 104_729 % 100_000_000_000))).collect();
    let uuids =
        some(7).map(|row| row.map(|row| [mixed(row).to_be_bytes(), mixed(!row).to_be_bytes()].concat()));
    let seen: TimestampMicrosecondArray =
        some(8).map(|row| row.map(|row| 1_577_836_800_000_000 + row as i64 * 37_000_001)).collect();
    let texts = |null: u64, text: &dyn Fn(u64) -> String| -> StringArray {
        some(null).map(|row| row.map(text)).collect()
    };
    let body = |row: u64| format!("{0:016x}{1:016x}{0:016x}{1:016x}{0:016x}", mixed(row), mixed(row + 1));
    let doc = |row: u64| {
        let name = mixed(row);
        format!(
            "{{\"even\": {}, \"name\": \"{name:032x}\", \"tags\": [\"one\", \"two\"], \"number\": {row}}}",
            row.is_multiple_of(2)
        )
    };
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values((first..first + count).map(|row| row as i64))),
        Arc::new(some(1).map(|row| row.map(|row| (row * 7919 % 1_000_003) as i32)).collect::<Int32Array>()),
        Arc::new(some(2).map(|row| row.map(|row| (row as f64).sin() * 1e6)).collect::<Float64Array>()),
        Arc::new(prices.with_precision_and_scale(18, 4)?),
        Arc::new(some(4).map(|row| row.map(|row| row.is_multiple_of(3))).collect::<BooleanArray>()),
        Arc::new(texts(5, &|row| format!("label {}", row % 1000))),
        Arc::new(texts(6, &body)),
        Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(uuids, 16)?),
        Arc::new(seen.with_timezone("UTC")),
        Arc::new(some(9).map(|row| row.map(|row| 10_957 + (row % 20_000) as i32)).collect::<Date32Array>()),
        Arc::new(texts(10, &doc)),
        Arc::new(texts(11, &|row| format!("{{{},{},NULL,{row}}}", row % 100, row % 7))),
    ];
    let names = columns().into_iter().map(|column| column.name);
    Ok(RecordBatch::try_from_iter_with_nullable(names.zip(arrays).map(|(name, array)| (name, array, true)))?)
}

fn encode(batch: &RecordBatch) -> Result<RawBatch, Failure> {
    let mut tracker = DictionaryTracker::new(true);
    let options = IpcWriteOptions::default();
    let (_, encoded) =
        IpcDataGenerator::default().encode(batch, &mut tracker, &options, &mut Default::default())?;
    let EncodedData { ipc_message, arrow_data } = encoded;
    Ok(RawBatch {
        metadata: ipc_message.into(),
        body: arrow_data.into(),
        row_count: batch.num_rows() as u32,
        notes: Vec::new(),
    })
}
