//! A sum of decimal numbers, exact whatever their size and number.

use std::collections::BTreeMap;

use crate::view::number::Decimal;

/// Digits in a limb: small enough that a limb takes 10^20 summands before it could overflow.
const LIMB_DIGITS: i32 = 18;
const LIMB: i128 = 10_i128.pow(LIMB_DIGITS as u32);

/// The sum so far, as limbs by their place: limb *i* counts 10^(18·*i*). Databases' numbers have at most 131,072 digits before
/// the point and 16,383 behind it, so there are a few thousand limbs at most.
#[derive(Clone, Debug, Default)]
pub(super) struct Sum {
    limbs: BTreeMap<i32, i128>,
    /// The most digits that a summand shows behind its point.
    scale: usize,
}

impl Sum {
    pub(super) fn add(&mut self, decimal: &Decimal<'_>) {
        self.scale = self.scale.max(decimal.scale);
        // The place of the first digit, and of each one after it.
        let mut place = decimal.magnitude - 1;
        let sign = if decimal.is_negative { -1 } else { 1 };
        let mut limb = place.div_euclid(LIMB_DIGITS);
        let mut value = 0;
        for digit in decimal.digits() {
            if place.div_euclid(LIMB_DIGITS) != limb {
                *self.limbs.entry(limb).or_default() += sign * value;
                (limb, value) = (place.div_euclid(LIMB_DIGITS), 0);
            }
            value += i128::from(digit) * 10_i128.pow(place.rem_euclid(LIMB_DIGITS) as u32);
            place -= 1;
        }
        *self.limbs.entry(limb).or_default() += sign * value;
    }

    /// Adds what others have added up.
    pub(super) fn merge(&mut self, others: Sum) {
        self.scale = self.scale.max(others.scale);
        for (place, value) in others.limbs {
            *self.limbs.entry(place).or_default() += value;
        }
    }

    /// The sum as digits: behind the point as many as the summand with the most of them shows, or more where it has more.
    pub(super) fn text(&self) -> String {
        let (is_negative, mut digits, scale) = self.digits();
        digits.extend(std::iter::repeat_n(0, self.scale.saturating_sub(scale)));
        layout(is_negative, &digits, scale.max(self.scale), self.scale)
    }

    /// The sum divided by a number of values, to 20 digits behind the point or as many as the sum has, cut off there.
    pub(super) fn mean(&self, count: u64) -> Option<String> {
        let count = u128::from(count);
        if count == 0 {
            return None;
        }
        let (is_negative, mut digits, scale) = self.digits();
        let mean_scale = scale.max(20);
        digits.extend(std::iter::repeat_n(0, mean_scale - scale));
        let mut remainder = 0;
        for digit in &mut digits {
            remainder = remainder * 10 + u128::from(*digit);
            *digit = (remainder / count) as u8;
            remainder %= count;
        }
        Some(layout(is_negative, &digits, mean_scale, 0))
    }

    /// Whether the sum is negative, its digits, and how many of them are behind the point.
    fn digits(&self) -> (bool, Vec<u8>, usize) {
        let Some((first, last)) = self.limbs.keys().next().zip(self.limbs.keys().next_back()) else {
            return (false, vec![0], 0);
        };
        let (first, last) = (*first.min(&0), *last.max(&0));
        // Each limb from 0 to LIMB - 1, the rest carried on; what is left at the end is the sign, too.
        let carry = |sign: i128| {
            let mut carry = 0;
            let mut limbs: Vec<i128> = (first..=last)
                .map(|place| {
                    let value = sign * self.limbs.get(&place).copied().unwrap_or(0) + carry;
                    carry = value.div_euclid(LIMB);
                    value.rem_euclid(LIMB)
                })
                .collect();
            while carry > 0 {
                limbs.push(carry % LIMB);
                carry /= LIMB;
            }
            (carry == 0).then_some(limbs)
        };
        let (is_negative, limbs) = match carry(1) {
            Some(limbs) => (false, limbs),
            None => (true, carry(-1).expect("a number or its opposite is not negative")),
        };
        let digits = limbs.iter().rev().flat_map(|limb| format!("{limb:018}").into_bytes());
        let digits = digits.map(|digit| digit - b'0').collect();
        (is_negative, digits, (-first * LIMB_DIGITS) as usize)
    }
}

