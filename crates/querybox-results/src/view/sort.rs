//! The rows of a result in another order, also when they do not fit into memory.
//!
//! Rows are read until they fill the memory, sorted, and written as a run, sealed as all that is kept, each row with
//! its key; then the runs are merged. Keys end with the row's number, so that no two are the same and the order of equal
//! rows stays.

mod merge;

use std::sync::Arc;

use crate::{
    Batch, Cell, Rows, State,
    spool::SpoolWriter,
    view::{
        Scanned, ViewError, Work,
        gather::Gatherer,
        key::{self, Case},
        sort::merge::{Output, merge},
        workers::each_batch,
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

/// Bytes of a row's number at the end of its key.
const NUMBER_BYTES: usize = 8;
/// What a row takes beside its key while it waits to be sorted.
const WAITING_BYTES: usize = size_of::<Waiting>();
/// Runs that are merged at once: each has a file and holds a batch or two.
const RUNS_MAX: usize = 64;

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
    let all = rows.row_count() * 2;
    let mut sorter = Sorter::new(rows, repeated);
    let mut runs: Vec<Rows> = Vec::new();
    each_batch(
        rows,
        work,
        |scratch: &mut String, scanned| Keys::of(scanned, by, repeated, scratch),
        |work, scanned, keys| {
            sorter.add(scanned.batch, scanned.bytes, keys);
            if sorter.memory_bytes() >= work.memory_bytes {
                if runs.len() == RUNS_MAX {
                    runs = vec![merge(rows, &runs, repeated, Output::Run, work)?];
                }
                runs.push(sorter.write_run()?);
            }
            work.tell(scanned.rows.end, all.max(scanned.rows.end));
            Ok(())
        },
    )?;
    if runs.is_empty() {
        work.check_canceled()?;
        let view = sorter.write_view()?;
        work.tell(all, all);
        return Ok(view);
    }
    if !sorter.waiting.is_empty() {
        runs.push(sorter.write_run()?);
    }
    merge(rows, &runs, repeated, Output::View, work)
}

/// A column that comes again says nothing new, unless the case of its text counts now, and would make keys longer without end.
fn without_repeated(by: &[SortColumn]) -> Vec<SortColumn> {
    let is_same = |one: &SortColumn, two: &SortColumn| (one.column, one.case) == (two.column, two.case);
    let is_new = |(at, column): &(usize, &SortColumn)| !by[..*at].iter().any(|other| is_same(other, column));
    by.iter().enumerate().filter(is_new).map(|(_, column)| *column).collect()
}

/// The keys of a batch's rows, one behind the other.
struct Keys {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<u32>,
}

impl Keys {
    fn of(scanned: &Scanned, by: &[SortColumn], repeated: Repeated, scratch: &mut String) -> Keys {
        let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(scanned.batch.row_count()));
        for (row, number) in (0..scanned.batch.row_count()).zip(scanned.rows.start..) {
            for column in by {
                push_column(&scanned.batch, row, column, scratch, &mut bytes);
                if repeated == Repeated::Go {
                    push_cut(&scanned.batch.cell(row, column.column), number, &mut bytes);
                }
            }
            bytes.extend(number.to_be_bytes());
            ends.push(bytes.len() as u32);
        }
        Keys { bytes, ends }
    }
}

/// Rows in memory that wait to be sorted.
struct Sorter<'r> {
    rows: &'r Rows,
    repeated: Repeated,
    /// With what each holds in memory.
    batches: Vec<(Arc<Batch>, usize)>,
    /// The keys of each batch's rows. One buffer of all would be copied whole each time that it grows, and be there twice.
    keys: Vec<Box<[u8]>>,
    waiting: Vec<Waiting>,
    /// What batches and keys hold.
    bytes: usize,
}

struct Waiting {
    /// Of the batch.
    key_start: u32,
    key_bytes: u32,
    batch: u32,
    row: u32,
}

impl Waiting {
    fn key<'k>(&self, keys: &'k [Box<[u8]>]) -> &'k [u8] {
        &keys[self.batch as usize][self.key_start as usize..][..self.key_bytes as usize]
    }
}

