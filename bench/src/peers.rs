//! What people would use from Python, as contenders: pinned packages in a virtual environment, and one script.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use futures::future::BoxFuture;
use querybox_fixtures::Postgres;

use crate::{
    cancel,
    export::{self, Shape},
    first_row,
    frame::{Bench, Bound, Contender, Goal, Run, Sample, Unit},
    hops::Hops,
    process::Process,
    results, stream,
};

/// A contender: its name there, its name here, and what it does.
type Peer = (&'static str, &'static str, &'static str);

const WHOLE: [Peer; 6] = [
    ("psycopg", "psycopg 3", "`fetchall()`"),
    ("asyncpg", "asyncpg", "`fetch()`"),
    ("adbc", "ADBC", "`fetch_record_batch()`, to the last batch"),
    ("connectorx", "connectorx", "`read_sql(…, return_type=\"arrow\")`"),
    ("duckdb-1", "DuckDB, 1 thread", "`postgres_scanner` into record batches, one connection"),
    ("duckdb", "DuckDB", "the same with as many connections as it wants"),
];
const FIRST: [Peer; 3] = [
    ("psycopg", "psycopg 3, server cursor", "an open connection, a named cursor in a transaction"),
    ("asyncpg", "asyncpg, cursor", "an open connection, a cursor in a transaction"),
    ("adbc", "ADBC, first batch", "an open connection, the first record batch"),
];
const CANCEL: [Peer; 2] = [
    ("psycopg", "asleep: psycopg 3", "`cancel_safe()` from another thread, then `select 1`"),
    ("asyncpg", "asleep: asyncpg", "the task is cancelled, then `select 1`"),
];
/// Each with its task and what the file is.
const EXPORT: [(Peer, &str, Shape); 3] = [
    (
        ("duckdb", "DuckDB, CSV", "`copy … to 'FILE' (format csv, header)` over `postgres_scanner`"),
        "export",
        Shape::Csv,
    ),
    (
        (
            "duckdb",
            "DuckDB, Parquet",
            "`copy … to 'FILE' (format parquet, compression zstd, compression_level 1)` over `postgres_scanner`",
        ),
        "parquet",
        Shape::Parquet,
    ),
    (
        (
            "adbc",
            "ADBC and pyarrow, Parquet",
            "record batches into `ParquetWriter(…, compression=\"zstd\", compression_level=1)`",
        ),
        "parquet",
        Shape::Parquet,
    ),
];

/// A virtual environment with all of them.
pub struct Peers {
    python: PathBuf,
    script: PathBuf,
}

impl Peers {
    /// Makes the environment in `folder`, unless it is there with the same packages. `source` has the script and the list of
    /// packages.
    ///
    /// # Errors
    ///
    /// There is no Python, or its packages cannot be installed.
    pub fn set_up(source: &Path, folder: &Path) -> anyhow::Result<Self> {
        let list = source.join("requirements.txt");
        let wanted = fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
        let installed = folder.join("installed.txt");
        let python = folder.join("bin/python");
        if fs::read_to_string(&installed).ok().as_deref() != Some(wanted.as_str()) {
            fs::create_dir_all(folder)?;
            run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
            let pip =
                ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r"];
            run(Command::new(&python).args(pip).arg(&list))?;
            fs::write(&installed, wanted)?;
        }
        Ok(Self { python, script: source.join("peers.py") })
    }

    /// Lets one sort what was kept, which lies in a file: the same rows by the same column.
    pub(crate) fn join_results(&self, bench: &mut Bench, own: &Path, parquet: &Path) {
        let home = parquet.parent().unwrap_or(parquet).to_owned();
        let words = ["duckdb-file", "sort", "0", &parquet.display().to_string(), results::SORTED_BY];
        let process = self.process(own, &home, parquet.with_extension("figures"), &words, String::new());
        let name = "DuckDB, the same from a Parquet file";
        let what = "`create table … as select * from 'FILE' order by body`, in memory without a limit";
        bench.contenders.push(Contender {
            floor: None,
            ..contender(name.to_owned(), what, results::SORT, Reporting(process))
        });
        bench.goals.push(Goal { of: results::SORT, bound: Bound::RatioAtMost { to: name, times: 2.0 } });
    }

    fn process(&self, own: &Path, home: &Path, figures: PathBuf, words: &[&str], answers: String) -> Process {
        let mut arguments = vec![self.script.display().to_string()];
        arguments.extend(words.iter().map(|word| (*word).to_owned()));
        let home = home.to_owned();
        Process {
            own: own.to_owned(),
            program: self.python.clone(),
            arrange: Box::new(move |command| {
                command.env_clear().env("PATH", "/usr/bin:/bin").env("LANG", "C.UTF-8").env("HOME", &home);
                command.env("PGPASSWORD", Postgres::PASSWORD).args(&arguments);
            }),
            input: "",
            answers,
            figures,
            times: 1,
        }
    }

    /// Lets those who can do what a bench is about take part in it. `own` is the program that measures processes.
    pub(crate) fn join(&self, bench: &mut Bench, hops: &Arc<Hops>, own: &Path) {
        let stage = Stage { peers: self, own, hops };
        match bench.name {
            "stream" => {
                for (floor, table) in stream::FLOORS {
                    let rows = hops.ask(&format!("select count(*) from {table}"));
                    for peer in WHOLE {
                        let process = stage.process(peer.0, "whole", &[table], format!("{rows}\n"));
                        let name = format!("{table}: {}", peer.1);
                        bench.contenders.push(contender(name, peer.2, floor, process));
                    }
                }
            }
            "export" => {
                let file = export::file(hops);
                let rows = hops.ask("select count(*) from mixed").parse().unwrap_or_default();
                for (peer, task, shape) in EXPORT {
                    let words = ["mixed", &file.display().to_string()];
                    let process = stage.process(peer.0, task, &words, String::new());
                    let run = export::written_by(process, hops, rows, shape);
                    bench.contenders.push(contender(peer.1.to_owned(), peer.2, export::FLOOR, run));
                }
            }
            "first-row" => stage.reporting(bench, &FIRST, "first", &["narrow"], first_row::FLOOR),
            "cancel" => stage.reporting(bench, &CANCEL, "cancel", &[], cancel::ASLEEP_FLOOR),
            _ => {}
        }
    }
}

struct Stage<'p> {
    peers: &'p Peers,
    own: &'p Path,
    hops: &'p Arc<Hops>,
}

