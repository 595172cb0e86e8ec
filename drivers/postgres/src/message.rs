//! Messages whose bytes the driver reads by itself: descriptions of rows, and rows.

use querybox_plugin::Error;

use crate::decode::{self, Encoding};

/// One column of a description of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// The table that it comes from; 0 when it is computed.
    pub(crate) table: u32,
    /// Its number in that table.
    pub(crate) attribute: i16,
    pub(crate) type_oid: u32,
    /// What follows the type's name in parentheses; -1 for nothing.
    pub(crate) modifier: i32,
}

/// Reads the columns of a RowDescription.
pub(crate) fn parse_fields(body: &[u8], encoding: Encoding) -> Result<Vec<Field>, Error> {
    let mut reader = Reader::new(body);
    let count = reader.u16()?;
    let mut fields = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        let name = decode::name(reader.until_zero()?, encoding);
        let table = reader.u32()?;
        let attribute = reader.i16()?;
        let type_oid = reader.u32()?;
        let _type_size = reader.i16()?;
        let modifier = reader.i32()?;
        let _format = reader.i16()?;
        fields.push(Field { name, table, attribute, type_oid, modifier });
    }
    reader.end()?;
    Ok(fields)
}

/// Reads a DataRow of texts, for queries of the driver's own.
pub(crate) fn parse_texts(body: &[u8], encoding: Encoding) -> Result<Vec<Option<String>>, Error> {
    let mut reader = Reader::new(body);
    let count = reader.u16()?;
    let text = |bytes: &[u8]| decode::name(bytes, encoding);
    let values = (0..count).map(|_| Ok(reader.value()?.map(text))).collect::<Result<_, Error>>()?;
    reader.end()?;
    Ok(values)
}

/// Numbers and texts of a message, in the order in which they stand there.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self { rest: body }
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (first, rest) = self.rest.split_first_chunk().ok_or_else(too_short)?;
        self.rest = rest;
        Ok(*first)
    }

    #[inline]
    pub(crate) fn u16(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_be_bytes)
    }

    #[inline]
    pub(crate) fn i16(&mut self) -> Result<i16, Error> {
        self.array().map(i16::from_be_bytes)
    }

    #[inline]
    pub(crate) fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_be_bytes)
    }

    #[inline]
    pub(crate) fn i32(&mut self) -> Result<i32, Error> {
        self.array().map(i32::from_be_bytes)
    }

    pub(crate) fn until_zero(&mut self) -> Result<&'a [u8], Error> {
        let zero = self.rest.iter().position(|&byte| byte == 0).ok_or_else(too_short)?;
        let text = &self.rest[..zero];
        self.rest = &self.rest[zero + 1..];
        Ok(text)
    }

    /// A value of a row: its length and its bytes. None is NULL.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<Option<&'a [u8]>, Error> {
        match self.i32()? {
            -1 => Ok(None),
            length => {
                let length = usize::try_from(length).map_err(|_| too_short())?;
                let (value, rest) = self.rest.split_at_checked(length).ok_or_else(too_short)?;
                self.rest = rest;
                Ok(Some(value))
            }
        }
    }

    /// Bytes that were not read yet.
    pub(crate) fn len(&self) -> usize {
        self.rest.len()
    }

    #[inline]
    pub(crate) fn end(&self) -> Result<(), Error> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Error::protocol("a message of the server is too long"))
        }
    }
}

#[cold]
fn too_short() -> Error {
    Error::protocol("a message of the server is too short")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described() -> Vec<u8> {
        let mut body = vec![0, 1];
        body.extend_from_slice("größe\0".as_bytes());
        body.extend_from_slice(&[0, 0, 64, 5, 0, 2, 0, 0, 6, 164, 255, 255, 0, 6, 0, 6, 0, 0]);
        body
    }

    #[test]
    fn a_description_of_rows_is_read() {
        let field =
            Field {
                name: "größe".into(), table: 16389, attribute: 2, type_oid: 1700, modifier: 0x0006_0006
            };
        assert_eq!(parse_fields(&described(), Encoding::Utf8).unwrap(), [field]);
    }

    #[test]
    fn a_description_that_is_cut_or_too_long_is_refused() {
        let whole = described();
        for length in 0..whole.len() {
            assert!(parse_fields(&whole[..length], Encoding::Utf8).is_err(), "{length} bytes");
        }
        assert!(parse_fields(&[whole, vec![0]].concat(), Encoding::Utf8).is_err());
    }

    #[test]
    fn a_value_longer_than_its_message_is_refused() {
        assert!(Reader::new(&[0x7f, 0xff, 0xff, 0xff, 1]).value().is_err());
        assert!(Reader::new(&[0xff, 0xff, 0xff, 0xfe]).value().is_err());
        assert_eq!(Reader::new(&[0xff, 0xff, 0xff, 0xff]).value().unwrap(), None);
        assert_eq!(Reader::new(&[0, 0, 0, 1, 7]).value().unwrap(), Some(&[7][..]));
    }
}
