//! `bench ui`: the page in a browser, on the programs as they are shipped. What measures it lies in `web/tests/figures`.

use std::process::{Command, ExitCode};

use super::{BenchArgs, Built, hand_over, packages};
use crate::workspace::Workspace;
use crate::{stage, web};

/// The folder below target/bench in which programs and drivers find each other.
const PROGRAMS: &str = "ui-programs";

/// Builds the page, the programs with it inside, and has a browser measure it.
///
/// # Errors
///
/// Something cannot be built, or there is no browser.
pub(super) fn run(workspace: &Workspace, args: &BenchArgs) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        args.rounds.is_none() && args.baseline.is_none() && !args.profile && !args.with_peers,
        "the page is measured with --quick, --rows and --to alone"
    );
    // Before the programs, for the server has it inside.
    web::install(workspace)?;
    web::build_if_stale(workspace)?;
    let built = Built::make(workspace, packages)?;
    let bench = built.target.join("bench");
    let bin = stage::stage_into(workspace, "release", bench.join(PROGRAMS))?;
    let Some(mut command) = web::figures(workspace, &bin.join("querybox")) else {
        anyhow::bail!("there is no Chromium to measure the page in; QUERYBOX_BROWSER names one");
    };
    let to = std::path::absolute(args.to.clone().unwrap_or(bench))?;
    // What was only tried lies beside what was measured, and replaces nothing of it.
    command.env("QUERYBOX_FIGURES_TO", if args.quick { to.join("quick") } else { to });
    if args.quick {
        command.env("QUERYBOX_FIGURES_QUICK", "1");
    }
    if let Some(rows) = args.rows {
        command.env("QUERYBOX_FIGURES_ROWS", rows.to_string());
    }
    command.env("QUERYBOX_COMMIT", commit(workspace));
    hand_over(command)
}

/// The commit that is measured. Empty: git does not say.
fn commit(workspace: &Workspace) -> String {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty", "--abbrev=12"])
        .current_dir(workspace.root())
        .output();
    output.map_or_else(|_| String::new(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
