//! Floating point as the server prints it since version 12: the shortest digits that read back under any rounding.
//!
//! Only what no Arrow type holds is printed here (arrays of several dimensions), so that clarity is worth more than speed.

use std::{
    fmt::{self, LowerExp, Write as _},
    str::FromStr,
};

/// The decimal exponents from which one is written: the digits that a type always keeps.
pub(super) const FLOAT4_EXPONENT_FROM: i32 = 6;
pub(super) const FLOAT8_EXPONENT_FROM: i32 = 15;

/// Digits that tell any two doubles apart.
const DIGITS_MAX: usize = 17;

/// Appends a value.
pub(super) fn push<F>(out: &mut String, value: F, exponent_from: i32) -> fmt::Result
where
    F: LowerExp + FromStr + PartialEq,
{
    let text = format!("{value:e}");
    let (sign, magnitude) = text.strip_prefix('-').map_or(("", &*text), |magnitude| ("-", magnitude));
    out.push_str(sign);
    match magnitude {
        "NaN" => out.push_str("NaN"),
        "inf" => out.push_str("Infinity"),
        "0e0" => out.push('0'),
        _ => {
            let Decimal { digits, exponent } = shortest(&value, sign, Decimal::parse(magnitude));
            return lay_out(out, &digits.to_string(), exponent, exponent_from);
        }
    }
    Ok(())
}

/// `digits` · 10^`exponent`.
struct Decimal {
    digits: u64,
    exponent: i32,
}

impl Decimal {
    /// Reads the standard library's scientific form of at most 17 digits, such as `1.25e-7`.
    fn parse(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once('e').expect("the scientific form has an exponent");
        let digits = mantissa.bytes().filter(u8::is_ascii_digit);
        let digits = digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
        let places = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let exponent: i32 = exponent.parse().expect("the standard library writes a small integer");
        Self { digits, exponent: exponent - i32::try_from(places).expect("16 at most") }
    }

    /// Whether a text a little above it and one a little below it read as the value, so that it lies strictly between the
    /// midpoints to the neighbors. A midpoint has fewer digits than the finer of the two steps, and none lies within it.
    fn is_inside<F: FromStr + PartialEq>(&self, value: &F, sign: &str) -> bool {
        let Self { digits, exponent } = self;
        let reads = |text: String| text.parse().is_ok_and(|read: F| read == *value);
        [4, 1100].into_iter().any(|places| {
            let end = exponent - i32::try_from(places).expect("1100 at most");
            reads(format!("{sign}{digits}{:0>places$}e{end}", 1))
                && reads(format!("{sign}{}{}e{end}", digits - 1, "9".repeat(places)))
        })
    }
}

/// The shortest digits inside of the midpoints, and of those the nearest to the value; the even ones of two that are equally
/// near. The standard library's `found` may be a midpoint, and it takes the greater of two: 1e23 and 9.999999999999999e22.
fn shortest<F: LowerExp + FromStr + PartialEq>(value: &F, sign: &str, found: Decimal) -> Decimal {
    let length = found.digits.to_string().len();
    for length in length..=DIGITS_MAX {
        // Correctly rounded, half to even.
        let nearest = format!("{value:.*e}", length - 1);
        let nearest = Decimal::parse(nearest.trim_start_matches('-'));
        for digits in [nearest.digits, nearest.digits - 1, nearest.digits + 1] {
            let decimal = Decimal { digits, exponent: nearest.exponent };
            if digits > 0 && decimal.is_inside(value, sign) {
                return decimal;
            }
        }
    }
    found
}

fn lay_out(out: &mut String, digits: &str, exponent: i32, exponent_from: i32) -> fmt::Result {
    let count = i32::try_from(digits.len()).expect("17 at most");
    // The exponent of the first digit.
    let first = exponent + count - 1;
    if first < -4 || first >= exponent_from {
        let (whole, fraction) = digits.split_at(1);
        let point = if fraction.is_empty() { "" } else { "." };
        let sign = if first < 0 { '-' } else { '+' };
        return write!(out, "{whole}{point}{fraction}e{sign}{:02}", first.unsigned_abs());
    }
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    if first < 0 {
        write!(out, "0.{}{digits}", zeros(-first - 1))
    } else if exponent < 0 {
        let (whole, fraction) = digits.split_at(usize::try_from(first).expect("not below 0") + 1);
        write!(out, "{whole}.{fraction}")
    } else {
        write!(out, "{digits}{}", zeros(exponent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_the_server() {
        // As PostgreSQL 15 prints them.
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (0.1, "0.1"),
            (-1.5, "-1.5"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (1e14, "100000000000000"),
            (1e15, "1e+15"),
            (123_456_789_012_345_680.0, "1.2345678901234568e+17"),
            (1e23, "9.999999999999999e+22"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::NEG_INFINITY, "-Infinity"),
            (f64::NAN, "NaN"),
        ] {
            let mut out = String::new();
            push(&mut out, value, FLOAT8_EXPONENT_FROM).unwrap();
            assert_eq!(out, text);
        }
        for (value, text) in [
            (9.860_761_3e-32_f32, "9.8607613e-32"),
            (16_777_216.0, "1.6777216e+07"),
            (123_456.78, "123456.78"),
            (1e6, "1e+06"),
        ] {
            let mut out = String::new();
            push(&mut out, value, FLOAT4_EXPONENT_FROM).unwrap();
            assert_eq!(out, text);
        }
    }
}
