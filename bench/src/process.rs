//! Whole processes as contenders: from before their start until they were waited for.
//!
//! They are started by a small process between, `querybox-bench measure`: the kernel counts the memory that a process had
//! before it executed its program as that program's, and a child of a large process would never look smaller than it.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use wait4::{ResUse, Wait4 as _};

use crate::frame::{Run, Sample, Usage};

/// A program that is run again and again.
pub(crate) struct Process {
    /// The program `querybox-bench`.
    pub(crate) own: PathBuf,
    pub(crate) program: PathBuf,
    /// Adds environment and arguments.
    pub(crate) arrange: Box<dyn Fn(&mut Command) + Send + Sync>,
    /// What it reads. Empty: nothing.
    pub(crate) input: &'static str,
    /// What it must write, to have done the work.
    pub(crate) answers: String,
    /// A file for figures.
    pub(crate) figures: PathBuf,
    /// Runs a turn.
    pub(crate) times: usize,
}

/// What the process between tells.
#[derive(Serialize, Deserialize)]
struct Figures {
    elapsed: Duration,
    cpu: Duration,
    peak_rss_bytes: u64,
}

impl Run for Process {
    fn run(&mut self) -> BoxFuture<'_, anyhow::Result<Vec<Sample>>> {
        // Nothing else runs in this process meanwhile, so it may wait here.
        Box::pin(async { (0..self.times).map(|_| self.measure()).collect() })
    }
}

impl Process {
    fn measure(&self) -> anyhow::Result<Sample> {
        let (sample, answer) = self.once()?;
        let name = self.program.display();
        ensure!(answer == self.answers, "{name} answered {answer:?} and not {:?}", self.answers);
        Ok(sample)
    }

    /// Runs it once. Answers also with what it wrote, whatever that is.
    pub(crate) fn once(&self) -> anyhow::Result<(Sample, String)> {
        let mut command = Command::new(&self.own);
        command.arg("measure").arg(&self.figures).arg(&self.program);
        (self.arrange)(&mut command);
        let stdin = if self.input.is_empty() { Stdio::null() } else { Stdio::piped() };
        let mut child = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(self.input.as_bytes())?;
        }
        let (mut answer, mut errors) = (String::new(), String::new());
        // Neither writes more than a pipe holds.
        child.stdout.take().context("a piped child has an output")?.read_to_string(&mut answer)?;
        child.stderr.take().context("a piped child has an error output")?.read_to_string(&mut errors)?;
        let status = child.wait()?;
        let name = self.program.display();
        ensure!(status.success(), "{name} failed: {errors}");
        let Figures { elapsed, cpu, peak_rss_bytes } = serde_json::from_slice(&fs::read(&self.figures)?)?;
        let usage = Usage { cpu_seconds: cpu.as_secs_f64(), peak_rss_bytes };
        Ok((Sample { usage: Some(usage), ..Sample::of_time(elapsed) }, answer))
    }
}

/// The process between: runs a program with its own standard streams, and writes down what that took.
///
/// # Errors
///
/// The program cannot be started, or the figures not be written.
pub fn measure(figures: &Path, program: &Path, arguments: &[OsString]) -> anyhow::Result<ExitCode> {
    let mut command = Command::new(program);
    command.args(arguments);
    let begun = Instant::now();
    let child = command.spawn().with_context(|| format!("{} could not be started", program.display()))?;
    let ResUse { status, rusage } = child.wait4()?;
    let elapsed = begun.elapsed();
    let told = Figures { elapsed, cpu: rusage.utime + rusage.stime, peak_rss_bytes: rusage.maxrss };
    fs::write(figures, serde_json::to_vec(&told)?)?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The children of this process that were not waited for, by number.
pub(crate) fn children() -> anyhow::Result<BTreeSet<u32>> {
    let mut found = BTreeSet::new();
    for task in fs::read_dir("/proc/self/task")? {
        // The thread may have ended since; then its children are another's.
        let children = fs::read_to_string(task?.path().join("children")).unwrap_or_default();
        found.extend(children.split_whitespace().filter_map(|number| number.parse::<u32>().ok()));
    }
    Ok(found)
}
