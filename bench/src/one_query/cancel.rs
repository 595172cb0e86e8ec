//! The floor of a cancel: the request on a second connection, and nothing beside it.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
};

use anyhow::{Context as _, bail, ensure};
use bytes::BytesMut;
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::message::{backend::Message, frontend};
use querybox_fixtures::Postgres;

use super::OneQuery;

/// SQLSTATE `query_canceled`.
const CANCELED: &[u8] = b"57014";

impl OneQuery {
    /// Sends a query, and reads nothing of its answer.
    ///
    /// # Errors
    ///
    /// The connection broke.
    pub fn begin(&mut self, sql: &str) -> anyhow::Result<()> {
        frontend::query(sql, &mut self.output)?;
        self.send()
    }

    /// Reads and drops some rows of what runs.
    ///
    /// # Errors
    ///
    /// It is over before.
    pub fn skip_rows(&mut self, rows: usize) -> anyhow::Result<()> {
        let mut skipped = 0;
        while skipped < rows {
            match self.receive()? {
                Message::DataRow(_) => skipped += 1,
                Message::RowDescription(_) => {}
                _ => bail!("the server answers something else"),
            }
        }
        Ok(())
    }

    /// Has the server stop what runs, over a connection of its own as the protocol has it, and waits until that is closed:
    /// the server has passed the word on then.
    ///
    /// # Errors
    ///
    /// It cannot be reached.
    pub fn cancel(&self) -> anyhow::Result<()> {
        let (process, secret) = self.key;
        let port = self.stream.peer_addr()?.port();
        let mut stream = TcpStream::connect((Postgres::HOST, port))?;
        let mut request = BytesMut::new();
        frontend::cancel_request(process, secret, &mut request);
        stream.write_all(&request)?;
        ensure!(stream.read(&mut [0; 1])? == 0, "the server answers a cancel");
        stream.shutdown(Shutdown::Both).ok();
        Ok(())
    }

    /// Drops rows until the server says that it was cancelled.
    ///
    /// # Errors
    ///
    /// It ended otherwise.
    pub fn until_cancelled(&mut self) -> anyhow::Result<()> {
        let mut is_cancelled = false;
        loop {
            match self.receive_any()? {
                Message::ErrorResponse(body) => {
                    is_cancelled |= body.fields().any(|field| Ok(field.value_bytes() == CANCELED))?;
                }
                Message::ReadyForQuery(_) => break,
                _ => {}
            }
        }
        is_cancelled.then_some(()).context("it was not cancelled")
    }
}
