//! Dates and times in the ISO form of PostgreSQL, on the proleptic Gregorian calendar.

use crate::text::{out::Out, stack::StackText};

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// What follows a timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zone {
    Unsaid,
    Utc,
}

/// Whether so many microseconds are a time from `00:00:00` to `24:00:00`.
pub(crate) fn is_time_of_day(micros: i64) -> bool {
    (0..=MICROS_PER_DAY).contains(&micros)
}

/// The longest text: a year of seven digits, a time to the microsecond, a zone and an era.
type Text = StackText<48>;

/// Appends a date, given in days since 1970-01-01.
pub(crate) fn push_date(out: &mut impl Out, days: i32) {
    let date = Date::of_days(i64::from(days));
    let mut text = Text::new();
    date.push(&mut text);
    date.push_era(&mut text);
    out.push_ascii(text.as_bytes());
}

/// Appends a point in time, given in microseconds since 1970-01-01 00:00:00.
pub(crate) fn push_timestamp(out: &mut impl Out, micros: i64, zone: Zone) {
    let date = Date::of_days(micros.div_euclid(MICROS_PER_DAY));
    let mut text = Text::new();
    date.push(&mut text);
    text.push(b' ');
    push_clock(&mut text, micros.rem_euclid(MICROS_PER_DAY));
    match zone {
        Zone::Unsaid => {}
        Zone::Utc => text.push_ascii(b"+00"),
    }
    date.push_era(&mut text);
    out.push_ascii(text.as_bytes());
}

/// Appends a time of day, given in microseconds since midnight.
pub(crate) fn push_time(out: &mut impl Out, micros: i64) {
    let mut text = Text::new();
    push_clock(&mut text, micros);
    out.push_ascii(text.as_bytes());
}

fn push_clock(text: &mut Text, micros: i64) {
    // A day has less than 2^37 microseconds and than 2^17 seconds, and none are below zero.
    let (seconds, fraction) = ((micros / MICROS_PER_SECOND) as u32, (micros % MICROS_PER_SECOND) as u32);
    text.push_pair((seconds / 3600) as usize);
    text.push(b':');
    text.push_pair((seconds / 60 % 60) as usize);
    text.push(b':');
    text.push_pair((seconds % 60) as usize);
    if fraction == 0 {
        return;
    }
    text.push(b'.');
    let pairs = [fraction / 10_000, fraction / 100 % 100, fraction % 100];
    let last = pairs.iter().rposition(|pair| *pair != 0).expect("the fraction is not zero");
    for pair in &pairs[..last] {
        text.push_pair(*pair as usize);
    }
    match pairs[last] {
        pair if pair % 10 == 0 => text.push(b'0' + (pair / 10) as u8),
        pair => text.push_pair(pair as usize),
    }
}

struct Date {
    /// Year 0 is 1 BC, year -1 is 2 BC.
    year: i64,
    month: i64,
    day: i64,
}

impl Date {
    /// Counts in eras of 400 years, which are all alike, and in years from March, which end with the leap day.
    fn of_days(days_since_1970: i64) -> Self {
        const DAYS_PER_ERA: i64 = 146_097;
        const DAYS_FROM_YEAR_0_TO_1970: i64 = 719_468;
        let days = days_since_1970 + DAYS_FROM_YEAR_0_TO_1970;
        let era = days.div_euclid(DAYS_PER_ERA);
        let day_of_era = days.rem_euclid(DAYS_PER_ERA);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / (DAYS_PER_ERA - 1)) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        // The months from March to January follow a line of 153 days for five.
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Date { year, month, day }
    }

    fn push(&self, text: &mut Text) {
        let year = if self.year > 0 { self.year } else { 1 - self.year };
        match usize::try_from(year) {
            Ok(year) if year < 10_000 => {
                text.push_pair(year / 100);
                text.push_pair(year % 100);
            }
            _ => text.push_ascii(itoa::Buffer::new().format(year).as_bytes()),
        }
        text.push(b'-');
        text.push_pair(self.month as usize);
        text.push(b'-');
        text.push_pair(self.day as usize);
    }

    fn push_era(&self, text: &mut Text) {
        if self.year <= 0 {
            text.push_ascii(b" BC");
        }
    }
}
