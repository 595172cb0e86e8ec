//! `querybox serve` of a home of its own, as people have it running.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::sleep;

use crate::own_program::OwnProgram;

/// What it says before its address, and what stands behind that.
const BEFORE: &str = "QueryBox serves at ";
const BEHIND: &str = "/#";

/// Between two looks at whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A server that runs; dropping it ends it.
pub(crate) struct OwnServer {
    process: Child,
    url: String,
}

impl OwnServer {
    /// Starts it on a port that is free and waits until it takes connections.
    pub(crate) fn start(own: &OwnProgram) -> anyhow::Result<Self> {
        let mut command = Command::new(&own.program);
        own.furnish(&mut command);
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        let mut process =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let output = process.stdout.take().context("a piped child has an output")?;
        let mut server = Self { process, url: String::new() };
        let mut said = String::new();
        BufReader::new(output).read_line(&mut said)?;
        let address = said.strip_prefix(BEFORE).and_then(|link| Some(link.split_once(BEHIND)?.0));
        ensure!(address.is_some(), "`querybox serve` says {said:?}");
        server.url = address.unwrap_or_default().to_owned();
        Ok(server)
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    /// Tells it to end when what runs has come to its end.
    pub(crate) fn tell_to_end(&self) -> anyhow::Result<()> {
        Ok(kill_process(self.pid(), Signal::TERM)?)
    }

    /// Waits for its end.
    pub(crate) async fn ended(mut self) -> anyhow::Result<ExitStatus> {
        loop {
            if let Some(status) = self.process.try_wait()? {
                return Ok(status);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        // One that was waited for is nobody's, and its number may be another's.
        if matches!(self.process.try_wait(), Ok(None)) {
            self.tell_to_end().ok();
            self.process.wait().ok();
        }
    }
}
