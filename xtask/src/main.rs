//! The house's own tool: `cargo xtask run`, `test`, `codegen`, `tidy`.
//!
//! It builds, checks and shows QueryBox, and is never part of what is shipped. No crate depends on it and it depends on
//! no crate of ours, so that a broken crate cannot keep the tool from saying so.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool talks on its standard streams"
)]

mod codegen;
mod workspace;

use clap::{Parser, Subcommand};

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
    /// Writes the Rust code of the contracts into crates/querybox-contracts/src/gen.
    Codegen {
        /// Compares with the committed code instead, and fails when they differ.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let workspace = Workspace::find()?;
    match args.verb {
        Verb::Codegen { check: false } => codegen::write(&workspace),
        Verb::Codegen { check: true } => codegen::check(&workspace),
    }
}
