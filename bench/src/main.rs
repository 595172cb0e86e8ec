//! `querybox-bench`: runs a bench or a soak with the programs that lie beside it. `cargo xtask` builds and starts it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool talks on its standard streams"
)]

use std::{
    env,
    ffi::OsString,
    io::IsTerminal as _,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use clap::{Parser, Subcommand, ValueEnum};
use querybox_bench::{
    OneQuery, Programs, Site,
    frame::{self, Plan},
    machine::Machine,
    measure,
    report::{Report, file, table},
    session,
    soak::{Verdict, cancel, rotation, spawn},
};

/// Measures QueryBox beside floors and peers, and wears it out.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Runs contenders against each other and prints how they did.
    Bench {
        name: BenchName,
        /// Rounds that count.
        #[arg(long)]
        rounds: Option<usize>,
        /// Only tries that all works.
        #[arg(long)]
        quick: bool,
        /// Where every sample is written to.
        #[arg(long, value_name = "FILE")]
        json: PathBuf,
    },
    /// Does the same thing very often and looks at what is left.
    Soak {
        #[command(subcommand)]
        what: Soak,
    },
    /// The whole process of the floor: connects to a fixture's server on this port and asks for 1.
    #[command(hide = true)]
    OneQuery { port: u16 },
    /// The whole process of a rotation that is attacked.
    #[command(hide = true)]
    RotateWhenTold { store: PathBuf },
    /// Runs a program and writes down what that took, as the small process that a bench's own size does not disturb.
    #[command(hide = true)]
    Measure {
        figures: PathBuf,
        program: PathBuf,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum BenchName {
    /// `select 1` by every road.
    Session,
}

#[derive(Subcommand)]
enum Soak {
    /// Spawns and kills drivers.
    Spawn {
        #[arg(long, default_value_t = 10_000)]
        cycles: usize,
        /// Brings the moments of an earlier run back.
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Cancels statements on PostgreSQL.
    Cancel {
        #[arg(long, default_value_t = 1_000)]
        cancels: usize,
        /// Brings the moments of an earlier run back.
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Strikes rotations of keys at calls to the disk.
    Rotation {
        /// At so many calls of each kind at most.
        #[arg(long)]
        points: Option<usize>,
    },
}

/// Rounds that count, and of `--quick`.
const ROUNDS: usize = 20;
const ROUNDS_QUICK: usize = 3;
/// Threads of the pool that have nothing to do go soon: a soak counts threads.
const THREAD_KEEP_ALIVE: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    let args = Args::parse();
    run(args.verb).unwrap_or_else(|error| {
        eprintln!("querybox-bench: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    if let Verb::OneQuery { port } = verb {
        // Before any runtime: what is measured is a program that has none.
        let mut connection = OneQuery::connect(port)?;
        connection.select_one()?;
        connection.close()?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Verb::Measure { figures, program, arguments } = &verb {
        return measure(figures, program, arguments);
    }
    let own = env::current_exe().context("this program has no path")?;
    let programs = Programs::in_folder(own.parent().context("this program lies in no folder")?.to_owned());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_keep_alive(THREAD_KEEP_ALIVE)
        .build()
        .context("no runtime")?;
    runtime.block_on(async {
        match verb {
            Verb::Bench { name: BenchName::Session, rounds, quick, json } => {
                let rounds = rounds.unwrap_or(if quick { ROUNDS_QUICK } else { ROUNDS });
                let machine = Machine::look();
                let site = Arc::new(Site::start(&programs).await?);
                let mut bench = session::bench(&site, &programs, &own, quick).await?;
                let outcomes = frame::run(&mut bench, Plan { rounds, quick }).await?;
                let report = Report::new(&bench, quick, machine, outcomes);
                println!("{}", table::render(&report, color()));
                file::write(&report, &json)?;
                println!("every sample: {}", json.display());
                drop(bench);
                if let Some(site) = Arc::into_inner(site) {
                    site.close().await;
                }
                Ok(ExitCode::SUCCESS)
            }
            Verb::Soak { what: Soak::Spawn { cycles, seed } } => {
                tell(&spawn::run(&programs, spawn::SpawnSoak { cycles, seed: seeded(seed) }).await?)
            }
            Verb::Soak { what: Soak::Rotation { points: points_max } } => {
                tell(&rotation::run(&programs, rotation::RotationSoak { points_max }).await?)
            }
            Verb::RotateWhenTold { store } => {
                rotation::rotate_when_told(&programs, &store).await?;
                Ok(ExitCode::SUCCESS)
            }
            Verb::Soak { what: Soak::Cancel { cancels, seed } } => {
                tell(&cancel::run(&programs, cancel::CancelSoak { cancels, seed: seeded(seed) }).await?)
            }
            Verb::OneQuery { .. } | Verb::Measure { .. } => unreachable!("it needs no runtime"),
        }
    })
}

/// Another seed each time, small enough to be typed again.
fn seeded(seed: Option<u64>) -> u64 {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    seed.unwrap_or_else(now)
}

/// The soak's last lines.
fn tell(verdict: &Verdict) -> anyhow::Result<ExitCode> {
    println!("{verdict}");
    Ok(if verdict.has_passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn color() -> table::Color {
    let is_plain =
        !std::io::stdout().is_terminal() || env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if is_plain { table::Color::Plain } else { table::Color::Ansi }
}
