//! Comma-separated values, byte for byte as PostgreSQL's `COPY` writes them.

use crate::{Cell, Column, State};

pub(super) fn push_header(out: &mut String, columns: &[Column]) {
    for (index, column) in columns.iter().enumerate() {
        push_separator(out, index);
        push_field(out, &column.name, columns.len() == 1);
    }
    out.push('\n');
}

pub(super) fn push_row<'b>(
    out: &mut String,
    cells: impl ExactSizeIterator<Item = Cell<'b>>,
    scratch: &mut String,
) {
    let is_alone = cells.len() == 1;
    for (index, cell) in cells.enumerate() {
        push_separator(out, index);
        match cell.state() {
            State::Null => {}
            State::Value | State::Undecodable | State::Cut { .. } => {
                push_field(out, cell.text(scratch), is_alone);
            }
        }
    }
    out.push('\n');
}

fn push_separator(out: &mut String, index: usize) {
    if index > 0 {
        out.push(',');
    }
}

fn push_field(out: &mut String, text: &str, is_alone: bool) {
    if !needs_quotes(text, is_alone) {
        out.push_str(text);
        return;
    }
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.find('"') {
        out.push_str(&rest[..=at]);
        out.push('"');
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

fn needs_quotes(text: &str, is_alone: bool) -> bool {
    // An empty field is NULL. A line of `\.` alone ends the data for PostgreSQL before 18.
    text.is_empty()
        || (is_alone && text == "\\.")
        || text.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'))
}
