//! Tab-separated values, as PostgreSQL's `COPY` writes its text format.

use crate::{
    Cell, Column, State,
    text::{out::Out, scan},
};

pub(super) fn push_header(out: &mut Vec<u8>, columns: &[Column]) {
    for (index, column) in columns.iter().enumerate() {
        push_separator(out, index);
        push_field(out, &column.name);
    }
    out.push(b'\n');
}

pub(super) fn push_row<'b>(out: &mut Vec<u8>, cells: impl Iterator<Item = Cell<'b>>, scratch: &mut String) {
    for (index, cell) in cells.enumerate() {
        push_separator(out, index);
        match cell.state() {
            State::Null => out.push_str("\\N"),
            State::Value if cell.is_tame() => cell.write_to(out),
            State::Value | State::Undecodable | State::Cut { .. } => push_field(out, cell.text(scratch)),
        }
    }
    out.push(b'\n');
}

fn push_separator(out: &mut Vec<u8>, index: usize) {
    if index > 0 {
        out.push(b'\t');
    }
}

fn push_field(out: &mut Vec<u8>, text: &str) {
    if !scan::any(text.as_bytes(), |byte| (byte == b'\\') | (byte.wrapping_sub(0x08) <= 0x0d - 0x08)) {
        return out.push_str(text);
    }
    let mut written = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'\\' => "\\\\",
            b'\t' => "\\t",
            b'\n' => "\\n",
            b'\r' => "\\r",
            0x08 => "\\b",
            0x0b => "\\v",
            0x0c => "\\f",
            _ => continue,
        };
        out.push_str(&text[written..at]);
        out.push_str(escape);
        written = at + 1;
    }
    out.push_str(&text[written..]);
}