impl<'r> Sorter<'r> {
    fn new(rows: &'r Rows, repeated: Repeated) -> Sorter<'r> {
        let (batches, keys, waiting) = (Vec::new(), Vec::new(), Vec::new());
        Sorter { rows, repeated, batches, keys, waiting, bytes: 0 }
    }

    fn add(&mut self, batch: Arc<Batch>, bytes: usize, keys: Keys) {
        self.make_room(keys.ends.len());
        let mut key_start = 0;
        for (row, end) in (0..).zip(keys.ends) {
            let (batch, key_bytes) = (self.batches.len() as u32, end - key_start);
            self.waiting.push(Waiting { key_start, key_bytes, batch, row });
            key_start = end;
        }
        self.bytes += bytes + keys.bytes.len();
        self.keys.push(keys.bytes.into());
        self.batches.push((batch, bytes));
    }

    /// Grows by an eighth and not by all of it: the old and the new are there together for a moment.
    fn make_room(&mut self, rows: usize) {
        if self.waiting.capacity() - self.waiting.len() < rows {
            self.waiting.reserve_exact(rows.max(self.waiting.len() / 8));
        }
    }

    /// What it takes, with what growing takes.
    fn memory_bytes(&self) -> usize {
        self.bytes + self.waiting.capacity() * WAITING_BYTES * 2
    }

    fn sort(&mut self) {
        let keys = &self.keys;
        self.waiting.sort_unstable_by(|one, two| one.key(keys).cmp(two.key(keys)));
        if self.repeated == Repeated::Go {
            let value = |waiting: &Waiting| {
                let key = waiting.key(keys);
                &key[..key.len() - NUMBER_BYTES]
            };
            self.waiting.dedup_by(|later, earlier| value(later) == value(earlier));
        }
    }

    /// Writes the rows with their keys, and is empty again.
    fn write_run(&mut self) -> Result<Rows, ViewError> {
        self.sort();
        let writer = SpoolWriter::for_work(self.rows.spool().budget());
        let shape = self.rows.shape().with_key();
        let mut gatherer = Gatherer::new(shape, writer);
        for (batch, bytes) in &self.batches {
            gatherer.add_source(batch, *bytes);
        }
        for waiting in &self.waiting {
            let key = waiting.key(&self.keys);
            gatherer.push_with_key(waiting.batch as usize, waiting.row as usize, key)?;
        }
        let run = gatherer.end()?;
        *self = Sorter::new(self.rows, self.repeated);
        Ok(run)
    }

    fn write_view(&mut self) -> Result<Rows, ViewError> {
        self.sort();
        let writer = SpoolWriter::new(self.rows.spool().budget());
        let mut gatherer = Gatherer::new(self.rows.shape().clone(), writer);
        for (batch, bytes) in &self.batches {
            gatherer.add_source(batch, *bytes);
        }
        for waiting in &self.waiting {
            gatherer.push(waiting.batch as usize, waiting.row as usize)?;
        }
        gatherer.end()
    }
}

/// A value of which only a part is there is equal to no other: nobody knows the rest of it.
fn push_cut(cell: &Cell<'_>, number: u64, out: &mut Vec<u8>) {
    match cell.state() {
        State::Cut { .. } => {
            out.push(1);
            out.extend(number.to_be_bytes());
        }
        State::Null | State::Value | State::Undecodable => out.push(0),
    }
}

fn push_column(batch: &Batch, row: usize, by: &SortColumn, scratch: &mut String, out: &mut Vec<u8>) {
    let cell = batch.cell(row, by.column);
    if cell.state() == State::Null {
        return out.push(if by.nulls == Nulls::First { 0 } else { 2 });
    }
    out.push(1);
    let start = out.len();
    key::push_cell(&cell, by.case, scratch, out);
    if by.direction == Direction::Descending {
        out[start..].iter_mut().for_each(|byte| *byte = !*byte);
    }
}
