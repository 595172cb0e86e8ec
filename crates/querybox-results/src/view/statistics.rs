//! What there is to say of a column, found in one pass.

mod histogram;
mod sum;
mod variety;

use std::cmp::Ordering;

pub use histogram::Bar;
pub use variety::Distinct;

use crate::{
    Cell, Display, Rows, State,
    view::{
        Scanned, ViewError, Work,
        key::{self, Case},
        number::Number,
        statistics::{
            histogram::Bars,
            sum::Sum,
            variety::{Mark, Marker, Variety},
        },
        time,
        workers::each_batch,
    },
};

/// What there is to say of a column.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// Rows.
    pub rows: u64,
    /// Of these, NULL.
    pub nulls: u64,
    /// Of these, cut: only the part that is there counts.
    pub cut: u64,
    /// Different values, NULL aside. Numbers are compared by value.
    pub distinct: Distinct,
    /// The least value as it is shown, or its first part. `None`: there is no value.
    pub least: Option<String>,
    /// The greatest value as it is shown, or its first part.
    pub greatest: Option<String>,
    /// What numbers add up to. `None`: the column has none.
    pub numbers: Option<Numbers>,
    /// How numbers are distributed; dates and times, in seconds since 1970 or midnight. Infinities and NaN have no bar.
    pub histogram: Vec<Bar>,
}

/// What the numbers of a column add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// Finite numbers.
    pub count: u64,
    /// Infinities and NaN. The sum and the mean are without them.
    pub not_finite: u64,
    /// The exact sum of the digits that are shown, with as many behind the point as the value that shows most. (A float shows the shortest digits that read back.)
    pub sum: String,
    /// The sum through the count, to at least 20 digits behind the point, cut off there. `None`: there is no number.
    pub mean: Option<String>,
}

/// The least and the greatest value are given to this length.
const SHOWN_BYTES: u64 = 256;

/// Looks through a column of the rows that are there now. The work's memory is for telling values apart.
///
/// # Errors
///
/// When the column does not exist, the rows cannot be read, or the work is canceled.
pub fn statistics(rows: &Rows, column: usize, work: &mut Work<'_>) -> Result<Statistics, ViewError> {
    rows.check_column(column)?;
    let display = &rows.columns()[column].display;
    let all = rows.row_count();
    let mut row_count = 0;
    let (marker, mut variety) = (Marker::new(), Variety::new(work.memory_bytes));
    let seen = each_batch(
        rows,
        work,
        |seen: &mut Seen, scanned| seen.look(scanned, column, &marker),
        |work, scanned, marks| {
            marks.into_iter().for_each(|mark| variety.add(mark));
            row_count = scanned.rows.end;
            work.tell(scanned.rows.end, all.max(scanned.rows.end));
            Ok(())
        },
    )?;
    let mut seen = seen.into_iter();
    let mut whole = seen.next().unwrap_or_default();
    seen.for_each(|other| whole.merge(other));
    let Seen { nulls, cut, least, greatest, count, not_finite, sum, bars, .. } = whole;
    let has_numbers = display.is_number() || count + not_finite > 0;
    Ok(Statistics {
        rows: row_count,
        nulls,
        cut,
        distinct: variety.count(),
        least: least.shown,
        greatest: greatest.shown,
        numbers: has_numbers.then(|| Numbers { count, not_finite, sum: sum.text(), mean: sum.mean(count) }),
        histogram: bars.bars(),
    })
}

/// What one of those who look has seen.
#[derive(Default)]
struct Seen {
    nulls: u64,
    cut: u64,
    least: Extreme,
    greatest: Extreme,
    count: u64,
    not_finite: u64,
    sum: Sum,
    bars: Bars,
    key: Vec<u8>,
    scratch: String,
}

