//! Binary floating point as the shortest decimal digits that read back.
//!
//! The layout is that of PostgreSQL 12 and later. The crate `zmij` finds the digits, but for two habits of PostgreSQL:
//!
//! - Its digits lie strictly between the midpoints to the neighboring values, so that they read back under any
//!   rounding. Others also take a midpoint that rounds to an even value: `1e23` where PostgreSQL prints
//!   `9.999999999999999e+22`.
//! - Of two shortest texts that are equally near to the value it takes the even one; others may take the odd one.

use std::fmt::Write;

use crate::text::{out::Out, stack::StackText};

/// How digits are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// `1`, `0.1`, `1e+100`.
    Postgres,
    /// The same, with a point or an exponent in any finite value: `1.0`.
    Point,
}

/// Appends a value of either precision.
pub(crate) fn push<F: Float>(out: &mut impl Out, value: F, layout: Layout) {
    if value.is_nan() {
        return out.push_ascii(b"NaN");
    }
    if value.is_infinite() {
        return out.push_ascii(if value.is_sign_negative() { b"-Infinity" } else { b"Infinity" });
    }
    let magnitude = value.abs();
    let binary = magnitude.binary();
    let mut decimal = magnitude.shortest();
    if decimal.is_midpoint_beside(&binary) {
        decimal = inside_midpoints(decimal, &binary, magnitude);
    } else if let Some(even) = decimal.even_twin(&binary).filter(|even| even.is_read_by(magnitude)) {
        decimal = even;
    }
    let mut text = Text::new();
    if value.is_sign_negative() {
        text.push(b'-');
    }
    push_decimal(&mut text, &decimal, F::EXPONENT_FROM, layout);
    out.push_ascii(text.as_bytes());
}

/// A sign, 17 digits with four zeros before them or some behind, a point, an exponent.
type Text = StackText<40>;

fn push_decimal(text: &mut Text, decimal: &Decimal, exponent_from: i32, layout: Layout) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(decimal.digits).as_bytes();
    // The exponent of the first digit.
    let exponent = decimal.exponent + digits.len() as i32 - 1;
    if exponent < -4 || exponent >= exponent_from {
        text.push(digits[0]);
        if digits.len() > 1 {
            text.push(b'.');
            text.push_ascii(&digits[1..]);
        }
        text.push_ascii(if exponent < 0 { b"e-" } else { b"e+" });
        let exponent = exponent.unsigned_abs() as usize;
        if exponent >= 100 {
            text.push(b'0' + (exponent / 100) as u8);
        }
        return text.push_pair(exponent % 100);
    }
    if exponent < 0 {
        text.push_ascii(b"0.");
        text.push_zeros((-exponent - 1) as usize);
        text.push_ascii(digits);
    } else if decimal.exponent < 0 {
        let (whole, fraction) = digits.split_at(exponent as usize + 1);
        text.push_ascii(whole);
        text.push(b'.');
        text.push_ascii(fraction);
    } else {
        text.push_ascii(digits);
        text.push_zeros(decimal.exponent as usize);
        if layout == Layout::Point {
            text.push_ascii(b".0");
        }
    }
}

/// A finite value's magnitude: `mantissa` · 2^`exponent`.
pub(crate) struct Binary {
    mantissa: u64,
    exponent: i32,
    /// A power of two: the neighbor below is half as far as the one above.
    is_narrow_below: bool,
}

/// `digits` · 10^`exponent`.
pub(crate) struct Decimal {
    digits: u64,
    exponent: i32,
}

