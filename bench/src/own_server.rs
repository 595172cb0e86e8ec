//! `querybox serve` of a home of its own, as people have it running.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::own_program::OwnProgram;

/// What it says before its address, and what stands behind that.
const BEFORE: &str = "QueryBox serves at ";
const BEHIND: &str = "/#";

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

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        // It ended before: there is nothing to wait for.
        kill_process(Pid::from_child(&self.process), Signal::TERM).ok();
        self.process.wait().ok();
    }
}
