//! Dates and times in the ISO form of PostgreSQL, on the proleptic Gregorian calendar.

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

/// Appends a date, given in days since 1970-01-01.
pub(crate) fn push_date(out: &mut String, days: i32) {
    let date = Date::of_days(i64::from(days));
    date.push(out);
    date.push_era(out);
}

/// Appends a point in time, given in microseconds since 1970-01-01 00:00:00.
pub(crate) fn push_timestamp(out: &mut String, micros: i64, zone: Zone) {
    let date = Date::of_days(micros.div_euclid(MICROS_PER_DAY));
    date.push(out);
    out.push(' ');
    push_time(out, micros.rem_euclid(MICROS_PER_DAY));
    match zone {
        Zone::Unsaid => {}
        Zone::Utc => out.push_str("+00"),
    }
    date.push_era(out);
}

/// Appends a time of day, given in microseconds since midnight.
pub(crate) fn push_time(out: &mut String, micros: i64) {
    let seconds = micros / MICROS_PER_SECOND;
    push_padded(out, seconds / 3600, 2);
    out.push(':');
    push_padded(out, seconds / 60 % 60, 2);
    out.push(':');
    push_padded(out, seconds % 60, 2);
    let mut fraction = micros % MICROS_PER_SECOND;
    if fraction != 0 {
        let mut width = 6;
        while fraction % 10 == 0 {
            fraction /= 10;
            width -= 1;
        }
        out.push('.');
        push_padded(out, fraction, width);
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

    fn push(&self, out: &mut String) {
        push_padded(out, if self.year > 0 { self.year } else { 1 - self.year }, 4);
        out.push('-');
        push_padded(out, self.month, 2);
        out.push('-');
        push_padded(out, self.day, 2);
    }

    fn push_era(&self, out: &mut String) {
        if self.year <= 0 {
            out.push_str(" BC");
        }
    }
}

/// Appends a number that is not negative in at least `width` digits.
fn push_padded(out: &mut String, number: i64, width: u32) {
    let mut place = 10_i64.pow(width - 1);
    while number / place >= 10 {
        place *= 10;
    }
    while place > 0 {
        out.push(char::from(b'0' + (number / place % 10) as u8));
        place /= 10;
    }
}
