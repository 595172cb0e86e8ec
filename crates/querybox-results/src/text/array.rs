//! Lists in PostgreSQL's array form: `{1,2,NULL,"a b"}`.

use std::ops::Range;

use crate::values::{Elements, Values};

/// Appends the list that these slots make.
pub(crate) fn push(out: &mut String, elements: &Values, slots: Range<usize>) {
    out.push('{');
    for (index, slot) in slots.enumerate() {
        if index > 0 {
            out.push(',');
        }
        if elements.is_null(slot) {
            out.push_str("NULL");
        } else if let Some(Elements { values, slots }) = elements.elements(slot) {
            push(out, values, slots);
        } else if let Some(text) = elements.text(slot) {
            push_element(out, text);
        } else {
            let start = out.len();
            elements.write_text(slot, out);
            quote_from(out, start);
        }
    }
    out.push('}');
}

fn push_element(out: &mut String, text: &str) {
    if !needs_quotes(text) {
        out.push_str(text);
        return;
    }
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(['"', '\\']) {
        out.push_str(&rest[..at]);
        out.push('\\');
        out.push_str(&rest[at..=at]);
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

/// Quotes what was written from `start` on: a timestamp for its space, bytes for their one backslash.
fn quote_from(out: &mut String, start: usize) {
    if !needs_quotes(&out[start..]) {
        return;
    }
    if out[start..].starts_with('\\') {
        out.insert(start, '\\');
    }
    out.insert(start, '"');
    out.push('"');
}

fn needs_quotes(text: &str) -> bool {
    // PostgreSQL counts these as space; it does not ask for the locale here.
    let is_special =
        |byte| matches!(byte, b'"' | b'\\' | b'{' | b'}' | b',' | b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c);
    text.is_empty() || text.eq_ignore_ascii_case("null") || text.bytes().any(is_special)
}
