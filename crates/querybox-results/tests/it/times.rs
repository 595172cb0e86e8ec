//! Dates and times, against another library's calendar.

use arrow_array::{Date32Array, Time64MicrosecondArray, TimestampMicrosecondArray};
use jiff::{Timestamp, ToSpan, civil, tz::TimeZone};
use proptest::prelude::*;
use querybox_results::Display;

use crate::ipc::texts;

fn check_timestamp(micros: i64, expected: &str) {
    let array = || TimestampMicrosecondArray::from(vec![micros]);
    assert_eq!(texts(Display::TimestampIso, array()), [expected]);
    let with_zone = match expected.strip_suffix(" BC") {
        Some(text) => format!("{text}+00 BC"),
        None => format!("{expected}+00"),
    };
    assert_eq!(texts(Display::TimestampIsoUtc, array()), [with_zone.as_str()]);
    assert_eq!(texts(Display::TimestampIsoUtc, array().with_timezone("UTC")), [with_zone.as_str()]);
}

/// The expected texts are those of PostgreSQL 15 for the same points in time.
#[test]
fn timestamps_look_as_in_postgres() {
    check_timestamp(0, "1970-01-01 00:00:00");
    check_timestamp(-1, "1969-12-31 23:59:59.999999");
    check_timestamp(1_709_211_907_100_000, "2024-02-29 13:05:07.1");
    check_timestamp(1_709_211_907_000_010, "2024-02-29 13:05:07.00001");
    check_timestamp(253_402_300_799_000_000, "9999-12-31 23:59:59");
    check_timestamp(253_402_300_800_000_000, "10000-01-01 00:00:00");
    check_timestamp(-63_517_824_000_000_000, "0044-03-15 00:00:00 BC");
    check_timestamp(-62_135_596_800_000_000, "0001-01-01 00:00:00");
    check_timestamp(-62_135_596_800_000_001, "0001-12-31 23:59:59.999999 BC");
    check_timestamp(-210_866_803_200_000_000, "4714-11-24 00:00:00 BC");
    // PostgreSQL's own range ends later, Arrow's here.
    check_timestamp(i64::MAX, "294247-01-10 04:00:54.775807");
    check_timestamp(i64::MIN, "290309-12-21 19:59:05.224192 BC");
}

#[test]
fn dates_look_as_in_postgres() {
    let days = Date32Array::from(vec![0, -1, 19_782, 2_932_897, -719_163, -735_160, 2_145_042_905]);
    assert_eq!(
        texts(Display::DateIso, days),
        [
            "1970-01-01",
            "1969-12-31",
            "2024-02-29",
            "10000-01-01",
            "0001-12-31 BC",
            "0044-03-15 BC",
            "5874897-12-31"
        ]
    );
    let ends = Date32Array::from(vec![i32::MIN, i32::MAX]);
    assert_eq!(texts(Display::DateIso, ends), ["5877642-06-23 BC", "5881580-07-11"]);
}

#[test]
fn a_day_ends_at_twenty_four() {
    let times = Time64MicrosecondArray::from(vec![0, 47_107_250_000, 86_399_999_999, 86_400_000_000]);
    assert_eq!(texts(Display::Time, times), ["00:00:00", "13:05:07.25", "23:59:59.999999", "24:00:00"]);
}

proptest! {
    #[test]
    fn a_timestamp_is_that_of_another_calendar(micros in -62_135_596_800_000_000_i64..253_402_207_200_000_000) {
        let text = texts(Display::TimestampIso, TimestampMicrosecondArray::from(vec![micros])).remove(0);
        let there = Timestamp::from_microsecond(micros).unwrap().to_zoned(TimeZone::UTC).datetime();
        prop_assert_eq!(text, there.to_string().replace('T', " "));
    }

    #[test]
    fn a_date_is_that_of_another_calendar(days in -4_371_222_i32..2_932_896) {
        let text = texts(Display::DateIso, Date32Array::from(vec![days])).remove(0);
        let there = civil::date(1970, 1, 1).checked_add(i64::from(days).days()).unwrap();
        let expected = match there.year() {
            year @ 1.. => format!("{year:04}-{:02}-{:02}", there.month(), there.day()),
            year => format!("{:04}-{:02}-{:02} BC", 1 - year, there.month(), there.day()),
        };
        prop_assert_eq!(text, expected);
    }
}
