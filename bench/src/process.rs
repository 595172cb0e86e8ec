//! Whole processes as contenders: from before their start until they were waited for.

use std::{
    collections::BTreeSet,
    fs,
    io::{Read as _, Write as _},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context as _, ensure};
use futures::future::BoxFuture;
use wait4::{ResUse, Wait4 as _};

use crate::frame::{Run, Sample, Usage};

/// A program that is run again and again.
pub(crate) struct Process {
    /// Makes the command anew: one cannot be started twice with a fresh standard input.
    pub(crate) command: Box<dyn Fn() -> Command + Send + Sync>,
    /// What it reads. Empty: nothing.
    pub(crate) input: &'static str,
    /// What it must write, to have done the work.
    pub(crate) answers: &'static str,
    /// Runs a turn.
    pub(crate) times: usize,
}

impl Run for Process {
    fn run(&mut self) -> BoxFuture<'_, anyhow::Result<Vec<Sample>>> {
        // Nothing else runs in this process meanwhile, so it may wait here.
        Box::pin(async { (0..self.times).map(|_| self.measure()).collect() })
    }
}

impl Process {
    fn measure(&self) -> anyhow::Result<Sample> {
        let mut command = (self.command)();
        let stdin = if self.input.is_empty() { Stdio::null() } else { Stdio::piped() };
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let name = command.get_program().display().to_string();
        let begun = Instant::now();
        let mut child = command.spawn().with_context(|| format!("{name} could not be started"))?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(self.input.as_bytes())?;
        }
        let mut answer = String::new();
        child.stdout.take().context("a piped child has an output")?.read_to_string(&mut answer)?;
        let ResUse { status, rusage } = child.wait4()?;
        let elapsed = begun.elapsed();
        ensure!(status.success(), "{name} ended with {status}");
        ensure!(answer == self.answers, "{name} answered {answer:?} and not {:?}", self.answers);
        let cpu_seconds = (rusage.utime + rusage.stime).as_secs_f64();
        let usage = Usage { cpu_seconds, peak_rss_bytes: rusage.maxrss };
        Ok(Sample { usage: Some(usage), ..Sample::of_time(elapsed) })
    }
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
