//! What tests of kept results share: budgets, and rows to keep.

use std::{path::Path, sync::Arc};

use arrow_array::{Int64Array, StringArray};
use querybox_results::{
    Budget, CellNote, Display, Limits, RawBatch, ReadError, Rows, Shape, SpoolWriter, Window, WindowQuery,
};

use crate::ipc::{Sent, filled, send};

/// No memory: each block goes to the file. No other limits.
pub(crate) fn limits() -> Limits {
    Limits {
        result_memory_bytes: 0,
        all_memory_bytes: u64::MAX,
        result_bytes: u64::MAX,
        all_bytes: u64::MAX,
        free_disk_percent: 100,
        cache_bytes: 4 << 20,
        files_max: 256,
    }
}

/// A budget of these limits, with files in a folder.
pub(crate) fn budget(folder: &Path, limits: Limits) -> Arc<Budget> {
    Budget::new(folder.to_owned(), limits)
}

/// What was sent, to be kept.
pub(crate) fn raw(sent: &Sent, notes: Vec<CellNote>) -> RawBatch {
    RawBatch { metadata: sent.metadata.clone(), body: sent.body.clone(), row_count: sent.row_count, notes }
}

/// Rows of a number and the text that `text` makes of it.
pub(crate) fn numbered(numbers: std::ops::Range<i64>, text: impl Fn(i64) -> String) -> Sent {
    let count = (numbers.end - numbers.start) as usize;
    let texts: StringArray = numbers.clone().map(|number| Some(text(number))).collect();
    let numbers: Int64Array = numbers.map(Some).collect();
    let columns = vec![filled("n", Display::Integer, numbers), filled("t", Display::Text, texts)];
    send(columns, count)
}

/// Rows of a spool, of the shape that was sent.
pub(crate) fn rows(writer: &SpoolWriter, sent: &Sent) -> Rows {
    let shape = Shape::new(&sent.schema, sent.columns.clone()).unwrap();
    Rows::new(shape, writer.spool().clone())
}

/// A window of whole cells.
pub(crate) fn window(rows: &Rows, first: u64, count: u32) -> Result<Window, ReadError> {
    let columns: Vec<usize> = (0..rows.columns().len()).collect();
    let (cell_bytes, window_bytes) = (1 << 20, 1 << 30);
    rows.window(&WindowQuery { first, count, columns: &columns, cell_bytes, window_bytes })
}

/// The texts of one column of a window.
pub(crate) fn texts(window: &Window, column: usize) -> Vec<String> {
    (0..window.row_count()).map(|row| window.cell(row, column).text.to_owned()).collect()
}
