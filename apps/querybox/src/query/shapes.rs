//! From the contract's messages to the renderer's types. A message outside of the contract is a failure of the machinery.

use querybox_contracts::plugin::v1::{self as plugin, cell_note};
use querybox_results::{Batch, CellNote, Column, Display, Note, Shape};

use crate::failure::{Failure, chain};

/// Reads a result's header.
pub(crate) fn shape(header: plugin::Header) -> Result<Shape, Failure> {
    let columns = header.columns.into_iter().map(column).collect::<Result<_, _>>()?;
    Shape::new(&header.arrow_schema, columns).map_err(|error| broken(&chain(&error)))
}

/// Reads a batch of a result.
pub(crate) fn batch(shape: &Shape, batch: plugin::Batch) -> Result<Batch, Failure> {
    let notes = batch.notes.into_iter().map(note).collect::<Result<_, _>>()?;
    shape
        .batch(&batch.arrow_metadata, batch.arrow_body, batch.row_count, notes)
        .map_err(|error| broken(&chain(&error)))
}

fn column(column: plugin::Column) -> Result<Column, Failure> {
    let display = match (column.display(), column.element_display()) {
        (plugin::Display::Array, element) => scalar(element).map(|element| Display::Array(Box::new(element))),
        (plugin::Display::ArrayText, element) => {
            scalar(element).map(|element| Display::ArrayText(Box::new(element)))
        }
        (display, _) => scalar(display),
    };
    let Some(display) = display else {
        return Err(broken(&format!("column {:?} does not say how it looks", column.name)));
    };
    Ok(Column { name: column.name, database_type: column.database_type, display })
}

fn note(note: plugin::CellNote) -> Result<CellNote, Failure> {
    let display = scalar(note.display());
    let (row, column) = (note.row, note.column);
    let full_size = Some(note.full_size_bytes).filter(|size| *size > 0);
    let note = match note.note {
        Some(cell_note::Note::ExactText(text)) => Note::ExactText(text),
        Some(cell_note::Note::UndecodableBytes(bytes)) => Note::Undecodable(bytes),
        Some(cell_note::Note::CutAtSize(size)) => Note::CutAtSize(size),
        None => return Err(broken(&format!("the note on row {row}, column {column} is empty"))),
    };
    Ok(CellNote { row, column, note, display, full_size })
}

/// `None`: not said, or an array, which only a column can be.
fn scalar(display: plugin::Display) -> Option<Display> {
    Some(match display {
        plugin::Display::Unspecified | plugin::Display::Array | plugin::Display::ArrayText => return None,
        plugin::Display::BoolTF => Display::BoolTF,
        plugin::Display::Bool10 => Display::Bool10,
        plugin::Display::Integer => Display::Integer,
        plugin::Display::FloatPg => Display::FloatPg,
        plugin::Display::FloatPoint => Display::FloatPoint,
        plugin::Display::Decimal => Display::Decimal,
        plugin::Display::DateIso => Display::DateIso,
        plugin::Display::TimestampIso => Display::TimestampIso,
        plugin::Display::TimestampIsoUtc => Display::TimestampIsoUtc,
        plugin::Display::Time => Display::Time,
        plugin::Display::Uuid => Display::Uuid,
        plugin::Display::BytesHex => Display::BytesHex,
        plugin::Display::Text => Display::Text,
        plugin::Display::Json => Display::Json,
    })
}

fn broken(what: &str) -> Failure {
    Failure::machinery(format!("the driver broke its contract: {what}"))
}
