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
    fs,
    io::IsTerminal as _,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, ensure};
use clap::{Parser, Subcommand, ValueEnum};
use querybox_bench::{
    OneQuery, Programs, host, host_profiled, measure,
    peers::Peers,
    profile, read,
    report::{Report, baseline, file, markdown, note, table},
    results,
    soak::{self, Verdict, rotation, spawn},
    suite::{BenchName, Suite, Wish},
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
        /// None: all.
        name: Option<BenchName>,
        /// Rounds that count.
        #[arg(long)]
        rounds: Option<usize>,
        /// Rows of the larger of the tables that are read; other tables in proportion.
        #[arg(long)]
        rows: Option<u64>,
        /// Only tries that all works.
        #[arg(long)]
        quick: bool,
        /// The folder for reports.
        #[arg(long, value_name = "FOLDER")]
        to: PathBuf,
        /// Tells where the time of whole tables goes, too.
        #[arg(long)]
        profile: bool,
        /// The folder of peers in Python, who take part then.
        #[arg(long, value_name = "FOLDER")]
        peers: Option<PathBuf>,
        /// An earlier report, or the folder of several, to compare with; `save` keeps these for later.
        #[arg(long, value_name = "FILE|save")]
        baseline: Option<PathBuf>,
        /// Brings the order of the turns of an earlier run back.
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Renders the newest reports into a note, between its marks. They must be of one commit.
    Note {
        /// The folder of reports.
        #[arg(long, value_name = "FOLDER")]
        from: PathBuf,
        /// The table of counts.
        #[arg(long, value_name = "FILE")]
        counts: PathBuf,
        note: PathBuf,
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
    /// The whole process of a floor: writes a table as CSV to a file.
    #[command(hide = true)]
    CopyToFile { port: u16, table: String, file: PathBuf },
    /// The whole process of a Core: until standard input ends.
    #[command(hide = true)]
    Host { folder: PathBuf, socket: PathBuf, port: u16 },
    /// The same, and tells where its time went.
    #[command(hide = true)]
    HostProfiled { folder: PathBuf, socket: PathBuf, port: u16 },
    /// The whole process of a client that tells where its time went, and the driver's.
    #[command(hide = true)]
    ReadProfiled { socket: PathBuf, sql: String },
    /// The whole process of a client: reads the result of a query.
    #[command(hide = true)]
    Read { socket: PathBuf, sql: String },
    /// The whole process of a rotation that is attacked.
    #[command(hide = true)]
    RotateWhenTold { store: PathBuf },
    /// The whole process that keeps rows, and tells what that and looking at them took.
    #[command(hide = true)]
    Keep {
        rows: u64,
        folder: PathBuf,
        /// Also writes them there.
        #[arg(long)]
        parquet: Option<PathBuf>,
    },
    /// Runs a program and writes down what that took, as the small process that a bench's own size does not disturb.
    #[command(hide = true)]
    Measure {
        figures: PathBuf,
        program: PathBuf,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
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
    /// Lets a crowd visit a server.
    Server {
        #[arg(long, default_value_t = 200)]
        clients: usize,
        #[arg(long, default_value_t = 600)]
        seconds: u64,
        /// Brings the visits of an earlier run back.
        #[arg(long)]
        seed: Option<u64>,
        /// Where curves are drawn.
        #[arg(long, value_name = "FILE")]
        drawing: Option<PathBuf>,
    },
    /// Strikes rotations of keys at calls to the disk.
    Rotation {
        /// At so many calls of each kind at most.
        #[arg(long)]
        points: Option<usize>,
    },
}

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
    if let Verb::CopyToFile { port, table, file } = &verb {
        let mut connection = OneQuery::connect(*port)?;
        connection.copy_to_file(table, file)?;
        connection.close()?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Verb::Note { from, counts, note } = &verb {
        return write_note(from, counts, note);
    }
    if let Verb::Read { socket, sql } = &verb {
        // One thread, as in a front end that shows what it reads.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        print!("{}", runtime.block_on(read(socket, sql))?);
        return Ok(ExitCode::SUCCESS);
    }
    if let Verb::ReadProfiled { socket, sql } = &verb {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        print!("{}", runtime.block_on(profile::read_profiled(socket, sql))?);
        return Ok(ExitCode::SUCCESS);
    }
    if let Verb::Measure { figures, program, arguments } = &verb {
        return measure(figures, program, arguments);
    }
    if let Verb::Keep { rows, folder, parquet } = &verb {
        results::keep(*rows, folder, parquet.as_deref(), &mut std::io::stdout())?;
        return Ok(ExitCode::SUCCESS);
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
            Verb::Bench { name, rounds, rows, quick, to, profile, peers, baseline, seed } => {
                let names: Vec<BenchName> =
                    name.map_or_else(|| BenchName::value_variants().to_vec(), |name| vec![name]);
                let peers = peers.map(|source| Peers::set_up(&source, &to.join("peers"))).transpose()?;
                // What was only tried lies beside what was measured, and replaces nothing of it.
                let to = if quick { to.join("quick") } else { to };
                let wish = Wish { quick, rounds, rows, is_all: name.is_none(), seed: seeded(seed) };
                let mut suite = Suite::new(programs.clone(), own.clone(), wish, peers);
                let mut reports = Vec::new();
                for bench in names {
                    let report = suite.run(bench).await?;
                    show(&report, &to, baseline.as_deref())?;
                    reports.push(report);
                }
                drop(suite);
                if profile {
                    let narrow_rows = rows.unwrap_or(if quick { 100_000 } else { 10_000_000 });
                    let profiles = profile::run(&programs, &own, narrow_rows).await?;
                    println!("{}", profiles.render());
                    profiles.write(&to)?;
                }
                if let [_, _, ..] = &reports[..] {
                    println!("{}", table::goals_of_all(&reports, color()));
                }
                Ok(ExitCode::SUCCESS)
            }
            Verb::Host { folder, socket, port } => {
                host(&folder, &socket, port).await?;
                Ok(ExitCode::SUCCESS)
            }
            Verb::HostProfiled { folder, socket, port } => {
                print!("{}", host_profiled(&folder, &socket, port).await?);
                Ok(ExitCode::SUCCESS)
            }
            Verb::Soak { what: Soak::Spawn { cycles, seed } } => {
                tell(&spawn::run(&programs, spawn::SpawnSoak { cycles, seed: seeded(seed) }).await?)
            }
            Verb::Soak { what: Soak::Server { clients, seconds, seed, drawing } } => {
                let time = Duration::from_secs(seconds);
                let soak = soak::server::ServerSoak { clients, time, seed: seeded(seed), drawing };
                tell(&soak::server::run(&programs, soak).await?)
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
            Verb::OneQuery { .. }
            | Verb::CopyDiscard { .. }
            | Verb::CopyToFile { .. }
            | Verb::Note { .. }
            | Verb::Read { .. }
            | Verb::ReadProfiled { .. }
            | Verb::Keep { .. }
            | Verb::Measure { .. } => unreachable!("it needs no such runtime"),
        }
    })
}

/// Prints a report, keeps it with every sample, and compares it where that is wanted.
fn show(report: &Report, folder: &Path, baseline: Option<&Path>) -> anyhow::Result<()> {
    println!("{}", table::render(report, color()));
    if let Some(path) = baseline {
        if path == Path::new("save") {
            println!("kept as a baseline: {}", baseline::keep(report, folder)?.display());
        } else {
            let then = baseline::read(path, &report.bench)?;
            println!("{}", table::changes(&then, &baseline::compare(report, &then), color()));
        }
    }
    println!("every sample: {}\n", file::write_all(report, folder)?.display());
    Ok(())
}

/// Renders the reports in a folder into a note, if they are worth it.
fn write_note(folder: &Path, counts: &Path, path: &Path) -> anyhow::Result<ExitCode> {
    let mut text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (mut sections, mut machines) = (Vec::new(), Vec::new());
    for name in BenchName::value_variants().iter().map(|bench| bench.name()) {
        let report = baseline::read(&folder.join(format!("{name}.json")), &name)?;
        ensure!(!report.quick, "{name} was only tried");
        sections.push((format!("bench {name}"), markdown::section(&report)));
        machines.push(report.machine);
    }
    let profiles = profile::Profiles::read(folder)?;
    sections.push(("profile".to_owned(), profiles.render()));
    machines.push(profiles.machine);
    let counted = fs::read_to_string(counts).with_context(|| format!("cannot read {}", counts.display()))?;
    sections.push(("counts".to_owned(), format!("```text\n{}\n```", counted.trim_end())));
    note::ensure_of_one_commit(&machines)?;
    for (name, section) in sections {
        text = note::put(&text, &name, &section)
            .with_context(|| format!("{} has no marks for {name}", path.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(ExitCode::SUCCESS)
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
