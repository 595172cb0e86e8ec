//! The house's own tool: `cargo xtask run`, `tour`, `test`, `codegen`, `tidy`, `bench`, `soak`.
//!
//! It builds, checks and shows QueryBox, and is never part of what is shipped. No crate depends on it and it depends on
//! no crate of ours, so that a broken crate cannot keep the tool from saying so.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool talks on its standard streams"
)]

mod cargo;
mod codegen;
mod counts;
mod gate;
mod measure;
mod show;
mod stage;
mod tidy;
mod tour;
mod web;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::measure::{BenchArgs, Soak};
use crate::workspace::Workspace;

/// Builds, checks and shows QueryBox.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Builds everything into bin/, starts the server, and opens the web interface on the sample database.
    Run,
    /// Builds everything into bin/ and shows the commands on the sample database.
    Tour,
    /// Runs the whole gate: contracts, generated code, format, build, lints, tidy, tests.
    Test,
    /// Checks what a machine can check of the design: crate edges, licenses, sources, manifests.
    Tidy,
    /// Writes the Rust code of the contracts into crates/querybox-contracts/src/gen.
    Codegen {
        /// Compares with the committed code instead, and fails when they differ.
        #[arg(long)]
        check: bool,
    },
    /// Measures QueryBox beside floors and peers, with release builds.
    Bench(BenchArgs),
    /// Does the same thing thousands of times, with release builds, and looks at what is left.
    Soak {
        #[command(subcommand)]
        what: Soak,
    },
}

fn main() -> ExitCode {
    let args = Args::parse();
    run(args.verb).unwrap_or_else(|error| {
        // The chain in one line, without a backtrace: what failed is a check, not this tool.
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::find()?;
    match verb {
        Verb::Run => show::run(&workspace)?,
        Verb::Tour => tour::run(&workspace)?,
        Verb::Test => return gate::run(&workspace),
        Verb::Tidy => tidy::run(&workspace)?,
        Verb::Codegen { check: false } => codegen::write(&workspace)?,
        Verb::Bench(args) => return measure::bench(&workspace, &args),
        Verb::Soak { what } => return measure::soak(&workspace, &what),
        Verb::Codegen { check: true } => codegen::check(&workspace)?,
    }
    Ok(ExitCode::SUCCESS)
}
