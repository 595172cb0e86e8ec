//! The server's numeric: digits to the base of 10,000.

use std::fmt;

use querybox_plugin::Error;

use crate::message::Reader;

const BASE: i128 = 10_000;
const BASE_DIGITS: i32 = 4;
/// Digits to the base of 10,000 that always fit into 64 bits.
const SMALL_DIGITS_MAX: usize = 4;

/// Powers of ten that 128 bits hold with their sign.
static POWERS: [i128; 39] = {
    let mut powers = [1; 39];
    let mut exponent = 1;
    while exponent < powers.len() {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
};

/// One value, its digits still where they were read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Numeric<'a> {
    Finite(Finite<'a>),
    NaN,
    Infinity,
    MinusInfinity,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Finite<'a> {
    is_negative: bool,
    /// The power of 10,000 that the first digit counts.
    weight: i32,
    /// Decimal digits behind the point that are shown.
    scale: i32,
    /// Two bytes each, below 10,000.
    digits: &'a [[u8; 2]],
}

impl<'a> Numeric<'a> {
    /// Reads the binary format: src/backend/utils/adt/numeric.c, `numeric_send`.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let malformed = || Error::protocol("a numeric value of the server is malformed");
        let (head, digits) = bytes.split_at_checked(8).ok_or_else(malformed)?;
        let mut head = Reader::new(head);
        let count = head.u16()?;
        let weight = head.i16()?;
        let sign = head.u16()?;
        let scale = head.u16()?;
        let (digits, []) = digits.as_chunks::<2>() else { return Err(malformed()) };
        if digits.len() != usize::from(count) {
            return Err(malformed());
        }
        let is_negative = match sign {
            0x0000 => false,
            0x4000 => true,
            0xc000 => return Ok(Self::NaN),
            0xd000 => return Ok(Self::Infinity),
            0xf000 => return Ok(Self::MinusInfinity),
            _ => return Err(malformed()),
        };
        if digits.iter().any(|digit| i128::from(u16::from_be_bytes(*digit)) >= BASE) {
            return Err(malformed());
        }
        Ok(Self::Finite(Finite { is_negative, weight: weight.into(), scale: i32::from(scale), digits }))
    }

    /// The value times ten to `scale`, when it has just this scale and at most `precision` digits.
    pub(super) fn unscaled(&self, precision: u8, scale: u8) -> Option<i128> {
        match self {
            Self::Finite(finite) if finite.scale == i32::from(scale) => finite.unscaled(precision),
            Self::Finite(_) | Self::NaN | Self::Infinity | Self::MinusInfinity => None,
        }
    }
}

impl Finite<'_> {
    fn digit(&self, index: usize) -> u16 {
        u16::from_be_bytes(self.digits[index])
    }

    fn unscaled(&self, precision: u8) -> Option<i128> {
        let digits = i32::try_from(self.digits.len()).ok()?;
        // What the digits, read as one number, are to be multiplied with is ten to this.
        let shift = (self.weight - digits + 1) * BASE_DIGITS + self.scale;
        let value = self.small(shift).or_else(|| self.large(shift))?;
        let is_within = value < *POWERS.get(usize::from(precision))?;
        is_within.then_some(if self.is_negative { -value } else { value })
    }

    /// The digits and their product in 64 bits, which are several times faster than 128 and enough for most values.
    fn small(&self, shift: i32) -> Option<i128> {
        if self.digits.len() > SMALL_DIGITS_MAX {
            return None;
        }
        let power = u64::try_from(*POWERS.get(usize::try_from(shift.unsigned_abs()).ok()?)?).ok()?;
        let digits = self.digits.iter().map(|digit| u64::from(u16::from_be_bytes(*digit)));
        let value = digits.fold(0, |value, digit| value * 10_000 + digit);
        if shift >= 0 {
            value.checked_mul(power).map(Into::into)
        } else {
            value.is_multiple_of(power).then(|| (value / power).into())
        }
    }

    fn large(&self, shift: i32) -> Option<i128> {
        let mut value: i128 = 0;
        for index in 0..self.digits.len() {
            value = value.checked_mul(BASE)?.checked_add(self.digit(index).into())?;
        }
        if value == 0 {
            return Some(0);
        }
        let power = *POWERS.get(usize::try_from(shift.unsigned_abs()).ok()?)?;
        if shift >= 0 {
            value.checked_mul(power)
        } else {
            // The server has no digits behind those that are shown.
            (value % power == 0).then(|| value / power)
        }
    }

    /// The decimal digits of the power of 10,000 that `weight` says; zeros where none were sent.
    fn group(&self, weight: i32) -> u16 {
        let index = usize::try_from(self.weight - weight).ok().filter(|&index| index < self.digits.len());
        index.map_or(0, |index| self.digit(index))
    }
}

