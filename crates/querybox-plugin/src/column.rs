//! Columns of a result: how their values travel and how they look.

use std::sync::Arc;

use arrow_schema::{DataType, Field, TimeUnit};
use querybox_contracts::plugin::v1::{self as pb, Display};

/// One column of a result.
#[derive(Debug, Clone)]
pub struct Column {
    /// The name as the database gives it. May be empty, and may repeat.
    pub name: String,
    /// The type in the database's words; empty when it does not say.
    pub database_type: String,
    /// How its values travel and look.
    pub kind: ColumnKind,
    /// Opaque: the same for columns of one origin, for matching with column facts; empty when unknown.
    pub origin_id: String,
}

/// How the values of a column travel (an Arrow type) and look (a display kind).
///
/// Choose the kind that every ordinary value of the type fits without loss. A value outside it is noted
/// ([`Rows::exact_text`](crate::Rows::exact_text)); a type with no such kind travels as the server's own text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnKind {
    /// `t` or `f`. Arrow Boolean.
    BoolTF,
    /// `1` or `0`. Arrow Boolean.
    Bool10,
    /// Arrow Int16.
    Int16,
    /// Arrow Int32.
    Int32,
    /// Arrow Int64.
    Int64,
    /// Arrow UInt32.
    UInt32,
    /// Arrow UInt64.
    UInt64,
    /// Arrow Float32, as PostgreSQL prints it.
    Float32,
    /// Arrow Float64, as PostgreSQL prints it.
    Float64,
    /// Arrow Float64, always with a point or an exponent.
    Float64Point,
    /// Arrow Decimal128.
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits behind the point, at most `precision`.
        scale: i8,
    },
    /// Arrow Date32: days since 1970-01-01.
    Date,
    /// Arrow Timestamp in microseconds since 1970-01-01, without a zone.
    Timestamp,
    /// Arrow Timestamp in microseconds since 1970-01-01 UTC.
    TimestampUtc,
    /// Arrow Time64 in microseconds since midnight.
    Time,
    /// Arrow FixedSizeBinary(16).
    Uuid,
    /// Arrow Binary.
    Bytes,
    /// Arrow Utf8.
    Text(TextKind),
    /// Lists of one dimension with elements of a kind, which is not `List`. Arrow List. They look as PostgreSQL's arrays do,
    /// `{1,2,NULL}`, and are text where a format has arrays of its own: a value that is no such list is noted as text, and a
    /// column looks one way.
    List(Box<ColumnKind>),
}

/// What the text of a column means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// Plain text.
    Text,
    /// One JSON value.
    Json,
    /// A whole number in digits.
    Integer,
    /// A decimal number in digits.
    Decimal,
    /// A floating-point number as PostgreSQL prints it.
    Float,
    /// A date.
    Date,
    /// A date and time without a zone.
    Timestamp,
    /// A date and time with an offset.
    TimestampUtc,
    /// A time of day.
    Time,
    /// A UUID.
    Uuid,
    /// A span of time, in the words of PostgreSQL's own style.
    Interval,
    /// A time of day with an offset.
    TimeZoned,
    /// An amount with its currency, all of a column with as many digits behind the point.
    Money,
}

impl ColumnKind {
    /// The display kind of the contract.
    #[must_use]
    pub fn display(&self) -> Display {
        match self {
            Self::BoolTF => Display::BoolTF,
            Self::Bool10 => Display::Bool10,
            Self::Int16 | Self::Int32 | Self::Int64 | Self::UInt32 | Self::UInt64 => Display::Integer,
            Self::Float32 | Self::Float64 => Display::FloatPg,
            Self::Float64Point => Display::FloatPoint,
            Self::Decimal { .. } => Display::Decimal,
            Self::Date => Display::DateIso,
            Self::Timestamp => Display::TimestampIso,
            Self::TimestampUtc => Display::TimestampIsoUtc,
            Self::Time => Display::Time,
            Self::Uuid => Display::Uuid,
            Self::Bytes => Display::BytesHex,
            Self::Text(kind) => match kind {
                TextKind::Text => Display::Text,
                TextKind::Json => Display::Json,
                TextKind::Integer => Display::Integer,
                TextKind::Decimal => Display::Decimal,
                TextKind::Float => Display::FloatPg,
                TextKind::Date => Display::DateIso,
                TextKind::Timestamp => Display::TimestampIso,
                TextKind::TimestampUtc => Display::TimestampIsoUtc,
                TextKind::Time => Display::Time,
                TextKind::Uuid => Display::Uuid,
                TextKind::Interval => Display::Interval,
                TextKind::TimeZoned => Display::TimeZoned,
                TextKind::Money => Display::Money,
            },
            Self::List(_) => Display::ArrayText,
        }
    }

    /// How the elements look; unspecified for what has none.
    fn element_display(&self) -> Display {
        match self {
            Self::List(element) => element.display(),
            _ => Display::Unspecified,
        }
    }

    fn data_type(&self) -> DataType {
        match self {
            Self::BoolTF | Self::Bool10 => DataType::Boolean,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::UInt32 => DataType::UInt32,
            Self::UInt64 => DataType::UInt64,
            Self::Float32 => DataType::Float32,
            Self::Float64 | Self::Float64Point => DataType::Float64,
            Self::Decimal { precision, scale } => DataType::Decimal128(*precision, *scale),
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::TimestampUtc => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::Uuid => DataType::FixedSizeBinary(16),
            Self::Bytes => DataType::Binary,
            Self::Text(_) => DataType::Utf8,
            Self::List(element) => DataType::List(Arc::new(Field::new_list_field(element.data_type(), true))),
        }
    }
}

impl Column {
    pub(crate) fn field(&self) -> Field {
        Field::new(&self.name, self.kind.data_type(), true)
    }

    pub(crate) fn to_wire(&self) -> pb::Column {
        pb::Column {
            name: self.name.clone(),
            database_type: self.database_type.clone(),
            display: self.kind.display().into(),
            element_display: self.kind.element_display().into(),
            origin_id: self.origin_id.clone(),
        }
    }
}