impl Stage<'_> {
    fn process(&self, peer: &str, task: &str, words: &[&str], answers: String) -> Process {
        let port = self.hops.server.port().to_string();
        let words: Vec<_> = [peer, task, &port].into_iter().chain(words.iter().copied()).collect();
        let figures = self.hops.folder().join("figures");
        self.peers.process(self.own, self.hops.folder(), figures, &words, answers)
    }

    fn reporting(&self, bench: &mut Bench, peers: &[Peer], task: &str, words: &[&str], floor: &'static str) {
        for peer in peers {
            let process = self.process(peer.0, task, words, String::new());
            bench.contenders.push(contender(peer.1.to_owned(), peer.2, floor, Reporting(process)));
        }
    }
}

fn contender(name: String, what: &str, floor: &'static str, run: impl Run + 'static) -> Contender {
    Contender {
        // As many as there are peers: they live as long as the program.
        name: name.leak(),
        what: format!("Python: {what}"),
        unit: Unit::Seconds,
        floor: Some(floor),
        run: Box::new(run),
    }
}

/// A process that tells times of its own.
struct Reporting(Process);

impl Run for Reporting {
    fn run(&mut self) -> BoxFuture<'_, anyhow::Result<Vec<Sample>>> {
        // Nothing else runs in this process meanwhile, so it may wait here.
        Box::pin(async {
            let (_, answer) = self.0.once()?;
            let seconds = answer.lines().map(str::parse::<f64>).collect::<Result<Vec<_>, _>>();
            let seconds = seconds.with_context(|| format!("no times: {answer:?}"))?;
            ensure!(!seconds.is_empty(), "no times came");
            Ok(seconds.into_iter().map(|seconds| Sample::of_time(Duration::from_secs_f64(seconds))).collect())
        })
    }
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let name = command.get_program().display().to_string();
    let output = command.output().with_context(|| format!("{name} could not be started"))?;
    if !output.status.success() {
        bail!("{name} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
