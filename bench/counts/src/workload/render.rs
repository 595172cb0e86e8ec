//! The renderer: batches into documents.

use anyhow::ensure;
use bytes::Bytes;
use querybox_results::{Column, Display, Format, Shape, Writer};

use super::{ROWS, counted_by_callgrind, fixed};

/// Counts the rows of the fixed session on their way into a document.
pub(super) fn document(format: Format) -> anyhow::Result<u64> {
    let (header, batches) = fixed::parts();
    let kinds = [
        Display::Integer,
        Display::Integer,
        Display::FloatPg,
        Display::Decimal,
        Display::BoolTF,
        Display::Text,
        Display::Text,
        Display::Uuid,
        Display::TimestampIsoUtc,
        Display::DateIso,
        Display::Json,
        Display::Text,
    ];
    let columns = fixed::columns().into_iter().zip(kinds).map(|(column, display)| Column {
        name: column.name,
        database_type: column.database_type,
        display,
    });
    let shape = Shape::new(&header.arrow_schema, columns.collect())?;
    let written = counted_by_callgrind(|| {
        let mut writer = Writer::begin(format, shape.columns(), std::io::sink())?;
        for batch in &batches {
            // A reader copies nothing, but holds the body.
            let body: Bytes = batch.arrow_body.clone();
            writer.batch(&shape.batch(&batch.arrow_metadata, body, batch.row_count, Vec::new())?)?;
        }
        anyhow::Ok(writer.end()?.1)
    })?;
    ensure!(written.rows == ROWS, "{} rows were written", written.rows);
    Ok(batches.len() as u64)
}