impl Decimal {
    /// Reads digits with or without a point and an exponent, such as `1.25e-7` or `100.0`; at most 19 of them.
    fn parse(text: &str) -> Self {
        let (mut digits, mut exponent, mut has_point) = (0, 0, false);
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                b'.' => has_point = true,
                b'e' => {
                    exponent += text[at + 1..].parse::<i32>().expect("a small integer is behind it");
                    break;
                }
                digit => {
                    digits = digits * 10 + u64::from(digit - b'0');
                    exponent -= i32::from(has_point);
                }
            }
        }
        Decimal { digits, exponent }
    }

    /// The same without zeros at the end.
    fn trimmed(self) -> Self {
        let Decimal { mut digits, mut exponent } = self;
        if digits == 0 {
            return Decimal { digits, exponent: 0 };
        }
        while digits.is_multiple_of(10) {
            digits /= 10;
            exponent += 1;
        }
        Decimal { digits, exponent }
    }

    /// Whether this is exactly the midpoint between the value and a neighbor.
    fn is_midpoint_beside(&self, binary: &Binary) -> bool {
        let Binary { mantissa, exponent, is_narrow_below } = *binary;
        // Midpoints round to the even value, so an odd one has none among its digits. Zero has no neighbor below.
        if !mantissa.is_multiple_of(2) || mantissa == 0 {
            return false;
        }
        let below = if is_narrow_below {
            self.is(4 * mantissa - 1, exponent - 2)
        } else {
            self.is(2 * mantissa - 1, exponent - 1)
        };
        below || self.is(2 * mantissa + 1, exponent - 1)
    }

    /// The even digits beside these odd ones, when the value lies exactly between the two.
    fn even_twin(&self, binary: &Binary) -> Option<Decimal> {
        if self.digits.is_multiple_of(2) {
            return None;
        }
        let Binary { mantissa, exponent, .. } = *binary;
        let twos = mantissa.trailing_zeros();
        let is_value = |digits| {
            Decimal { digits, exponent: self.exponent - 1 }.is(mantissa >> twos, exponent + twos as i32)
        };
        let twin = |digits| Decimal { digits, exponent: self.exponent };
        if is_value(self.digits * 10 - 5) {
            Some(twin(self.digits - 1))
        } else if is_value(self.digits * 10 + 5) {
            Some(twin(self.digits + 1))
        } else {
            None
        }
    }

    fn is_read_by(&self, magnitude: impl Float) -> bool {
        magnitude.is_read_from(&format!("{}e{}", self.digits, self.exponent))
    }

    /// Whether this is exactly `odd` · 2^`power`.
    fn is(&self, odd: u64, power: i32) -> bool {
        // 5^27 is the largest power of five in 64 bits; neither side can be a multiple of more.
        const FIVES_MAX: u32 = 27;
        let twos = self.digits.trailing_zeros();
        if self.exponent + twos as i32 != power || self.exponent.unsigned_abs() > FIVES_MAX {
            return false;
        }
        let fives = 5_u128.pow(self.exponent.unsigned_abs());
        let digits = u128::from(self.digits >> twos);
        if self.exponent >= 0 { digits * fives == u128::from(odd) } else { digits == u128::from(odd) * fives }
    }
}

/// The shortest digits strictly between the midpoints, and of those the nearest to the value.
///
/// Rare (one value in millions), so clarity is worth more here than speed.
fn inside_midpoints(midpoint: Decimal, binary: &Binary, magnitude: impl Float) -> Decimal {
    let length = midpoint.digits.to_string().len();
    for digits in length..=17 {
        let nearest = Decimal::parse(magnitude.rounded(digits).as_str());
        for candidate in [nearest.digits, nearest.digits - 1, nearest.digits + 1] {
            let candidate = Decimal { digits: candidate, exponent: nearest.exponent };
            if candidate.is_read_by(magnitude) && !candidate.is_midpoint_beside(binary) {
                return candidate;
            }
        }
    }
    midpoint
}

/// A floating-point number of either precision.
pub(crate) trait Float: Copy {
    /// The decimal exponent from which PostgreSQL writes one: the digits that the type always keeps.
    const EXPONENT_FROM: i32;

    fn is_nan(self) -> bool;
    fn is_infinite(self) -> bool;
    fn is_sign_negative(self) -> bool;
    fn abs(self) -> Self;
    /// The parts of a finite value that is not negative.
    fn binary(self) -> Binary;
    /// The shortest digits that are read as this value.
    fn shortest(self) -> Decimal;
    /// So many correctly rounded digits, in scientific form.
    fn rounded(self, digits: usize) -> StackText<24>;
    fn is_read_from(self, text: &str) -> bool;
}

macro_rules! float {
    ($float:ident, exponent from $exponent_from:literal) => {
        impl Float for $float {
            const EXPONENT_FROM: i32 = $exponent_from;

            fn is_nan(self) -> bool {
                $float::is_nan(self)
            }

            fn is_infinite(self) -> bool {
                $float::is_infinite(self)
            }

            fn is_sign_negative(self) -> bool {
                $float::is_sign_negative(self)
            }

            fn abs(self) -> Self {
                $float::abs(self)
            }

            fn binary(self) -> Binary {
                const FRACTION_BITS: u32 = $float::MANTISSA_DIGITS - 1;
                let bits = u64::from(self.to_bits());
                let fraction = bits & ((1 << FRACTION_BITS) - 1);
                // Zero means a value below the normal ones, which lacks the hidden bit.
                let biased = (bits >> FRACTION_BITS) as i32;
                let hidden = if biased == 0 { 0 } else { 1 << FRACTION_BITS };
                Binary {
                    mantissa: fraction | hidden,
                    exponent: biased.max(1) - $float::MAX_EXP + 1 - FRACTION_BITS as i32,
                    is_narrow_below: fraction == 0 && biased > 1,
                }
            }

            fn shortest(self) -> Decimal {
                Decimal::parse(zmij::Buffer::new().format_finite(self)).trimmed()
            }

            fn rounded(self, digits: usize) -> StackText<24> {
                let mut text = StackText::new();
                write!(text, "{self:.*e}", digits - 1).expect("at most 17 digits are asked for");
                text
            }

            fn is_read_from(self, text: &str) -> bool {
                text.parse() == Ok(self)
            }
        }
    };
}

float!(f32, exponent from 6);
float!(f64, exponent from 15);
