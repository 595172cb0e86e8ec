//! Comma-separated values: byte for byte as PostgreSQL's `COPY` writes them, unless something else is asked for.

use crate::{Cell, Column, State};

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

    pub(super) fn push_header(&self, out: &mut String, columns: &[Column]) {
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
        out: &mut String,
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
        out: &mut String,
        cells: impl ExactSizeIterator<Item = Cell<'b>>,
        scratch: &mut String,
    ) {
        let is_alone = cells.len() == 1;
        for (index, cell) in cells.enumerate() {
            if index > 0 {
                out.push(',');
            }
            if cell.state() == State::Null {
                continue;
            }
            let text = cell.text(scratch);
            let needs_quotes = text.is_empty()
                || (is_alone && text == "\\.")
                || text.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'));
            match needs_quotes {
                true => self.push_field(out, "", text, is_alone),
                false => out.push_str(text),
            }
        }
        out.push('\n');
    }

    fn push_field(&self, out: &mut String, before: &str, text: &str, is_alone: bool) {
        if self.options.quoting == Quoting::WhereNeeded && !self.needs_quotes(text, is_alone) {
            if !before.is_empty() {
                out.push_str(before);
            }
            return out.push_str(text);
        }
        let quote = self.options.quote;
        out.push(quote);
        out.push_str(before);
        let mut rest = text;
        while let Some(at) = rest.find(quote) {
            let end = at + quote.len_utf8();
            out.push_str(&rest[..end]);
            out.push(quote);
            rest = &rest[end..];
        }
        out.push_str(rest);
        out.push(quote);
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

    fn push_delimiter(&self, out: &mut String, index: usize) {
        if index > 0 {
            out.push_str(&self.delimiter);
        }
    }

    fn push_line_end(&self, out: &mut String) {
        out.push_str(match self.options.line_end {
            LineEnd::Lf => "\n",
            LineEnd::CrLf => "\r\n",
        });
    }
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
