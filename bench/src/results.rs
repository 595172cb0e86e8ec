//! The bench of kept results: many rows in a file, windows of them, and views.

mod keep;
mod rows;

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, ensure};
use futures::future::BoxFuture;
use querybox_fixtures::Folder;

use self::keep::Told;
pub use self::keep::keep;
use crate::{
    frame::{Bench, Bound, Contender, Goal, Run, Sample, Unit, Usage},
    programs::owner,
};

/// Each thing that one process measures, its words, and its unit.
const TOLD: [(&str, &str, Unit); 13] = [
    ("rows alone", "made one after the other, and kept nowhere", Unit::PerSecond),
    (SPOOLED, "made while those before are sealed and written, as they are in Core", Unit::PerSecond),
    ("rows on the disk alone", "their sealed bytes by plain writes into a file beside", Unit::PerSecond),
    (GIVEN, "the slower of making rows and of the disk, each alone", Unit::PerSecond),
    ("spool", "all batches sealed and written, without the time that it takes to make them", Unit::Seconds),
    (FIRST_PAGE, "100 rows of all columns as text, when the first batch is there", Unit::Seconds),
    ("window of a result", "100 rows of all columns as text, anywhere", Unit::Seconds),
    ("filter by a number", "a tenth of the rows stays", Unit::Seconds),
    ("search in all columns", "a text without regard to case, which nearly no row has", Unit::Seconds),
    ("statistics of a text", "count, nulls, distinct, least, greatest", Unit::Seconds),
    ("sort by a number", "in the memory of a view, in runs on disk", Unit::Seconds),
    ("sort by a text", "of 80 bytes, in the memory of a view, in runs on disk", Unit::Seconds),
    ("window of a sorted view", "100 rows of all columns as text, anywhere", Unit::Seconds),
];
/// Whose memory is told, the names under which that is, and what it may be.
const MEMORY: [(&str, &str, u64); 7] = [
    ("spool", "memory: spool", GROWN_BYTES),
    ("window of a result", "memory: windows", GROWN_BYTES),
    ("filter by a number", "memory: filter by a number", VIEW_BYTES),
    ("search in all columns", "memory: search in all columns", VIEW_BYTES),
    ("statistics of a text", "memory: statistics of a text", VIEW_BYTES),
    ("sort by a number", "memory: sort by a number", VIEW_BYTES),
    ("sort by a text", "memory: sort by a text", VIEW_BYTES),
];
/// What is held against each other: rows that are kept, and what whoever makes them and the disk would give.
const SPOOLED: &str = "rows into the spool";
const GIVEN: &str = "rows that maker and disk give";
const FIRST_PAGE: &str = "first page";
/// What is sorted by others too.
pub(crate) const SORT: &str = "sort by a text";
/// The column that it is sorted by.
pub(crate) const SORTED_BY: &str = "body";

/// What Core may hold of a result beyond what it had.
const GROWN_BYTES: u64 = 100 << 20;
/// The budget of a view, with what the result holds anyway.
const VIEW_BYTES: u64 = (256 << 20) + GROWN_BYTES;

/// Puts the contenders together. `own` is the program that keeps rows; `parquet` also has it write them for others.
///
/// # Errors
///
/// There is no folder for the rows.
pub fn bench(own: &Path, rows: u64, parquet: Option<PathBuf>) -> anyhow::Result<Bench> {
    let folder = Folder::make(owner(), 0o755)?;
    let shared = Arc::new(Shared { own: own.to_owned(), rows, parquet, folder, last: Mutex::default() });
    let contender = |name: &'static str, what: &str, of: &'static str, unit: Unit| Contender {
        name,
        what: what.to_owned(),
        unit,
        floor: None,
        run: Box::new(Figure { shared: Arc::clone(&shared), of, unit, seen: 0 }),
    };
    let mut contenders: Vec<_> =
        TOLD.iter().map(|(name, what, unit)| contender(name, what, name, *unit)).collect();
    let of_memory = "the most resident memory meanwhile, above what the process had without a result";
    contenders.extend(MEMORY.iter().map(|(of, name, _)| contender(name, of_memory, of, Unit::Bytes)));
    let windows = ["window of a result", "window of a sorted view"];
    let mut goals: Vec<_> = windows
        .iter()
        .flat_map(|of| [Bound::MedianAtMost(0.005), Bound::P99AtMost(0.020)].map(|bound| Goal { of, bound }))
        .collect();
    goals.push(Goal { of: FIRST_PAGE, bound: Bound::MedianAtMost(0.005) });
    // Kept at nine tenths of what there is to keep and to keep it in, at least.
    goals.push(Goal { of: GIVEN, bound: Bound::RatioAtMost { to: SPOOLED, times: 1.0 / 0.9 } });
    let memory = |(_, of, most): &(_, &'static str, u64)| Goal { of, bound: Bound::MemoryAtMost(*most) };
    goals.extend(MEMORY.iter().map(memory));
    let title = format!("kept results: {rows} rows of 12 columns, in one process that makes them itself");
    Ok(Bench { name: "results", title, contenders, goals })
}

/// One process a round, of which each contender tells a figure.
struct Shared {
    own: PathBuf,
    rows: u64,
    parquet: Option<PathBuf>,
    folder: Folder,
    /// How many there were, and what the last told.
    last: Mutex<(u64, Arc<Vec<Told>>)>,
}

/// Rows of the round that does not count: enough for all to have run once.
const WARM_UP_ROWS: u64 = 20_000;

impl Shared {
    /// What was told behind the time that was `seen`: the first who asks for it has it measured.
    fn after(&self, seen: u64) -> anyhow::Result<(u64, Arc<Vec<Told>>)> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.0 <= seen {
            let rows = if seen == 0 { self.rows.min(WARM_UP_ROWS) } else { self.rows };
            *last = (seen + 1, Arc::new(self.measure(rows)?));
        }
        Ok(last.clone())
    }

    fn measure(&self, rows: u64) -> anyhow::Result<Vec<Told>> {
        let mut command = Command::new(&self.own);
        command.arg("keep").arg(rows.to_string()).arg(self.folder.path());
        if let Some(parquet) = &self.parquet {
            command.arg("--parquet").arg(parquet);
        }
        let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
        ensure!(output.status.success(), "keeping rows ended with {}", output.status);
        let lines = str::from_utf8(&output.stdout)?.lines();
        Ok(lines.map(serde_json::from_str).collect::<Result<_, _>>()?)
    }
}

struct Figure {
    shared: Arc<Shared>,
    of: &'static str,
    unit: Unit,
    seen: u64,
}

impl Run for Figure {
    fn run(&mut self) -> BoxFuture<'_, anyhow::Result<Vec<Sample>>> {
        // Nothing else runs in this process meanwhile, so it may wait here.
        Box::pin(async {
            let (number, told) = self.shared.after(self.seen)?;
            self.seen = number;
            let told = told.iter().find(|told| told.name == self.of).context("it was not told")?;
            Ok(match self.unit {
                Unit::Bytes => {
                    let peak_rss_bytes = told.grown_bytes;
                    let usage = Some(Usage { cpu_seconds: 0.0, peak_rss_bytes });
                    vec![Sample { usage, ..Sample::of_memory(peak_rss_bytes) }]
                }
                Unit::Seconds | Unit::PerSecond => {
                    told.samples.iter().map(|value| Sample { value: *value, usage: None }).collect()
                }
            })
        })
    }
}
