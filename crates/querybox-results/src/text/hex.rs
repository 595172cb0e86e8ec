//! Bytes and UUIDs in hexadecimal digits.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Appends `\x` and two digits a byte.
pub(crate) fn push_bytes(out: &mut String, bytes: &[u8]) {
    out.reserve(2 + 2 * bytes.len());
    out.push_str("\\x");
    bytes.iter().for_each(|byte| push_byte(out, *byte));
}

/// Appends 16 bytes in groups of 8-4-4-4-12 digits.
pub(crate) fn push_uuid(out: &mut String, bytes: &[u8]) {
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        push_byte(out, *byte);
    }
}

fn push_byte(out: &mut String, byte: u8) {
    out.push(char::from(DIGITS[usize::from(byte >> 4)]));
    out.push(char::from(DIGITS[usize::from(byte & 15)]));
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
