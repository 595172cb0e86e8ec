//! Where the time of a whole result goes, hop by hop: from tracing spans of batches, which nobody pays for who does not look.
//!
//! Driver, Core and client are processes of their own, each with a [`Collector`]. The driver is the PostgreSQL driver in a
//! program that also tells its figures, as the answer to a script of its own.

mod collector;
mod driver;
mod file;
mod table;

use std::{
    fs, io,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use querybox_api::read_column;
use querybox_contracts::{
    core::v1::execute_in_session_response::Part as LeasePart,
    plugin::v1::{self as plugin, execute_response::Part},
};
use querybox_fixtures::{Folder, Postgres};
use querybox_results::{Format, Shape, Writer};
use rustix::time::ClockId;
use serde::{Deserialize, Serialize};
use tracing::{Instrument as _, trace_span};

pub use self::{collector::Collector, driver::Profiled, file::Profiles};
use crate::{
    hops::{Client, HostProcess},
    machine::Machine,
    programs::{Programs, owner},
    tables::Table,
};

/// The target of the spans.
pub(crate) const TARGET: &str = "querybox::hops";
/// The program that is the driver here.
const DRIVER: &str = "querybox-bench-driver";
/// The script that the driver answers with its figures. Each answer begins anew.
const FIGURES: &str = "-- figures of the bench";

/// What spans of one name came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    pub name: String,
    /// While it ran, or another was on its processor.
    pub busy: Duration,
    /// Processor time that it took.
    pub cpu: Duration,
    /// While it waited for something.
    pub waiting: Duration,
    pub count: u64,
}

/// What one process tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub figures: Vec<Figure>,
    /// Processor time of all threads.
    pub cpu: Duration,
    /// That of children, from their start to their end. Zero where there is no `/proc`.
    pub children_cpu: Duration,
    /// From the beginning to the end of what was looked at.
    pub elapsed: Duration,
}

/// A whole result, hop by hop.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Profile {
    pub table: String,
    pub rows: u64,
    pub driver: Told,
    pub core: Told,
    pub client: Told,
}

/// Reads both tables once for warmth and once to look at.
///
/// # Errors
///
/// A program was not built, or a read fails.
///
/// # Panics
///
/// When PostgreSQL is not installed.
pub async fn run(programs: &Programs, own: &Path, narrow_rows: u64) -> anyhow::Result<Profiles> {
    let machine = Machine::look();
    let server = Postgres::start();
    let folder = Folder::make(owner(), 0o755)?;
    programs.install(&["querybox-jail", DRIVER], &folder)?;
    let tables = [Table::make_mixed(&server, narrow_rows), Table::make_narrow(&server, narrow_rows)];
    let mut profiles = Vec::new();
    for table in tables {
        let mut last = None;
        for _ in 0..2 {
            // A Core of its own each time: it tells its figures at its end.
            let host = HostProcess::start_profiled(own, folder.path(), server.port())?;
            let output = tokio::process::Command::new(own)
                .arg("read-profiled")
                .args([host.socket(), Path::new(&table.query())])
                .output()
                .await?;
            if !output.status.success() {
                bail!("a client failed: {}", String::from_utf8_lossy(&output.stderr));
            }
            let (driver, client): (Told, Told) = serde_json::from_slice(&output.stdout)?;
            last = Some(Profile {
                table: table.name.to_owned(),
                rows: table.rows,
                driver,
                core: host.end()?,
                client,
            });
        }
        profiles.extend(last);
    }
    Ok(Profiles { machine, tables: profiles })
}

/// The whole process of a client: reads the result of a query in a leased session and renders it as CSV into nothing. Answers
/// with what the driver and this process came to.
///
/// # Errors
///
/// The query fails.
pub async fn read_profiled(socket: &Path, sql: &str) -> anyhow::Result<String> {
    let collector = Collector::install()?;
    let client = Client::connect(socket).await?;
    let lease = client.lease().await?;
    // From here on: both forget what was before.
    ask(&client, &lease).await?;
    drop(collector.take());
    let begun = Begun::now();
    document(&client, &lease, sql, Format::Csv, io::sink()).await?;
    let mine = begun.told(&collector);
    let driver = ask(&client, &lease).await?;
    Ok(serde_json::to_string(&(driver, mine))?)
}

