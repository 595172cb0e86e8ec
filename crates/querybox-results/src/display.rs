//! The closed set of ways a value can look.

use arrow_schema::{DataType, TimeUnit};

/// How the values of a column look, and what they mean.
///
/// The kinds are those of the plugin contract. Beside its native Arrow type a kind may stand on `Utf8` or `LargeUtf8`
/// where the table of [`Display::goes_with`] says so: the text is then the database's own and is shown as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Display {
    /// `t` or `f`.
    BoolTF,
    /// `1` or `0`.
    Bool10,
    /// Decimal digits.
    Integer,
    /// The shortest digits that read back, laid out as PostgreSQL 12 and later do: `1`, `0.1`, `1e+100`, `NaN`.
    FloatPg,
    /// The same, but a finite value always has a point or an exponent: `1.0`.
    FloatPoint,
    /// Digits with the type's scale.
    Decimal,
    /// `2024-02-29`.
    DateIso,
    /// `2024-02-29 13:05:07.25`, the fraction without trailing zeros.
    TimestampIso,
    /// `2024-02-29 13:05:07.25+00`.
    TimestampIsoUtc,
    /// `13:05:07.25`, from `00:00:00` to `24:00:00`.
    Time,
    /// Groups of 8-4-4-4-12 lower-case hexadecimal digits.
    Uuid,
    /// `\x` and lower-case hexadecimal digits.
    BytesHex,
    /// As it is.
    Text,
    /// As it is; one JSON value.
    Json,
    /// `{1,2,NULL}`, PostgreSQL's form. Lists of any depth; their innermost elements look as the kind inside, which is
    /// never `Array` again.
    Array(Box<Display>),
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
            | Display::Json
            | Display::Array(_) => false,
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
            // Arrow keeps the instant in UTC whatever zone it names.
            Display::TimestampIsoUtc => {
                is_text || matches!(data_type, T::Timestamp(TimeUnit::Microsecond, _))
            }
            Display::Time => is_text || matches!(data_type, T::Time64(TimeUnit::Microsecond)),
            Display::Uuid => is_text || matches!(data_type, T::FixedSizeBinary(16)),
            Display::BytesHex => matches!(data_type, T::Binary | T::LargeBinary),
            Display::Text | Display::Json => is_text,
            Display::Array(element) => match data_type {
                T::List(field) if matches!(field.data_type(), T::List(_)) => {
                    self.goes_with(field.data_type())
                }
                T::List(field) => {
                    !matches!(**element, Display::Array(_)) && element.goes_with(field.data_type())
                }
                _ => false,
            },
        }
    }
}
