//! Numbers for people: counts, sizes, times.

use std::time::Duration;

/// `1 row`, `1,234,567 rows`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `0.4 ms`, `35 ms`, `1.24 s`, `2 min 05 s`.
pub(crate) fn time(time: Duration) -> String {
    let micros = time.as_micros();
    match micros {
        0..9_950 => format!("{:.1} ms", time.as_secs_f64() * 1e3),
        9_950..999_500 => format!("{:.0} ms", time.as_secs_f64() * 1e3),
        999_500..59_995_000 => format!("{:.2} s", time.as_secs_f64()),
        _ => {
            let seconds = (micros + 500_000) / 1_000_000;
            format!("{} min {:02} s", seconds / 60, seconds % 60)
        }
    }
}

/// `12 s`, `5 min`, `3 h`, `2 d`: how long ago something was.
pub(crate) fn age(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// `512 B`, `64.0 kB`, `1.3 GB`: powers of 1000, as disks are sold.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    for (unit, name) in UNITS {
        if bytes >= unit {
            #[expect(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
            return format!("{:.1} {name}", bytes as f64 / unit as f64);
        }
    }
    format!("{bytes} B")
}

/// A time of the contract. One that is negative, which no clock makes, counts as none.
pub(crate) fn span(span: Option<&prost_types::Duration>) -> Duration {
    span.and_then(|span| Duration::try_from(*span).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped() {
        assert_eq!(count(1, "row"), "1 row");
        assert_eq!(count(0, "row"), "0 rows");
        assert_eq!(count(999, "row"), "999 rows");
        assert_eq!(count(1_234_567, "row"), "1,234,567 rows");
    }

    #[test]
    fn times_have_three_digits_at_most() {
        let check = |micros: u64, expected: &str| assert_eq!(time(Duration::from_micros(micros)), expected);
        check(420, "0.4 ms");
        check(3_000, "3.0 ms");
        check(35_400, "35 ms");
        check(1_240_000, "1.24 s");
        check(59_999_999, "1 min 00 s");
        check(125_000_000, "2 min 05 s");
    }

    #[test]
    fn ages_are_round() {
        let check = |seconds: u64, expected: &str| assert_eq!(age(Duration::from_secs(seconds)), expected);
        check(0, "0 s");
        check(59, "59 s");
        check(60, "1 min");
        check(7_199, "1 h");
        check(86_400, "1 d");
    }

    #[test]
    fn sizes_have_a_unit() {
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(64_000), "64.0 kB");
        assert_eq!(bytes(1_300_000_000), "1.3 GB");
    }
}
