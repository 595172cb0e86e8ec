//! JSON objects whose numbers keep the server's digits.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write,
};

use serde_json::value::RawValue;

use crate::{
    Cell, Column, Display, State,
    text::{out::Out, scan},
};

/// The columns' names as object keys: each once, quoted, with its colon.
pub(super) struct Keys(Vec<Vec<u8>>);

impl Keys {
    pub(super) fn new(columns: &[Column]) -> Self {
        let keys = unique_names(columns).into_iter().map(|name| {
            let mut key = Vec::new();
            push_string(&mut key, &name);
            key.push(b':');
            key
        });
        Keys(keys.collect())
    }
}

/// The columns' names, each once: a repeated one gets `_2`, `_3` and so on.
pub(crate) fn unique_names(columns: &[Column]) -> Vec<String> {
    // A made name must not meet one that the database gave.
    let mut taken: HashSet<String> = columns.iter().map(|column| column.name.clone()).collect();
    let mut counts = HashMap::new();
    let names = columns.iter().map(|column| {
        let mut name = column.name.clone();
        let count = counts.entry(column.name.as_str()).and_modify(|count| *count += 1).or_insert(1_u32);
        if *count > 1 {
            while !taken.insert(format!("{name}_{count}")) {
                *count += 1;
            }
            write!(name, "_{count}").expect("a String takes any text");
        }
        name
    });
    names.collect()
}

pub(super) fn push_object<'b>(
    out: &mut Vec<u8>,
    keys: &Keys,
    cells: impl Iterator<Item = Cell<'b>>,
    scratch: &mut String,
) {
    out.push(b'{');
    for (index, (key, cell)) in keys.0.iter().zip(cells).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(key);
        push_value(out, &cell, scratch);
    }
    out.push(b'}');
}

fn push_value(out: &mut Vec<u8>, cell: &Cell<'_>, scratch: &mut String) {
    match cell.state() {
        State::Null => return out.push_ascii(b"null"),
        State::Value => {}
        // Half of a number would be a wrong number.
        State::Undecodable | State::Cut { .. } => return push_string(out, cell.text(scratch)),
    }
    if let Some(elements) = cell.elements() {
        out.push(b'[');
        for (index, element) in elements.enumerate() {
            if index > 0 {
                out.push(b',');
            }
            push_value(out, &element, scratch);
        }
        out.push(b']');
        return;
    }
    match cell.display() {
        Display::Integer | Display::Decimal if cell.is_tame() => return cell.write_to(out),
        Display::FloatPg | Display::FloatPoint if cell.is_tame() => return push_float(out, cell),
        Display::DateIso
        | Display::TimestampIso
        | Display::TimestampIsoUtc
        | Display::Time
        | Display::Uuid
            if cell.is_tame() =>
        {
            out.push(b'"');
            cell.write_to(out);
            return out.push(b'"');
        }
        _ => {}
    }
    let text = cell.text(scratch);
    match cell.display() {
        Display::BoolTF | Display::Bool10 => match text {
            "t" | "1" => out.push_ascii(b"true"),
            "f" | "0" => out.push_ascii(b"false"),
            _ => push_string(out, text),
        },
        Display::Integer | Display::FloatPg | Display::FloatPoint | Display::Decimal if is_number(text) => {
            out.push_str(text);
        }
        Display::Json if is_well_formed(text) => push_on_one_line(out, text),
        Display::Integer
        | Display::FloatPg
        | Display::FloatPoint
        | Display::Decimal
        | Display::Interval
        | Display::TimeZoned
        | Display::Money
        | Display::Json
        | Display::DateIso
        | Display::TimestampIso
        | Display::TimestampIsoUtc
        | Display::Time
        | Display::Uuid
        | Display::BytesHex
        | Display::Text
        | Display::Array(_)
        | Display::ArrayText(_) => push_string(out, text),
    }
}

/// What the renderer writes of a float is a number, but for those that are none.
fn push_float(out: &mut Vec<u8>, cell: &Cell<'_>) {
    let start = out.len();
    cell.write_to(out);
    if !out.last().is_some_and(u8::is_ascii_digit) {
        out.insert(start, b'"');
        out.push(b'"');
    }
}

/// Whether the text is a JSON number: no plus sign, no leading zeros, digits on both sides of a point.
pub(crate) fn is_number(text: &str) -> bool {
    fn digits(text: &[u8]) -> (usize, &[u8]) {
        let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (count, &text[count..])
    }
    let text = text.as_bytes();
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, mut rest) = digits(text);
    if whole == 0 || (whole > 1 && text[0] == b'0') {
        return false;
    }
    if let Some(fraction) = rest.strip_prefix(b".") {
        let (count, after) = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = after;
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = exponent.strip_prefix(b"-").or(exponent.strip_prefix(b"+")).unwrap_or(exponent);
        let (count, after) = digits(exponent);
        return count > 0 && after.is_empty();
    }
    rest.is_empty()
}

/// Whether the text is one JSON value of at most 128 levels. A driver says so, but its word would break the document.
fn is_well_formed(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok()
}

/// Line ends in a well-formed value only stand between its tokens, so a space means the same.
fn push_on_one_line(out: &mut Vec<u8>, text: &str) {
    let start = out.len();
    out.push_str(text);
    if scan::any(text.as_bytes(), |byte| (byte == b'\n') | (byte == b'\r')) {
        for byte in &mut out[start..] {
            if matches!(*byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
    }
}

fn push_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    if !scan::any(text.as_bytes(), |byte| (byte == b'"') | (byte == b'\\') | (byte < 0x20)) {
        out.push_str(text);
        return out.push(b'"');
    }
    let mut written = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&text[written..at]);
        out.push_str(escape);
        if escape.is_empty() {
            out.push_str(&format!("\\u{byte:04x}"));
        }
        written = at + 1;
    }
    out.push_str(&text[written..]);
    out.push(b'"');
}
