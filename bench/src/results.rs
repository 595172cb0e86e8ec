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

/// Each thing that one process measures, its unit, and its words.
const TOLD: [(&str, &str); 8] = [
    ("spool", "all batches sealed and written, without the time that it takes to make them"),
    ("window of a result", "100 rows of all columns as text, anywhere"),
    ("filter by a number", "a tenth of the rows stays"),
    ("search in all columns", "a text without regard to case, which nearly no row has"),
    ("statistics of a text", "count, nulls, distinct, least, greatest"),
    ("sort by a number", "in 256 MiB of memory, in runs on disk"),
    ("sort by a text", "of 80 bytes, in 256 MiB of memory, in runs on disk"),
    ("window of a sorted view", "100 rows of all columns as text, anywhere"),
];
/// Whose memory is told, and the names under which that is.
const MEMORY: [(&str, &str); 3] = [
    ("spool", "memory: spool"),
    ("window of a result", "memory: windows"),
    ("sort by a text", "memory: sort by a text"),
];
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
        TOLD.iter().map(|(name, what)| contender(name, what, name, Unit::Seconds)).collect();
    let of_memory = "the most resident memory meanwhile, above what the process had without a result";
    contenders.extend(MEMORY.iter().map(|(of, name)| contender(name, of_memory, of, Unit::Bytes)));
    let windows = ["window of a result", "window of a sorted view"];
    let mut goals: Vec<_> = windows
        .iter()
        .flat_map(|of| [Bound::MedianAtMost(0.005), Bound::P99AtMost(0.020)].map(|bound| Goal { of, bound }))
        .collect();
    goals.push(Goal { of: "memory: spool", bound: Bound::MemoryAtMost(GROWN_BYTES) });
    goals.push(Goal { of: "memory: windows", bound: Bound::MemoryAtMost(GROWN_BYTES) });
    goals.push(Goal { of: "memory: sort by a text", bound: Bound::MemoryAtMost(VIEW_BYTES) });
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
                    told.seconds.iter().map(|seconds| Sample { value: *seconds, usage: None }).collect()
                }
            })
        })
    }
}
