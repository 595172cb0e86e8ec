//! Catalog queries one behind the other: each is sent before the one in front of it was read, so that the server never waits
//! for the driver, and a kind costs no round trip of its own.

use postgres_protocol::message::{backend, frontend};
use querybox_plugin::{Error, SchemaError, pb};

use super::filter::Filter;
use crate::{
    connection::{Answer, Connection, out_of_order},
    decode::{self, Encoding},
    message::Reader,
    rejection::Refusal,
};

/// A query with its values.
pub(crate) struct Lookup {
    sql: String,
    types: Vec<u32>,
    values: Vec<Option<String>>,
}

impl Lookup {
    /// The types are numbers of the server's.
    pub(super) fn plain(sql: String, types: Vec<u32>, values: Vec<Option<String>>) -> Self {
        Self { sql, types, values }
    }

    pub(super) fn filtered(sql: String, filter: &Filter) -> Self {
        Self { sql, types: Filter::TYPES.to_vec(), values: filter.values() }
    }
}

/// The queries, while they are read.
pub(crate) struct Reading<'a> {
    connection: &'a mut Connection,
    lookups: std::vec::IntoIter<Lookup>,
    /// Queries that were sent.
    sent: usize,
    /// Queries whose rows were begun to be read.
    begun: usize,
}

impl<'a> Reading<'a> {
    pub(super) fn begin(connection: &'a mut Connection, lookups: Vec<Lookup>) -> Self {
        Self { connection, lookups: lookups.into_iter(), sent: 0, begun: 0 }
    }

    /// Goes on to the rows of the next query. Those of the last one have been read to their end.
    pub(super) async fn advance(&mut self) -> Result<(), SchemaError> {
        self.begun += 1;
        // One ahead and no more: what the server has not taken yet must not fill the connection while it waits to be read.
        while self.sent <= self.begun && self.put_next()? {}
        self.connection.wire.send().await.map_err(SchemaError::from)
    }

    fn put_next(&mut self) -> Result<bool, Error> {
        let Some(Lookup { sql, types, values }) = self.lookups.next() else { return Ok(false) };
        self.connection.put(|output| frontend::parse("", &sql, types, output))?;
        self.connection.put_bind(values.iter().map(Option::as_deref), [])?;
        self.connection.put(|output| frontend::execute("", 0, output))?;
        if self.lookups.len() == 0 {
            self.connection.put_sync();
        } else {
            // The rows of a short answer would wait in the server for those of the next one.
            frontend::flush(&mut self.connection.wire.output);
        }
        self.sent += 1;
        Ok(true)
    }

    /// The next row of the query, read; none after the last.
    pub(super) async fn row<T>(
        &mut self,
        read: impl FnOnce(&mut Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, SchemaError> {
        loop {
            match self.connection.answer().await? {
                Answer::Row(head) => {
                    let encoding = self.connection.reported.encoding();
                    let mut row = Row::begin(self.connection.wire.body(head), encoding)?;
                    let value = read(&mut row)?;
                    row.reader.end()?;
                    self.connection.wire.consume(head);
                    return Ok(Some(value));
                }
                Answer::Other(backend::Message::CommandComplete(_)) => return Ok(None),
                Answer::Refused(refusal) => return Err(self.refused(refusal).await),
                Answer::Ready | Answer::CopyData(_) | Answer::Fields(_) => return Err(out_of_order().into()),
                Answer::Notice(_) | Answer::Other(_) => {}
            }
        }
    }

    /// Waits until the server is ready for something else.
    pub(super) async fn end(mut self) -> Result<(), SchemaError> {
        while self.connection.readies_awaited > 0 {
            match self.connection.answer().await? {
                Answer::Refused(refusal) => return Err(self.refused(refusal).await),
                Answer::Row(_) | Answer::CopyData(_) => return Err(out_of_order().into()),
                Answer::Fields(_) | Answer::Notice(_) | Answer::Other(_) | Answer::Ready => {}
            }
        }
        Ok(())
    }

    /// The server's refusal, once it has thrown away what was sent behind it.
    async fn refused(&mut self, refusal: Refusal) -> SchemaError {
        if refusal.is_fatal() {
            return Error::lost(refusal.message()).into();
        }
        if let Err(error) = self.connection.settle().await {
            return error.into();
        }
        let Connection { reported, transaction, .. } = &*self.connection;
        // Its position counts in the driver's own query, which nobody sees.
        let rejection = refusal.of_statement("", reported.counting(), *transaction);
        SchemaError::Rejected(Box::new(pb::Rejection { position_byte: None, ..rejection }))
    }
}

/// One row: values in their text form, taken in order.
pub(crate) struct Row<'a> {
    reader: Reader<'a>,
    encoding: Encoding,
}

impl<'a> Row<'a> {
    fn begin(body: &'a [u8], encoding: Encoding) -> Result<Self, Error> {
        let mut reader = Reader::new(body);
        // The query says how many there are.
        let _count = reader.u16()?;
        Ok(Self { reader, encoding })
    }

    pub(super) fn optional(&mut self) -> Result<Option<String>, Error> {
        Ok(self.reader.value()?.map(|bytes| decode::name(bytes, self.encoding)))
    }

    /// A text; NULL is an empty one.
    pub(super) fn text(&mut self) -> Result<String, Error> {
        Ok(self.optional()?.unwrap_or_default())
    }

    pub(super) fn flag(&mut self) -> Result<bool, Error> {
        Ok(self.reader.value()? == Some(b"t"))
    }

    /// A value of the type `"char"`; NULL and the empty one are 0.
    pub(super) fn letter(&mut self) -> Result<u8, Error> {
        Ok(self.reader.value()?.and_then(|bytes| bytes.first().copied()).unwrap_or_default())
    }

    pub(super) fn number<N: std::str::FromStr>(&mut self) -> Result<N, Error> {
        self.optional_number()?.ok_or_else(out_of_order)
    }

    pub(super) fn optional_number<N: std::str::FromStr>(&mut self) -> Result<Option<N>, Error> {
        let parse = |bytes: &[u8]| std::str::from_utf8(bytes).ok()?.parse().ok();
        self.reader.value()?.map(|bytes| parse(bytes).ok_or_else(out_of_order)).transpose()
    }

    /// Texts; NULL is none.
    pub(super) fn texts(&mut self) -> Result<Vec<String>, Error> {
        Ok(self.optional()?.map(|array| super::array::parse(&array)).unwrap_or_default())
    }

    /// Numbers of columns: `{1,2}`, or `1 2` of an index; NULL is none.
    pub(super) fn attributes(&mut self) -> Result<Vec<i16>, Error> {
        let Some(bytes) = self.reader.value()? else { return Ok(Vec::new()) };
        let text = std::str::from_utf8(bytes).map_err(|_| out_of_order())?;
        text.split(|c: char| !c.is_ascii_digit() && c != '-')
            .filter(|number| !number.is_empty())
            .map(|number| number.parse().map_err(|_| out_of_order()))
            .collect()
    }
}
