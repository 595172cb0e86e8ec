//! What is put into the output, to be sent together.

use bytes::{BufMut as _, BytesMut};
use postgres_protocol::{IsNull, message::frontend};
use querybox_plugin::Error;

use super::Connection;

/// A statement of the driver's own, named so that the user's, which has no name, stays parsed meanwhile.
const ASIDE: &str = "querybox_aside";

impl Connection {
    /// Puts a message of the extended protocol into the output.
    pub(crate) fn put<E>(&mut self, write: impl FnOnce(&mut BytesMut) -> Result<(), E>) -> Result<(), Error> {
        self.is_unsynced = true;
        // The library refuses zero bytes inside of texts, and messages of 2 GiB.
        write(&mut self.wire.output).map_err(|_| Error::broken("a message to the server cannot be written"))
    }

    /// Puts a statement without parameters into the output, to be executed to its end.
    pub(crate) fn put_command(&mut self, sql: &str) -> Result<(), Error> {
        self.put(|output| frontend::parse("", sql, [], output))?;
        self.put_bind([], [])?;
        self.put(|output| frontend::execute("", 0, output))
    }

    /// Puts the values of the statement that was parsed last into the output, and the formats of what it returns; none: all
    /// as text.
    pub(crate) fn put_bind<'v>(
        &mut self,
        values: impl IntoIterator<Item = Option<&'v str>>,
        formats: impl IntoIterator<Item = i16>,
    ) -> Result<(), Error> {
        self.put_bind_of("", values, formats)
    }

    fn put_bind_of<'v>(
        &mut self,
        statement: &str,
        values: impl IntoIterator<Item = Option<&'v str>>,
        formats: impl IntoIterator<Item = i16>,
    ) -> Result<(), Error> {
        self.put(|output| {
            // No format codes for the values: all are text.
            let write = |value: Option<&str>, output: &mut BytesMut| match value {
                Some(text) => {
                    output.put_slice(text.as_bytes());
                    Ok(IsNull::No)
                }
                None => Ok(IsNull::Yes),
            };
            frontend::bind("", statement, [], values, write, formats, output)
        })
    }

    /// Puts a statement of the driver's own into the output, to be executed to its end while the statement that was parsed
    /// last stays that. Behind the last of them comes [`put_aside_end`](Self::put_aside_end).
    pub(crate) fn put_aside<'v>(
        &mut self,
        sql: &str,
        types: impl IntoIterator<Item = u32>,
        values: impl IntoIterator<Item = Option<&'v str>>,
    ) -> Result<(), Error> {
        // One that was refused while it ran is still there.
        self.put_aside_end()?;
        self.put(|output| frontend::parse(ASIDE, sql, types, output))?;
        self.put_bind_of(ASIDE, values, [])?;
        self.put(|output| frontend::execute("", 0, output))
    }

    /// Has the server forget the statement of the driver's own.
    pub(crate) fn put_aside_end(&mut self) -> Result<(), Error> {
        self.put(|output| frontend::close(b'S', ASIDE, output))
    }

    /// Puts data of a COPY into the output.
    pub(crate) fn put_copy_data(&mut self, data: &[u8]) -> Result<(), Error> {
        let message = frontend::CopyData::new(data)
            .map_err(|_| Error::broken("data to the server cannot be written"))?;
        message.write(&mut self.wire.output);
        Ok(())
    }

    /// Puts a Sync into the output: it ends the statement, and a transaction that was only for it.
    pub(crate) fn put_sync(&mut self) {
        frontend::sync(&mut self.wire.output);
        self.is_unsynced = false;
        self.readies_awaited += 1;
    }

    /// Puts a simple query into the output. `sql` is the driver's own.
    pub(crate) fn put_simple(&mut self, sql: &str) -> Result<(), Error> {
        frontend::query(sql, &mut self.wire.output)
            .map_err(|_| Error::broken("a query to the server cannot be written"))?;
        self.is_unsynced = false;
        self.readies_awaited += 1;
        Ok(())
    }
}
