//! `querybox-fuzz`: hours of hostile servers, one of them again, or new seeds. `cargo xtask soak fuzz` builds and starts it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool talks on its standard streams"
)]

use std::{
    fs,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use querybox_fuzz::{case::Case, meeting::Place, record, soak};

/// Lets the PostgreSQL driver meet hostile servers.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Meets for so long, under a watch.
    Soak {
        #[arg(long, default_value_t = 1800)]
        seconds: u64,
        /// Brings the cases of an earlier run back.
        #[arg(long)]
        seed: Option<u64>,
        /// Where the case is written that is met.
        #[arg(long, value_name = "FILE")]
        case_file: PathBuf,
    },
    /// Meets the server of one case again.
    Replay { case: PathBuf },
    /// Records seeds of the server that tests use.
    Record {
        /// Where they go [default: the folder of the committed ones].
        folder: Option<PathBuf>,
    },
    /// The process that meets.
    #[command(hide = true)]
    Worker {
        #[arg(long)]
        seconds: u64,
        #[arg(long)]
        seed: u64,
        #[arg(long)]
        case_file: PathBuf,
    },
}

fn main() -> ExitCode {
    match run(Args::parse().verb) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("querybox-fuzz: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(verb: Verb) -> anyhow::Result<bool> {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    match verb {
        Verb::Soak { seconds, seed, case_file } => {
            let folder = case_file.parent().context("a file lies in a folder")?;
            fs::create_dir_all(folder)?;
            let say = |line: &str| println!("{line}");
            soak::watch(seed.unwrap_or_else(now), Duration::from_secs(seconds), &case_file, say)
        }
        Verb::Worker { seconds, seed, case_file } => {
            let tell = |line: String| println!("{line}");
            runtime()?.block_on(soak::worker(seed, Duration::from_secs(seconds), &case_file, tell))
        }
        Verb::Replay { case } => {
            let text = fs::read_to_string(&case).with_context(|| case.display().to_string())?;
            let case: Case = text.parse()?;
            let outcome = runtime()?.block_on(async {
                let place = Place::make(Duration::from_secs(1))?;
                anyhow::Ok(place.meet(&case).await?)
            })?;
            println!("{:#?}", outcome.features);
            println!("{}", outcome.fault.as_deref().unwrap_or("nothing that must not be"));
            Ok(outcome.fault.is_none())
        }
        Verb::Record { folder } => {
            let folder = folder.unwrap_or_else(|| soak::seed_folder().to_owned());
            runtime()?.block_on(record::record(&folder))?;
            println!("the seeds lie in {}", folder.display());
            Ok(true)
        }
    }
}

/// One thread: what a case does is then always the same.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")
}
