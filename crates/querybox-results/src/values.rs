//! The values of one column of a batch, with the way to write them chosen once.

use std::ops::Range;

use arrow_array::{
    Array, ArrayRef, BooleanArray, FixedSizeBinaryArray, GenericBinaryArray, GenericStringArray,
    OffsetSizeTrait,
    cast::AsArray,
    types::{
        Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
        Int64Type, Time64MicrosecondType, TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type,
        UInt64Type,
    },
};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer, i256};
use arrow_schema::{ArrowError, DataType, TimeUnit};

use crate::{
    Display, Error,
    text::{self, out::Out},
};

/// One Arrow array whose values can be written as text.
#[derive(Debug)]
pub(crate) struct Values {
    nulls: Option<NullBuffer>,
    slots: Slots,
}

/// The elements of one list: slots of its child.
pub(crate) struct Elements<'a> {
    pub(crate) values: &'a Values,
    pub(crate) slots: Range<usize>,
}

/// Texts as they lie in their array, one behind the other.
pub(crate) struct LyingTexts<'a> {
    pub(crate) bytes: &'a [u8],
    ends: Ends<'a>,
}

/// Where each text ends, behind where the first begins.
enum Ends<'a> {
    Small(&'a [i32]),
    Large(&'a [i64]),
}

impl LyingTexts<'_> {
    /// Where the first begins.
    pub(crate) fn start(&self) -> usize {
        self.offset(0)
    }

    /// Where the text of a slot ends.
    pub(crate) fn end(&self, slot: usize) -> usize {
        self.offset(slot + 1)
    }

    fn offset(&self, at: usize) -> usize {
        match self.ends {
            Ends::Small(offsets) => offsets[at] as usize,
            Ends::Large(offsets) => offsets[at] as usize,
        }
    }
}

