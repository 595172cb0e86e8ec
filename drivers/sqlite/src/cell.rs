//! One value of a row, exactly.

use std::fmt::Write as _;

use querybox_plugin::{ColumnKind, Rows, TextKind, pb::Display};
use rusqlite::types::ValueRef;

/// A blob outside a blob column is told as hexadecimal text while that is at most twice this. A longer one would not be
/// sent whole in any case, and making the text would take three times its memory.
const HEX_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Tells a value to a column of the kind. `scratch` is room that is used again.
pub(crate) fn tell(rows: &mut Rows<'_>, kind: &ColumnKind, value: ValueRef<'_>, scratch: &mut String) {
    let is_decimal = *kind == ColumnKind::Text(TextKind::Decimal);
    match value {
        ValueRef::Null => rows.null(),
        ValueRef::Integer(value) if *kind == ColumnKind::Int64 => rows.int(value),
        ValueRef::Integer(value) => {
            scratch.clear();
            write!(scratch, "{value}").expect("a string takes any text");
            if is_decimal { rows.text(scratch) } else { rows.exact_text(scratch, Display::Integer) }
        }
        ValueRef::Real(value) if *kind == ColumnKind::Float64Point => rows.float(value),
        ValueRef::Real(value) => {
            scratch.clear();
            push_real(scratch, value);
            let is_plain = scratch.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-'));
            if is_decimal && is_plain {
                rows.text(scratch)
            } else {
                rows.exact_text(scratch, Display::FloatPoint)
            }
        }
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if matches!(kind, ColumnKind::Text(TextKind::Text | TextKind::Json)) => rows.text(text),
            Ok(text) => rows.exact_text(text, Display::Text),
            Err(_) => rows.undecodable(bytes),
        },
        ValueRef::Blob(bytes) if *kind == ColumnKind::Bytes => rows.bytes(bytes),
        ValueRef::Blob(bytes) if bytes.len() <= HEX_BYTES_MAX => {
            rows.exact_text(&hexadecimal(bytes), Display::BytesHex);
        }
        ValueRef::Blob(bytes) => rows.undecodable(bytes),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("\\x");
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 0xf)]));
    }
    text
}

/// The shortest digits that read back, laid out as the display FLOAT_POINT says: `1.0`, `0.1`, `1e+100`, `-Infinity`.
fn push_real(out: &mut String, value: f64) {
    if value.is_infinite() {
        out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
        return;
    }
    // The standard library's digits are the shortest in both forms: `1e100`, `-2.5e-7`.
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').expect("this form has an exponent");
    let exponent: i32 = exponent.parse().expect("its exponent is a number");
    if (-4..15).contains(&exponent) {
        write!(out, "{value:?}").expect("a string takes any text");
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        write!(out, "{digits}e{sign}{:02}", exponent.abs()).expect("a string takes any text");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reals_read_back_from_their_text() {
        for (value, expected) in [
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (1e14, "100000000000000.0"),
            (123_456_789_012_345.6, "123456789012345.6"),
            (1e15, "1e+15"),
            (1_234_567_890_123_456.8, "1.2345678901234568e+15"),
            (0.0001, "0.0001"),
            (0.000_012_5, "1.25e-05"),
            (1e100, "1e+100"),
            (-1e308, "-1e+308"),
            (5e-324, "5e-324"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            let mut text = String::new();
            push_real(&mut text, value);
            assert_eq!(text, expected);
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), value.to_bits(), "{text}");
        }
    }

    #[test]
    fn blobs_are_lower_case_hexadecimal() {
        assert_eq!(hexadecimal(&[]), "\\x");
        assert_eq!(hexadecimal(&[0, 0x9a, 0xff]), "\\x009aff");
    }
}
