//! `test`: the whole gate, in order, with one line a step.

mod contracts;
mod machine;
mod readers;
mod servers;
mod summary;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::Context;

use crate::gate::readers::Readers;
use crate::gate::servers::SecondPostgres;
use crate::gate::summary::{Counts, Runner};
use crate::workspace::Workspace;
use crate::{cargo, codegen, counts, stage, tidy, web};

/// Runs every check. Stops at the first that fails, except that doc tests run after failed tests.
///
/// Once the tests have run, their counts are the last line, also when some failed.
///
/// # Errors
///
/// When a check before the tests fails; what it found was printed before.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<ExitCode> {
    let begun = Instant::now();
    step("toolchain and system packages", || machine::check(workspace))?;
    step("buf is installed", || contracts::install(workspace))?;
    step("buf lint", || contracts::lint(workspace))?;
    step("buf breaking", contracts::breaking)?;
    step("generated code is committed", || codegen::check(workspace))?;
    step("web is installed", || web::install(workspace))?;
    step("web codegen", || web::codegen(workspace))?;
    step("web types and lint", || web::check(workspace))?;
    // Before the programs are built, for the server has it inside.
    step("web build", || web::build(workspace))?;
    step("cargo fmt", || quietly(cargo(workspace, &["fmt", "--all", "--check"])))?;
    step("cargo build", || visibly(cargo(workspace, &["build", "--workspace", "--all-targets"])))?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    step("cargo clippy", || visibly(cargo(workspace, &clippy)))?;
    step("tidy", || tidy::run(workspace))?;
    step("programs in bin/", || stage::stage(workspace).map(|_| ()))?;

    let mut counts = Counts::default();
    let web_tests = step("web tests", || counted(web::tests(workspace), Runner::Vitest, &mut counts));
    let flows = step("web flows", || {
        let Some(command) = web::flows(workspace) else {
            anyhow::ensure!(std::env::var_os("CI").is_none(), "there is no Chromium to drive the page in");
            println!("     NOT TESTED: there is no Chromium to drive the page in");
            return Ok(());
        };
        counted(command, Runner::Vitest, &mut counts)
    });
    let tests = step("tests", || run_tests(workspace, &["--workspace"], &[], &mut counts));
    let second = step("tests on a second PostgreSQL", || {
        let Some(server) = SecondPostgres::install(workspace)? else {
            anyhow::ensure!(
                std::env::var_os("CI").is_none(),
                "there is no second PostgreSQL for this machine"
            );
            println!("     NOT TESTED: there is no second PostgreSQL for this machine");
            return Ok(());
        };
        let programs = ("QUERYBOX_TEST_POSTGRES", server.programs());
        run_tests(workspace, &["--package", "querybox-driver-postgres"], &[programs], &mut counts)
    });
    let readers = step("exports and contracts in the hands of others", || {
        let readers = match Readers::install(workspace) {
            Ok(readers) => readers,
            Err(error) => {
                anyhow::ensure!(std::env::var_os("CI").is_none(), "there are no other readers: {error:#}");
                println!("     NOT TESTED: there are no other readers: {error:#}");
                return Ok(());
            }
        };
        run_reader_tests(workspace, readers.python, &mut counts)
    });
    let doc_tests = step("doc tests", || {
        let command = cargo(workspace, &["test", "--workspace", "--doc", "--no-fail-fast"]);
        counted(command, Runner::Cargo, &mut counts)
    });
    let counted = step("instruction counts", || match counts::run(workspace, false)? {
        counts::Outcome::Within => Ok(()),
        counts::Outcome::Exceeded => anyhow::bail!("the hot loops take more than they did"),
        counts::Outcome::Unable => {
            anyhow::ensure!(std::env::var_os("CI").is_none(), "instructions cannot be compared here");
            println!("     NOT COMPARED");
            Ok(())
        }
    });
    let outcome = web_tests.and(flows).and(tests).and(second).and(readers).and(doc_tests).and(counted);
    if let Err(error) = &outcome {
        eprintln!("xtask: {error:#}");
    }
    println!("\nthe gate took {:.0} s", begun.elapsed().as_secs_f64());
    println!("{counts}");
    Ok(if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs one step and says in a line how it went and how long it took.
fn step(name: &str, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let begun = Instant::now();
    let outcome = work();
    let verdict = if outcome.is_ok() { "ok  " } else { "FAIL" };
    println!("{verdict} {:7.1} s  {name}", begun.elapsed().as_secs_f64());
    outcome.with_context(|| format!("the step \"{name}\" failed"))
}

/// cargo-nextest where it is installed: it is faster and gives each test a process of its own. Else cargo's own runner.
fn run_tests(
    workspace: &Workspace,
    packages: &[&str],
    environment: &[(&str, PathBuf)],
    counts: &mut Counts,
) -> anyhow::Result<()> {
    let has_nextest = quietly(cargo(workspace, &["nextest", "--version"])).is_ok();
    let (mut command, runner) = if has_nextest {
        (cargo(workspace, &["nextest", "run", "--no-fail-fast"]), Runner::Nextest)
    } else {
        (cargo(workspace, &["test", "--all-targets", "--no-fail-fast"]), Runner::Cargo)
    };
    command.args(packages);
    for (name, value) in environment {
        command.env(name, value);
    }
    counted(command, runner, counts)
}

/// The tests that want other readers or clients, which are ignored without them.
fn run_reader_tests(workspace: &Workspace, python: PathBuf, counts: &mut Counts) -> anyhow::Result<()> {
    let packages =
        ["querybox-results", "querybox-driver-postgres", "querybox"].map(|name| ["--package", name]);
    let packages = packages.as_flattened();
    let has_nextest = quietly(cargo(workspace, &["nextest", "--version"])).is_ok();
    let (mut command, runner) = if has_nextest {
        let mut command = cargo(workspace, &["nextest", "run", "--no-fail-fast", "--run-ignored", "only"]);
        command.args(packages).args(["-E", "test(/^(readers|clients)::/)"]);
        (command, Runner::Nextest)
    } else {
        let mut command = cargo(workspace, &["test", "--test", "it", "--no-fail-fast"]);
        command.args(packages).args(["--", "--ignored", "readers::", "clients::"]);
        (command, Runner::Cargo)
    };
    command.env("QUERYBOX_TEST_PYTHON", python);
    counted(command, runner, counts)
}

fn cargo(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = cargo::command(workspace.root());
    command.args(arguments);
    command
}

/// Runs a command whose output matters only when it fails.
fn quietly(mut command: Command) -> anyhow::Result<()> {
    let name = name_of(&command);
    let output = command.output().with_context(|| format!("{name} could not be started"))?;
    if !output.status.success() {
        std::io::stdout().write_all(&output.stdout)?;
        std::io::stderr().write_all(&output.stderr)?;
        anyhow::bail!("{name} ended with {}", output.status);
    }
    Ok(())
}

/// Runs a command whose output is its progress.
fn visibly(mut command: Command) -> anyhow::Result<()> {
    let name = name_of(&command);
    let status = command.status().with_context(|| format!("{name} could not be started"))?;
    anyhow::ensure!(status.success(), "{name} ended with {status}");
    Ok(())
}

/// Runs tests: shows their output as it comes and adds up their summaries.
fn counted(mut command: Command, runner: Runner, counts: &mut Counts) -> anyhow::Result<()> {
    let name = name_of(&command);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{name} could not be started"))?;
    let stdout = child.stdout.take().context("a piped child has an output")?;
    let stderr = child.stderr.take().context("a piped child has an error output")?;
    // Both are read at once: a full pipe would stop the child.
    let (from_stdout, from_stderr) = std::thread::scope(|scope| {
        let from_stderr = scope.spawn(|| pass_on(stderr, std::io::stderr(), runner));
        (pass_on(stdout, std::io::stdout(), runner), from_stderr.join())
    });
    let from_stderr = from_stderr.map_err(|_| anyhow::anyhow!("the reader of {name}'s errors panicked"))?;
    let status = child.wait()?;
    let ran = from_stdout? + from_stderr?;
    *counts = *counts + ran;
    anyhow::ensure!(status.success(), "{name} ended with {status}");
    Ok(())
}

/// Copies line by line and counts what the lines say about tests.
fn pass_on(from: impl Read, mut to: impl Write, runner: Runner) -> anyhow::Result<Counts> {
    let mut counts = Counts::default();
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line)? > 0 {
        to.write_all(&line)?;
        to.flush()?;
        counts = counts + Counts::of_line(runner, &String::from_utf8_lossy(&line));
        line.clear();
    }
    Ok(counts)
}

/// The command line as a person would write it.
fn name_of(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
