//! Dates and times: the server counts from 2000, Arrow from 1970.

use std::fmt::{self, Write as _};

pub(super) const MICROS_PER_DAY: i64 = 86_400_000_000;
const MICROS_PER_SECOND: i64 = 1_000_000;
const DAYS_FROM_1970_TO_2000: i64 = 10_957;
const MICROS_FROM_1970_TO_2000: i64 = DAYS_FROM_1970_TO_2000 * MICROS_PER_DAY;

const INFINITY: &str = "infinity";
const MINUS_INFINITY: &str = "-infinity";

/// Days since 1970; none of what is no day.
#[inline]
pub(super) fn date(days_since_2000: i32) -> Option<i64> {
    match days_since_2000 {
        i32::MAX | i32::MIN => None,
        // The server's last date is 5874897-12-31, which also fits into 32 bits when it is counted from 1970.
        days => Some(i64::from(days) + DAYS_FROM_1970_TO_2000),
    }
}

/// Microseconds since 1970; none of what lies outside of their 64 bits.
#[inline]
pub(super) fn timestamp(micros_since_2000: i64) -> Option<i64> {
    match micros_since_2000 {
        i64::MAX | i64::MIN => None,
        // The last thirty years that the server has are out of reach.
        micros => micros.checked_add(MICROS_FROM_1970_TO_2000),
    }
}

/// Appends a date as the server prints it in the style ISO.
pub(super) fn push_date(out: &mut String, days_since_2000: i32) -> fmt::Result {
    match days_since_2000 {
        i32::MAX => out.write_str(INFINITY),
        i32::MIN => out.write_str(MINUS_INFINITY),
        days => {
            let date = Date::of(days.into());
            write!(out, "{date}{}", date.era())
        }
    }
}

/// Appends a timestamp as the server prints it in the style ISO; `zone` follows the time.
pub(super) fn push_timestamp(out: &mut String, micros_since_2000: i64, zone: &str) -> fmt::Result {
    match micros_since_2000 {
        i64::MAX => out.write_str(INFINITY),
        i64::MIN => out.write_str(MINUS_INFINITY),
        micros => {
            let date = Date::of(micros.div_euclid(MICROS_PER_DAY));
            write!(out, "{date} ")?;
            push_time(out, micros.rem_euclid(MICROS_PER_DAY))?;
            write!(out, "{zone}{}", date.era())
        }
    }
}

/// Appends a time of day, its fraction without trailing zeros.
pub(super) fn push_time(out: &mut String, micros: i64) -> fmt::Result {
    let seconds = micros / MICROS_PER_SECOND;
    write!(out, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
    match micros % MICROS_PER_SECOND {
        0 => Ok(()),
        fraction => out.write_str(format!(".{fraction:06}").trim_end_matches('0')),
    }
}

/// A day of the proleptic Gregorian calendar.
struct Date {
    /// Year 0 is 1 BC, year -1 is 2 BC.
    year: i64,
    month: i64,
    day: i64,
}

impl Date {
    /// Counts in eras of 400 years, which are all alike, and in years from March, which end with the leap day.
    fn of(days_since_2000: i64) -> Self {
        const DAYS_PER_ERA: i64 = 146_097;
        // From 1 March 2000, with which an era begins.
        let days = days_since_2000 - 60;
        let (era, day_of_era) = (days.div_euclid(DAYS_PER_ERA), days.rem_euclid(DAYS_PER_ERA));
        let leap_days = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / (DAYS_PER_ERA - 1);
        let year_of_era = (day_of_era - leap_days) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        // The months from March to January follow a line of 153 days for five.
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        Self { year: 2000 + era * 400 + year_of_era + i64::from(month <= 2), month, day }
    }

    fn era(&self) -> &'static str {
        if self.year > 0 { "" } else { " BC" }
    }
}

/// Without the era, which stands behind the time.
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let year = if self.year > 0 { self.year } else { 1 - self.year };
        write!(f, "{year:04}-{:02}-{:02}", self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_counts_from_2000() {
        assert_eq!(date(0), Some(10_957));
        assert_eq!(date(-10_957), Some(0));
        assert_eq!(date(2_145_031_948), Some(2_145_042_905));
        assert_eq!((date(i32::MAX), date(i32::MIN)), (None, None));
        assert_eq!(timestamp(0), Some(946_684_800_000_000));
        assert_eq!((timestamp(i64::MAX), timestamp(i64::MIN)), (None, None));
        let last_in_range = i64::MAX - MICROS_FROM_1970_TO_2000;
        assert_eq!((timestamp(last_in_range), timestamp(last_in_range + 1)), (Some(i64::MAX), None));
    }

    #[test]
    fn texts_are_the_servers() {
        let timestamp = |micros, zone| {
            let mut out = String::new();
            push_timestamp(&mut out, micros, zone).unwrap();
            out
        };
        // i64::MAX microseconds since 1970 are 294247-01-10 04:00:54.775807.
        let last_in_range = i64::MAX - MICROS_FROM_1970_TO_2000;
        assert_eq!(timestamp(last_in_range + 1, ""), "294247-01-10 04:00:54.775808");
        // The last one that the server has, as it prints it.
        assert_eq!(timestamp(9_223_371_331_199_999_999, "+00"), "294276-12-31 23:59:59.999999+00");
        assert_eq!(timestamp(9_223_371_331_199_500_000, ""), "294276-12-31 23:59:59.5");
        // The first one.
        assert_eq!(timestamp(-211_813_488_000_000_000, "+00"), "4714-11-24 00:00:00+00 BC");
        assert_eq!(timestamp(-1, ""), "1999-12-31 23:59:59.999999");
        assert_eq!(timestamp(i64::MIN, "+00"), "-infinity");
        for (days, text) in [
            (0, "2000-01-01"),
            (59, "2000-02-29"),
            (60, "2000-03-01"),
            (-730_119, "0001-01-01"),
            (-730_120, "0001-12-31 BC"),
            (-730_485, "0001-01-01 BC"),
            (-730_486, "0002-12-31 BC"),
            (2_145_031_948, "5874897-12-31"),
            (i32::MAX, "infinity"),
        ] {
            let mut out = String::new();
            push_date(&mut out, days).unwrap();
            assert_eq!(out, text, "{days}");
        }
    }
}
