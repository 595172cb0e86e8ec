//! A table of GitHub's Markdown, for reading.

use crate::{Cell, Column, State, text::out::Out};

pub(super) fn push_header(out: &mut Vec<u8>, columns: &[Column]) {
    // A table has at least one column; a result without any is none.
    if columns.is_empty() {
        return;
    }
    for column in columns {
        out.push_str("| ");
        push_text(out, &column.name);
        out.push(b' ');
    }
    out.push_str("|\n");
    for column in columns {
        out.push_str(if column.display.is_number() { "| ---: " } else { "| --- " });
    }
    out.push_str("|\n");
}

pub(super) fn push_row<'b>(
    out: &mut Vec<u8>,
    cells: impl ExactSizeIterator<Item = Cell<'b>>,
    scratch: &mut String,
) {
    if cells.len() == 0 {
        return;
    }
    for cell in cells {
        out.push_str("| ");
        match cell.state() {
            // No text looks so: its asterisks have a backslash.
            State::Null => out.push_str("*NULL*"),
            State::Value | State::Undecodable => push_text(out, cell.text(scratch)),
            State::Cut { .. } => {
                push_text(out, cell.text(scratch));
                out.push_str("…");
            }
        }
        out.push(b' ');
    }
    out.push_str("|\n");
}

/// Appends text so that it stands in one cell and is read as it is: nothing in it is markup, HTML or the end of a line.
fn push_text(out: &mut Vec<u8>, text: &str) {
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' | '\r' => out.push_str("<br>"),
            '|' | '\\' | '`' | '*' | '[' | ']' | '~' => {
                out.push(b'\\');
                push_char(out, c);
            }
            // Inside of a word it is no markup, and most names have it there.
            '_' if before.is_alphanumeric() && chars.peek().is_some_and(|next| next.is_alphanumeric()) => {
                out.push(b'_');
            }
            '_' => out.push_str("\\_"),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            c if c.is_control() => out.push_str(&format!("&#x{:x};", u32::from(c))),
            c => push_char(out, c),
        }
        before = c;
    }
}

fn push_char(out: &mut Vec<u8>, c: char) {
    out.push_str(c.encode_utf8(&mut [0; 4]));
}
