//! Rows of the contract as the renderer takes them. A message outside of the contract is the driver's fault.

use querybox_contracts::plugin::v1::{self as plugin, cell_note};
use querybox_core::BrokenContract;
use querybox_results::{CellNote, Column, Display, Note, RawBatch, Shape};

/// The shape of the rows that a header announces.
///
/// # Errors
///
/// The header is outside of the contract.
pub fn read_header(header: &plugin::Header) -> Result<Shape, BrokenContract> {
    let columns = header.columns.iter().map(read_column).collect::<Result<_, _>>()?;
    Shape::new(&header.arrow_schema, columns).map_err(|error| broken(crate::status::chain(&error)))
}

/// The rows of a batch, unread but for the notes.
///
/// # Errors
///
/// A note is outside of the contract.
pub fn read_batch(batch: plugin::Batch) -> Result<RawBatch, BrokenContract> {
    let notes = batch.notes.into_iter().map(note).collect::<Result<_, _>>()?;
    let plugin::Batch { arrow_metadata: metadata, arrow_body: body, row_count, .. } = batch;
    Ok(RawBatch { metadata, body, row_count, notes })
}

/// How a value looks, as the contract says it: its kind, and that of its elements.
pub(crate) fn display_message(display: &Display) -> (plugin::Display, plugin::Display) {
    match display {
        Display::Array(element) => (plugin::Display::Array, display_message(element).0),
        Display::ArrayText(element) => (plugin::Display::ArrayText, display_message(element).0),
        Display::BoolTF => (plugin::Display::BoolTF, plugin::Display::Unspecified),
        Display::Bool10 => (plugin::Display::Bool10, plugin::Display::Unspecified),
        Display::Integer => (plugin::Display::Integer, plugin::Display::Unspecified),
        Display::FloatPg => (plugin::Display::FloatPg, plugin::Display::Unspecified),
        Display::FloatPoint => (plugin::Display::FloatPoint, plugin::Display::Unspecified),
        Display::Decimal => (plugin::Display::Decimal, plugin::Display::Unspecified),
        Display::DateIso => (plugin::Display::DateIso, plugin::Display::Unspecified),
        Display::TimestampIso => (plugin::Display::TimestampIso, plugin::Display::Unspecified),
        Display::TimestampIsoUtc => (plugin::Display::TimestampIsoUtc, plugin::Display::Unspecified),
        Display::Time => (plugin::Display::Time, plugin::Display::Unspecified),
        Display::Uuid => (plugin::Display::Uuid, plugin::Display::Unspecified),
        Display::BytesHex => (plugin::Display::BytesHex, plugin::Display::Unspecified),
        Display::Text => (plugin::Display::Text, plugin::Display::Unspecified),
        Display::Json => (plugin::Display::Json, plugin::Display::Unspecified),
        Display::Interval => (plugin::Display::Interval, plugin::Display::Unspecified),
        Display::TimeZoned => (plugin::Display::TimeZoned, plugin::Display::Unspecified),
        Display::Money => (plugin::Display::Money, plugin::Display::Unspecified),
    }
}

/// A column, as a header describes it.
///
/// # Errors
///
/// It does not say how its values look.
pub fn read_column(column: &plugin::Column) -> Result<Column, BrokenContract> {
    let display = match (column.display(), column.element_display()) {
        (plugin::Display::Array, element) => scalar(element).map(|element| Display::Array(Box::new(element))),
        (plugin::Display::ArrayText, element) => {
            scalar(element).map(|element| Display::ArrayText(Box::new(element)))
        }
        (display, _) => scalar(display),
    };
    let Some(display) = display else {
        return Err(broken(format!("column {:?} does not say how it looks", column.name)));
    };
    let (name, database_type) = (column.name.clone(), column.database_type.clone());
    Ok(Column { name, database_type, display })
}

fn note(note: plugin::CellNote) -> Result<CellNote, BrokenContract> {
    let display = scalar(note.display());
    let (row, column) = (note.row, note.column);
    let full_size = Some(note.full_size_bytes).filter(|size| *size > 0);
    let note = match note.note {
        Some(cell_note::Note::ExactText(text)) => Note::ExactText(text),
        Some(cell_note::Note::UndecodableBytes(bytes)) => Note::Undecodable(bytes),
        Some(cell_note::Note::CutAtSize(size)) => Note::CutAtSize(size),
        None => return Err(broken(format!("the note on row {row}, column {column} is empty"))),
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
        plugin::Display::Interval => Display::Interval,
        plugin::Display::TimeZoned => Display::TimeZoned,
        plugin::Display::Money => Display::Money,
    })
}

fn broken(what: String) -> BrokenContract {
    BrokenContract { what: what.into() }
}
