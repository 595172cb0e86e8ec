//! Trying what the jail forbids. What was refused is told as the database's refusal; what was not, as done.

use std::{io, process::Command};

use querybox_plugin::{ExecuteError, Query, Results};
use rustix::process::{
    Signal, getppid, kill_process, parent_process_death_signal, set_parent_process_death_signal,
};

use crate::{
    counting::{done, number, refusal, tell},
    wish::wishes,
};

wishes! {
    /// What it tries.
    Escape {
        /// To start a program.
        Fork = "fork",
        /// To outlive its parent.
        ClearDeathSignal = "clear-death-signal",
        /// To end its parent.
        EndParent = "end-parent",
    }
}

pub(crate) async fn run(wish: Escape, query: &Query, mut results: Results) -> Result<(), ExecuteError> {
    let mut rows = results.statement(0..query.sql.len()).rows(&[number()]).await?;
    tell(&mut rows, 0).await?;
    match attempt(wish) {
        Ok(()) => rows.finish(done("ESCAPED")).await,
        Err(error) => rows.rejected(refusal("42501", error.to_string())).await,
    }
}

fn attempt(wish: Escape) -> io::Result<()> {
    match wish {
        Escape::Fork => {
            Command::new("/bin/sleep").arg("60").spawn()?;
        }
        Escape::ClearDeathSignal => {
            if parent_process_death_signal()? != Some(Signal::KILL) {
                return Ok(());
            }
            set_parent_process_death_signal(None)?;
        }
        Escape::EndParent => {
            let parent = getppid().ok_or(io::ErrorKind::NotFound)?;
            kill_process(parent, Signal::TERM)?;
        }
    }
    Ok(())
}
