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
