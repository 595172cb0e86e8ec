//! An export that is looked at behind the clock: the file has every row, and goes again.

use std::{
    fs,
    io::{BufReader, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, ensure};
use arrow_ipc::reader::StreamReader;
use futures::future::BoxFuture;
use parquet::file::metadata::ParquetMetaDataReader;

use crate::{
    frame::{Run, Sample},
    hops::Hops,
    process::Process,
};

/// What must be in a file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// A line a row, and the names: no text of the table has an end of line in it.
    Csv,
    /// A line a row, and so many others.
    Lines { beside_rows: u64 },
    /// A stream of Arrow IPC.
    Arrow,
    /// Its last bytes say how many rows there are.
    Parquet,
    /// Something: tests read it with a program of others.
    Workbook,
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
            let rows = match self.shape {
                Shape::Csv => lines(&self.file)?.saturating_sub(1),
                Shape::Lines { beside_rows } => lines(&self.file)?.saturating_sub(beside_rows),
                Shape::Arrow => arrow_rows(&self.file)?,
                Shape::Parquet => parquet_rows(&self.file)?,
                Shape::Workbook => lines(&self.file).map(|_| self.rows)?,
            };
            ensure!(rows == self.rows, "{rows} rows were written, and not {}", self.rows);
            // Each begins with a file that is not there.
            fs::remove_file(&self.file)?;
            Ok(vec![sample])
        })
    }
}

fn arrow_rows(path: &Path) -> anyhow::Result<u64> {
    let file = fs::File::open(path).context("nothing was written")?;
    let reader = StreamReader::try_new(BufReader::new(file), Some(vec![0]))?;
    reader.map(|batch| Ok(batch?.num_rows() as u64)).sum()
}

fn parquet_rows(path: &Path) -> anyhow::Result<u64> {
    let file = fs::File::open(path).context("nothing was written")?;
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&file)?;
    Ok(metadata.file_metadata().num_rows().try_into()?)
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