/// As the server prints it.
impl fmt::Display for Numeric<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let finite = match self {
            Self::NaN => return f.write_str("NaN"),
            Self::Infinity => return f.write_str("Infinity"),
            Self::MinusInfinity => return f.write_str("-Infinity"),
            Self::Finite(finite) => finite,
        };
        if finite.is_negative {
            f.write_str("-")?;
        }
        write!(f, "{}", finite.group(finite.weight.max(0)))?;
        for weight in (0..finite.weight).rev() {
            write!(f, "{:04}", finite.group(weight))?;
        }
        let mut places = finite.scale;
        if places > 0 {
            f.write_str(".")?;
        }
        let mut weight = -1;
        while places > 0 {
            let group = format!("{:04}", finite.group(weight));
            let shown = places.min(BASE_DIGITS);
            f.write_str(&group[..usize::try_from(shown).expect("from 1 to 4")])?;
            places -= shown;
            weight -= 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(weight: i16, sign: u16, scale: u16, digits: &[u16]) -> Vec<u8> {
        let count = u16::try_from(digits.len()).unwrap();
        let head = [count, weight.cast_unsigned(), sign, scale];
        head.iter().chain(digits).flat_map(|number| number.to_be_bytes()).collect()
    }

    #[track_caller]
    fn check(weight: i16, sign: u16, scale: u16, digits: &[u16], text: &str, unscaled: Option<i128>) {
        let bytes = bytes(weight, sign, scale, digits);
        let number = Numeric::parse(&bytes).unwrap();
        assert_eq!(number.to_string(), text);
        assert_eq!(number.unscaled(38, u8::try_from(scale).unwrap()), unscaled);
    }

    #[test]
    fn values_are_exact() {
        check(0, 0, 0, &[], "0", Some(0));
        check(0, 0, 2, &[], "0.00", Some(0));
        check(0, 0, 2, &[1, 5000], "1.50", Some(150));
        check(0, 0x4000, 2, &[1, 5000], "-1.50", Some(-150));
        check(1, 0, 0, &[1], "10000", Some(10_000));
        check(2, 0, 0, &[1, 0, 7], "100000007", Some(100_000_007));
        check(-1, 0, 4, &[1], "0.0001", Some(1));
        check(-2, 0, 6, &[1200], "0.000012", Some(12));
        check(-3, 0, 12, &[1], "0.000000000001", Some(1));
        check(1, 0, 4, &[1234, 5678, 9000], "12345678.9000", Some(123_456_789_000));
        check(0, 0, 1, &[9999, 9000], "9999.9", Some(99_999));
        // At the edges of 64 bits, and beyond.
        check(3, 0, 0, &[9999, 9999, 9999, 9999], &"9".repeat(16), Some(9_999_999_999_999_999));
        check(
            3,
            0x4000,
            4,
            &[9999, 9999, 9999, 9999],
            &format!("-{}.0000", "9".repeat(16)),
            Some(-99_999_999_999_999_990_000),
        );
        check(4, 0, 0, &[1844, 6744, 737, 955, 1615], "18446744073709551615", Some(i128::from(u64::MAX)));
        check(8, 0, 0, &[1], &format!("1{}", "0".repeat(32)), Some(10_i128.pow(32)));
    }

    #[test]
    fn what_38_digits_do_not_hold_is_told_as_text() {
        let nines = [9999; 10];
        check(9, 0, 0, &nines, &"9".repeat(40), None);
        check(0, 0xc000, 0, &[], "NaN", None);
        check(0, 0xd000, 0, &[], "Infinity", None);
        check(0, 0xf000, 0, &[], "-Infinity", None);
        check(300, 0, 0, &[1], &format!("1{}", "0".repeat(1200)), None);
    }

    #[test]
    fn another_scale_or_more_digits_than_the_column_has_is_told_as_text() {
        let bytes = bytes(0, 0, 2, &[123, 4500]);
        let number = Numeric::parse(&bytes).unwrap();
        assert_eq!(number.unscaled(5, 2), Some(12_345));
        assert_eq!(number.unscaled(4, 2), None);
        assert_eq!(number.unscaled(5, 3), None);
    }

    #[test]
    fn malformed_bytes_are_refused() {
        let whole = bytes(0, 0, 2, &[1, 5000]);
        for length in 0..whole.len() {
            assert!(Numeric::parse(&whole[..length]).is_err(), "{length} bytes");
        }
        assert!(Numeric::parse(&bytes(0, 0x1234, 0, &[])).is_err());
        assert!(Numeric::parse(&bytes(0, 0, 0, &[10_000])).is_err());
    }
}
