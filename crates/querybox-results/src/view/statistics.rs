//! What there is to say of a column, found in one pass.

mod histogram;
mod sum;
mod variety;

pub use histogram::Bar;
pub use variety::Distinct;

use crate::{
    Display, Rows, State,
    view::{
        Scan, ViewError, Work,
        key::{self, Case},
        number::Number,
        statistics::{histogram::Bars, sum::Sum, variety::Variety},
        time,
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
    /// The exact sum of the digits that are shown. (A float shows the shortest digits that read back.)
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
    let mut scan = Scan::new(rows);
    let mut variety = Variety::new(work.memory_bytes);
    let (mut least, mut greatest) = (Extreme::default(), Extreme::default());
    let (mut sum, mut bars) = (Sum::default(), Bars::default());
    let (mut count, mut not_finite) = (0, 0);
    let (mut nulls, mut cut) = (0, 0);
    let (mut key, mut scratch) = (Vec::new(), String::new());
    while let Some(scanned) = scan.next()? {
        work.check_canceled()?;
        for row in 0..scanned.batch.row_count() {
            let cell = scanned.batch.cell(row, column);
            match cell.state() {
                State::Null => {
                    nulls += 1;
                    continue;
                }
                State::Cut { .. } => cut += 1,
                State::Value | State::Undecodable => {}
            }
            key.clear();
            key::push_cell(&cell, Case::Counts, &mut scratch, &mut key);
            variety.add(&key);
            let part = |text: &mut String| {
                text.clear();
                cell.write_part(0..SHOWN_BYTES, text);
            };
            if least.shown.is_none() || key < least.key {
                least.set(&key, part);
            }
            if greatest.shown.is_none() || key > greatest.key {
                greatest.set(&key, part);
            }
            match cell.display() {
                kind if kind.is_number() => match Number::parse(cell.text(&mut scratch)) {
                    Some(Number::Finite(decimal)) => {
                        sum.add(&decimal);
                        count += 1;
                        // A number beyond floats has no bar.
                        if let Ok(value) = cell.text(&mut scratch).parse::<f64>()
                            && value.is_finite()
                        {
                            bars.add(value);
                        }
                    }
                    Some(Number::Infinity | Number::NegativeInfinity | Number::Nan) => not_finite += 1,
                    None => {}
                },
                kind => {
                    if let Some(seconds) = seconds(kind, cell.text(&mut scratch)) {
                        bars.add(seconds);
                    }
                }
            }
        }
        work.tell(scanned.rows.end, scan.row_count());
    }
    let has_numbers = display.is_number() || count + not_finite > 0;
    Ok(Statistics {
        rows: scan.row_count(),
        nulls,
        cut,
        distinct: variety.count(),
        least: least.shown,
        greatest: greatest.shown,
        numbers: has_numbers.then(|| Numbers { count, not_finite, sum: sum.text(), mean: sum.mean(count) }),
        histogram: bars.bars(),
    })
}

/// The least or the greatest value so far.
#[derive(Default)]
struct Extreme {
    key: Vec<u8>,
    shown: Option<String>,
}

impl Extreme {
    fn set(&mut self, key: &[u8], show: impl FnOnce(&mut String)) {
        self.key.clear();
        self.key.extend_from_slice(key);
        show(self.shown.get_or_insert_default());
    }
}

/// A point in time. Infinities have none, and other kinds.
fn seconds(display: &Display, text: &str) -> Option<f64> {
    let point = match display {
        Display::DateIso => time::parse_date(text),
        Display::TimestampIso | Display::TimestampIsoUtc => time::parse_timestamp(text),
        Display::Time => time::parse_time(text),
        Display::BoolTF
        | Display::Bool10
        | Display::Integer
        | Display::FloatPg
        | Display::FloatPoint
        | Display::Decimal
        | Display::Uuid
        | Display::BytesHex
        | Display::Text
        | Display::Json
        | Display::Array(_)
        | Display::ArrayText(_) => None,
    };
    point
        .filter(|point| !matches!(*point, time::Point::MIN | time::Point::MAX))
        .map(|point| point as f64 / 1e9)
}
