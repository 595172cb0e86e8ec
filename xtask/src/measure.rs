//! `bench` and `soak`: builds the programs as they are shipped, and hands over to `querybox-bench` or `querybox-fuzz`.
//!
//! Everything that measures lies there: this tool depends on no crate of ours.

mod ui;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Context;
use clap::{Args, Subcommand};

use crate::cargo::{self, Package};
use crate::counts;
use crate::workspace::Workspace;

/// The package that measures, and its program.
const BENCH: &str = "querybox-bench";
/// The package that lets the driver meet hostile servers, and its program.
const FUZZ: &str = "querybox-fuzz";
/// Contenders in Python.
const PEERS: &str = "bench/peers";
/// Where the figures are told.
const NOTE: &str = "docs/performance.md";
/// What the bench starts beside drivers.
const PROGRAMS: [&str; 2] = ["querybox", "querybox-jail"];

/// Which bench, and how long.
#[derive(Args)]
pub(crate) struct BenchArgs {
    /// Which: `session`, `first-row`, `cancel`, `stream`, `export`, `memory`, `catalog`, `results`, or `all` of them. `ui`
    /// measures the page in a browser. `counts` counts the
    /// instructions of hot loops and compares them with a table; `note` renders the newest reports into
    /// docs/performance.md.
    name: String,
    /// Rounds that count [default: 20; 7 of `stream`, `export` and `catalog`, 5 of `memory`, 1 of `results`; fewer for `all`].
    #[arg(long)]
    rounds: Option<usize>,
    /// Rows of the largest table that is read [default: 10,000,000; 100,000 when quick]; tables of `catalog` [5,000; 100].
    #[arg(long)]
    rows: Option<u64>,
    /// Only tries that all works; the figures are not to be trusted.
    #[arg(long)]
    quick: bool,
    /// The folder for reports: NAME.json with every sample, NAME.md, NAME.svg; those of `--quick` in `quick` there
    /// [default: target/bench].
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
    /// Also tells where the time of whole tables goes, hop by hop.
    #[arg(long)]
    profile: bool,
    /// Also measures psycopg, asyncpg, ADBC, connectorx and DuckDB, which are installed into target/bench/peers.
    #[arg(long)]
    with_peers: bool,
    /// An earlier report to compare with, or the folder of several; `save` keeps this one in target/bench/baseline.
    #[arg(long, value_name = "FILE|save")]
    baseline: Option<PathBuf>,
    /// Brings the order of the turns of an earlier run back, as its report tells it.
    #[arg(long)]
    seed: Option<u64>,
    /// Of `counts`: writes the table anew.
    #[arg(long)]
    save: bool,
}

