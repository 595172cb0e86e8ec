//! The process of Core as a bench sees it: a socket, and what it has used up.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context as _, ensure};

use super::host::READY;
use crate::{frame::Usage, profile::Told};

/// Each has a socket of its own.
static STARTED: AtomicU32 = AtomicU32::new(0);

/// A Core in a process of its own; dropping it ends it.
pub(crate) struct HostProcess {
    process: Child,
    socket: PathBuf,
}

impl HostProcess {
    /// Starts it and waits until it takes connections.
    pub(super) fn start(own: &Path, folder: &Path, port: u16) -> anyhow::Result<Self> {
        Self::start_as(own, "host", folder, port)
    }

    /// The same, of a Core that tells where its time went, at its end.
    pub(crate) fn start_profiled(own: &Path, folder: &Path, port: u16) -> anyhow::Result<Self> {
        Self::start_as(own, "host-profiled", folder, port)
    }

    fn start_as(own: &Path, verb: &str, folder: &Path, port: u16) -> anyhow::Result<Self> {
        let socket = folder.join(format!("core-{}.socket", STARTED.fetch_add(1, Ordering::Relaxed)));
        let mut command = Command::new(own);
        command.arg(verb).arg(folder).arg(&socket).arg(port.to_string());
        let process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("no Core")?;
        let mut host = Self { process, socket };
        let mut said = [0; READY.len()];
        let out = host.process.stdout.as_mut().context("a piped child has an output")?;
        out.read_exact(&mut said).context("Core does not come up")?;
        ensure!(said == READY, "Core says something else");
        Ok(host)
    }

    /// Ends it, and answers with what it told.
    pub(crate) fn end(mut self) -> anyhow::Result<Told> {
        drop(self.process.stdin.take());
        let mut said = String::new();
        let out = self.process.stdout.as_mut().context("a piped child has an output")?;
        out.read_to_string(&mut said)?;
        serde_json::from_str(&said).context("Core tells no figures")
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Processor time of the process and of the drivers that it has waited for, in steps of 10 ms; and the most memory that
    /// it had, without theirs, since it was asked to [forget](Self::forget_peak).
    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        let read = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", self.process.id()));
        let stat = read("stat")?;
        // Behind the name, which may have anything in it: proc(5), of which the third field comes first here.
        let fields: Vec<&str> = stat.rsplit_once(')').context("a name ends")?.1.split_whitespace().collect();
        let ticks = fields.get(11..15).context("times are there")?;
        let ticks = ticks.iter().map(|ticks| ticks.parse::<u64>()).sum::<Result<u64, _>>()?;
        let status = read("status")?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = peak.and_then(|peak| peak.trim().strip_suffix(" kB")).context("a peak is there")?;
        Ok(Usage {
            cpu_seconds: ticks as f64 / rustix::param::clock_ticks_per_second() as f64,
            peak_rss_bytes: kibibytes.parse::<u64>()? * 1024,
        })
    }

    /// Begins a new peak of memory.
    pub(crate) fn forget_peak(&self) -> anyhow::Result<()> {
        Ok(fs::write(format!("/proc/{}/clear_refs", self.process.id()), "5")?)
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // It ended before: there is nothing to wait for.
        self.process.wait().ok();
    }
}
