//! Comma-separated values: byte for byte as PostgreSQL's `COPY` writes them, unless something else is asked for.

use crate::{
    Cell, Column, State,
    text::{out::Out, scan},
};

/// How comma-separated values are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvOptions {
    /// What stands between fields: `,`, `;`, a tab.
    pub delimiter: char,
    /// What stands around a field that needs it, and twice inside of one.
    pub quote: char,
    /// Whether the first line names the columns.
    pub header: bool,
    /// What ends a line.
    pub line_end: LineEnd,
    /// What stands for NULL, never in quotes. A text that looks so is in quotes.
    pub null: String,
    /// Which fields are in quotes.
    pub quoting: Quoting,
    /// What becomes of texts that a spreadsheet would run.
    pub formulas: Formulas,
}

/// What ends a line of comma-separated values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnd {
    /// `\n`
    Lf,
    /// `\r\n`, as RFC 4180 has it.
    CrLf,
}

/// Which fields of comma-separated values are in quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quoting {
    /// Those that would be read as something else without.
    WhereNeeded,
    /// All but NULL.
    Always,
}

/// What becomes of texts that a spreadsheet would run as a formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formulas {
    /// They stay as they are: the file is for programs.
    Kept,
    /// A text that begins with `=`, `+`, `-`, `@` (also their wide forms), a tab or a line end gets an apostrophe before it, so
    /// that a spreadsheet shows it. Numbers stay as they are. Whoever reads the file as data reads the apostrophe too.
    Neutralized,
}

impl CsvOptions {
    /// As PostgreSQL's `COPY … TO STDOUT (FORMAT csv, HEADER)`.
    pub fn postgres() -> CsvOptions {
        CsvOptions {
            delimiter: ',',
            quote: '"',
            header: true,
            line_end: LineEnd::Lf,
            null: String::new(),
            quoting: Quoting::WhereNeeded,
            formulas: Formulas::Kept,
        }
    }

    /// Why nobody could read what would be written. `None`: it can be read.
    pub(crate) fn refused(&self) -> Option<&'static str> {
        let is_line_end = |c: char| matches!(c, '\n' | '\r');
        match self {
            options if options.delimiter == options.quote => Some("the delimiter is the quote"),
            options if is_line_end(options.delimiter) => Some("the delimiter ends a line"),
            options if is_line_end(options.quote) => Some("the quote ends a line"),
            options if options.null.contains([options.delimiter, options.quote, '\n', '\r']) => {
                Some("the text for NULL has a delimiter, a quote or a line end")
            }
            _ => None,
        }
    }
}

/// Comma-separated values in the making.
pub(super) struct Csv {
    options: CsvOptions,
    /// The delimiter as text.
    delimiter: String,
    /// Which bytes put a field into quotes; none when the delimiter or the quote is more than a byte.
    special: Option<Box<[bool; 256]>>,
    /// Whether rows are as PostgreSQL writes them: nearly always, so it has a path of its own, which the compiler knows all of.
    is_postgres: bool,
}

impl Csv {
    pub(super) fn new(options: CsvOptions) -> Csv {
        let CsvOptions { delimiter, quote, .. } = options;
        let special = (delimiter.is_ascii() && quote.is_ascii()).then(|| {
            let mut special = Box::new([false; 256]);
            for c in [delimiter, quote, '\n', '\r'] {
                special[c as usize] = true;
            }
            special
        });
        let is_postgres = CsvOptions { header: true, ..options.clone() } == CsvOptions::postgres();
        Csv { options, delimiter: delimiter.into(), special, is_postgres }
    }

    pub(super) fn push_header(&self, out: &mut Vec<u8>, columns: &[Column]) {
        if !self.options.header {
            return;
        }
        for (index, column) in columns.iter().enumerate() {
            self.push_delimiter(out, index);
            let before = match self.options.formulas {
                Formulas::Neutralized => guard(&column.name),
                Formulas::Kept => "",
            };
            self.push_field(out, before, &column.name, columns.len() == 1);
        }
        self.push_line_end(out);
    }

