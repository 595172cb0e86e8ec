//! `bench counts`, and the gate's step of that name: what the hot loops take, counted by valgrind's callgrind.
//!
//! The program that counts is built as it is shipped; it is small, so that the gate stays short.

use std::process::Command;

use anyhow::Context;

use crate::cargo;
use crate::workspace::Workspace;

const PACKAGE: &str = "querybox-counts";
/// What is kept, and compared with.
pub(crate) const TABLE: &str = "bench/counts/table.txt";
/// The exit code of the program where nothing can be counted or compared.
const UNABLE: i32 = 2;

/// What became of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Within,
    Exceeded,
    /// Without valgrind, or with another compiler than the table was counted with.
    Unable,
}

/// Counts, and compares with the table or writes it anew.
///
/// # Errors
///
/// The program cannot be built or started.
pub(crate) fn run(workspace: &Workspace, save: bool) -> anyhow::Result<Outcome> {
    let mut build = cargo::command(workspace.root());
    build.args(["build", "--release", "--locked", "--quiet", "--package", PACKAGE]);
    let status = build.status().context("cargo could not be started")?;
    anyhow::ensure!(status.success(), "the build of {PACKAGE} failed");
    let target = cargo::metadata(workspace)?.target_directory;
    let mut command = Command::new(target.join("release").join(PACKAGE));
    command.arg("count").arg(workspace.path(TABLE)).current_dir(workspace.root());
    if save {
        command.arg("--save");
    }
    let status = command.status().with_context(|| format!("{PACKAGE} could not be started"))?;
    Ok(match status.code() {
        Some(0) => Outcome::Within,
        Some(UNABLE) => Outcome::Unable,
        _ => Outcome::Exceeded,
    })
}
