//! Numbers as their digits say them: exact, of any length, never through a float.

/// A number, read from the text that shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Number<'t> {
    NegativeInfinity,
    Finite(Decimal<'t>),
    Infinity,
    Nan,
}

/// `±0.d₁d₂…dₙ · 10^magnitude`, where neither d₁ nor dₙ is 0. Zero has no digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal<'t> {
    pub(crate) is_negative: bool,
    pub(crate) magnitude: i32,
    /// Digits that are shown behind the point, zeros at their end included. With an exponent none is.
    pub(crate) scale: usize,
    /// Digits before the point, and behind it.
    whole: &'t [u8],
    fraction: &'t [u8],
}

/// PostgreSQL's numbers have at most 131,072 digits before the point; what lies far beyond is no number of a database.
const EXPONENT_MAX: i32 = 1_000_000;

impl<'t> Number<'t> {
    /// Reads a number. `None`: the text is none.
    pub(crate) fn parse(text: &'t str) -> Option<Number<'t>> {
        let (is_negative, unsigned) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        if let Some(decimal) = Decimal::parse(is_negative, unsigned) {
            return Some(Number::Finite(decimal));
        }
        let is = |name: &str| unsigned.eq_ignore_ascii_case(name);
        match is_negative {
            true if is("infinity") || is("inf") => Some(Number::NegativeInfinity),
            false if is("infinity") || is("inf") => Some(Number::Infinity),
            false if is("nan") => Some(Number::Nan),
            _ => None,
        }
    }

    /// Appends bytes whose order is that of the numbers; NaN comes last, as PostgreSQL has it. No key begins another.
    pub(crate) fn push_key(&self, out: &mut Vec<u8>) {
        match self {
            Number::NegativeInfinity => out.push(1),
            Number::Finite(decimal) if decimal.is_zero() => out.push(3),
            Number::Finite(decimal) => {
                out.push(if decimal.is_negative { 2 } else { 4 });
                let start = out.len();
                out.extend(order_of_i32(decimal.magnitude));
                out.extend(decimal.digits().map(|digit| digit + 1));
                out.push(0);
                if decimal.is_negative {
                    out[start..].iter_mut().for_each(|byte| *byte = !*byte);
                }
            }
            Number::Infinity => out.push(5),
            Number::Nan => out.push(6),
        }
    }
}

impl<'t> Decimal<'t> {
    fn parse(is_negative: bool, unsigned: &'t str) -> Option<Decimal<'t>> {
        let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
            Some(at) => (&unsigned[..at], unsigned[at + 1..].parse::<i32>().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let (whole, fraction) = (whole.as_bytes(), fraction.as_bytes());
        let are_digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
        if whole.len() + fraction.len() == 0 || !are_digits(whole) || !are_digits(fraction) {
            return None;
        }
        let scale = if mantissa.len() == unsigned.len() { fraction.len() } else { 0 };
        let zeros = |text: &[u8]| text.iter().take_while(|digit| **digit == b'0').count();
        let mut magnitude = i64::from(exponent);
        let whole = &whole[zeros(whole)..];
        magnitude += whole.len() as i64;
        let fraction = trim_end(fraction);
        let (mut whole, mut fraction) = (whole, fraction);
        if fraction.is_empty() {
            whole = trim_end(whole);
        }
        if whole.is_empty() {
            magnitude -= zeros(fraction) as i64;
            fraction = &fraction[zeros(fraction)..];
        }
        if whole.is_empty() && fraction.is_empty() {
            return Some(Decimal { is_negative: false, magnitude: 0, scale, whole, fraction });
        }
        let magnitude = i32::try_from(magnitude).ok().filter(|m| m.abs() <= EXPONENT_MAX)?;
        Some(Decimal { is_negative, magnitude, scale, whole, fraction })
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.whole.is_empty() && self.fraction.is_empty()
    }

    /// The digits, 0 to 9, the first one first.
    pub(crate) fn digits(&self) -> impl Iterator<Item = u8> {
        self.whole.iter().chain(self.fraction).map(|digit| digit - b'0')
    }
}

fn trim_end(mut digits: &[u8]) -> &[u8] {
    while let [rest @ .., b'0'] = digits {
        digits = rest;
    }
    digits
}

/// Bytes whose order is that of the numbers.
fn order_of_i32(number: i32) -> [u8; 4] {
    (number.cast_unsigned() ^ 1 << 31).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Vec<u8> {
        let mut key = Vec::new();
        Number::parse(text).unwrap_or_else(|| panic!("{text} is no number")).push_key(&mut key);
        key
    }

    #[test]
    fn keys_are_in_the_order_of_the_numbers() {
        let ascending = [
            "-Infinity",
            "-1e400",
            "-170141183460469231731687303715884105728",
            "-10.01",
            "-10",
            "-9.99",
            "-1",
            "-0.5",
            "-0.05",
            "-1e-400",
            "0",
            "1e-400",
            "0.05",
            "0.051",
            "0.5",
            "1",
            "1.0000000000000000000001",
            "9.99",
            "10",
            "10.01",
            "99",
            "100",
            "18446744073709551615",
            "1e400",
            "infinity",
            "NaN",
        ];
        for pair in ascending.windows(2) {
            assert!(key(pair[0]) < key(pair[1]), "{pair:?}");
            assert!(!key(pair[1]).starts_with(&key(pair[0])), "{pair:?}");
        }
    }

    #[test]
    fn one_number_in_many_forms_is_one() {
        for same in [
            &["0", "-0", "0.00", ".0", "-0e5", "0."][..],
            &["1", "1.0", "01", "+1", "10e-1", "0.1e1", "1.", "1E0"],
            &["-1200", "-1.2e3", "-1200.000", "-12e+2"],
            &["0.0015", "1.5e-3", "15e-4", ".00150"],
            &["Infinity", "inf", "+INF"],
        ] {
            assert!(same.iter().all(|text| key(text) == key(same[0])), "{same:?}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in [
            "",
            "-",
            ".",
            "e5",
            "1e",
            "1.2.3",
            "0x1",
            "1 ",
            " 1",
            "1e99999999999",
            "--1",
            "-NaN",
            "1e9999999",
        ] {
            assert_eq!(Number::parse(text), None, "{text:?}");
        }
    }
}
