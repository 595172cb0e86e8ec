//! SQL `INSERT` statements, written by the facts of a dialect.

use crate::{Cell, Column, Display, State, format::json::is_number, text::out::Out};

/// Where rows are to be inserted, and how literals are written there: facts that the database's driver tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InsertOptions {
    /// The table's name, with that of its schema before it where it has one.
    pub table: Vec<String>,
    /// What opens a quoted name: `"`, `` ` `` or `[`, which `]` closes.
    pub identifier_quote: char,
    /// What a backslash is in `'text'`.
    pub backslashes: Backslashes,
    /// How bytes are written.
    pub bytes: ByteLiterals,
    /// Rows of one statement at most. A statement that has grown long ends before.
    pub statement_rows: u32,
}

/// What a backslash is in a literal of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backslashes {
    /// A character as any other.
    Plain,
    /// It begins an escape, and is written twice.
    Escape,
}

/// How a literal of bytes is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteLiterals {
    /// `X'0aff'`, as the SQL standard has it.
    Standard,
    /// `'\x0aff'`, as PostgreSQL reads it.
    Postgres,
    /// `0x0aff`
    Number,
}

/// A statement that is as long ends: SQLite takes a million bytes unless told otherwise.
const STATEMENT_BYTES: usize = 256 * 1024;

/// Statements in the making.
pub(super) struct Insert {
    options: InsertOptions,
    /// `INSERT INTO "table" ("column") VALUES`, or all of a statement when there are no columns.
    head: String,
    /// Rows of the statement that is open.
    rows: u32,
    bytes: usize,
}

impl Insert {
    pub(super) fn new(options: InsertOptions, columns: &[Column]) -> Insert {
        let mut head = "INSERT INTO ".to_owned();
        for (index, part) in options.table.iter().enumerate() {
            head.push_str(if index > 0 { "." } else { "" });
            push_name(&mut head, part, options.identifier_quote);
        }
        for (index, column) in columns.iter().enumerate() {
            head.push_str(if index > 0 { ", " } else { " (" });
            push_name(&mut head, &column.name, options.identifier_quote);
        }
        head.push_str(if columns.is_empty() { " DEFAULT VALUES;\n" } else { ") VALUES" });
        Insert { options, head, rows: 0, bytes: 0 }
    }

    pub(super) fn push_row<'b>(
        &mut self,
        out: &mut Vec<u8>,
        cells: impl ExactSizeIterator<Item = Cell<'b>>,
        scratch: &mut String,
    ) {
        if cells.len() == 0 {
            return out.push_str(&self.head);
        }
        if self.rows == self.options.statement_rows.max(1) || self.bytes >= STATEMENT_BYTES {
            self.end(out);
        }
        let start = out.len();
        match self.rows {
            0 => out.push_str(&self.head),
            _ => out.push(b','),
        }
        for (index, cell) in cells.enumerate() {
            out.push_str(if index > 0 { ", " } else { "\n  (" });
            self.push_value(out, &cell, scratch);
        }
        out.push(b')');
        self.rows += 1;
        self.bytes += out.len() - start;
    }

    /// Ends the statement that is open.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        if self.rows > 0 {
            out.push_str(";\n");
        }
        (self.rows, self.bytes) = (0, 0);
    }

    fn push_value(&self, out: &mut Vec<u8>, cell: &Cell<'_>, scratch: &mut String) {
        if cell.state() == State::Null {
            return out.push_str("NULL");
        }
        let text = cell.text(scratch);
        match cell.display() {
            Display::BoolTF => match text {
                "t" => out.push_str("TRUE"),
                "f" => out.push_str("FALSE"),
                _ => self.push_text(out, text),
            },
            // As a number it is the integer 0, which has lost its sign by the time it is a float.
            Display::FloatPg if text == "-0" => self.push_text(out, text),
            Display::Bool10
            | Display::Integer
            | Display::FloatPg
            | Display::FloatPoint
            | Display::Decimal
                if is_number(text) =>
            {
                out.push_str(text);
            }
            Display::BytesHex if cell.state() != State::Undecodable && text.starts_with("\\x") => {
                self.push_bytes(out, &text[2..]);
            }
            Display::Bool10
            | Display::Integer
            | Display::FloatPg
            | Display::FloatPoint
            | Display::Decimal
            | Display::BytesHex
            | Display::DateIso
            | Display::TimestampIso
            | Display::TimestampIsoUtc
            | Display::Time
            | Display::Uuid
            | Display::Text
            | Display::Interval
            | Display::TimeZoned
            | Display::Money
            | Display::Json
            | Display::Array(_)
            | Display::ArrayText(_) => self.push_text(out, text),
        }
    }

    fn push_text(&self, out: &mut Vec<u8>, text: &str) {
        out.push(b'\'');
        let mut written = 0;
        for (at, byte) in text.bytes().enumerate() {
            let doubled = match (byte, self.options.backslashes) {
                (b'\'', _) => "'",
                (b'\\', Backslashes::Escape) => "\\",
                _ => continue,
            };
            out.push_str(&text[written..=at]);
            out.push_str(doubled);
            written = at + 1;
        }
        out.push_str(&text[written..]);
        out.push(b'\'');
    }

    fn push_bytes(&self, out: &mut Vec<u8>, digits: &str) {
        match (self.options.bytes, self.options.backslashes) {
            (ByteLiterals::Standard, _) => out.push_str("X'"),
            (ByteLiterals::Postgres, Backslashes::Plain) => out.push_str("'\\x"),
            (ByteLiterals::Postgres, Backslashes::Escape) => out.push_str("'\\\\x"),
            (ByteLiterals::Number, _) if digits.is_empty() => return out.push_str("''"),
            (ByteLiterals::Number, _) => {
                out.push_str("0x");
                return out.push_str(digits);
            }
        }
        out.push_str(digits);
        out.push(b'\'');
    }
}

fn push_name(out: &mut String, name: &str, quote: char) {
    let close = if quote == '[' { ']' } else { quote };
    out.push(quote);
    for c in name.chars() {
        out.push(c);
        if c == close {
            out.push(c);
        }
    }
    out.push(close);
}