/// The array's buffers, by how they are written.
#[derive(Debug)]
enum Slots {
    Bool { values: BooleanArray, shown: [&'static str; 2] },
    Int8(ScalarBuffer<i8>),
    Int16(ScalarBuffer<i16>),
    Int32(ScalarBuffer<i32>),
    Int64(ScalarBuffer<i64>),
    UInt8(ScalarBuffer<u8>),
    UInt16(ScalarBuffer<u16>),
    UInt32(ScalarBuffer<u32>),
    UInt64(ScalarBuffer<u64>),
    Float32(ScalarBuffer<f32>, text::float::Layout),
    Float64(ScalarBuffer<f64>, text::float::Layout),
    Decimal128(ScalarBuffer<i128>, i8),
    Decimal256(ScalarBuffer<i256>, i8),
    Date(ScalarBuffer<i32>),
    Timestamp(ScalarBuffer<i64>, text::time::Zone),
    Time(ScalarBuffer<i64>),
    Uuid(FixedSizeBinaryArray),
    Bytes(GenericBinaryArray<i32>),
    LargeBytes(GenericBinaryArray<i64>),
    Text(GenericStringArray<i32>),
    LargeText(GenericStringArray<i64>),
    List { offsets: OffsetBuffer<i32>, elements: Box<Values> },
}

impl Values {
    /// Takes an array apart.
    ///
    /// # Errors
    ///
    /// When a value lies outside of its kind (a time of day below zero).
    pub(crate) fn new(array: &ArrayRef, display: &Display) -> Result<Self, Error> {
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0).cloned();
        let slots = match (display, array.data_type()) {
            (_, DataType::Utf8) => Slots::Text(array.as_string().clone()),
            (_, DataType::LargeUtf8) => Slots::LargeText(array.as_string().clone()),
            (Display::BoolTF, DataType::Boolean) => {
                Slots::Bool { values: array.as_boolean().clone(), shown: ["f", "t"] }
            }
            (Display::Bool10, DataType::Boolean) => {
                Slots::Bool { values: array.as_boolean().clone(), shown: ["0", "1"] }
            }
            (Display::Integer, DataType::Int8) => {
                Slots::Int8(array.as_primitive::<Int8Type>().values().clone())
            }
            (Display::Integer, DataType::Int16) => {
                Slots::Int16(array.as_primitive::<Int16Type>().values().clone())
            }
            (Display::Integer, DataType::Int32) => {
                Slots::Int32(array.as_primitive::<Int32Type>().values().clone())
            }
            (Display::Integer, DataType::Int64) => {
                Slots::Int64(array.as_primitive::<Int64Type>().values().clone())
            }
            (Display::Integer, DataType::UInt8) => {
                Slots::UInt8(array.as_primitive::<UInt8Type>().values().clone())
            }
            (Display::Integer, DataType::UInt16) => {
                Slots::UInt16(array.as_primitive::<UInt16Type>().values().clone())
            }
            (Display::Integer, DataType::UInt32) => {
                Slots::UInt32(array.as_primitive::<UInt32Type>().values().clone())
            }
            (Display::Integer, DataType::UInt64) => {
                Slots::UInt64(array.as_primitive::<UInt64Type>().values().clone())
            }
            (Display::FloatPg | Display::FloatPoint, DataType::Float32) => {
                Slots::Float32(array.as_primitive::<Float32Type>().values().clone(), float_layout(display))
            }
            (Display::FloatPg | Display::FloatPoint, DataType::Float64) => {
                Slots::Float64(array.as_primitive::<Float64Type>().values().clone(), float_layout(display))
            }
            (Display::Decimal, DataType::Decimal128(_, scale)) => {
                Slots::Decimal128(array.as_primitive::<Decimal128Type>().values().clone(), *scale)
            }
            (Display::Decimal, DataType::Decimal256(_, scale)) => {
                Slots::Decimal256(array.as_primitive::<Decimal256Type>().values().clone(), *scale)
            }
            (Display::DateIso, DataType::Date32) => {
                Slots::Date(array.as_primitive::<Date32Type>().values().clone())
            }
            (Display::TimestampIso, DataType::Timestamp(TimeUnit::Microsecond, _)) => Slots::Timestamp(
                array.as_primitive::<TimestampMicrosecondType>().values().clone(),
                text::time::Zone::Unsaid,
            ),
            (Display::TimestampIsoUtc, DataType::Timestamp(TimeUnit::Microsecond, _)) => Slots::Timestamp(
                array.as_primitive::<TimestampMicrosecondType>().values().clone(),
                text::time::Zone::Utc,
            ),
            (Display::Time, DataType::Time64(TimeUnit::Microsecond)) => {
                let values = array.as_primitive::<Time64MicrosecondType>();
                if values.iter().flatten().any(|time| !text::time::is_time_of_day(time)) {
                    return Err(Error::Refused("a time lies outside of the day"));
                }
                Slots::Time(values.values().clone())
            }
            (Display::Uuid, DataType::FixedSizeBinary(16)) => {
                Slots::Uuid(array.as_fixed_size_binary().clone())
            }
            (Display::BytesHex, DataType::Binary) => Slots::Bytes(array.as_binary().clone()),
            (Display::BytesHex, DataType::LargeBinary) => Slots::LargeBytes(array.as_binary().clone()),
            (Display::Array(inner) | Display::ArrayText(inner), DataType::List(field)) => {
                let list = array.as_list::<i32>();
                let is_nested = matches!(field.data_type(), DataType::List(_));
                let elements = Values::new(list.values(), if is_nested { display } else { inner })?;
                Slots::List { offsets: list.offsets().clone(), elements: Box::new(elements) }
            }
            // `Shape::new` checked the schema and the decoder holds each array to it, so nothing comes here.
            (display, data_type) => {
                return Err(Error::Batch(ArrowError::SchemaError(format!("{data_type} as {display:?}"))));
            }
        };
        Ok(Values { nulls, slots })
    }

    pub(crate) fn is_null(&self, slot: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(slot))
    }

    pub(crate) fn is_list(&self) -> bool {
        matches!(self.slots, Slots::List { .. })
    }

