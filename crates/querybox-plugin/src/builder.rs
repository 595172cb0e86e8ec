//! One column of the batch that is being filled.

use std::sync::Arc;

use arrow_array::{
    ArrayRef,
    builder::{
        BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, FixedSizeBinaryBuilder,
        Float32Builder, Float64Builder, Int16Builder, Int32Builder, Int64Builder, StringBuilder,
        Time64MicrosecondBuilder, TimestampMicrosecondBuilder, UInt32Builder, UInt64Builder,
    },
};

use crate::ColumnKind;

/// An Arrow builder of the column's type. Appending another type's value is a mistake of the driver and panics.
pub(crate) enum Builder {
    Bool(BooleanBuilder),
    Int16(Int16Builder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    UInt32(UInt32Builder),
    UInt64(UInt64Builder),
    Float32(Float32Builder),
    Float64(Float64Builder),
    Decimal(Decimal128Builder),
    Date(Date32Builder),
    Timestamp(TimestampMicrosecondBuilder),
    Time(Time64MicrosecondBuilder),
    Uuid(FixedSizeBinaryBuilder),
    Bytes(BinaryBuilder),
    Text(StringBuilder),
}

/// Does one thing with whichever builder it is.
macro_rules! each {
    ($builder:expr, $inner:ident => $do:expr) => {
        match $builder {
            Builder::Bool($inner) => $do,
            Builder::Int16($inner) => $do,
            Builder::Int32($inner) => $do,
            Builder::Int64($inner) => $do,
            Builder::UInt32($inner) => $do,
            Builder::UInt64($inner) => $do,
            Builder::Float32($inner) => $do,
            Builder::Float64($inner) => $do,
            Builder::Decimal($inner) => $do,
            Builder::Date($inner) => $do,
            Builder::Timestamp($inner) => $do,
            Builder::Time($inner) => $do,
            Builder::Uuid($inner) => $do,
            Builder::Bytes($inner) => $do,
            Builder::Text($inner) => $do,
        }
    };
}

impl Builder {
    pub(crate) fn new(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::BoolTF | ColumnKind::Bool10 => Self::Bool(BooleanBuilder::new()),
            ColumnKind::Int16 => Self::Int16(Int16Builder::new()),
            ColumnKind::Int32 => Self::Int32(Int32Builder::new()),
            ColumnKind::Int64 => Self::Int64(Int64Builder::new()),
            ColumnKind::UInt32 => Self::UInt32(UInt32Builder::new()),
            ColumnKind::UInt64 => Self::UInt64(UInt64Builder::new()),
            ColumnKind::Float32 => Self::Float32(Float32Builder::new()),
            ColumnKind::Float64 | ColumnKind::Float64Point => Self::Float64(Float64Builder::new()),
            ColumnKind::Decimal { precision, scale } => Self::Decimal(
                Decimal128Builder::new()
                    .with_precision_and_scale(precision, scale)
                    .expect("a column's precision is 1 to 38 and its scale not above it"),
            ),
            ColumnKind::Date => Self::Date(Date32Builder::new()),
            ColumnKind::Timestamp => Self::Timestamp(TimestampMicrosecondBuilder::new()),
            ColumnKind::TimestampUtc => {
                Self::Timestamp(TimestampMicrosecondBuilder::new().with_timezone("UTC"))
            }
            ColumnKind::Time => Self::Time(Time64MicrosecondBuilder::new()),
            ColumnKind::Uuid => Self::Uuid(FixedSizeBinaryBuilder::new(16)),
            ColumnKind::Bytes => Self::Bytes(BinaryBuilder::new()),
            ColumnKind::Text(_) => Self::Text(StringBuilder::new()),
        }
    }

    pub(crate) fn append_null(&mut self) {
        each!(self, builder => builder.append_null());
    }

    /// The values so far as an array; the builder is empty then and keeps nothing of them.
    pub(crate) fn finish(&mut self) -> ArrayRef {
        each!(self, builder => Arc::new(builder.finish()) as ArrayRef)
    }
}
