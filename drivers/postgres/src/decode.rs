//! Values of the server, from its bytes into the SDK's rows.
//!
//! A value that its column's Arrow type cannot hold is told as the text that the server would print.

mod float;
mod list;
mod native;
mod numeric;
mod time;

use querybox_plugin::{Error, Rows, pb::Display};

pub(crate) use self::{list::Element, native::Native};
use crate::message::Reader;

/// How the bytes of a column are read. All but [`Text`](Decoder::Text) are the server's binary format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decoder {
    Native(Native),
    /// Arrays, of which those that are no lists of one dimension from 1 on are told as text.
    List(Element),
    /// The server's own text.
    Text,
}

impl Decoder {
    /// The format code that the server is asked for.
    pub(crate) fn format(self) -> i16 {
        match self {
            Self::Text => 0,
            Self::Native(_) | Self::List(_) => 1,
        }
    }
}

/// In which encoding text comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// UTF-8; in a database of no known encoding also any other bytes.
    Utf8,
    /// Each byte is the character of that number.
    Latin1,
    /// Another one that the session was switched to: only ASCII means the same in all of them.
    Other,
}

/// Reads the values of a DataRow. The row was begun, and is ended by the caller.
///
/// # Errors
///
/// When the bytes are not what the description announced.
pub(crate) fn row(
    body: &[u8],
    decoders: &[Decoder],
    encoding: Encoding,
    rows: &mut Rows<'_>,
) -> Result<(), Error> {
    let mut reader = Reader::new(body);
    if usize::from(reader.u16()?) != decoders.len() {
        return Err(Error::protocol("a row of the server has another number of columns than it announced"));
    }
    for decoder in decoders {
        match reader.value()? {
            None => rows.null(),
            Some(bytes) => value(bytes, *decoder, encoding, rows)?,
        }
    }
    reader.end()
}

#[inline]
fn value(bytes: &[u8], decoder: Decoder, encoding: Encoding, rows: &mut Rows<'_>) -> Result<(), Error> {
    match decoder {
        Decoder::Native(native) => {
            if !native.tell(bytes, rows)? {
                let mut text = String::new();
                native.push(bytes, &mut text)?;
                rows.exact_text(&text, Display::Unspecified);
            }
        }
        Decoder::List(element) => list::tell(bytes, element, rows)?,
        Decoder::Text => text(bytes, encoding, rows),
    }
    Ok(())
}

/// A text as it came, or its bytes when it is none.
pub(crate) fn text(bytes: &[u8], encoding: Encoding, rows: &mut Rows<'_>) {
    match (std::str::from_utf8(bytes), encoding) {
        (Ok(text), Encoding::Utf8) => rows.text(text),
        (Ok(text), Encoding::Latin1 | Encoding::Other) if text.is_ascii() => rows.text(text),
        (_, Encoding::Latin1) => rows.text(&latin1(bytes)),
        (_, Encoding::Utf8 | Encoding::Other) => rows.undecodable(bytes),
    }
}

/// A name for people. What is no text shows a replacement character for each bad byte.
pub(crate) fn name(bytes: &[u8], encoding: Encoding) -> String {
    match encoding {
        Encoding::Latin1 => latin1(bytes),
        Encoding::Utf8 | Encoding::Other => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

#[inline]
fn exact<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Error> {
    bytes.try_into().map_err(|_| Error::protocol("a value of the server has the wrong length for its type"))
}
