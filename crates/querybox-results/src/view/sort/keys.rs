//! Keys of rows: comparing two of them, byte by byte, compares the rows.

use crate::{
    Batch, Cell, State,
    view::{
        key,
        sort::{Direction, Nulls, Repeated, SortColumn},
    },
};

/// Bytes of a row's number at the end of its key.
const NUMBER_BYTES: usize = 8;

/// The first bytes of a key as a number, which says of nearly all pairs which one is less.
pub(super) type Prefix = u128;

/// The keys of a batch's rows, one behind the other.
#[derive(Default)]
pub(super) struct Keys {
    pub(super) bytes: Vec<u8>,
    /// Where each ends.
    pub(super) ends: Vec<u32>,
}

impl Keys {
    /// Of rows with these numbers. Each key ends with it, so that no two are the same and the order of equal rows stays.
    pub(super) fn of(
        batch: &Batch,
        numbers: impl Iterator<Item = u64>,
        by: &[SortColumn],
        repeated: Repeated,
        scratch: &mut String,
    ) -> Keys {
        let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(batch.row_count()));
        for (row, number) in (0..batch.row_count()).zip(numbers) {
            for column in by {
                push_column(batch, row, column, scratch, &mut bytes);
                if repeated == Repeated::Go {
                    push_cut(&batch.cell(row, column.column), number, &mut bytes);
                }
            }
            bytes.extend(number.to_be_bytes());
            ends.push(bytes.len() as u32);
        }
        Keys { bytes, ends }
    }

    pub(super) fn key(&self, row: usize) -> &[u8] {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start as usize..self.ends[row] as usize]
    }
}

/// A key that is shorter is less than one that goes on: no key begins another.
pub(super) fn prefix(key: &[u8]) -> Prefix {
    match key.first_chunk() {
        Some(first) => Prefix::from_be_bytes(*first),
        None => {
            let mut first = [0; size_of::<Prefix>()];
            first[..key.len()].copy_from_slice(key);
            Prefix::from_be_bytes(first)
        }
    }
}

/// Whether only the rows' numbers tell two keys apart.
pub(super) fn is_repeated(one: &[u8], two: &[u8]) -> bool {
    one.len() == two.len() && one[..one.len() - NUMBER_BYTES] == two[..two.len() - NUMBER_BYTES]
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
