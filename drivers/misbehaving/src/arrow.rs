//! Real Arrow messages, so that a lie is only where it is said to be.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions};
use arrow_schema::{DataType, Field, Schema};
use bytes::Bytes;

/// The schema of so many columns of integers.
pub(crate) fn schema_message(columns: usize) -> Bytes {
    let options = IpcWriteOptions::default();
    let mut dictionaries = DictionaryTracker::new(true);
    IpcDataGenerator::default()
        .schema_to_bytes_with_dictionary_tracker(&schema(columns), &mut dictionaries, &options)
        .ipc_message
        .into()
}

/// Metadata and body of a batch of such columns, at least one.
pub(crate) fn batch_message(columns: usize, rows: u32) -> (Bytes, Bytes) {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..i64::from(rows)));
    let batch = RecordBatch::try_new(Arc::new(schema(columns)), vec![numbers; columns])
        .expect("the columns are those of the schema");
    let (_, encoded) = IpcDataGenerator::default()
        .encode(
            &batch,
            &mut DictionaryTracker::new(true),
            &IpcWriteOptions::default(),
            &mut IpcWriteContext::default(),
        )
        .expect("integers can be encoded");
    (encoded.ipc_message.into(), encoded.arrow_data.into())
}

fn schema(columns: usize) -> Schema {
    Schema::new((0..columns).map(|_| Field::new("n", DataType::Int64, true)).collect::<Vec<_>>())
}
