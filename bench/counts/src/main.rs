//! `querybox-counts`: how many instructions and allocations the hot loops take, counted by valgrind's callgrind.
//!
//! Times depend on the neighbors, counts do not: each workload is small and always the same, and what it takes is kept in a
//! table beside this crate. `cargo xtask bench counts` compares with it, and so does the gate; `--save` writes it anew.
//!
//! A crate of its own beside the benches, for the gate builds it as it is shipped: it has nothing of Core's store, launcher
//! and jail.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool talks on its standard streams"
)]

mod callgrind;
mod table;
mod workload;

use std::{env, path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::{Parser, Subcommand, ValueEnum as _};

use crate::{
    table::{Table, Toolchain},
    workload::{Name, Stage},
};

/// Counts instructions and allocations of the hot loops.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Counts every workload and compares with the table. Exit code 2: nothing can be counted or compared here.
    Count {
        table: PathBuf,
        /// Writes the table instead.
        #[arg(long)]
        save: bool,
    },
    /// Runs one workload: what callgrind looks at.
    #[command(hide = true)]
    Run { workload: Name, port: u16 },
}

/// Nothing can be counted or compared here.
const UNABLE: u8 = 2;

fn main() -> ExitCode {
    let outcome = match Args::parse().verb {
        Verb::Count { table, save } => count(&table, save),
        Verb::Run { workload, port } => workload::run(workload, port).map(|()| ExitCode::SUCCESS),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("querybox-counts: {error:#}");
        ExitCode::FAILURE
    })
}

fn count(path: &std::path::Path, save: bool) -> anyhow::Result<ExitCode> {
    if !callgrind::is_installed() {
        println!("valgrind is not installed");
        return Ok(ExitCode::from(UNABLE));
    }
    let toolchain = Toolchain::look()?;
    let kept = if save { None } else { Some(Table::read(path)?) };
    if let Some(kept) = &kept
        && kept.toolchain != toolchain
    {
        println!("the table was counted with {}, and here is {toolchain}", kept.toolchain);
        return Ok(ExitCode::from(UNABLE));
    }
    let own = env::current_exe().context("this program has no path")?;
    let stage = Stage::set_up();
    let mut table = Table::of(toolchain);
    for workload in Name::value_variants() {
        let found = callgrind::count(&own, *workload, stage.port())?;
        println!("{}", found.line(*workload, kept.as_ref().and_then(|kept| kept.get(*workload))));
        table.add(*workload, found);
    }
    let Some(kept) = kept else {
        table.write(path)?;
        return Ok(ExitCode::SUCCESS);
    };
    let faults = table.faults(&kept);
    for fault in &faults {
        println!("{fault}");
    }
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
