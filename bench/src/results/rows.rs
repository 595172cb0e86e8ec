//! Rows that no server sends: made here, so that nothing but keeping them is measured.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float64Array, Int32Array,
    Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_ipc::writer::{DictionaryTracker, EncodedData, IpcDataGenerator, IpcWriteOptions};
use querybox_results::{Column, Display, RawBatch, Shape};

/// As drivers send them.
const BATCH_ROWS: u64 = 500;

/// The shape of the rows.
pub(super) fn shape() -> anyhow::Result<Shape> {
    let mut tracker = DictionaryTracker::new(true);
    let schema = IpcDataGenerator::default().schema_to_bytes_with_dictionary_tracker(
        &batch(0, 1)?.schema(),
        &mut tracker,
        &IpcWriteOptions::default(),
    );
    Ok(Shape::new(&schema.ipc_message.into(), columns())?)
}

/// So many rows, batch by batch.
pub(super) fn batches(rows: u64) -> impl Iterator<Item = anyhow::Result<RawBatch>> {
    let firsts = (0..rows).step_by(BATCH_ROWS as usize);
    firsts.map(move |first| encode(&batch(first, BATCH_ROWS.min(rows - first))?))
}

fn columns() -> Vec<Column> {
    let column =
        |name: &str, display| Column { name: name.to_owned(), database_type: String::new(), display };
    vec![
        column("id", Display::Integer),
        column("amount", Display::Integer),
        column("ratio", Display::FloatPg),
        column("price", Display::Decimal),
        column("active", Display::BoolTF),
        column("label", Display::Text),
        column("body", Display::Text),
        column("key", Display::Uuid),
        column("seen", Display::TimestampIsoUtc),
        column("day", Display::DateIso),
        column("doc", Display::Json),
        column("marks", Display::Text),
    ]
}

/// Rows as those of the table `mixed` of the benches: one value in twenty is NULL.
fn batch(first: u64, count: u64) -> anyhow::Result<RecordBatch> {
    let some = |null: u64| (first..first + count).map(move |row| (row % 20 != null).then_some(row));
    let mixed = |row: u64| (row ^ 0x5851_f42d).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let prices: Decimal128Array =
        some(3).map(|row| row.map(|row| i128::from(row * 104_729 % 100_000_000_000))).collect();
    let uuids =
        some(7).map(|row| row.map(|row| [mixed(row).to_be_bytes(), mixed(!row).to_be_bytes()].concat()));
    let seen: TimestampMicrosecondArray =
        some(8).map(|row| row.map(|row| 1_577_836_800_000_000 + row as i64 * 37_000_001)).collect();
    let texts = |null: u64, text: &dyn Fn(u64) -> String| -> StringArray {
        some(null).map(|row| row.map(text)).collect()
    };
    let body = |row: u64| format!("{0:016x}{1:016x}{0:016x}{1:016x}{0:016x}", mixed(row), mixed(row + 1));
    let doc = |row: u64| {
        let name = mixed(row);
        format!(
            "{{\"even\": {}, \"name\": \"{name:032x}\", \"tags\": [\"one\", \"two\"], \"number\": {row}}}",
            row.is_multiple_of(2)
        )
    };
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values((first..first + count).map(|row| row as i64))),
        Arc::new(some(1).map(|row| row.map(|row| (row * 7919 % 1_000_003) as i32)).collect::<Int32Array>()),
        Arc::new(some(2).map(|row| row.map(|row| (row as f64).sin() * 1e6)).collect::<Float64Array>()),
        Arc::new(prices.with_precision_and_scale(18, 4)?),
        Arc::new(some(4).map(|row| row.map(|row| row.is_multiple_of(3))).collect::<BooleanArray>()),
        Arc::new(texts(5, &|row| format!("label {}", row % 1000))),
        Arc::new(texts(6, &body)),
        Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(uuids, 16)?),
        Arc::new(seen.with_timezone("UTC")),
        Arc::new(some(9).map(|row| row.map(|row| 10_957 + (row % 20_000) as i32)).collect::<Date32Array>()),
        Arc::new(texts(10, &doc)),
        Arc::new(texts(11, &|row| format!("{{{},{},NULL,{row}}}", row % 100, row % 7))),
    ];
    let names = columns().into_iter().map(|column| column.name);
    Ok(RecordBatch::try_from_iter_with_nullable(names.zip(arrays).map(|(name, array)| (name, array, true)))?)
}

fn encode(batch: &RecordBatch) -> anyhow::Result<RawBatch> {
    let mut tracker = DictionaryTracker::new(true);
    let options = IpcWriteOptions::default();
    let (_, encoded) =
        IpcDataGenerator::default().encode(batch, &mut tracker, &options, &mut Default::default())?;
    let EncodedData { ipc_message, arrow_data } = encoded;
    Ok(RawBatch {
        metadata: ipc_message.into(),
        body: arrow_data.into(),
        row_count: batch.num_rows() as u32,
        notes: Vec::new(),
    })
}
