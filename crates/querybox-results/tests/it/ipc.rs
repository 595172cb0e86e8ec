//! Arrow IPC as a driver would send it.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_ipc::writer::{DictionaryTracker, EncodedData, IpcDataGenerator, IpcWriteOptions};
use arrow_schema::{Field, Schema};
use bytes::Bytes;
use querybox_results::{Batch, CellNote, Column, Display, Error, Shape};

/// A column's description with its values.
pub(crate) struct Filled {
    pub(crate) column: Column,
    pub(crate) array: ArrayRef,
}

/// A column named `name`, filled.
pub(crate) fn filled(name: &str, display: Display, array: impl arrow_array::Array + 'static) -> Filled {
    let column = Column { name: name.to_owned(), database_type: String::new(), display };
    Filled { column, array: Arc::new(array) }
}

/// What a driver sends for a result of one batch.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) schema: Bytes,
    pub(crate) columns: Vec<Column>,
    pub(crate) metadata: Bytes,
    pub(crate) body: Bytes,
    pub(crate) row_count: u32,
}

impl Sent {
    /// Reads it back as Core does.
    pub(crate) fn read(self, notes: Vec<CellNote>) -> Result<Batch, Error> {
        let shape = Shape::new(&self.schema, self.columns)?;
        shape.batch(&self.metadata, self.body, self.row_count, notes)
    }
}

/// Encodes columns of `row_count` rows each.
pub(crate) fn send(filled: Vec<Filled>, row_count: usize) -> Sent {
    let fields = filled.iter().map(|f| Field::new(&f.column.name, f.array.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let (columns, arrays): (Vec<_>, Vec<_>) = filled.into_iter().map(|f| (f.column, f.array)).unzip();
    let options = RecordBatchOptions::new().with_row_count(Some(row_count));
    let batch = RecordBatch::try_new_with_options(schema.clone(), arrays, &options).unwrap();
    let generator = IpcDataGenerator::default();
    let mut tracker = DictionaryTracker::new(true);
    let write = IpcWriteOptions::default();
    let (_, EncodedData { ipc_message, arrow_data }) =
        generator.encode(&batch, &mut tracker, &write, &mut Default::default()).unwrap();
    Sent {
        schema: schema_message(&schema),
        columns,
        metadata: ipc_message.into(),
        body: arrow_data.into(),
        row_count: row_count.try_into().unwrap(),
    }
}

/// A schema as a bare IPC message.
pub(crate) fn schema_message(schema: &Schema) -> Bytes {
    let mut tracker = DictionaryTracker::new(true);
    let write = IpcWriteOptions::default();
    let generator = IpcDataGenerator::default();
    generator.schema_to_bytes_with_dictionary_tracker(schema, &mut tracker, &write).ipc_message.into()
}

/// A batch of these columns, sent and read; notes by row and column.
pub(crate) fn batch(filled: Vec<Filled>, notes: Vec<CellNote>) -> Batch {
    let row_count = filled.first().map_or(0, |f| f.array.len());
    send(filled, row_count).read(notes).unwrap()
}

/// The display texts of one column's values.
pub(crate) fn texts(display: Display, array: impl arrow_array::Array + 'static) -> Vec<String> {
    let batch = batch(vec![filled("value", display, array)], Vec::new());
    let mut scratch = String::new();
    (0..batch.row_count()).map(|row| batch.cell(row, 0).text(&mut scratch).to_owned()).collect()
}
