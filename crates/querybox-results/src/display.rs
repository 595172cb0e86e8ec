//! The closed set of ways a value can look.

use arrow_schema::{DataType, TimeUnit};

/// How the values of a column look, and what they mean.
///
/// The kinds are those of the plugin contract, each with the Arrow types it goes with. "Text" is `Utf8` or `LargeUtf8`:
/// the database's own text, which is shown as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Display {
    /// `t` or `f`. `Boolean`.
    BoolTF,
    /// `1` or `0`. `Boolean`.
    Bool10,
    /// Decimal digits. `Int8` to `Int64`, `UInt8` to `UInt64`, text.
    Integer,
    /// The shortest digits that read back, laid out as PostgreSQL 12 and later do: `1`, `0.1`, `1e+100`, `NaN`.
    /// `Float32`, `Float64`, text.
    FloatPg,
    /// The same, but a finite value always has a point or an exponent: `1.0`. `Float32`, `Float64`, text.
    FloatPoint,
    /// Digits with the type's scale. `Decimal128`, `Decimal256`, text.
    Decimal,
    /// `2024-02-29`. `Date32`, text.
    DateIso,
    /// `2024-02-29 13:05:07.25`, the fraction without trailing zeros. `Timestamp` in microseconds without a zone, text.
    TimestampIso,
    /// `2024-02-29 13:05:07.25+00`. `Timestamp` in microseconds (whatever zone it names: Arrow counts in UTC), text.
    TimestampIsoUtc,
    /// `13:05:07.25`, from `00:00:00` to `24:00:00`. `Time64` in microseconds, text.
    Time,
    /// Groups of 8-4-4-4-12 lower-case hexadecimal digits. `FixedSizeBinary(16)`, text.
    Uuid,
    /// `\x` and lower-case hexadecimal digits. `Binary`, `LargeBinary`.
    BytesHex,
    /// As it is. Text.
    Text,
    /// A span of time in PostgreSQL's words: `1 year 2 mons -3 days +04:05:06.7`. Text.
    Interval,
    /// A time of day with an offset: `13:05:07.25+02`. Text.
    TimeZoned,
    /// An amount with its currency, all with as many digits behind the point: `$1,234.50`. Text.
    Money,
    /// As it is; one JSON value. Text.
    Json,
    /// `{1,2,NULL}`, PostgreSQL's form. `List` of any depth; its innermost elements look as the kind inside, which is
    /// never `Array` again.
    Array(Box<Display>),
    /// The same, and text of that form also where a format has arrays of its own, as JSON does. `List` of any depth.
    ArrayText(Box<Display>),
}

impl Display {
    /// Whether values are numbers, which people want aligned to the right.
    pub fn is_number(&self) -> bool {
        match self {
            Display::Integer | Display::FloatPg | Display::FloatPoint | Display::Decimal => true,
            Display::BoolTF
            | Display::Bool10
            | Display::DateIso
            | Display::TimestampIso
            | Display::TimestampIsoUtc
            | Display::Time
            | Display::Uuid
            | Display::BytesHex
            | Display::Text
            | Display::Interval
            | Display::TimeZoned
            | Display::Money
            | Display::Json
            | Display::Array(_)
            | Display::ArrayText(_) => false,
        }
    }

    /// Whether a column of this Arrow type may be shown so.
    pub(crate) fn goes_with(&self, data_type: &DataType) -> bool {
        use DataType as T;

        let is_text = matches!(data_type, T::Utf8 | T::LargeUtf8);
        match self {
            Display::BoolTF | Display::Bool10 => matches!(data_type, T::Boolean),
            Display::Integer => is_text || data_type.is_integer(),
            Display::FloatPg | Display::FloatPoint => is_text || matches!(data_type, T::Float32 | T::Float64),
            Display::Decimal => is_text || matches!(data_type, T::Decimal128(..) | T::Decimal256(..)),
            Display::DateIso => is_text || matches!(data_type, T::Date32),
            Display::TimestampIso => {
                is_text || matches!(data_type, T::Timestamp(TimeUnit::Microsecond, None))
            }
            Display::TimestampIsoUtc => {
                is_text || matches!(data_type, T::Timestamp(TimeUnit::Microsecond, _))
            }
            Display::Time => is_text || matches!(data_type, T::Time64(TimeUnit::Microsecond)),
            Display::Uuid => is_text || matches!(data_type, T::FixedSizeBinary(16)),
            Display::BytesHex => matches!(data_type, T::Binary | T::LargeBinary),
            Display::Text | Display::Json | Display::Interval | Display::TimeZoned | Display::Money => {
                is_text
            }
            Display::Array(element) | Display::ArrayText(element) => match data_type {
                T::List(field) if matches!(field.data_type(), T::List(_)) => {
                    self.goes_with(field.data_type())
                }
                T::List(field) => {
                    !matches!(**element, Display::Array(_) | Display::ArrayText(_))
                        && element.goes_with(field.data_type())
                }
                _ => false,
            },
        }
    }
}
