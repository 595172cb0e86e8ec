//! Dates and times as points on one line, read from the text that shows them.

/// A point in time, or of the day, in nanoseconds.
pub(crate) type Point = i128;

const SECOND: Point = 1_000_000_000;
const DAY: Point = 86_400 * SECOND;

/// Reads `2024-02-29`, with ` BC` behind it for a year before the first, or `infinity` with or without a sign.
pub(crate) fn parse_date(text: &str) -> Option<Point> {
    let (text, is_bc) = strip_era(text);
    infinity(text).or_else(|| days(text, is_bc))
}

/// Reads a date with a time of day, and an offset (`+05:30`, `-08`, `+00`) or none. A date alone is its midnight.
pub(crate) fn parse_timestamp(text: &str) -> Option<Point> {
    let (text, is_bc) = strip_era(text);
    if let Some(infinity) = infinity(text) {
        return Some(infinity);
    }
    let Some((date, time)) = text.split_once([' ', 'T']) else { return days(text, is_bc) };
    let (time, offset) = match time.find(['+', '-', 'Z']) {
        Some(at) => (&time[..at], parse_offset(&time[at..])?),
        None => (time, 0),
    };
    Some(days(date, is_bc)? + parse_time(time)? - offset)
}

/// Reads a time of day.
pub(crate) fn parse_time(text: &str) -> Option<Point> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.split(':');
    let (hours, minutes) = (number(parts.next()?)?, number(parts.next()?)?);
    let seconds = parts.next().map_or(Some(0), number)?;
    if parts.next().is_some() || hours > 24 || minutes > 59 || seconds > 60 || fraction.len() > 9 {
        return None;
    }
    let nanoseconds = match fraction {
        "" => 0,
        digits => number(digits)? * 10_i128.pow(9 - digits.len() as u32),
    };
    Some((hours * 3600 + minutes * 60 + seconds) * SECOND + nanoseconds)
}

/// Reads a time of day with an offset: the moment in UTC, and then the offset, further east first.
pub(crate) fn parse_zoned_time(text: &str) -> Option<Point> {
    let (time, offset) = text.split_at_checked(text.find(['+', '-'])?)?;
    let offset = parse_offset(offset)?;
    // Offsets are less than a day, and their order fits in what a nanosecond is divided into here.
    Some((parse_time(time)? - offset) * (2 * DAY / SECOND) - offset / SECOND)
}

/// Reads a span of time, `1 year 2 mons -3 days +04:05:06.7`, of which a month is 30 days and a day 24 hours long, as
/// PostgreSQL compares spans.
pub(crate) fn parse_interval(text: &str) -> Option<Point> {
    if let Some(infinity) = infinity(text) {
        return Some(infinity);
    }
    let mut span = 0;
    let mut words = text.split(' ').peekable();
    words.peek().filter(|first| !first.is_empty())?;
    while let Some(word) = words.next() {
        let (sign, unsigned) = match word.as_bytes().first()? {
            b'-' => (-1, &word[1..]),
            b'+' => (1, &word[1..]),
            _ => (1, word),
        };
        span += sign
            * if unsigned.contains(':') {
                parse_span_of_hours(unsigned)?
            } else {
                long_number(unsigned)? * unit(words.next()?)?
            };
    }
    Some(span)
}

/// Reads `04:05:06.7`, of which the hours may be many.
fn parse_span_of_hours(text: &str) -> Option<Point> {
    let (hours, rest) = text.split_once(':')?;
    // The rest is that of a time of day.
    Some(long_number(hours)? * 3600 * SECOND + parse_time(&format!("00:{rest}"))?)
}

fn unit(word: &str) -> Option<Point> {
    Some(match word {
        "year" | "years" => 12 * 30 * DAY,
        "mon" | "mons" | "month" | "months" => 30 * DAY,
        "week" | "weeks" => 7 * DAY,
        "day" | "days" => DAY,
        "hour" | "hours" => 3600 * SECOND,
        "min" | "mins" | "minute" | "minutes" => 60 * SECOND,
        "sec" | "secs" | "second" | "seconds" => SECOND,
        _ => return None,
    })
}

/// Bytes whose order is that of the points.
pub(crate) fn order_of(point: Point) -> [u8; 16] {
    (point.cast_unsigned() ^ 1 << 127).to_be_bytes()
}

fn strip_era(text: &str) -> (&str, bool) {
    text.strip_suffix(" BC").map_or((text, false), |text| (text, true))
}

fn infinity(text: &str) -> Option<Point> {
    match text {
        "infinity" => Some(Point::MAX),
        "-infinity" => Some(Point::MIN),
        _ => None,
    }
}

/// The start of a day, counted from 1970 on the proleptic Gregorian calendar.
fn days(text: &str, is_bc: bool) -> Option<Point> {
    let mut parts = text.split('-');
    let (year, month, day) = (number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?);
    if parts.next().is_some() || !(1..=12).contains(&month) || !(1..=99_999_999).contains(&year) {
        return None;
    }
    let year = if is_bc { 1 - year } else { year };
    if !(1..=days_of(month, year)).contains(&day) {
        return None;
    }
    // Years from March, which end with the leap day, in eras of 400 years, which are all alike.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some((era * 146_097 + day_of_era - 719_468) * DAY)
}

