//! The floors of reading: rows are received and dropped.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    path::Path,
};

use anyhow::{bail, ensure};
use postgres_protocol::{
    IsNull,
    message::{backend::Message, frontend},
};

use super::OneQuery;

/// One read: what the socket of a fast server may hold.
const READ_BYTES: usize = 256 * 1024;
/// The end of the answer to a COPY is shorter.
const TAIL_BYTES: usize = 64;

impl OneQuery {
    /// Has the server send a table as binary COPY, and drops what comes. Nothing of it is looked at but whether its end is
    /// that of so many rows.
    ///
    /// # Errors
    ///
    /// The table has another number of rows, or the server refuses.
    pub fn copy_discard(&mut self, table: &str, rows: u64) -> anyhow::Result<()> {
        frontend::query(&format!("copy {table} to stdout (format binary)"), &mut self.output)?;
        self.send()?;
        let end = end_of_copy(rows);
        let mut piece = vec![0; READ_BYTES];
        let mut tail = Vec::with_capacity(2 * TAIL_BYTES);
        let mut received = self.input.len();
        tail.extend_from_slice(&self.input);
        self.input.clear();
        while !tail.ends_with(&end) {
            let count = self.stream.read(&mut piece)?;
            ensure!(count > 0, "the connection broke after {received} bytes, or {table} has not {rows} rows");
            received += count;
            tail.extend_from_slice(&piece[count.saturating_sub(TAIL_BYTES)..count]);
            tail.drain(..tail.len().saturating_sub(TAIL_BYTES));
            // An answer this short is a refusal, or a COPY of nothing.
            ensure!(!tail.ends_with(b"Z\0\0\0\x05I") || tail.ends_with(&end), "the server ended otherwise");
        }
        Ok(())
    }

    /// Has the server send a table as CSV with a header by COPY, and writes what comes to a file.
    ///
    /// # Errors
    ///
    /// The file cannot be written, or the server refuses.
    pub fn copy_to_file(&mut self, table: &str, path: &Path) -> anyhow::Result<()> {
        let mut file = File::create(path)?;
        frontend::query(&format!("copy {table} to stdout (format csv, header)"), &mut self.output)?;
        self.send()?;
        let mut input = vec![0; READ_BYTES];
        let mut filled = self.input.len();
        input[..filled].copy_from_slice(&self.input);
        self.input.clear();
        let mut content = Vec::with_capacity(READ_BYTES);
        loop {
            let mut at = 0;
            // A message is a tag, its length without the tag, and its content.
            while let Some(head) = input[at..filled].first_chunk::<5>() {
                let [tag, length @ ..] = *head;
                let end = at + 1 + u32::from_be_bytes(length) as usize;
                if end > filled {
                    ensure!(end - at <= input.len(), "a row is larger than any of these tables has");
                    break;
                }
                match tag {
                    b'd' => content.extend_from_slice(&input[at + head.len()..end]),
                    b'E' => bail!("the server refuses"),
                    b'Z' => {
                        file.write_all(&content)?;
                        return Ok(());
                    }
                    _ => {}
                }
                at = end;
            }
            file.write_all(&content)?;
            content.clear();
            input.copy_within(at..filled, 0);
            filled -= at;
            let count = self.stream.read(&mut input[filled..])?;
            ensure!(count > 0, "the connection broke");
            filled += count;
        }
    }

    /// Reads the first rows of a query by a portal of the extended protocol, in binary, and drops them; then closes it.
    ///
    /// # Errors
    ///
    /// There are fewer rows, or the server refuses.
    pub fn first_rows(&mut self, sql: &str, rows: u16) -> anyhow::Result<()> {
        frontend::parse("", sql, [], &mut self.output)?;
        let no_value = |(): (), _: &mut _| Ok(IsNull::Yes);
        if frontend::bind("", "", [], [], no_value, [1], &mut self.output).is_err() {
            bail!("a portal without values can be bound");
        }
        frontend::execute("", rows.into(), &mut self.output)?;
        frontend::flush(&mut self.output);
        self.send()?;
        let mut received = 0;
        loop {
            match self.receive()? {
                Message::DataRow(_) => received += 1,
                Message::PortalSuspended => break,
                Message::ParseComplete | Message::BindComplete => {}
                _ => bail!("the server answers something else"),
            }
        }
        ensure!(received == rows, "{received} rows came");
        Ok(())
    }

    /// Ends what [`first_rows`](Self::first_rows) began.
    ///
    /// # Errors
    ///
    /// The server refuses.
    pub fn close_portal(&mut self) -> anyhow::Result<()> {
        frontend::sync(&mut self.output);
        self.send()?;
        while !matches!(self.receive()?, Message::ReadyForQuery(_)) {}
        Ok(())
    }
}

/// CopyDone, CommandComplete, ReadyForQuery outside of a transaction.
fn end_of_copy(rows: u64) -> Vec<u8> {
    let tag = format!("COPY {rows}\0");
    let length = u32::try_from(tag.len() + 4).expect("a tag is short");
    [b"c\0\0\0\x04C", length.to_be_bytes().as_slice(), tag.as_bytes(), b"Z\0\0\0\x05I"].concat()
}