/// Digits of which `scale` are behind the point, without zeros at the end of these but for the first `shown`.
fn layout(is_negative: bool, digits: &[u8], scale: usize, shown: usize) -> String {
    let text: String = digits.iter().map(|digit| char::from(digit + b'0')).collect();
    let (whole, fraction) = text.split_at(text.len() - scale.min(text.len()));
    let (shown, rest) = fraction.split_at(shown.min(fraction.len()));
    let fraction = &fraction[..shown.len() + rest.trim_end_matches('0').len()];
    let whole = whole.trim_start_matches('0');
    let is_zero = whole.is_empty() && fraction.bytes().all(|digit| digit == b'0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let sign = if is_negative && !is_zero { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::view::number::Number;

    fn sum(texts: &[&str]) -> Sum {
        let mut sum = Sum::default();
        for text in texts {
            let Some(Number::Finite(decimal)) = Number::parse(text) else { panic!("{text}") };
            sum.add(&decimal);
        }
        sum
    }

    #[track_caller]
    fn check(texts: &[&str], expected: &str) {
        assert_eq!(sum(texts).text(), expected, "{texts:?}");
    }

    #[test]
    fn sums_are_exact() {
        check(&[], "0");
        check(&["0", "-0.00"], "0.00");
        check(&["331108.20", "0.5"], "331108.70");
        check(&["1.50", "-1.5"], "0.00");
        check(&["1e-3", "1.50", "1e2"], "101.501");
        check(&["0e-999999", "1e-2", "1"], "1.01");
        check(&["0.1", "0.2"], "0.3");
        check(&["9223372036854775807", "9223372036854775807"], "18446744073709551614");
        check(&["1e40", "1", "-1e40"], "1");
        check(&["-1e-20", "1"], "0.99999999999999999999");
        check(&["1", "-1.5"], "-0.5");
        check(&["999999999999999999", "1"], "1000000000000000000");
        check(&["-999999999999999999.999", "-0.001"], "-1000000000000000000.000");
        check(
            &["123456789012345678901234567890.123456789", "0.000000001"],
            "123456789012345678901234567890.123456790",
        );
    }

    #[test]
    fn means_have_twenty_digits() {
        assert_eq!(sum(&["1", "2"]).mean(2).unwrap(), "1.5");
        assert_eq!(sum(&["1"]).mean(3).unwrap(), "0.33333333333333333333");
        assert_eq!(sum(&["-20"]).mean(3).unwrap(), "-6.66666666666666666666");
        assert_eq!(sum(&["1e30", "1"]).mean(2).unwrap(), "500000000000000000000000000000.5");
        assert_eq!(sum(&[]).mean(0), None);
    }

    proptest! {
        #[test]
        fn a_sum_of_integers_is_that_of_128_bits(numbers: Vec<i64>) {
            let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            prop_assert_eq!(sum(&texts).text(), numbers.iter().map(|n| i128::from(*n)).sum::<i128>().to_string());
        }

        #[test]
        fn a_sum_of_hundredths_is_exact(numbers in prop::collection::vec(-1_000_000_i64..1_000_000, 0..20)) {
            let texts: Vec<String> = numbers.iter().map(|number| format!("{number}e-2")).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let expected = format!("{}e-2", numbers.iter().sum::<i64>());
            prop_assert_eq!(Number::parse(&sum(&texts).text()).map(key), Number::parse(&expected).map(key));
        }
    }

    fn key(number: Number<'_>) -> Vec<u8> {
        let mut key = Vec::new();
        number.push_key(&mut key);
        key
    }
}
