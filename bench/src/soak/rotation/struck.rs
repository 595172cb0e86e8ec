//! A rotation in a process of its own, struck at a call to the disk by strace.

use std::{
    collections::BTreeMap,
    fmt, fs,
    io::{self, BufRead, BufReader, Read as _, Write as _},
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context as _, ensure};

use super::site::{SECRETS, Site, open, rotate as rotate_all};
use crate::programs::Programs;

/// Calls that change what is on the disk, or bring it there.
pub(super) const CALLS: [&str; 7] =
    ["pwrite64", "write", "fsync", "fdatasync", "ftruncate", "unlink", "fallocate"];

/// What happens at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Kill,
    Full,
    Broken,
}

impl Fault {
    pub(super) const ALL: [Fault; 3] = [Fault::Kill, Fault::Full, Fault::Broken];

    /// In strace's words.
    fn injection(self) -> &'static str {
        match self {
            Fault::Kill => "signal=KILL",
            Fault::Full => "error=ENOSPC",
            Fault::Broken => "error=EIO",
        }
    }
}

/// One fault at one call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strike {
    pub(super) call: &'static str,
    pub(super) fault: Fault,
    /// From 1.
    pub(super) when: usize,
    pub(super) of: usize,
}

impl fmt::Display for Strike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Strike { call, fault, when, of } = self;
        write!(f, "{} at {call} {when} of {of}", fault.injection())
    }
}

/// Whether this host has strace, and lets it trace.
pub(super) fn can_trace() -> bool {
    let traced = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status();
    traced.is_ok_and(|status| status.success())
}

/// How often each call is made in one rotation, by the thread that makes it most often: injections count by thread.
pub(super) fn count_calls(site: &Site) -> anyhow::Result<BTreeMap<&'static str, usize>> {
    let path = site.copy()?;
    let log = site.path("calls");
    let trace = format!("trace={}", CALLS.join(","));
    let (said, status) = Rotating::start(site, &path)?.run(&path, &["-e", &trace], &log)?;
    ensure!(said.contains(&format!("rotated {SECRETS}")), "{status}: {said}");
    let log = fs::read_to_string(log)?;
    let mut counts = BTreeMap::new();
    for call in CALLS {
        let begin = format!("{call}(");
        let mut by_thread = BTreeMap::<&str, usize>::new();
        for line in log.lines() {
            if let Some((thread, what)) = line.split_once(' ')
                && what.trim_start().starts_with(&begin)
            {
                *by_thread.entry(thread).or_default() += 1;
            }
        }
        ensure!(by_thread.len() <= 1, "{call} is made by several threads: {by_thread:?}");
        counts.extend(by_thread.into_values().max().map(|count| (call, count)));
    }
    Ok(counts)
}

/// Strikes a rotation, and answers with what it said.
pub(super) fn rotate(site: &Site, path: &Path, strike: &Strike) -> anyhow::Result<String> {
    let Strike { call, fault, when, .. } = strike;
    let (trace, inject) =
        (format!("trace={call}"), format!("inject={call}:{}:when={when}", fault.injection()));
    let (said, status) =
        Rotating::start(site, path)?.run(path, &["-e", &trace, "-e", &inject], Path::new("/dev/null"))?;
    ensure!(status.signal().is_some() == (*fault == Fault::Kill), "it ended otherwise: {status}");
    Ok(said)
}

/// A rotation in another process.
struct Rotating {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Rotating {
    /// Starts a process that waits before it begins.
    fn start(site: &Site, path: &Path) -> anyhow::Result<Rotating> {
        let mut child = Command::new(site.programs().find("querybox-bench")?)
            .arg("rotate-when-told")
            .arg(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let stdin = child.stdin.as_mut().context("its standard input is a pipe")?;
        stdin.write_all(format!("{}\n", site.keys()).as_bytes())?;
        let mut said = BufReader::new(child.stdout.take().context("its standard output is a pipe")?);
        read_until(&mut said, "ready")?;
        Ok(Rotating { child, said })
    }

    /// Lets it begin, under strace, and waits for its end. Answers what it said, and how it ended.
    fn run(mut self, path: &Path, strace: &[&str], log: &Path) -> anyhow::Result<(String, ExitStatus)> {
        let mut wal = path.to_owned().into_os_string();
        wal.push("-wal");
        let mut tracer = Command::new("strace")
            .args(["-f", "-e", "signal=none", "-p", &self.child.id().to_string()])
            .args(strace)
            .arg("-P")
            .arg(path)
            .arg("-P")
            .arg(wal)
            .arg("-o")
            .arg(log)
            .stderr(Stdio::piped())
            .spawn()
            .context("strace")?;
        let mut attached = BufReader::new(tracer.stderr.take().context("its standard error is a pipe")?);
        read_until(&mut attached, "attached")?;
        let mut stdin = self.child.stdin.take().context("its standard input is a pipe")?;
        stdin.write_all(b"go\n")?;
        let mut said = String::new();
        self.said.read_to_string(&mut said)?;
        let status = self.child.wait()?;
        // It may say more than a pipe holds.
        attached.read_to_string(&mut String::new())?;
        tracer.wait()?;
        Ok((said, status))
    }
}

fn read_until(lines: &mut impl BufRead, word: &str) -> anyhow::Result<()> {
    let mut line = String::new();
    while !line.contains(word) {
        line.clear();
        ensure!(lines.read_line(&mut line)? > 0, "it ended before it was {word}");
    }
    Ok(())
}

/// The other half: the whole process of a rotation. It takes the keys from standard input, up to an empty line, and begins
/// with the next line.
///
/// # Errors
///
/// It cannot even begin.
pub async fn rotate_when_told(programs: &Programs, path: &Path) -> anyhow::Result<()> {
    let mut lines = io::stdin().lines();
    let mut keys = String::new();
    loop {
        match lines.next().transpose()? {
            Some(line) if !line.is_empty() => keys.extend([line.as_str(), "\n"]),
            Some(_) | None => break,
        }
    }
    let core = open(path, &keys, programs).await?;
    // Read now, so that no thread but the store's has anything to do with files from here on.
    core.keys().await?;
    let say = |line: String| io::stdout().write_all(line.as_bytes());
    say("ready\n".to_owned())?;
    lines.next().transpose()?;
    match rotate_all(&core).await {
        Ok(report) => say(format!("rotated {}\n", report.sealed))?,
        Err(error) => say(format!("failed: {error:#}\n"))?,
    }
    core.shutdown(Duration::ZERO).await;
    Ok(())
}
