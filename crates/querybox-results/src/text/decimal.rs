//! Scaled integers as decimal digits.

use std::fmt::Write;

use arrow_buffer::i256;

use crate::text::stack::StackText;

/// Digits of the largest magnitude: 2^255 has 77.
const DIGITS_MAX: usize = 77;
/// The largest power of ten in 64 bits, so that 256 bits are divided four limbs at a time.
const CHUNK: u64 = 10_u64.pow(CHUNK_DIGITS as u32);
const CHUNK_DIGITS: usize = 19;

/// Appends `value` · 10^-`scale`, with exactly `scale` digits after the point.
pub(crate) fn push_i128(out: &mut String, value: i128, scale: i8) {
    let mut digits = StackText::<DIGITS_MAX>::new();
    write!(digits, "{}", value.unsigned_abs()).expect("128 bits have less than 77 digits");
    push_scaled(out, value < 0, digits.as_str(), scale);
}

/// Appends `value` · 10^-`scale`, with exactly `scale` digits after the point.
pub(crate) fn push_i256(out: &mut String, value: i256, scale: i8) {
    let (low, high) = value.to_parts();
    // Two's complement by hand: the magnitude of the least value does not fit its type.
    let (low, high) = match high < 0 {
        true => {
            let (low, carry) = (!low).overflowing_add(1);
            (low, (!high).cast_unsigned().wrapping_add(u128::from(carry)))
        }
        false => (low, high.cast_unsigned()),
    };
    let mut limbs = [(high >> 64) as u64, high as u64, (low >> 64) as u64, low as u64];
    let mut chunks = [0_u64; DIGITS_MAX.div_ceil(CHUNK_DIGITS)];
    for chunk in chunks.iter_mut().rev() {
        *chunk = divide_by_chunk(&mut limbs);
    }
    let mut digits = StackText::<DIGITS_MAX>::new();
    let first = chunks.iter().position(|chunk| *chunk != 0).unwrap_or(chunks.len() - 1);
    write!(digits, "{}", chunks[first]).expect("256 bits have at most 77 digits");
    for chunk in &chunks[first + 1..] {
        write!(digits, "{chunk:0CHUNK_DIGITS$}").expect("256 bits have at most 77 digits");
    }
    push_scaled(out, value.is_negative(), digits.as_str(), scale);
}

/// Divides a number of four limbs, the highest first, and gives the remainder.
fn divide_by_chunk(limbs: &mut [u64; 4]) -> u64 {
    let mut remainder = 0;
    for limb in limbs {
        let dividend = u128::from(remainder) << 64 | u128::from(*limb);
        *limb = (dividend / u128::from(CHUNK)) as u64;
        remainder = (dividend % u128::from(CHUNK)) as u64;
    }
    remainder
}

fn push_scaled(out: &mut String, is_negative: bool, digits: &str, scale: i8) {
    if is_negative {
        out.push('-');
    }
    let places = usize::from(scale.unsigned_abs());
    if scale <= 0 {
        out.push_str(digits);
        let zeros = if digits == "0" { 0 } else { places };
        out.extend(std::iter::repeat_n('0', zeros));
    } else if let Some(whole) = digits.len().checked_sub(places).filter(|whole| *whole > 0) {
        out.push_str(&digits[..whole]);
        out.push('.');
        out.push_str(&digits[whole..]);
    } else {
        out.push_str("0.");
        out.extend(std::iter::repeat_n('0', places - digits.len()));
        out.push_str(digits);
    }
}
