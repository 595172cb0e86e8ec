//! An export that is looked at behind the clock: the file has every row, and goes again.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, ensure};
use futures::future::BoxFuture;

use crate::{
    frame::{Run, Sample},
    hops::Hops,
    process::Process,
};

/// What must be in a file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// A line a row, and the names: no text of the table has an end of line in it.
    Csv,
    /// A line a row, and so many others.
    Lines { beside_rows: u64 },
    /// Something.
    Bytes,
}

pub(super) struct Written {
    pub(super) process: Process,
    pub(super) file: PathBuf,
    pub(super) shape: Shape,
    pub(super) rows: u64,
    pub(super) _hops: Arc<Hops>,
}

impl Run for Written {
    fn run(&mut self) -> BoxFuture<'_, anyhow::Result<Vec<Sample>>> {
        // Nothing else runs in this process meanwhile, so it may wait here.
        Box::pin(async {
            let (sample, _) = self.process.once()?;
            let lines = lines(&self.file)?;
            let expected = match self.shape {
                Shape::Csv => Some(self.rows + 1),
                Shape::Lines { beside_rows } => Some(self.rows + beside_rows),
                Shape::Bytes => None,
            };
            if let Some(expected) = expected {
                ensure!(lines == expected, "{lines} lines were written, and not {expected}");
            }
            // Each begins with a file that is not there.
            fs::remove_file(&self.file)?;
            Ok(vec![sample])
        })
    }
}

/// Ends of lines in a file that is not empty.
fn lines(path: &Path) -> anyhow::Result<u64> {
    let mut file = fs::File::open(path).context("nothing was written")?;
    let mut piece = vec![0; 256 * 1024];
    let (mut lines, mut bytes) = (0, 0);
    loop {
        let count = file.read(&mut piece)?;
        if count == 0 {
            break;
        }
        bytes += count;
        lines += piece[..count].iter().filter(|byte| **byte == b'\n').count() as u64;
    }
    ensure!(bytes > 0, "an empty file was written");
    Ok(lines)
}