    pub(super) fn push_row<'b>(
        &self,
        out: &mut Vec<u8>,
        cells: impl ExactSizeIterator<Item = Cell<'b>>,
        scratch: &mut String,
    ) {
        if self.is_postgres {
            return self.push_postgres_row(out, cells, scratch);
        }
        let is_alone = cells.len() == 1;
        for (index, cell) in cells.enumerate() {
            self.push_delimiter(out, index);
            match cell.state() {
                State::Null => out.push_str(&self.options.null),
                State::Value | State::Undecodable | State::Cut { .. } => {
                    let text = cell.text(scratch);
                    let before = match self.options.formulas {
                        Formulas::Neutralized if cell.display().is_number() && is_plain_number(text) => "",
                        Formulas::Neutralized => guard(text),
                        Formulas::Kept => "",
                    };
                    self.push_field(out, before, text, is_alone);
                }
            }
        }
        self.push_line_end(out);
    }

    /// As the other path writes it with these options.
    fn push_postgres_row<'b>(
        &self,
        out: &mut Vec<u8>,
        cells: impl ExactSizeIterator<Item = Cell<'b>>,
        scratch: &mut String,
    ) {
        let is_alone = cells.len() == 1;
        for (index, cell) in cells.enumerate() {
            if index > 0 {
                out.push(b',');
            }
            if cell.is_tame() {
                cell.write_to(out);
            } else if cell.state() != State::Null {
                push_postgres_text(out, cell.text(scratch), is_alone);
            }
        }
        out.push(b'\n');
    }

    fn push_field(&self, out: &mut Vec<u8>, before: &str, text: &str, is_alone: bool) {
        if self.options.quoting == Quoting::WhereNeeded && !self.needs_quotes(text, is_alone) {
            if !before.is_empty() {
                out.push_str(before);
            }
            return out.push_str(text);
        }
        let quote = self.options.quote;
        let (quote_bytes, mut utf8) = (quote.len_utf8(), [0; 4]);
        let quote_text: &str = quote.encode_utf8(&mut utf8);
        out.push_str(quote_text);
        out.push_str(before);
        let mut rest = text;
        while let Some(at) = rest.find(quote) {
            let end = at + quote_bytes;
            out.push_str(&rest[..end]);
            out.push_str(quote_text);
            rest = &rest[end..];
        }
        out.push_str(rest);
        out.push_str(quote_text);
    }

    fn needs_quotes(&self, text: &str, is_alone: bool) -> bool {
        // An empty line is none for many readers. A line of `\.` alone ends the data for PostgreSQL before 18.
        if text == self.options.null || (is_alone && (text.is_empty() || text == "\\.")) {
            return true;
        }
        match &self.special {
            Some(special) => text.bytes().any(|byte| special[usize::from(byte)]),
            None => text.contains([self.options.delimiter, self.options.quote, '\n', '\r']),
        }
    }

    fn push_delimiter(&self, out: &mut Vec<u8>, index: usize) {
        if index > 0 {
            out.push_str(&self.delimiter);
        }
    }

    fn push_line_end(&self, out: &mut Vec<u8>) {
        out.push_str(match self.options.line_end {
            LineEnd::Lf => "\n",
            LineEnd::CrLf => "\r\n",
        });
    }
}

fn push_postgres_text(out: &mut Vec<u8>, text: &str, is_alone: bool) {
    let bytes = text.as_bytes();
    let is_special = |byte| (byte == b',') | (byte == b'"') | (byte == b'\n') | (byte == b'\r');
    let needs_quotes = text.is_empty() || scan::any(bytes, is_special) || (is_alone && text == "\\.");
    if !needs_quotes {
        return out.extend_from_slice(bytes);
    }
    // Room for each byte twice, and for the quotes: then no byte asks for more.
    out.reserve(2 * bytes.len() + 2);
    out.push(b'"');
    for part in bytes.split_inclusive(|byte| *byte == b'"') {
        out.extend_from_slice(part);
        if part.ends_with(b"\"") {
            out.push(b'"');
        }
    }
    out.push(b'"');
}

/// What goes before a text so that a spreadsheet does not run it.
fn guard(text: &str) -> &'static str {
    let is_formula = text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r', '\n']);
    if is_formula { "'" } else { "" }
}

/// Whether a number is one for a spreadsheet too: `-1.5e3`, but not `-Infinity`.
fn is_plain_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))
}