/// Days of a month. Year 0 is 1 BC.
fn days_of(month: Point, year: Point) -> Point {
    let is_leap = year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn parse_offset(text: &str) -> Option<Point> {
    let (sign, text) = match text.as_bytes()[0] {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return (text == "Z").then_some(0),
    };
    let mut parts = text.split(':');
    let hours = number(parts.next()?)?;
    let minutes = parts.next().map_or(Some(0), number)?;
    let seconds = parts.next().map_or(Some(0), number)?;
    (parts.next().is_none() && hours < 24 && minutes < 60 && seconds < 60)
        .then_some(sign * (hours * 3600 + minutes * 60 + seconds) * SECOND)
}

/// A short number of digits alone.
fn number(text: &str) -> Option<Point> {
    (text.len() <= 9).then(|| long_number(text))?
}

/// A number of digits alone, far from too large for a span in years.
fn long_number(text: &str) -> Option<Point> {
    let are_digits = !text.is_empty() && text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    are_digits.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_in_the_order_of_time() {
        let ascending = [
            "-infinity",
            "4713-01-01 00:00:00 BC",
            "0044-03-15 12:00:00 BC",
            "0044-03-16 00:00:00 BC",
            "0001-12-31 23:59:59 BC",
            "0001-01-01 00:00:00",
            "1969-12-31 23:59:59.999999",
            "1970-01-01 00:00:00",
            "2024-02-29 00:00:00+02",
            "2024-02-28 23:00:00-00:30",
            "2024-02-29 00:00:00+00",
            "2024-02-29 00:00:00.000001",
            "294276-12-31 23:59:59.999999",
            "infinity",
        ];
        for pair in ascending.windows(2) {
            let [one, two] = [pair[0], pair[1]].map(|text| parse_timestamp(text).expect(text));
            assert!(one < two && order_of(one) < order_of(two), "{pair:?}");
        }
        assert_eq!(parse_timestamp("1970-01-02 00:00:01.5+00"), Some(DAY + SECOND * 3 / 2));
        assert_eq!(parse_timestamp("1970-01-02"), Some(DAY));
    }

    #[test]
    fn dates_are_the_days_that_the_renderer_writes() {
        for days in (-1_000_000..1_000_000).step_by(37) {
            let mut text = String::new();
            crate::text::time::push_date(&mut text, days);
            assert_eq!(parse_date(&text), Some(Point::from(days) * DAY), "{text}");
        }
    }

    #[test]
    fn spans_are_in_the_order_of_their_length() {
        let ascending = [
            "-infinity",
            "-178000000 years",
            "-1 years -2 mons +3 days -04:05:06",
            "-1 days",
            "-00:00:00.000001",
            "00:00:00",
            "00:00:00.000001",
            "23:59:59",
            "1 day -00:00:00.5",
            "24:00:00.5",
            "9 days",
            "10 days",
            "29 days 23:00:00",
            "1 mon",
            "31 days",
            "1 year",
            "361 days",
            "2562047788:00:54.775807",
            "infinity",
        ];
        let ascending = ascending.map(|text| parse_interval(text).expect(text));
        assert!(ascending.is_sorted_by(|one, two| one < two), "{ascending:?}");
        for same in
            [["1 mon", "30 days"], ["24:00:00", "1 day"], ["1 week", "168:00:00"], ["90 mins", "01:30:00"]]
        {
            assert_eq!(parse_interval(same[0]), parse_interval(same[1]), "{same:?}");
        }
        for text in [
            "", " ", "1", "day", "1 day ", "1  day", "1 day 2", "1:2:3:4", "P1D", "@ 1 day", "1.5 days",
            "--1 day",
        ] {
            assert_eq!(parse_interval(text), None, "{text:?}");
        }
    }

    #[test]
    fn times_with_offsets_are_in_the_order_of_their_moments_and_then_from_east_to_west() {
        let ascending = [
            "00:00:00+15:59:59",
            "00:00:00+02",
            "01:00:00+02:30",
            "00:30:00+02",
            "12:00:00+02",
            "11:00:00+01",
            "10:00:00+00",
            "05:00:00-05",
            "10:00:00.000001+00",
            "24:00:00-15:59:59",
        ];
        for pair in ascending.windows(2) {
            let [one, two] = [pair[0], pair[1]].map(|text| parse_zoned_time(text).expect(text));
            assert!(one < two, "{pair:?}");
        }
        for text in ["", "12:00:00", "12:00:00Z", "+02", "12:00:00+x"] {
            assert_eq!(parse_zoned_time(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        assert_eq!(parse_time("24:00:00"), Some(DAY));
        for text in ["", "12", "25:00:00", "12:60:00", "12:00:00+02", "1:2:3:4", "12:00:00.1234567890", "a:b"]
        {
            assert_eq!(parse_time(text), None, "{text}");
        }
        for text in ["2024-02", "2024-13-01", "29.02.2024", "2024-02-29 x", "x BC"] {
            assert_eq!(parse_date(text), None, "{text}");
        }
        // Days that are not are no other days.
        for text in ["2023-02-29", "1900-02-29", "2024-04-31", "2024-01-32", "2024-01-00", "0000-01-01"] {
            assert_eq!(parse_date(text), None, "{text}");
        }
        assert!(["2000-02-29", "0001-02-29 BC", "2024-12-31"].iter().all(|text| parse_date(text).is_some()));
    }
}