    /// About so many bytes are these slots, found without a look at each.
    pub(crate) fn bytes_of(&self, slots: Range<usize>) -> usize {
        let count = slots.len();
        match &self.slots {
            Slots::Text(array) => between(array.value_offsets(), &slots) + 4 * count,
            Slots::Bytes(array) => between(array.value_offsets(), &slots) + 4 * count,
            Slots::LargeText(array) => between(array.value_offsets(), &slots) + 8 * count,
            Slots::LargeBytes(array) => between(array.value_offsets(), &slots) + 8 * count,
            Slots::List { offsets, elements } => {
                elements.bytes_of(offsets[slots.start] as usize..offsets[slots.end] as usize) + 4 * count
            }
            _ => self.slot_bytes().unwrap_or_default() * count,
        }
    }

    /// So many bytes is each slot. `None`: they differ.
    pub(crate) fn slot_bytes(&self) -> Option<usize> {
        Some(match &self.slots {
            Slots::Bool { .. } | Slots::Int8(_) | Slots::UInt8(_) => 1,
            Slots::Int16(_) | Slots::UInt16(_) => 2,
            Slots::Int32(_) | Slots::UInt32(_) | Slots::Float32(..) | Slots::Date(_) => 4,
            Slots::Int64(_)
            | Slots::UInt64(_)
            | Slots::Float64(..)
            | Slots::Timestamp(..)
            | Slots::Time(_) => 8,
            Slots::Decimal128(..) | Slots::Uuid(_) => 16,
            Slots::Decimal256(..) => 32,
            Slots::Text(_)
            | Slots::Bytes(_)
            | Slots::LargeText(_)
            | Slots::LargeBytes(_)
            | Slots::List { .. } => return None,
        })
    }

    /// Whether a first part of a value is a value of the same type.
    pub(crate) fn can_be_cut(&self) -> bool {
        matches!(self.slots, Slots::Bytes(_) | Slots::LargeBytes(_) | Slots::Text(_) | Slots::LargeText(_))
    }

    /// Whether the text of each value is of letters, digits, points and signs alone, and never empty.
    pub(crate) fn are_plain(&self) -> bool {
        match &self.slots {
            Slots::Bool { .. }
            | Slots::Int8(_)
            | Slots::Int16(_)
            | Slots::Int32(_)
            | Slots::Int64(_)
            | Slots::UInt8(_)
            | Slots::UInt16(_)
            | Slots::UInt32(_)
            | Slots::UInt64(_)
            | Slots::Float32(..)
            | Slots::Float64(..)
            | Slots::Decimal128(..)
            | Slots::Decimal256(..)
            | Slots::Uuid(_) => true,
            Slots::Date(_)
            | Slots::Timestamp(..)
            | Slots::Time(_)
            | Slots::Bytes(_)
            | Slots::LargeBytes(_)
            | Slots::Text(_)
            | Slots::LargeText(_)
            | Slots::List { .. } => false,
        }
    }

    /// Whether the text of each value is plain, or a date or time, which may have spaces and colons too.
    pub(crate) fn are_tame(&self) -> bool {
        self.are_plain() || matches!(self.slots, Slots::Date(_) | Slots::Timestamp(..) | Slots::Time(_))
    }

    /// The value of a slot that is not null, when the array holds text.
    pub(crate) fn text(&self, slot: usize) -> Option<&str> {
        match &self.slots {
            Slots::Text(values) => Some(values.value(slot)),
            Slots::LargeText(values) => Some(values.value(slot)),
            _ => None,
        }
    }