/// The driver's figures since it was asked last.
async fn ask(client: &Client, lease: &str) -> anyhow::Result<Told> {
    // A text of no odd characters stands in TSV as it is, below the column's name.
    let document = document(client, lease, FIGURES, Format::Tsv, Vec::new()).await?;
    let figures = document.split(|byte| *byte == b'\n').nth(1).unwrap_or_default();
    serde_json::from_slice(figures).context("the driver tells no figures")
}

/// Runs a script of one statement and renders its result.
async fn document<W: io::Write>(
    client: &Client,
    lease: &str,
    sql: &str,
    format: Format,
    out: W,
) -> anyhow::Result<W> {
    let mut stream = client.begin(lease, sql).await?;
    let mut out = Some(out);
    let mut rendering: Option<(Shape, Writer<W>)> = None;
    while let Some(message) =
        stream.message().instrument(trace_span!(target: TARGET, "client receives")).await?
    {
        let Some(LeasePart::Result(plugin::ExecuteResponse { part: Some(part) })) = message.part else {
            continue;
        };
        match part {
            Part::Header(header) => {
                let columns = header.columns.iter().map(read_column).collect::<Result<_, _>>()?;
                let shape = Shape::new(&header.arrow_schema, columns)?;
                let out = out.take().context("a script of one statement has one result")?;
                let writer = Writer::begin(format, shape.columns(), out)?;
                rendering = Some((shape, writer));
            }
            Part::Batch(batch) => {
                let (shape, writer) = rendering.as_mut().context("a header comes first")?;
                trace_span!(target: TARGET, "client renders").in_scope(|| {
                    // What is noted is rendered as NULL here: the benches' tables have no such values.
                    let batch =
                        shape.batch(&batch.arrow_metadata, batch.arrow_body, batch.row_count, Vec::new())?;
                    anyhow::Ok(writer.batch(&batch)?)
                })?;
            }
            Part::Rejection(rejection) => bail!("rejected: {} ({})", rejection.message, rejection.sqlstate),
            _ => {}
        }
    }
    let (_, writer) = rendering.context("no result came")?;
    Ok(writer.end()?.0)
}

/// A moment, and the processor time that was used up then.
pub(crate) struct Begun {
    at: Instant,
    cpu: Cpu,
}

/// Processor time of this process and of the children that it has waited for.
#[derive(Debug, Clone, Copy, Default)]
struct Cpu {
    own: Duration,
    children: Duration,
}

impl Begun {
    pub(crate) fn now() -> Self {
        Self { at: Instant::now(), cpu: Cpu::look() }
    }

    /// What was since.
    pub(crate) fn told(&self, collector: &Collector) -> Told {
        let now = Cpu::look();
        Told {
            figures: collector.take(),
            cpu: now.own.saturating_sub(self.cpu.own),
            children_cpu: now.children.saturating_sub(self.cpu.children),
            elapsed: self.at.elapsed(),
        }
    }
}

impl Cpu {
    fn look() -> Self {
        let own = collector::cpu_time(ClockId::ProcessCPUTime);
        Self { own, children: Self::of_children().unwrap_or_default() }
    }

    /// In steps of 10 ms; nothing where a jail has no `/proc`.
    fn of_children() -> Option<Duration> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        // Behind the name, which may have anything in it: proc(5), of which the third field comes first here.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
        let seconds =
            |ticks: f64| Duration::from_secs_f64(ticks / rustix::param::clock_ticks_per_second() as f64);
        Some(seconds(ticks(13)? + ticks(14)?))
    }
}
