//! The order of values as bytes: comparing two keys compares the values.
//!
//! A key is made of what a cell shows, by the kind of the cell, so that values inside and outside of their Arrow type
//! take one road. Numbers are compared by value, exactly; dates and times as points in time; bytes as bytes; and text by its
//! bytes, which is the order of code points, not that of a database's collation. Among kinds, as SQLite has it: numbers, then
//! times, text, bytes. What cannot be read as its kind is text, and so is an array, whether it came as a list or as text: its
//! elements have no order here. An undecodable text is compared by the bytes that it is, and a
//! value that is cut by the part that is there. Of one that is cut and no text nobody knows whether it was to be one (a blob
//! that is too long outside of a column of blobs is sent so): it is bytes.

use crate::{
    Cell, Display, State,
    view::{number::Number, time},
};

const NUMBER: u8 = 1;
const TIME: u8 = 2;
const TEXT: u8 = 3;
const BYTES: u8 = 4;

/// Whether the case of letters of text counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// `a` is not `A`.
    Counts,
    /// `a` is `A`.
    Ignored,
}

/// Appends the key of a cell that is not NULL. No key begins another.
pub(crate) fn push_cell(cell: &Cell<'_>, case: Case, scratch: &mut String, out: &mut Vec<u8>) {
    if let Some(bytes) = cell.own_bytes() {
        // Text that is not valid in its encoding has bytes too.
        let is_text = *cell.display() != Display::BytesHex && !matches!(cell.state(), State::Cut { .. });
        out.push(if is_text { TEXT } else { BYTES });
        return push_bytes(bytes, out);
    }
    let text = cell.text(scratch);
    if *cell.display() == Display::BytesHex {
        // Bytes in a column of another type come as their digits; of some that are cut, perhaps with half a byte.
        let whole = if text.len().is_multiple_of(2) {
            text
        } else {
            &text[..text.floor_char_boundary(text.len() - 1)]
        };
        if let Some(bytes) = parse_hex(whole) {
            out.push(BYTES);
            return push_bytes(&bytes, out);
        }
    }
    if !push_typed(cell.display(), text, out) {
        push_text(text, case, out);
    }
}

/// Appends the key of a text, as cells of this kind have it. `None`: the text is no value of the kind.
pub(crate) fn push_value(display: &Display, text: &str, case: Case, out: &mut Vec<u8>) -> Option<()> {
    match display {
        Display::BytesHex => {
            out.push(BYTES);
            push_bytes(&parse_hex(text)?, out);
        }
        // People write its digits in either case; cells have the lower one.
        Display::Uuid => push_text(text, Case::Ignored, out),
        Display::BoolTF | Display::Text | Display::Json | Display::Array(_) | Display::ArrayText(_) => {
            push_text(text, case, out)
        }
        Display::Bool10
        | Display::Integer
        | Display::FloatPg
        | Display::FloatPoint
        | Display::Decimal
        | Display::DateIso
        | Display::TimestampIso
        | Display::TimestampIsoUtc
        | Display::Time
        | Display::Interval
        | Display::TimeZoned => return push_typed(display, text, out).then_some(()),
        // The digits alone do not say how many of them stand behind the point.
        Display::Money => {
            let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
            return (!is_plain && push_typed(display, text, out)).then_some(());
        }
    }
    Some(())
}

/// Appends the key of a number or a point in time. False: it is neither.
fn push_typed(display: &Display, text: &str, out: &mut Vec<u8>) -> bool {
    let point = match display {
        Display::Bool10 | Display::Integer | Display::FloatPg | Display::FloatPoint | Display::Decimal => {
            let Some(number) = Number::parse(text) else { return false };
            out.push(NUMBER);
            number.push_key(out);
            return true;
        }
        Display::DateIso => time::parse_date(text),
        Display::TimestampIso | Display::TimestampIsoUtc => time::parse_timestamp(text),
        Display::Time => time::parse_time(text),
        Display::Interval => time::parse_interval(text),
        Display::TimeZoned => time::parse_zoned_time(text),
        Display::Money => {
            let Some(amount) = amount(text) else { return false };
            return push_typed(&Display::Integer, &amount, out);
        }
        Display::BoolTF
        | Display::Uuid
        | Display::BytesHex
        | Display::Text
        | Display::Json
        | Display::Array(_)
        | Display::ArrayText(_) => None,
    };
    let Some(point) = point else { return false };
    out.push(TIME);
    out.extend(time::order_of(point));
    true
}

fn push_text(text: &str, case: Case, out: &mut Vec<u8>) {
    out.push(TEXT);
    match case {
        Case::Counts => push_bytes(text.as_bytes(), out),
        Case::Ignored => push_bytes(text.to_lowercase().as_bytes(), out),
    }
}