    /// All texts, when the array holds text. In the place of one that is null something may lie.
    pub(crate) fn lying_texts(&self) -> Option<LyingTexts<'_>> {
        match &self.slots {
            Slots::Text(array) => {
                Some(LyingTexts { bytes: array.value_data(), ends: Ends::Small(array.value_offsets()) })
            }
            Slots::LargeText(array) => {
                Some(LyingTexts { bytes: array.value_data(), ends: Ends::Large(array.value_offsets()) })
            }
            _ => None,
        }
    }

    /// The letters that the text of a value can have. `None`: any.
    pub(crate) fn letters(&self) -> Option<&'static [u8]> {
        Some(match &self.slots {
            Slots::Bool { .. } => b"tf01",
            Slots::Int8(_)
            | Slots::Int16(_)
            | Slots::Int32(_)
            | Slots::Int64(_)
            | Slots::UInt8(_)
            | Slots::UInt16(_)
            | Slots::UInt32(_)
            | Slots::UInt64(_) => b"-0123456789",
            Slots::Float32(..) | Slots::Float64(..) => b"-+.e0123456789InfinityNaN",
            Slots::Decimal128(..) | Slots::Decimal256(..) => b"-.0123456789",
            Slots::Date(_) => b"-0123456789 BC",
            Slots::Timestamp(..) => b"-+:.0123456789 BC",
            Slots::Time(_) => b":.0123456789",
            Slots::Uuid(_) => b"-0123456789abcdef",
            Slots::Bytes(_) | Slots::LargeBytes(_) => b"\\x0123456789abcdef",
            Slots::Text(_) | Slots::LargeText(_) | Slots::List { .. } => return None,
        })
    }

    /// The value of a slot that is not null, when the array holds bytes.
    pub(crate) fn bytes(&self, slot: usize) -> Option<&[u8]> {
        match &self.slots {
            Slots::Bytes(values) => Some(values.value(slot)),
            Slots::LargeBytes(values) => Some(values.value(slot)),
            _ => None,
        }
    }

    /// The elements of a slot that is not null, when the array holds lists.
    pub(crate) fn elements(&self, slot: usize) -> Option<Elements<'_>> {
        let Slots::List { offsets, elements } = &self.slots else { return None };
        Some(Elements { values: elements, slots: offsets[slot] as usize..offsets[slot + 1] as usize })
    }

    /// Appends the value of a slot that is not null.
    pub(crate) fn write_text(&self, slot: usize, out: &mut impl Out) {
        match &self.slots {
            Slots::Bool { values, shown } => out.push_str(shown[usize::from(values.value(slot))]),
            Slots::Int8(values) => push_integer(out, values[slot]),
            Slots::Int16(values) => push_integer(out, values[slot]),
            Slots::Int32(values) => push_integer(out, values[slot]),
            Slots::Int64(values) => push_integer(out, values[slot]),
            Slots::UInt8(values) => push_integer(out, values[slot]),
            Slots::UInt16(values) => push_integer(out, values[slot]),
            Slots::UInt32(values) => push_integer(out, values[slot]),
            Slots::UInt64(values) => push_integer(out, values[slot]),
            Slots::Float32(values, layout) => text::float::push(out, values[slot], *layout),
            Slots::Float64(values, layout) => text::float::push(out, values[slot], *layout),
            Slots::Decimal128(values, scale) => text::decimal::push_i128(out, values[slot], *scale),
            Slots::Decimal256(values, scale) => text::decimal::push_i256(out, values[slot], *scale),
            Slots::Date(values) => text::time::push_date(out, values[slot]),
            Slots::Timestamp(values, zone) => text::time::push_timestamp(out, values[slot], *zone),
            Slots::Time(values) => text::time::push_time(out, values[slot]),
            Slots::Uuid(values) => text::hex::push_uuid(out, values.value(slot)),
            Slots::Bytes(values) => text::hex::push_bytes(out, values.value(slot)),
            Slots::LargeBytes(values) => text::hex::push_bytes(out, values.value(slot)),
            Slots::Text(values) => out.push_str(values.value(slot)),
            Slots::LargeText(values) => out.push_str(values.value(slot)),
            Slots::List { offsets, elements } => {
                text::array::push(out, elements, offsets[slot] as usize..offsets[slot + 1] as usize);
            }
        }
    }
}

/// How far apart the ends of some slots are.
fn between<O: OffsetSizeTrait>(offsets: &[O], slots: &Range<usize>) -> usize {
    (offsets[slots.end] - offsets[slots.start]).as_usize()
}

fn float_layout(display: &Display) -> text::float::Layout {
    match display {
        Display::FloatPoint => text::float::Layout::Point,
        _ => text::float::Layout::Postgres,
    }
}

fn push_integer(out: &mut impl Out, value: impl itoa::Integer) {
    out.push_ascii(itoa::Buffer::new().format(value).as_bytes());
}
