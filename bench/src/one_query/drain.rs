//! The floor of many small rows: they are received and counted.

use anyhow::bail;
use postgres_protocol::message::{backend::Message, frontend};

use super::OneQuery;

impl OneQuery {
    /// Runs queries by the simple protocol and counts the rows of all.
    ///
    /// # Errors
    ///
    /// The server refuses.
    pub fn count_rows(&mut self, sql: &str) -> anyhow::Result<usize> {
        frontend::query(sql, &mut self.output)?;
        self.send()?;
        let mut rows = 0;
        loop {
            match self.receive()? {
                Message::DataRow(_) => rows += 1,
                Message::RowDescription(_) | Message::CommandComplete(_) => {}
                Message::ReadyForQuery(_) => return Ok(rows),
                _ => bail!("the server answers something else"),
            }
        }
    }
}
