//! Lists in PostgreSQL's array form: `{1,2,NULL,"a b"}`.

use std::ops::Range;

use crate::{
    text::out::Out,
    values::{Elements, Values},
};

/// Appends the list that these slots make.
pub(crate) fn push(out: &mut impl Out, elements: &Values, slots: Range<usize>) {
    let are_plain = elements.are_plain();
    out.push_ascii(b"{");
    for (index, slot) in slots.enumerate() {
        if index > 0 {
            out.push_ascii(b",");
        }
        if elements.is_null(slot) {
            out.push_ascii(b"NULL");
        } else if are_plain {
            elements.write_text(slot, out);
        } else if let Some(Elements { values, slots }) = elements.elements(slot) {
            push(out, values, slots);
        } else if let Some(text) = elements.text(slot) {
            push_element(out, text);
        } else {
            let start = out.bytes().len();
            elements.write_text(slot, out);
            quote_from(out, start);
        }
    }
    out.push_ascii(b"}");
}

fn push_element(out: &mut impl Out, text: &str) {
    if !needs_quotes(text.as_bytes()) {
        return out.push_str(text);
    }
    out.push_ascii(b"\"");
    let mut rest = text;
    while let Some(at) = rest.find(['"', '\\']) {
        out.push_str(&rest[..at]);
        out.push_ascii(b"\\");
        out.push_str(&rest[at..=at]);
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push_ascii(b"\"");
}

/// Quotes what was written from `start` on: a timestamp for its space, bytes for their one backslash.
fn quote_from(out: &mut impl Out, start: usize) {
    let text = &out.bytes()[start..];
    if !needs_quotes(text) {
        return;
    }
    if text.starts_with(b"\\") {
        out.insert_ascii(start, b'\\');
    }
    out.insert_ascii(start, b'"');
    out.push_ascii(b"\"");
}

fn needs_quotes(text: &[u8]) -> bool {
    // PostgreSQL counts these as space; it does not ask for the locale here.
    let is_special =
        |byte| matches!(byte, b'"' | b'\\' | b'{' | b'}' | b',' | b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c);
    text.is_empty() || text.eq_ignore_ascii_case(b"null") || text.iter().copied().any(is_special)
}