/// Which soak, and how long.
#[derive(Subcommand)]
pub(crate) enum Soak {
    /// Spawns and kills drivers in every way: no process, descriptor, thread, file or control group may be left.
    Spawn {
        /// How many.
        #[arg(long, default_value_t = 10_000)]
        cycles: usize,
        /// Brings the moments of an earlier run back.
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Cancels statements on PostgreSQL at random moments: each receipt must be true, and no backend may be left.
    Cancel {
        /// How many.
        #[arg(long, default_value_t = 1_000)]
        cancels: usize,
        /// Brings the moments of an earlier run back.
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Lets a crowd visit `querybox serve`: no row may be wrong or missing, nothing may grow, and SIGTERM lets what runs end.
    /// Draws memory and descriptors into target/bench/soak-server.svg.
    Server {
        /// How many at once.
        #[arg(long, default_value_t = 200)]
        clients: usize,
        /// How long.
        #[arg(long, default_value_t = 600)]
        seconds: u64,
        /// Brings the visits of an earlier run back; not the moments at which they meet.
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Lets the PostgreSQL driver meet servers that send what no server sends: no panic, no waiting without end, no more
    /// memory than a limit, no password in the clear.
    Fuzz {
        /// How long.
        #[arg(long, default_value_t = 30)]
        minutes: u64,
        /// Brings the cases of an earlier run back.
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Strikes rotations of keys at every call to the disk, by kills and errors: no secret may be lost.
    Rotation {
        /// At so many calls of each kind at most [default: at every one].
        #[arg(long)]
        points: Option<usize>,
    },
}

/// Runs a bench.
///
/// # Errors
///
/// The build fails. What the bench itself finds is its exit code.
pub(crate) fn bench(workspace: &Workspace, args: &BenchArgs) -> anyhow::Result<ExitCode> {
    if args.name == "counts" {
        let outcome = counts::run(workspace, args.save)?;
        return Ok(if outcome == counts::Outcome::Within { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    if args.name == "ui" {
        return ui::run(workspace, args);
    }
    let built = Built::make(workspace, packages)?;
    // Where the user stands counts for a path that he gives, and not where the program is started.
    let to = std::path::absolute(args.to.clone().unwrap_or_else(|| built.target.join("bench")))?;
    let mut command = built.command(workspace, BENCH);
    if args.name == "note" {
        command.arg("note").arg("--from").arg(to).arg("--counts").arg(workspace.path(counts::TABLE));
        command.arg(workspace.path(NOTE));
        return hand_over(command);
    }
    command.arg("bench");
    if args.name != "all" {
        command.arg(&args.name);
    }
    command.arg("--to").arg(to);
    if args.profile {
        command.arg("--profile");
    }
    if args.with_peers {
        command.arg("--peers").arg(workspace.path(PEERS));
    }
    match &args.baseline {
        Some(word) if word == Path::new("save") => {
            command.args(["--baseline", "save"]);
        }
        Some(path) => {
            command.arg("--baseline").arg(std::path::absolute(path)?);
        }
        None => {}
    }
    if let Some(rounds) = args.rounds {
        command.args(["--rounds", &rounds.to_string()]);
    }
    if let Some(rows) = args.rows {
        command.args(["--rows", &rows.to_string()]);
    }
    if args.quick {
        command.arg("--quick");
    }
    if let Some(seed) = args.seed {
        command.args(["--seed", &seed.to_string()]);
    }
    hand_over(command)
}

/// Runs a soak.
///
/// # Errors
///
/// As [`bench`].
pub(crate) fn soak(workspace: &Workspace, soak: &Soak) -> anyhow::Result<ExitCode> {
    let built = match soak {
        Soak::Spawn { .. } | Soak::Cancel { .. } | Soak::Server { .. } | Soak::Rotation { .. } => {
            Built::make(workspace, packages)?
        }
        Soak::Fuzz { .. } => Built::make(workspace, |_| vec![FUZZ])?,
    };
    let mut command = built.command(workspace, BENCH);
    let seed = match soak {
        Soak::Fuzz { minutes, seed } => {
            command = built.command(workspace, FUZZ);
            command.args(["soak", "--seconds", &(minutes * 60).to_string()]);
            command.arg("--case-file").arg(built.target.join("fuzz").join("last.case"));
            seed
        }
        Soak::Spawn { cycles, seed } => {
            command.args(["soak", "spawn", "--cycles", &cycles.to_string()]);
            seed
        }
        Soak::Cancel { cancels, seed } => {
            command.args(["soak", "cancel", "--cancels", &cancels.to_string()]);
            seed
        }
        Soak::Server { clients, seconds, seed } => {
            command.args(["soak", "server"]);
            command.args(["--clients", &clients.to_string(), "--seconds", &seconds.to_string()]);
            command.arg("--drawing").arg(built.target.join("bench").join("soak-server.svg"));
            seed
        }
        Soak::Rotation { points } => {
            command.args(["soak", "rotation"]);
            if let Some(points) = points {
                command.args(["--points", &points.to_string()]);
            }
            &None
        }
    };
    if let Some(seed) = seed {
        command.args(["--seed", &seed.to_string()]);
    }
    hand_over(command)
}

/// The programs, built as they are shipped: what the dev profile does in a second says nothing.
struct Built {
    target: PathBuf,
}

impl Built {
    fn make(workspace: &Workspace, packages: impl Fn(&[Package]) -> Vec<&str>) -> anyhow::Result<Self> {
        let metadata = cargo::metadata(workspace)?;
        let mut command = cargo::command(workspace.root());
        command.args(["build", "--release", "--bins", "--locked"]);
        for name in packages(&metadata.packages) {
            command.args(["--package", name]);
        }
        let status = command.status().context("cargo could not be started")?;
        anyhow::ensure!(status.success(), "the build failed");
        Ok(Self { target: metadata.target_directory })
    }

    fn command(&self, workspace: &Workspace, program: &str) -> Command {
        let program: &Path = &self.target.join("release").join(program);
        let mut command = Command::new(program);
        // It asks git for the commit there.
        command.current_dir(workspace.root());
        command
    }
}

/// What a bench starts, and it itself.
fn packages(all: &[Package]) -> Vec<&str> {
    let is_needed = |package: &&Package| {
        package.lies_in("drivers") || package.name == BENCH || PROGRAMS.contains(&package.name.as_str())
    };
    all.iter()
        .filter(|package| package.is_ours())
        .filter(is_needed)
        .map(|package| package.name.as_str())
        .collect()
}

/// The program's exit code is this tool's.
fn hand_over(mut command: Command) -> anyhow::Result<ExitCode> {
    let status = command
        .status()
        .with_context(|| format!("{} could not be started", command.get_program().to_string_lossy()))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, folder: &str, source: &str) -> Package {
        let text = format!(
            r#"{{"name":"{name}","version":"1.0.0","license":"MIT","source":{source},"dependencies":[],"targets":[],
                "manifest_path":"/repository/{folder}/{name}/Cargo.toml"}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn every_driver_is_built_and_no_library_for_itself() {
        let all = [
            package("querybox", "apps", "null"),
            package("querybox-bench", "", "null"),
            package("querybox-core", "crates", "null"),
            package("querybox-driver-new", "drivers", "null"),
            package("querybox-jail", "crates", "null"),
            package("querybox", "vendor", r#""registry""#),
            package("xtask", "", "null"),
        ];
        assert_eq!(packages(&all), ["querybox", "querybox-bench", "querybox-driver-new", "querybox-jail"]);
    }
}
