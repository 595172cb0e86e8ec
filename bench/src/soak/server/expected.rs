//! Rows that are known before they come, so that each cell can be looked at.

use std::io;

use anyhow::{Context as _, bail, ensure};
use querybox_api::{read_batch, read_header};
use querybox_contracts::plugin::v1::{ExecuteResponse, execute_response::Part};
use querybox_results::{Format, Shape, Writer};

/// A statement that returns so many of them, from 1.
pub(super) fn query(rows: u64) -> String {
    format!(
        "select i, 'label ' || i as label, case when i % 20 <> 0 then (i / 8.0)::numeric(20,3) end as price \
         from generate_series(1::bigint, {rows}) i"
    )
}

/// A row's cells as text; `None` is NULL.
pub(super) fn cells(i: u64) -> [Option<String>; 3] {
    let price = (!i.is_multiple_of(20)).then(|| format!("{}.{:03}", i / 8, i % 8 * 125));
    [Some(i.to_string()), Some(format!("label {i}")), price]
}

/// A row as a line of CSV.
fn line(i: u64) -> String {
    cells(i).map(Option::unwrap_or_default).join(",")
}

/// Looks at what a script of one statement answers, row by row.
pub(super) struct Looker {
    rendering: Option<(Shape, Writer<Lines>)>,
    batches: u64,
    pub(super) rejected: Option<String>,
}

impl Looker {
    pub(super) fn new() -> Self {
        Self { rendering: None, batches: 0, rejected: None }
    }

    pub(super) fn take(&mut self, part: ExecuteResponse) -> anyhow::Result<()> {
        match part.part {
            // A statement without rows has no columns.
            Some(Part::Header(header)) if !header.columns.is_empty() => {
                ensure!(self.rendering.is_none(), "a script of one statement has two results");
                let shape = read_header(&header)?;
                let lines = Lines { begun: Vec::new(), next: 0 };
                self.rendering = Some((shape.clone(), Writer::begin(Format::Csv, shape.columns(), lines)?));
            }
            Some(Part::Batch(batch)) => {
                let (shape, writer) = self.rendering.as_mut().context("rows come before their columns")?;
                let raw = read_batch(batch)?;
                writer.batch(&shape.batch(&raw.metadata, raw.body, raw.row_count, raw.notes)?)?;
                self.batches += 1;
            }
            Some(Part::Rejection(rejection)) => self.rejected = Some(rejection.sqlstate),
            _ => {}
        }
        Ok(())
    }

    /// How many batches were looked at.
    pub(super) fn batches(&self) -> u64 {
        self.batches
    }

    /// At the end: so many rows came, and each is as it must be.
    pub(super) fn end(self, rows: u64) -> anyhow::Result<u64> {
        if let Some(sqlstate) = self.rejected {
            bail!("rejected: {sqlstate}");
        }
        let (_, writer) = self.rendering.context("no result came")?;
        let (lines, _) = writer.end()?;
        ensure!(lines.begun.is_empty(), "the last row has no end");
        let came = lines.next.saturating_sub(1);
        ensure!(came == rows, "{came} rows came, and not {rows}");
        Ok(rows)
    }
}

/// Takes a document of lines and holds each against what it must be.
struct Lines {
    /// A line that has no end yet.
    begun: Vec<u8>,
    /// The number of the next row; 0 is the line of names.
    next: u64,
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.begun.extend_from_slice(piece);
            let Some(came) = self.begun.strip_suffix(b"\n") else { continue };
            let expected = if self.next == 0 { "i,label,price".to_owned() } else { line(self.next) };
            if came != expected.as_bytes() {
                let came = String::from_utf8_lossy(came);
                return Err(io::Error::other(format!("{came:?} came, and not {expected:?}")));
            }
            self.next += 1;
            self.begun.clear();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_wrong_row_and_a_missing_one_are_seen() {
        let lines = |text: &str| Lines { begun: Vec::new(), next: 0 }.write_all(text.as_bytes());
        assert!(lines("i,label,price\n1,label 1,0.125\n2,label 2,0.250\n").is_ok());
        let error = lines("i,label,price\n1,label 1,0.125\n3,label 3,0.375\n").unwrap_err().to_string();
        assert_eq!(error, r#""3,label 3,0.375" came, and not "2,label 2,0.250""#);
        assert!(lines("i,label,price\n1,label 1,0.126\n").is_err());
        assert_eq!(line(20), "20,label 20,");
        assert_eq!(line(1_000_001), "1000001,label 1000001,125000.125");
    }
}
