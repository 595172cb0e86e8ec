//! Arrow IPC messages from a driver, decoded without trusting them.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::{Endianness, convert::try_fb_to_schema, reader::RecordBatchDecoder, root_as_message};
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef};
use bytes::Bytes;

use crate::Error;

/// The alignment that every supported Arrow type can live with (decimals need it).
const BODY_ALIGNMENT_BYTES: usize = 16;

/// Decodes a schema out of a bare IPC `Message`.
pub(crate) fn decode_schema(message: &[u8]) -> Result<Schema, Error> {
    guarded(Error::Schema, || {
        let message = root_as_message(message).map_err(|e| ArrowError::ParseError(e.to_string()))?;
        let schema = message
            .header_as_schema()
            .ok_or_else(|| ArrowError::ParseError("the message holds no schema".to_owned()))?;
        if schema.endianness() != Endianness::Little {
            return Err(ArrowError::ParseError("the schema is not little-endian".to_owned()));
        }
        try_fb_to_schema(schema)
    })
}

/// Decodes a record batch out of a bare IPC `Message` and its body.
pub(crate) fn decode_batch(
    schema: &SchemaRef,
    metadata: &[u8],
    body: Bytes,
    row_count: u32,
) -> Result<RecordBatch, Error> {
    let message =
        root_as_message(metadata).map_err(|e| Error::Batch(ArrowError::ParseError(e.to_string())))?;
    let batch =
        message.header_as_record_batch().ok_or(Error::Refused("the message holds no record batch"))?;
    if u64::try_from(message.bodyLength()) != Ok(body.len() as u64) {
        return Err(Error::Refused("its body has another length than it says"));
    }
    check_extents(&batch, body.len(), row_count)?;
    check_layout(&batch, schema)?;
    let body = align(body);
    guarded(Error::Batch, || {
        RecordBatchDecoder::try_new(&body, batch, schema.clone(), &HashMap::new(), &message.version())?
            .read_record_batch()
    })
}

/// Checks what the decoder takes for granted: that lengths are not negative and stay inside the body.
fn check_extents(batch: &arrow_ipc::RecordBatch<'_>, body_bytes: usize, row_count: u32) -> Result<(), Error> {
    let body_bytes = body_bytes as u64;
    if batch.length() != i64::from(row_count) {
        return Err(Error::Refused("its row count differs from the message's"));
    }
    if batch.compression().is_some() {
        return Err(Error::Refused("it is compressed"));
    }
    // A slot takes at least a bit, so a list cannot have more elements than the body has bits.
    let slots_max = u64::from(row_count).max(body_bytes.saturating_mul(8));
    for node in batch.nodes().unwrap_or_default() {
        let (length, null_count) = (node.length(), node.null_count());
        if null_count < 0 || null_count > length || u64::try_from(length).is_ok_and(|l| l > slots_max) {
            return Err(Error::Refused("a length lies outside of it"));
        }
    }
    for buffer in batch.buffers().unwrap_or_default() {
        let end = u64::try_from(buffer.offset()).ok().zip(u64::try_from(buffer.length()).ok());
        let end = end.and_then(|(offset, length)| offset.checked_add(length));
        if end.is_none_or(|end| end > body_bytes) {
            return Err(Error::Refused("a buffer lies outside of the body"));
        }
    }
    Ok(())
}

/// Checks that the buffers are those of the schema, and consist of whole values.
fn check_layout(batch: &arrow_ipc::RecordBatch<'_>, schema: &Schema) -> Result<(), Error> {
    let mut units = Vec::new();
    let nodes = schema.fields().iter().map(|field| push_units(field.data_type(), &mut units)).sum::<usize>();
    let buffers = batch.buffers().unwrap_or_default();
    if batch.nodes().map_or(0, |nodes| nodes.len()) != nodes || buffers.len() != units.len() {
        return Err(Error::Refused("it has other arrays than its schema"));
    }
    if buffers.iter().zip(units).any(|(buffer, unit)| buffer.length() % unit != 0) {
        return Err(Error::Refused("a buffer ends within a value"));
    }
    Ok(())
}

/// Appends the size of a value in each buffer of a column (1 where anything goes), and gives the number of its arrays.
///
/// What a shape does not let pass needs no size of its own.
fn push_units(data_type: &DataType, units: &mut Vec<i64>) -> usize {
    const VALIDITY: i64 = 1;
    match data_type {
        DataType::Utf8 | DataType::Binary => units.extend([VALIDITY, 4, 1]),
        DataType::LargeUtf8 | DataType::LargeBinary => units.extend([VALIDITY, 8, 1]),
        DataType::List(field) => {
            units.extend([VALIDITY, 4]);
            return 1 + push_units(field.data_type(), units);
        }
        data_type => {
            let width = data_type.primitive_width().map_or(1, |width| width as i64);
            units.extend([VALIDITY, width]);
        }
    }
    1
}

/// The body at an address that suits its values. Buffers that are misaligned within the body are copied by the decoder.
fn align(body: Bytes) -> Buffer {
    if body.as_ptr().align_offset(BODY_ALIGNMENT_BYTES) == 0 {
        Buffer::from(body)
    } else {
        Buffer::from(body.as_ref())
    }
}

/// Runs the decoder so that a panic in it is an error.
///
/// What is checked before leaves it nothing to panic about that we know of (a test asserts so); but it is other
/// people's code over a hostile driver's bytes, and it asserts in places.
fn guarded<T>(
    wrap: fn(ArrowError) -> Error,
    decode: impl FnOnce() -> Result<T, ArrowError>,
) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err(ArrowError::IpcError("the decoder gave up".to_owned())))
        .map_err(wrap)
}