/// The digits of an amount, with its sign, in the smallest unit that its column shows. `None`: the text is no amount.
fn amount(text: &str) -> Option<String> {
    let is_negative = text.contains(['-', '(']);
    let digits = text.chars().filter(char::is_ascii_digit);
    let amount: String = is_negative.then_some('-').into_iter().chain(digits).collect();
    amount.ends_with(|last: char| last.is_ascii_digit()).then_some(amount)
}

/// Bytes with an end that is less than any byte: `00 01`, where a zero of their own is `00 ff`.
fn push_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == 0) {
        out.extend_from_slice(&rest[..at]);
        out.extend([0, 0xff]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.extend([0, 1]);
}

/// Reads `\x` and digits, or the digits alone.
fn parse_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x").unwrap_or(text).as_bytes();
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    pairs.iter().map(|[high, low]| Some((digit(*high)? << 4 | digit(*low)?) as u8)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(display: &Display, text: &str) -> Vec<u8> {
        let mut key = Vec::new();
        push_cell(&Cell::of_text(text, display), Case::Counts, &mut String::new(), &mut key);
        key
    }

    #[test]
    fn kinds_have_an_order_and_what_is_not_of_its_kind_is_text() {
        let ascending = [
            key(&Display::Integer, "-5"),
            key(&Display::FloatPg, "4.5"),
            key(&Display::Decimal, "5"),
            key(&Display::DateIso, "2024-02-29"),
            key(&Display::DateIso, "infinity"),
            key(&Display::Text, ""),
            key(&Display::Text, "\0"),
            key(&Display::Text, "1"),
            key(&Display::Text, "1\0"),
            key(&Display::Text, "10"),
            key(&Display::DateIso, "29.02.2024"),
            key(&Display::Text, "5"),
        ];
        assert!(ascending.is_sorted());
        for (index, key) in ascending.iter().enumerate() {
            assert!(ascending[index + 1..].iter().all(|other| !other.starts_with(key)));
        }
    }

    #[test]
    fn amounts_are_in_the_order_of_their_values_in_any_locale() {
        for ascending in [
            ["-$1,000.00", "-$9.99", "$0.00", "$0.01", "$9.99", "$10.00", "$1,000.00"],
            ["-1.000,00 €", "-9,99 €", "0,00 €", "0,01 €", "9,99 €", "10,00 €", "1.000,00 €"],
            ["(¥1,000)", "(¥9)", "¥0", "¥1", "¥9", "¥10", "¥1,000"],
        ] {
            let keys = ascending.map(|text| key(&Display::Money, text));
            assert!(keys.windows(2).all(|pair| pair[0] < pair[1]), "{ascending:?}");
        }
        let mut value = Vec::new();
        assert_eq!(push_value(&Display::Money, "10", Case::Counts, &mut value), None);
        push_value(&Display::Money, "10.00", Case::Counts, &mut value).unwrap();
        assert_eq!(value, key(&Display::Money, "$10.00"));
        assert_eq!(push_value(&Display::Money, "$", Case::Counts, &mut Vec::new()), None);
    }

    #[test]
    fn a_value_has_the_key_of_its_cell() {
        for (display, text) in [
            (Display::Decimal, "1.50"),
            (Display::TimestampIsoUtc, "2024-02-29 13:05:07.25+00"),
            (Display::Uuid, "00000000-0000-0000-0000-000000000001"),
            (Display::BoolTF, "t"),
            (Display::Text, "größe"),
        ] {
            let mut value = Vec::new();
            push_value(&display, text, Case::Counts, &mut value).unwrap();
            assert_eq!(value, key(&display, text), "{text}");
        }
        // Bytes are such wherever they stand, and not the text that shows them.
        let mut bytes = Vec::new();
        push_value(&Display::BytesHex, "\\x6162", Case::Counts, &mut bytes).unwrap();
        assert_eq!(bytes, key(&Display::BytesHex, "\\x6162"));
        assert_eq!(bytes, key(&Display::BytesHex, "\\x61626"));
        assert!(bytes > key(&Display::Text, "\\x6162"));
        // So a driver sends one that is too long to be told by its digits.
        let cell = Cell::of_undecodable(b"ab", &Display::Text);
        let key_of = |cell: Cell<'_>| {
            let mut key = Vec::new();
            push_cell(&cell, Case::Counts, &mut String::new(), &mut key);
            key
        };
        assert_eq!(key_of(cell.with_state(State::Cut { full_size: 20 << 20 })), bytes);
        // And so what is no valid text, though it was to be one.
        assert_eq!(key_of(cell), key(&Display::Text, "ab"));
        assert_eq!(push_value(&Display::Integer, "many", Case::Counts, &mut Vec::new()), None);
        assert_eq!(push_value(&Display::BytesHex, "\\x0", Case::Counts, &mut Vec::new()), None);
        assert_eq!(parse_hex("\\x00aBff"), Some(vec![0, 0xab, 0xff]));
    }
}
