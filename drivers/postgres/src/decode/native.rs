//! Values that Arrow has a type for: from the server's binary format into that type, or, where it does not hold them, into
//! the text that the server would print.

use std::fmt::Write as _;

use querybox_plugin::{Error, Rows};

use super::{exact, float, numeric::Numeric, time};

/// A type of such values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Native {
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
}

impl Native {
    /// Tells a value. False: the Arrow type does not hold it, and nothing was told.
    #[inline]
    pub(super) fn tell(self, bytes: &[u8], rows: &mut Rows<'_>) -> Result<bool, Error> {
        match self {
            Self::Bool => rows.bool(u8::from_be_bytes(exact(bytes)?) != 0),
            Self::Int2 => rows.int(i16::from_be_bytes(exact(bytes)?).into()),
            Self::Int4 => rows.int(i32::from_be_bytes(exact(bytes)?).into()),
            Self::Int8 => rows.int(i64::from_be_bytes(exact(bytes)?)),
            Self::Oid => rows.int(u32::from_be_bytes(exact(bytes)?).into()),
            Self::Float4 => rows.float32(f32::from_be_bytes(exact(bytes)?)),
            Self::Float8 => rows.float(f64::from_be_bytes(exact(bytes)?)),
            Self::Numeric { precision, scale } => {
                let Some(unscaled) = Numeric::parse(bytes)?.unscaled(precision, scale) else {
                    return Ok(false);
                };
                rows.decimal(unscaled);
            }
            Self::Date => {
                let Some(days) = time::date(i32::from_be_bytes(exact(bytes)?)) else { return Ok(false) };
                if i32::try_from(days).is_err() {
                    return Err(Error::protocol("a date of the server lies behind its last one"));
                }
                rows.int(days);
            }
            Self::Time => match i64::from_be_bytes(exact(bytes)?) {
                micros @ 0..time::MICROS_PER_DAY => rows.int(micros),
                time::MICROS_PER_DAY => return Ok(false),
                _ => return Err(Error::protocol("a time of the server lies outside of the day")),
            },
            Self::Timestamp | Self::TimestampUtc => {
                let micros = time::timestamp(i64::from_be_bytes(exact(bytes)?));
                let Some(micros) = micros else { return Ok(false) };
                rows.int(micros);
            }
            Self::Uuid => rows.uuid(exact(bytes)?),
            Self::Bytes => rows.bytes(bytes),
        }
        Ok(true)
    }

    /// Appends a value as the server prints it.
    pub(super) fn push(self, bytes: &[u8], out: &mut String) -> Result<(), Error> {
        let written = match self {
            Self::Bool => write!(out, "{}", if exact::<1>(bytes)? == [0] { 'f' } else { 't' }),
            Self::Int2 => write!(out, "{}", i16::from_be_bytes(exact(bytes)?)),
            Self::Int4 => write!(out, "{}", i32::from_be_bytes(exact(bytes)?)),
            Self::Int8 => write!(out, "{}", i64::from_be_bytes(exact(bytes)?)),
            Self::Oid => write!(out, "{}", u32::from_be_bytes(exact(bytes)?)),
            Self::Float4 => float::push(out, f32::from_be_bytes(exact(bytes)?), float::FLOAT4_EXPONENT_FROM),
            Self::Float8 => float::push(out, f64::from_be_bytes(exact(bytes)?), float::FLOAT8_EXPONENT_FROM),
            Self::Numeric { .. } => write!(out, "{}", Numeric::parse(bytes)?),
            Self::Date => time::push_date(out, i32::from_be_bytes(exact(bytes)?)),
            Self::Time => time::push_time(out, i64::from_be_bytes(exact(bytes)?)),
            Self::Timestamp => time::push_timestamp(out, i64::from_be_bytes(exact(bytes)?), ""),
            Self::TimestampUtc => time::push_timestamp(out, i64::from_be_bytes(exact(bytes)?), "+00"),
            Self::Uuid => push_uuid(out, exact(bytes)?),
            Self::Bytes => push_bytes(out, bytes),
        };
        written.expect("a String takes any text");
        Ok(())
    }

    /// How many of the bytes that come for a value lie beside its fixed size.
    pub(super) fn has_own_bytes(self) -> bool {
        matches!(self, Self::Bytes)
    }
}

fn push_uuid(out: &mut String, bytes: [u8; 16]) -> std::fmt::Result {
    for (index, byte) in bytes.into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        write!(out, "{byte:02x}")?;
    }
    Ok(())
}

fn push_bytes(out: &mut String, bytes: &[u8]) -> std::fmt::Result {
    out.push_str("\\x");
    bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
}
