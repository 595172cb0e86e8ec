//! A whole result through both hops, with a Core and a client in processes of their own.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, ensure};

use super::{Hops, HostProcess};
use crate::{
    frame::{Sample, Usage},
    process::Process,
};

/// Reads the result of a query again and again.
pub(crate) struct WholeRead {
    host: Arc<HostProcess>,
    client: Process,
    /// What the client must have read, and a blank.
    read: String,
    // Removed last.
    _hops: Arc<Hops>,
}

/// What one read took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// The client's whole process.
    pub(crate) client: Sample,
    pub(crate) client_usage: Usage,
    /// Processor time is Core's and the driver's.
    pub(crate) core: Usage,
    pub(crate) driver_peak_bytes: u64,
}

impl WholeRead {
    /// Through the Core `host`. `sum` is that of the first column of so many `rows`, a bigint without NULLs.
    pub(crate) fn new(
        hops: &Arc<Hops>,
        host: Arc<HostProcess>,
        own: &Path,
        query: String,
        rows: u64,
        sum: u64,
    ) -> Self {
        let socket = host.socket().to_owned();
        let client = Process {
            own: own.to_owned(),
            program: own.to_owned(),
            arrange: Box::new(move |command| {
                command.arg("read").arg(&socket).arg(&query);
            }),
            input: "",
            answers: String::new(),
            figures: hops.folder().join("figures"),
            times: 1,
        };
        Self { host, client, read: format!("{rows} {sum} "), _hops: Arc::clone(hops) }
    }

    /// Nothing else runs in this process meanwhile, so it may wait here.
    pub(crate) fn measure(&self) -> anyhow::Result<Reading> {
        self.host.forget_peak()?;
        let before = self.host.usage()?;
        let (client, answer) = self.client.once()?;
        let after = self.host.usage()?;
        let driver = answer.strip_prefix(&self.read);
        ensure!(driver.is_some(), "a client read {answer:?} and not {:?}", self.read);
        Ok(Reading {
            client,
            client_usage: client.usage.context("a process uses something up")?,
            core: Usage { cpu_seconds: after.cpu_seconds - before.cpu_seconds, ..after },
            driver_peak_bytes: driver.unwrap_or_default().trim_end().parse::<u64>()?,
        })
    }
}
