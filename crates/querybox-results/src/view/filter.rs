//! The rows of a result that meet a condition, in their order.

use crate::{
    Rows,
    spool::SpoolWriter,
    view::{
        ViewError, Work,
        condition::{Compiled, Condition, Scratch},
        gather::{Gatherer, HELD_BYTES_MAX, Keeper},
        workers::each_batch,
    },
};

/// Keeps the rows, of those that are there now, that meet a condition.
///
/// # Errors
///
/// When the condition does not fit the columns, the rows cannot be read or kept, or the work is canceled.
pub fn filter(rows: &Rows, condition: &Condition, work: &mut Work<'_>) -> Result<Rows, ViewError> {
    let condition = Compiled::new(condition, rows.columns())?;
    let all = rows.row_count();
    let writer = SpoolWriter::new(rows.spool().budget());
    let mut keeper = Keeper::new(rows.shape().clone(), writer);
    let mut gatherer = Gatherer::new(HELD_BYTES_MAX, |picked| keeper.keep(&picked));
    each_batch(
        rows,
        work,
        |scratch: &mut Scratch, scanned| condition.rows(&scanned.batch, scratch),
        |work, scanned, found| {
            if !found.is_empty() {
                let source = gatherer.add_source(&scanned.batch, scanned.bytes);
                for row in found {
                    gatherer.push(source, row as usize, 0)?;
                }
            }
            if gatherer.is_full() {
                gatherer.flush()?;
            }
            work.tell(scanned.rows.end, all.max(scanned.rows.end));
            Ok(())
        },
    )?;
    gatherer.flush()?;
    keeper.end()
}
