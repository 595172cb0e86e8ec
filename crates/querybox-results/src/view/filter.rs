//! The rows of a result that meet a condition, in their order.

use crate::{
    Rows,
    spool::SpoolWriter,
    view::{
        Scan, ViewError, Work,
        condition::{Compiled, Condition, Scratch},
        gather::Gatherer,
    },
};

/// Keeps the rows, of those that are there now, that meet a condition.
///
/// # Errors
///
/// When the condition does not fit the columns, the rows cannot be read or kept, or the work is canceled.
pub fn filter(rows: &Rows, condition: &Condition, work: &mut Work<'_>) -> Result<Rows, ViewError> {
    let condition = Compiled::new(condition, rows.columns())?;
    let mut scan = Scan::new(rows);
    let writer = SpoolWriter::new(rows.spool().budget());
    let mut gatherer = Gatherer::new(rows.shape().clone(), writer);
    let mut scratch = Scratch::default();
    while let Some(scanned) = scan.next()? {
        work.check_canceled()?;
        let mut source = None;
        for row in 0..scanned.batch.row_count() {
            if condition.holds(&scanned.batch, row, &mut scratch) {
                let source =
                    *source.get_or_insert_with(|| gatherer.add_source(&scanned.batch, scanned.bytes));
                gatherer.push(source, row)?;
            }
        }
        if gatherer.is_full() {
            gatherer.flush()?;
        }
        work.tell(scanned.rows.end, scan.row_count());
    }
    gatherer.end()
}
