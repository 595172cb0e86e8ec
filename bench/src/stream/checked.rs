//! A program whose rows go to nothing while it is measured: before that, once, they are counted and added up.

use std::{
    io::{BufReader, Read, Write as _},
    process::{ChildStdout, Command, Stdio},
};

use anyhow::{Context as _, ensure};
use arrow_array::{cast::AsArray as _, types::Int64Type};
use arrow_ipc::reader::StreamReader;
use futures::future::BoxFuture;

use crate::{
    frame::{Run, Sample},
    process::Process,
    tables::Table,
};

/// How rows come out of a program.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// A stream of Arrow IPC.
    Arrow,
    /// A line a row: no text of the tables has an end of line in it.
    Lines,
}

pub(super) struct Checked {
    pub(super) process: Process,
    /// Taken when it was done.
    pub(super) check: Option<Check>,
}

/// What is to be looked at.
pub(super) struct Check {
    /// The program that is measured, with its rows on standard output.
    pub(super) command: Box<dyn Fn() -> Command + Send>,
    pub(super) input: &'static str,
    pub(super) form: Form,
    pub(super) table: Table,
}

impl Run for Checked {
    fn run(&mut self) -> BoxFuture<'_, anyhow::Result<Vec<Sample>>> {
        // Nothing else runs in this process meanwhile, so it may wait here.
        Box::pin(async {
            if let Some(check) = self.check.take() {
                check.run()?;
            }
            self.process.run().await
        })
    }
}

impl Check {
    fn run(&self) -> anyhow::Result<()> {
        let mut command = (self.command)();
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        child.stdin.take().context("a piped child has an input")?.write_all(self.input.as_bytes())?;
        let rows = child.stdout.take().context("a piped child has an output")?;
        let Table { rows: expected, .. } = self.table;
        match self.form {
            Form::Arrow => {
                let (rows, sum) = add_up(rows)?;
                let expected = (expected, self.table.sum());
                ensure!(
                    (rows, sum) == expected,
                    "{rows} rows that add up to {sum} came, and not {expected:?}"
                );
            }
            Form::Lines => {
                let rows = count_lines(rows)?;
                ensure!(rows == expected, "{rows} lines came, and not {expected}");
            }
        }
        let status = child.wait()?;
        ensure!(status.success(), "it ended with {status}");
        Ok(())
    }
}

/// The rows of a stream, and the sum of its first column, a bigint without NULLs.
fn add_up(output: ChildStdout) -> anyhow::Result<(u64, u64)> {
    let (mut rows, mut sum) = (0, 0);
    for batch in StreamReader::try_new(BufReader::new(output), Some(vec![0]))? {
        let batch = batch?;
        let values =
            batch.column(0).as_primitive_opt::<Int64Type>().context("the first column is no bigint")?;
        rows += batch.num_rows() as u64;
        sum += values.values().iter().map(|value| value.cast_unsigned()).sum::<u64>();
    }
    Ok((rows, sum))
}

fn count_lines(mut output: ChildStdout) -> anyhow::Result<u64> {
    let mut piece = vec![0; 256 * 1024];
    let mut lines = 0;
    loop {
        let count = output.read(&mut piece)?;
        if count == 0 {
            return Ok(lines);
        }
        lines += piece[..count].iter().filter(|byte| **byte == b'\n').count() as u64;
    }
}
