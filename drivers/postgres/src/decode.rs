//! Values of the server, from its bytes into the SDK's rows.
//!
//! A value that its column's Arrow type cannot hold is told as the text that the server would print.

mod numeric;
mod time;

use querybox_plugin::{Error, Rows, pb::Display};

use crate::message::Reader;

/// How the bytes of a column are read. All but [`Text`](Decoder::Text) are the server's binary format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decoder {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    /// Of so many digits, and so many of them behind the point.
    Numeric {
        precision: u8,
        scale: u8,
    },
    Date,
    Time,
    Timestamp,
    TimestampUtc,
    Uuid,
    Bytes,
    /// The server's own text.
    Text,
}

impl Decoder {
    /// The format code that the server is asked for.
    pub(crate) fn format(self) -> i16 {
        match self {
            Self::Text => 0,
            Self::Bool
            | Self::Int2
            | Self::Int4
            | Self::Int8
            | Self::Oid
            | Self::Float4
            | Self::Float8
            | Self::Numeric { .. }
            | Self::Date
            | Self::Time
            | Self::Timestamp
            | Self::TimestampUtc
            | Self::Uuid
            | Self::Bytes => 1,
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

fn value(bytes: &[u8], decoder: Decoder, encoding: Encoding, rows: &mut Rows<'_>) -> Result<(), Error> {
    match decoder {
        Decoder::Bool => rows.bool(u8::from_be_bytes(exact(bytes)?) != 0),
        Decoder::Int2 => rows.int(i16::from_be_bytes(exact(bytes)?).into()),
        Decoder::Int4 => rows.int(i32::from_be_bytes(exact(bytes)?).into()),
        Decoder::Int8 => rows.int(i64::from_be_bytes(exact(bytes)?)),
        Decoder::Oid => rows.int(u32::from_be_bytes(exact(bytes)?).into()),
        Decoder::Float4 => rows.float32(f32::from_be_bytes(exact(bytes)?)),
        Decoder::Float8 => rows.float(f64::from_be_bytes(exact(bytes)?)),
        Decoder::Numeric { precision, scale } => {
            let number = numeric::Numeric::parse(bytes)?;
            match number.unscaled(precision, scale) {
                Some(unscaled) => rows.decimal(unscaled),
                None => rows.exact_text(&number.to_string(), Display::Unspecified),
            }
        }
        Decoder::Date => match time::date(i32::from_be_bytes(exact(bytes)?)) {
            Ok(days) if i32::try_from(days).is_ok() => rows.int(days),
            Ok(_) => return Err(Error::protocol("a date of the server lies behind its last one")),
            Err(text) => rows.exact_text(text, Display::Unspecified),
        },
        Decoder::Time => match i64::from_be_bytes(exact(bytes)?) {
            micros @ 0..time::MICROS_PER_DAY => rows.int(micros),
            time::MICROS_PER_DAY => rows.exact_text("24:00:00", Display::Unspecified),
            _ => return Err(Error::protocol("a time of the server lies outside of the day")),
        },
        Decoder::Timestamp => timestamp(bytes, "", rows)?,
        Decoder::TimestampUtc => timestamp(bytes, "+00", rows)?,
        Decoder::Uuid => rows.uuid(exact(bytes)?),
        Decoder::Bytes => rows.bytes(bytes),
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

fn timestamp(bytes: &[u8], zone: &str, rows: &mut Rows<'_>) -> Result<(), Error> {
    match time::timestamp(i64::from_be_bytes(exact(bytes)?), zone) {
        Ok(micros) => rows.int(micros),
        Err(text) => rows.exact_text(&text, Display::Unspecified),
    }
    Ok(())
}

#[inline]
fn exact<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Error> {
    bytes.try_into().map_err(|_| Error::protocol("a value of the server has the wrong length for its type"))
}
