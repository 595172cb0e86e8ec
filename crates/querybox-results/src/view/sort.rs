//! The rows of a result in another order, also when they do not fit into memory.
//!
//! Each thread reads rows until they fill its part of the memory, sorts them and writes them as a run, sealed as all that is
//! kept, each row with its number; then the runs are merged. Keys are made again there: writing and reading them takes longer.
//! They end with the row's number, so that no two are the same and the order of equal rows stays, whoever read them.

mod keys;
mod merge;
mod passes;
mod runs;
mod tournament;

use crate::{
    Rows,
    view::{
        ViewError, Work,
        key::Case,
        sort::{
            passes::merge_all,
            runs::{Joined, Sorter, Sorting},
        },
        workers::each_batch_in_any_order,
    },
};

/// A column to sort by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortColumn {
    /// The column, from 0.
    pub column: usize,
    /// Which way.
    pub direction: Direction,
    /// Where NULL goes, whichever way values go.
    pub nulls: Nulls,
    /// Whether the case of text counts.
    pub case: Case,
}

/// Which way values go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the least to the greatest.
    Ascending,
    /// From the greatest to the least.
    Descending,
}

/// Where NULL goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nulls {
    /// Before all values.
    First,
    /// Behind all values.
    Last,
}

/// Keeps the rows that are there now in the order of these columns: numbers by value, dates and times as points in time,
/// text by its code points, arrays by the text that shows them. Rows that are equal there stay in their order.
///
/// # Errors
///
/// When a column does not exist, the rows cannot be read or kept, or the work is canceled.
pub fn sort(rows: &Rows, by: &[SortColumn], work: &mut Work<'_>) -> Result<Rows, ViewError> {
    order(rows, by, Repeated::Stay, work)
}

/// Keeps of the rows that are there now the first of those that are equal in these columns, in the order of the columns.
/// NULL is equal to NULL, and numbers are equal by value. A cell that is cut is equal to none.
///
/// # Errors
///
/// As [`sort`].
pub fn distinct(rows: &Rows, by: &[SortColumn], work: &mut Work<'_>) -> Result<Rows, ViewError> {
    order(rows, by, Repeated::Go, work)
}

/// What becomes of rows with a key that another row had.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeated {
    Stay,
    Go,
}

fn order(rows: &Rows, by: &[SortColumn], repeated: Repeated, work: &mut Work<'_>) -> Result<Rows, ViewError> {
    for SortColumn { column, .. } in by {
        rows.check_column(*column)?;
    }
    let by = &without_repeated(by);
    let (all, cancel, shape) = (rows.row_count() * 2, work.cancel, rows.shape().with_numbers());
    let sorting = Sorting { rows, by, repeated, shape, cancel };
    let memory_bytes = work.memory_bytes;
    let sorters = each_batch_in_any_order(
        rows,
        work,
        |threads| Sorter::new(&sorting, memory_bytes / threads),
        Sorter::add,
        Sorter::end,
        |work, done| work.tell(done, all),
    )?;
    let view = match Sorter::join(sorters)? {
        Joined::Waiting(sorter) => sorter.write_view()?,
        Joined::Runs(runs) => merge_all(&sorting, runs, memory_bytes, &mut |done, all| work.tell(done, all))?,
    };
    work.check_canceled()?;
    work.tell(all, all);
    Ok(view)
}

/// A column that comes again says nothing new, unless the case of its text counts now, and would make keys longer without end.
fn without_repeated(by: &[SortColumn]) -> Vec<SortColumn> {
    let is_same = |one: &SortColumn, two: &SortColumn| (one.column, one.case) == (two.column, two.case);
    let is_new = |(at, column): &(usize, &SortColumn)| !by[..*at].iter().any(|other| is_same(other, column));
    by.iter().enumerate().filter(is_new).map(|(_, column)| *column).collect()
}
