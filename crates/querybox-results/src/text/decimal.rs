//! Scaled integers as decimal digits.

use std::fmt::Write;

use arrow_buffer::i256;

use crate::text::{out::Out, stack::StackText};

/// Digits of the largest magnitude: 2^255 has 77.
const DIGITS_MAX: usize = 77;
/// The largest power of ten in 64 bits, so that 256 bits are divided four limbs at a time.
const CHUNK: u64 = 10_u64.pow(CHUNK_DIGITS as u32);
const CHUNK_DIGITS: usize = 19;

/// Appends `value` · 10^-`scale`, with exactly `scale` digits after the point.
pub(crate) fn push_i128(out: &mut impl Out, value: i128, scale: i8) {
    let mut buffer = itoa::Buffer::new();
    let magnitude = value.unsigned_abs();
    // Nearly all are as small, and half as much work.
    let digits = match u64::try_from(magnitude) {
        Ok(small) => buffer.format(small),
        Err(_) => buffer.format(magnitude),
    };
    push_scaled(out, value < 0, digits.as_bytes(), scale);
}

/// Appends `value` · 10^-`scale`, with exactly `scale` digits after the point.
pub(crate) fn push_i256(out: &mut impl Out, value: i256, scale: i8) {
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
    push_scaled(out, value.is_negative(), digits.as_bytes(), scale);
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

fn push_scaled(out: &mut impl Out, is_negative: bool, digits: &[u8], scale: i8) {
    // A sign, a point and a zero before it, and as many zeros as the scale has.
    let mut text = StackText::<{ DIGITS_MAX + 3 + 128 }>::new();
    if is_negative {
        text.push(b'-');
    }
    let places = usize::from(scale.unsigned_abs());
    if scale <= 0 {
        text.push_ascii(digits);
        text.push_zeros(if digits == b"0" { 0 } else { places });
    } else if let Some(whole) = digits.len().checked_sub(places).filter(|whole| *whole > 0) {
        text.push_ascii(&digits[..whole]);
        text.push(b'.');
        text.push_ascii(&digits[whole..]);
    } else {
        text.push_ascii(b"0.");
        text.push_zeros(places - digits.len());
        text.push_ascii(digits);
    }
    out.push_ascii(text.as_bytes());
}
