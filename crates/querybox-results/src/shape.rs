//! What a result's rows consist of.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;

use crate::{Batch, CellNote, Display, Error, message};

/// One column of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name as the database gives it. May be empty, and may repeat.
    pub name: String,
    /// The type in the database's words. Empty: the database does not say.
    pub database_type: String,
    /// How the values look.
    pub display: Display,
}

/// The columns of a result, checked against its Arrow schema: each column's kind goes with its Arrow type.
///
/// Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Shape {
    schema: SchemaRef,
    columns: Arc<[Column]>,
}

impl Shape {
    /// Reads a result's header.
    ///
    /// `arrow_schema` is an Arrow IPC `Message` flatbuffer that holds a schema, without the encapsulation (no
    /// continuation marker, no length). Field *i* belongs to column *i*; field names are ignored.
    ///
    /// # Errors
    ///
    /// When the message is not a schema, has another number of fields than there are columns, or a column's kind does
    /// not go with its Arrow type.
    pub fn new(arrow_schema: &Bytes, columns: Vec<Column>) -> Result<Self, Error> {
        let schema = message::decode_schema(arrow_schema)?;
        if schema.fields().len() != columns.len() {
            return Err(Error::ColumnCount { fields: schema.fields().len(), columns: columns.len() });
        }
        for (index, (field, column)) in schema.fields().iter().zip(&columns).enumerate() {
            if !column.display.goes_with(field.data_type()) {
                return Err(Error::Unshowable {
                    column: index,
                    name: column.name.clone(),
                    data_type: field.data_type().clone(),
                    display: column.display.clone(),
                });
            }
        }
        // A cell with a note is a null slot, also in a column that the database declares NOT NULL.
        let nullable = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
        let schema = Arc::new(Schema::new(nullable.collect::<Vec<_>>()));
        Ok(Shape { schema, columns: columns.into() })
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The same with one more column, of whole numbers.
    pub(crate) fn with_numbers(&self) -> Shape {
        let numbers = Field::new("number", DataType::UInt64, true);
        let fields = self.schema.fields().iter().cloned().chain([Arc::new(numbers)]);
        let column =
            Column { name: "number".to_owned(), database_type: String::new(), display: Display::Integer };
        let columns = self.columns.iter().cloned().chain([column]);
        Shape { schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns: columns.collect() }
    }

    /// A batch out of arrays of this shape.
    pub(crate) fn batch_of(&self, arrays: Vec<ArrayRef>, notes: Vec<CellNote>) -> Result<Batch, Error> {
        let arrays = RecordBatch::try_new(self.schema.clone(), arrays).map_err(Error::Batch)?;
        let row_count =
            u32::try_from(arrays.num_rows()).map_err(|_| Error::Refused("it has too many rows"))?;
        Batch::new(self.columns.clone(), &arrays, row_count, notes)
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Reads one batch of rows.
    ///
    /// `arrow_metadata` is an Arrow IPC `Message` flatbuffer that holds a record batch, without the encapsulation;
    /// `arrow_body` is the body it describes. The body is kept, not copied, when its address suits its values; a
    /// misaligned one is copied once.
    ///
    /// # Errors
    ///
    /// When the message is not a record batch of this shape with `row_count` rows, uses dictionaries or compression,
    /// points outside the body, or a note does not go with the array.
    pub fn batch(
        &self,
        arrow_metadata: &Bytes,
        arrow_body: Bytes,
        row_count: u32,
        notes: Vec<CellNote>,
    ) -> Result<Batch, Error> {
        let arrays = message::decode_batch(&self.schema, arrow_metadata, arrow_body, row_count)?;
        Batch::new(self.columns.clone(), &arrays, row_count, notes)
    }
}
