//! Numbers as people read them: three digits that count, and a unit.

/// `0.0051` is `5.10 ms`.
#[must_use]
pub fn seconds(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        size if size >= 1.0 => (value, "s"),
        size if size >= 1e-3 => (value * 1e3, "ms"),
        _ => (value * 1e6, "µs"),
    };
    format!("{} {unit}", three_digits(scaled))
}

/// `1.5` is `1.50 ×`.
#[must_use]
pub fn times(value: f64) -> String {
    format!("{} ×", three_digits(value))
}

/// `150.2` is `150 /s`.
#[must_use]
pub fn per_second(value: f64) -> String {
    format!("{} /s", three_digits(value))
}

/// `13107200` is `12.5 MiB`.
#[must_use]
pub fn bytes(value: u64) -> String {
    format!("{} MiB", three_digits(value as f64 / f64::from(1 << 20)))
}

fn three_digits(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_count() {
        assert_eq!(
            [0.000_012_34, 0.000_5, 0.005_1, 0.019_96, 0.123_4, 1.0, 61.27].map(seconds),
            ["12.3 µs", "500 µs", "5.10 ms", "20.0 ms", "123 ms", "1.00 s", "61.3 s"]
        );
        assert_eq!([0.98, 9.999, 98.02, 1234.0].map(times), ["0.98 ×", "10.0 ×", "98.0 ×", "1234 ×"]);
        assert_eq!(bytes(13_107_200), "12.5 MiB");
    }
}
