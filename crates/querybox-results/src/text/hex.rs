//! Bytes and UUIDs in hexadecimal digits.

use crate::text::out::Out;

/// The digits of each byte.
const PAIRS: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    pairs
};

/// Bytes whose digits are put together before they go where they belong.
const TOGETHER: usize = 32;

/// Appends `\x` and two digits a byte.
pub(crate) fn push_bytes(out: &mut impl Out, bytes: &[u8]) {
    out.push_ascii(b"\\x");
    for part in bytes.chunks(TOGETHER) {
        let mut digits = [[0; 2]; TOGETHER];
        for (pair, byte) in digits.iter_mut().zip(part) {
            *pair = PAIRS[usize::from(*byte)];
        }
        out.push_ascii(digits[..part.len()].as_flattened());
    }
}

/// Appends 16 bytes in groups of 8-4-4-4-12 digits.
pub(crate) fn push_uuid(out: &mut impl Out, bytes: &[u8]) {
    let mut text = [b'-'; 36];
    // Where the digits of each byte stand.
    const PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
    for (place, byte) in PLACES.into_iter().zip(bytes) {
        text[place..place + 2].copy_from_slice(&PAIRS[usize::from(*byte)]);
    }
    out.push_ascii(&text);
}

/// Appends a part of what [`push_bytes`] would, and answers where it begins and how long all of it is. The range is in bytes
/// of the text, and holds at least one when there is one.
pub(crate) fn push_part(out: &mut String, bytes: &[u8], range: std::ops::Range<u64>) -> (u64, u64) {
    let length = 2 + 2 * bytes.len() as u64;
    let start = range.start.min(length);
    let end = range.end.min(length).max((start + 1).min(length));
    // The digits of whole bytes, of which the first and the last may be too many.
    let first = (start.saturating_sub(2) / 2) as usize;
    let last = (end.saturating_sub(2)).div_ceil(2) as usize;
    let before = out.len();
    push_bytes(out, &bytes[first..last.max(first)]);
    // Without what stands before the digits, unless the part begins there.
    let skipped = if start < 2 { start as usize } else { 2 + (start % 2) as usize };
    let surplus = skipped + (end - start) as usize;
    out.truncate(before + surplus);
    out.drain(before..before + skipped);
    (start, length)
}
