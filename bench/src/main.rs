//! `querybox-bench`: runs a bench or a soak with the programs that lie beside it. `cargo xtask` builds and starts it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool talks on its standard streams"
)]

use std::{
    alloc::System,
    env,
    ffi::OsString,
    io::IsTerminal as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use clap::{Parser, Subcommand, ValueEnum};
use querybox_bench::{
    Hops, OneQuery, Programs, Site, cancel, catalog, first_row,
    frame::{self, Bench, Plan},
    host,
    machine::Machine,
    measure, read,
    report::{Report, file, table},
    session,
    soak::{self, Verdict, rotation, spawn},
    stream,
};
use zeroizing_alloc::ZeroAlloc;

/// As in `querybox`: a Core and a client that are measured here cost what they cost there.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

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
        /// Rows of the larger of the tables that are read; other tables in proportion.
        #[arg(long)]
        rows: Option<u64>,
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
    /// The whole process of a floor: reads a table of a fixture's server by binary COPY, and drops it.
    #[command(hide = true)]
    CopyDiscard { port: u16, table: String, rows: u64 },
    /// The whole process of a Core: until standard input ends.
    #[command(hide = true)]
    Host { folder: PathBuf, socket: PathBuf, port: u16 },
    /// The whole process of a client: reads the result of a query.
    #[command(hide = true)]
    Read { socket: PathBuf, sql: String },
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
    /// Whole tables.
    Stream,
    /// The first rows of a large table.
    FirstRow,
    /// From a cancel to a session that can be used again.
    Cancel,
    /// Thousands of tables and what belongs to them.
    Catalog,
}

impl BenchName {
    /// Rounds that count when nobody says how many.
    fn rounds(self, quick: bool) -> usize {
        match self {
            _ if quick => ROUNDS_QUICK,
            Self::Stream | Self::Catalog => 7,
            Self::Session | Self::FirstRow | Self::Cancel => ROUNDS,
        }
    }
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
    if let Verb::CopyDiscard { port, table, rows } = &verb {
        let mut connection = OneQuery::connect(*port)?;
        connection.copy_discard(table, *rows)?;
        connection.close()?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Verb::Read { socket, sql } = &verb {
        // One thread, as in a front end that shows what it reads.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        print!("{}", runtime.block_on(read(socket, sql))?);
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
            Verb::Bench { name, rounds, rows, quick, json } => {
                let plan = Plan { rounds: rounds.unwrap_or_else(|| name.rounds(quick)), quick };
                match name {
                    BenchName::Session => {
                        let site = Arc::new(Site::start(&programs).await?);
                        measure_all(session::bench(&site, &programs, &own, quick).await?, plan, &json)
                            .await?;
                        if let Some(site) = Arc::into_inner(site) {
                            site.close().await;
                        }
                    }
                    BenchName::Stream => {
                        let hops = Hops::start(&programs, &own)?;
                        let rows = rows.unwrap_or(if quick { 100_000 } else { 10_000_000 });
                        measure_all(stream::bench(&hops, &own, rows)?, plan, &json).await?;
                    }
                    BenchName::FirstRow => {
                        let hops = Hops::start(&programs, &own)?;
                        let rows = rows.unwrap_or(if quick { 100_000 } else { 10_000_000 });
                        measure_all(first_row::bench(&hops, &own, rows, quick).await?, plan, &json).await?;
                    }
                    BenchName::Cancel => {
                        let hops = Hops::start(&programs, &own)?;
                        measure_all(cancel::bench(&hops, quick).await?, plan, &json).await?;
                    }
                    BenchName::Catalog => {
                        let hops = Hops::start(&programs, &own)?;
                        let tables = rows.unwrap_or(if quick { 100 } else { 5_000 });
                        measure_all(catalog::bench(&hops, &own, tables, quick).await?, plan, &json).await?;
                    }
                }
                Ok(ExitCode::SUCCESS)
            }
            Verb::Host { folder, socket, port } => {
                host(&folder, &socket, port).await?;
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
            Verb::Soak { what: Soak::Cancel { cancels, seed } } => tell(
                &soak::cancel::run(&programs, soak::cancel::CancelSoak { cancels, seed: seeded(seed) })
                    .await?,
            ),
            Verb::OneQuery { .. } | Verb::CopyDiscard { .. } | Verb::Read { .. } | Verb::Measure { .. } => {
                unreachable!("it needs no such runtime")
            }
        }
    })
}

/// Runs a bench, prints how it went, and keeps every sample.
async fn measure_all(mut bench: Bench, plan: Plan, json: &Path) -> anyhow::Result<()> {
    let machine = Machine::look();
    let outcomes = frame::run(&mut bench, plan).await?;
    let report = Report::new(&bench, plan.quick, machine, outcomes);
    println!("{}", table::render(&report, color()));
    file::write(&report, json)?;
    println!("every sample: {}", json.display());
    Ok(())
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
