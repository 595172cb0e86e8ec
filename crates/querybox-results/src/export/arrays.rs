//! Batches for formats with types: each column as it is, or as the text that shows it.

use std::{collections::HashMap, sync::Arc};

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, builder::LargeStringBuilder};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

use crate::{Batch, Display, Shape, State, export::Exported, format::json::unique_names};

/// How the columns of a result go into a format with types.
pub(super) struct Arrays {
    schema: SchemaRef,
    forms: Vec<Form>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Native,
    Text,
}

impl Arrays {
    /// Columns with cells outside of their type become text, and so do those of a type that `is_foreign` to the format.
    pub(super) fn new(shape: &Shape, inexact: &[usize], is_foreign: impl Fn(&DataType) -> bool) -> Arrays {
        let names = unique_names(shape.columns());
        let (mut fields, mut forms) = (Vec::new(), Vec::new());
        for (index, (field, name)) in shape.schema().fields().iter().zip(names).enumerate() {
            let is_text = matches!(field.data_type(), DataType::Utf8 | DataType::LargeUtf8);
            // Text that could not be decoded is text all the same: the digits of its bytes.
            let as_text = inexact.contains(&index) || is_foreign(field.data_type());
            let (form, data_type) = match as_text {
                true => (Form::Text, DataType::LargeUtf8),
                false => (Form::Native, field.data_type().clone()),
            };
            let known_as = match &shape.columns()[index].display {
                Display::Uuid if data_type == DataType::FixedSizeBinary(16) => Some("arrow.uuid"),
                Display::Json if is_text && form == Form::Native => Some("arrow.json"),
                _ => None,
            };
            let known_as = known_as.map(|name| ("ARROW:extension:name".to_owned(), name.to_owned()));
            let metadata: HashMap<_, _> = known_as.into_iter().collect();
            fields.push(Field::new(name, data_type, true).with_metadata(metadata));
            forms.push(form);
        }
        Arrays { schema: Arc::new(Schema::new(fields)), forms }
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Whether all columns are as the driver sent them.
    pub(super) fn are_native(&self) -> bool {
        self.forms.iter().all(|form| *form == Form::Native)
    }

    /// The columns of a batch, and in `exported` what of them is lost.
    pub(super) fn of(&self, batch: &Batch, exported: &mut Exported) -> Result<RecordBatch, ArrowError> {
        let arrays = self.forms.iter().enumerate().map(|(column, form)| match form {
            Form::Native => {
                count_lost(batch, column, exported);
                batch.arrays().column(column).clone()
            }
            Form::Text => texts(batch, column, exported),
        });
        let options = RecordBatchOptions::new().with_row_count(Some(batch.row_count()));
        RecordBatch::try_new_with_options(self.schema.clone(), arrays.collect(), &options)
    }
}

/// Cells that are not in their array are null there.
fn count_lost(batch: &Batch, column: usize, exported: &mut Exported) {
    for cell in batch.noted_cells_of(column) {
        match cell.state() {
            State::Cut { .. } if cell.is_in_array() => exported.cells_cut += 1,
            State::Cut { .. } | State::Value | State::Undecodable | State::Null => {
                exported.cells_left_out += 1;
            }
        }
    }
}

fn texts(batch: &Batch, column: usize, exported: &mut Exported) -> ArrayRef {
    let mut texts = LargeStringBuilder::new();
    let mut scratch = String::new();
    for row in 0..batch.row_count() {
        let cell = batch.cell(row, column);
        match cell.state() {
            State::Null => {
                texts.append_null();
                continue;
            }
            State::Cut { .. } => exported.cells_cut += 1,
            State::Undecodable => exported.cells_undecodable += 1,
            State::Value => {}
        }
        texts.append_value(cell.text(&mut scratch));
    }
    Arc::new(texts.finish())
}
