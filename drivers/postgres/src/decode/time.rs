//! Dates and timestamps: the server counts from 2000, Arrow from 1970.

use std::borrow::Cow;

pub(super) const MICROS_PER_DAY: i64 = 86_400_000_000;
const DAYS_FROM_1970_TO_2000: i64 = 10_957;
const MICROS_FROM_1970_TO_2000: i64 = DAYS_FROM_1970_TO_2000 * MICROS_PER_DAY;

const INFINITY: &str = "infinity";
const MINUS_INFINITY: &str = "-infinity";

/// Days since 1970, or the text of what is no day.
pub(super) fn date(days_since_2000: i32) -> Result<i64, &'static str> {
    match days_since_2000 {
        i32::MAX => Err(INFINITY),
        i32::MIN => Err(MINUS_INFINITY),
        // The server's last date is 5874897-12-31, which also fits into 32 bits when it is counted from 1970.
        days => Ok(i64::from(days) + DAYS_FROM_1970_TO_2000),
    }
}

/// Microseconds since 1970, or the text of what lies outside of their 64 bits; `zone` ends a text that is a time.
pub(super) fn timestamp(micros_since_2000: i64, zone: &str) -> Result<i64, Cow<'static, str>> {
    match micros_since_2000 {
        i64::MAX => Err(INFINITY.into()),
        i64::MIN => Err(MINUS_INFINITY.into()),
        micros => {
            micros.checked_add(MICROS_FROM_1970_TO_2000).ok_or_else(|| after_294247(micros, zone).into())
        }
    }
}

/// A timestamp of the last thirty years that the server has, which 64 bits do not reach from 1970.
fn after_294247(micros_since_2000: i64, zone: &str) -> String {
    let (mut days, micros) =
        (micros_since_2000.div_euclid(MICROS_PER_DAY), micros_since_2000.rem_euclid(MICROS_PER_DAY));
    let mut year = 2000;
    // 400 years have the same number of days wherever they begin.
    const DAYS_OF_400_YEARS: i64 = 146_097;
    year += days / DAYS_OF_400_YEARS * 400;
    days %= DAYS_OF_400_YEARS;
    while days >= days_of_year(year) {
        days -= days_of_year(year);
        year += 1;
    }
    let mut month = 1;
    while days >= days_of_month(year, month) {
        days -= days_of_month(year, month);
        month += 1;
    }
    let seconds = micros / 1_000_000;
    let mut text = format!(
        "{year}-{month:02}-{:02} {:02}:{:02}:{:02}",
        days + 1,
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    );
    let fraction = micros % 1_000_000;
    if fraction != 0 {
        text.push_str(format!(".{fraction:06}").trim_end_matches('0'));
    }
    text.push_str(zone);
    text
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of_year(year: i64) -> i64 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_counts_from_2000() {
        assert_eq!(date(0), Ok(10_957));
        assert_eq!(date(-10_957), Ok(0));
        assert_eq!(date(2_145_031_948), Ok(2_145_042_905));
        assert_eq!(date(i32::MAX), Err("infinity"));
        assert_eq!(timestamp(0, ""), Ok(946_684_800_000_000));
        assert_eq!(timestamp(i64::MIN, "+00").unwrap_err(), "-infinity");
    }

    #[test]
    fn a_timestamp_beyond_64_bits_from_1970_is_told_as_text() {
        let last_in_range = i64::MAX - MICROS_FROM_1970_TO_2000;
        assert_eq!(timestamp(last_in_range, ""), Ok(i64::MAX));
        // i64::MAX microseconds since 1970 are 294247-01-10 04:00:54.775807.
        assert_eq!(timestamp(last_in_range + 1, "").unwrap_err(), "294247-01-10 04:00:54.775808");
        // The last one that the server has, as it prints it.
        assert_eq!(
            timestamp(9_223_371_331_199_999_999, "+00").unwrap_err(),
            "294276-12-31 23:59:59.999999+00"
        );
        assert_eq!(timestamp(9_223_371_331_199_500_000, "").unwrap_err(), "294276-12-31 23:59:59.5");
    }
}