impl Seen {
    /// Looks at a batch, and answers with the marks of its values.
    fn look(&mut self, scanned: &Scanned, column: usize, marker: &Marker) -> Vec<Mark> {
        let batch = &scanned.batch;
        let mut marks = Vec::with_capacity(batch.row_count());
        for (row, number) in (0..batch.row_count()).zip(scanned.rows.start..) {
            let cell = batch.cell(row, column);
            match cell.state() {
                State::Null => {
                    self.nulls += 1;
                    continue;
                }
                State::Cut { .. } => self.cut += 1,
                State::Value | State::Undecodable => {}
            }
            self.key.clear();
            key::push_cell(&cell, Case::Counts, &mut self.scratch, &mut self.key);
            marks.push(marker.mark(&self.key));
            if self.least.shown.is_none() || self.key < self.least.key {
                self.least.set(&self.key, number, &cell);
            }
            if self.greatest.shown.is_none() || self.key > self.greatest.key {
                self.greatest.set(&self.key, number, &cell);
            }
            self.add_up(&cell);
        }
        marks
    }

    fn add_up(&mut self, cell: &Cell<'_>) {
        if !cell.display().is_number() {
            return seconds(cell, &mut self.scratch).into_iter().for_each(|seconds| self.bars.add(seconds));
        }
        let text = cell.text(&mut self.scratch);
        match Number::parse(text) {
            Some(Number::Finite(decimal)) => {
                self.sum.add(&decimal);
                self.count += 1;
                // A number beyond floats has no bar.
                if let Ok(value) = text.parse::<f64>()
                    && value.is_finite()
                {
                    self.bars.add(value);
                }
            }
            Some(Number::Infinity | Number::NegativeInfinity | Number::Nan) => self.not_finite += 1,
            None => {}
        }
    }

    /// What another has seen of the same column is seen here too.
    fn merge(&mut self, other: Seen) {
        let Seen { nulls, cut, least, greatest, count, not_finite, sum, bars, .. } = other;
        self.nulls += nulls;
        self.cut += cut;
        self.count += count;
        self.not_finite += not_finite;
        self.sum.merge(sum);
        self.bars.merge(bars);
        self.least.merge(least, Ordering::Less);
        self.greatest.merge(greatest, Ordering::Greater);
    }
}

/// The least or the greatest value so far; of several that are equal, the first.
#[derive(Default)]
struct Extreme {
    key: Vec<u8>,
    row: u64,
    /// `None`: there is no value.
    shown: Option<String>,
}

impl Extreme {
    fn set(&mut self, key: &[u8], row: u64, cell: &Cell<'_>) {
        self.key.clear();
        self.key.extend_from_slice(key);
        self.row = row;
        let shown = self.shown.get_or_insert_default();
        shown.clear();
        cell.write_part(0..SHOWN_BYTES, shown);
    }

    fn merge(&mut self, other: Extreme, goes_before: Ordering) {
        let ordering = other.key.cmp(&self.key);
        let is_further = ordering == goes_before || (ordering.is_eq() && other.row < self.row);
        if other.shown.is_some() && (self.shown.is_none() || is_further) {
            *self = other;
        }
    }
}

/// A point in time, in seconds. Infinities have none, and other kinds.
fn seconds(cell: &Cell<'_>, scratch: &mut String) -> Option<f64> {
    let parse = match cell.display() {
        Display::DateIso => time::parse_date,
        Display::TimestampIso | Display::TimestampIsoUtc => time::parse_timestamp,
        Display::Time => time::parse_time,
        Display::BoolTF
        | Display::Bool10
        | Display::Integer
        | Display::FloatPg
        | Display::FloatPoint
        | Display::Decimal
        | Display::Uuid
        | Display::BytesHex
        | Display::Text
        | Display::Interval
        | Display::TimeZoned
        | Display::Money
        | Display::Json
        | Display::Array(_)
        | Display::ArrayText(_) => return None,
    };
    parse(cell.text(scratch))
        .filter(|point| !matches!(*point, time::Point::MIN | time::Point::MAX))
        .map(|point| point as f64 / 1e9)
}
