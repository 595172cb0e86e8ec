//! Results as documents: rows in, text out; or, for Arrow, the driver's bytes in a frame.

pub(crate) mod arrow;
mod csv;
mod insert;
pub(crate) mod json;
mod markdown;
mod tsv;

use std::io;

pub use csv::{CsvOptions, Formulas, LineEnd, Quoting};
pub use insert::{Backslashes, ByteLiterals, InsertOptions};

use crate::{Batch, Column, State, text::out::Out};

/// The row formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// As PostgreSQL's `COPY … TO STDOUT (FORMAT csv, HEADER)`, byte for byte: a header line, `,` and `\n`; NULL is
    /// nothing and the empty text is `""`. Other forms: [`Writer::begin_csv`].
    Csv,
    /// As PostgreSQL's `COPY … TO STDOUT (HEADER)`: a header line, tabs, backslash escapes; NULL is `\N`.
    Tsv,
    /// An array of objects, one a line.
    ///
    /// Numbers keep their digits; those that JSON has no form for (`NaN`, `Infinity`) are strings. `t`, `f`, `1` and
    /// `0` of a boolean are `true` and `false`, arrays are arrays, json values stand as they are, but on one line.
    /// What is cut or undecodable, and a json value that is not well-formed, is a string. A repeated column name gets
    /// `_2`, `_3` and so on.
    Json,
    /// The same objects, one a line, without an array around them.
    NdJson,
    /// A table of GitHub's Markdown, for reading: numbers on the right, line ends as `<br>`, NULL in italics. Whatever would
    /// be markup or HTML in a value is escaped, so that a renderer shows it as it is; but spaces at a cell's ends are lost, as
    /// Markdown has it. A result without columns leaves nothing.
    Markdown,
}

/// What a [`Writer`] has written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows.
    pub rows: u64,
    /// Cells of which only the first part was there to write. The document does not show it, so tell people.
    pub cells_cut: u64,
    /// Cells that are text the driver could not decode, so that the hexadecimal digits of their bytes stand there. In an Arrow
    /// stream they are null, and counted as left out.
    pub cells_undecodable: u64,
}

/// Writes one result as a document.
///
/// Text is gathered in one buffer and leaves it at the end of each batch, and whenever it has grown long; so memory
/// does not depend on the number of rows, and rows never wait for rows. A writer that is dropped without
/// [`Writer::end`] leaves a document that is valid up to its last whole batch (JSON: without its closing bracket).
pub struct Writer<W> {
    out: W,
    form: Form,
    column_count: usize,
    /// UTF-8.
    text: Vec<u8>,
    scratch: String,
    written: Written,
}

enum Form {
    Csv(csv::Csv),
    Insert(insert::Insert),
    Tsv,
    Json(json::Keys),
    NdJson(json::Keys),
    Markdown,
}

/// The buffer is written out when it is longer: large enough that a write costs nothing beside its rows.
const TEXT_BYTES: usize = 64 * 1024;
/// A buffer that a huge cell made larger than this gives its memory back.
const TEXT_BYTES_KEPT: usize = 1024 * 1024;

impl<W: io::Write> Writer<W> {
    /// Begins a document for a result with these columns. A header line is written at once.
    ///
    /// # Errors
    ///
    /// When `out` fails.
    pub fn begin(format: Format, columns: &[Column], out: W) -> io::Result<Self> {
        let mut text = Vec::with_capacity(TEXT_BYTES);
        let form = match format {
            Format::Csv => return Writer::begin_csv(CsvOptions::postgres(), columns, out),
            Format::Tsv => {
                tsv::push_header(&mut text, columns);
                Form::Tsv
            }
            Format::Json => {
                text.push(b'[');
                Form::Json(json::Keys::new(columns))
            }
            Format::NdJson => Form::NdJson(json::Keys::new(columns)),
            Format::Markdown => {
                markdown::push_header(&mut text, columns);
                Form::Markdown
            }
        };
        Writer::begin_form(form, columns, text, out)
    }

    /// Begins a document of comma-separated values, or of what is put in the commas' place.
    ///
    /// # Errors
    ///
    /// When `out` fails, or nobody could read such a document.
    pub fn begin_csv(options: CsvOptions, columns: &[Column], out: W) -> io::Result<Self> {
        if let Some(why) = options.refused() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let csv = csv::Csv::new(options);
        let mut text = Vec::with_capacity(TEXT_BYTES);
        csv.push_header(&mut text, columns);
        Writer::begin_form(Form::Csv(csv), columns, text, out)
    }

    /// Begins a script of `INSERT` statements: a literal for each cell, by its kind. Booleans of the form `t` and `f` are `TRUE`
    /// and `FALSE`, numbers stand as they are, bytes as the dialect has them, and all else is the text that shows it, in
    /// quotes. Of a result without columns, each row is `DEFAULT VALUES`.
    ///
    /// # Errors
    ///
    /// When `out` fails.
    pub fn begin_insert(options: InsertOptions, columns: &[Column], out: W) -> io::Result<Self> {
        let insert = insert::Insert::new(options, columns);
        Writer::begin_form(Form::Insert(insert), columns, Vec::with_capacity(TEXT_BYTES), out)
    }

    fn begin_form(form: Form, columns: &[Column], text: Vec<u8>, out: W) -> io::Result<Self> {
        let mut writer = Writer {
            out,
            form,
            column_count: columns.len(),
            text,
            scratch: String::new(),
            written: Written::default(),
        };
        writer.write_out()?;
        Ok(writer)
    }

    /// Writes the rows of a batch.
    ///
    /// # Errors
    ///
    /// When the underlying writer fails. The document is then broken off and the writer of no more use.
    ///
    /// # Panics
    ///
    /// When the batch has another number of columns than the document.
    pub fn batch(&mut self, batch: &Batch) -> io::Result<()> {
        assert_eq!(batch.columns().len(), self.column_count, "a batch of another result");
        for row in 0..batch.row_count() {
            self.push_row(batch, row);
            if self.text.len() >= TEXT_BYTES {
                self.write_out()?;
            }
        }
        self.write_out()
    }

    /// What it is written to.
    pub(crate) fn out(&self) -> &W {
        &self.out
    }

    pub(crate) fn out_mut(&mut self) -> &mut W {
        &mut self.out
    }

    /// Ends the document, flushes the underlying writer and gives it back.
    ///
    /// # Errors
    ///
    /// When the underlying writer fails.
    pub fn end(mut self) -> io::Result<(W, Written)> {
        match &mut self.form {
            Form::Json(_) => self.text.push_ascii(if self.written.rows == 0 { b"]\n" } else { b"\n]\n" }),
            Form::Insert(insert) => insert.end(&mut self.text),
            Form::Csv(_) | Form::Tsv | Form::NdJson(_) | Form::Markdown => {}
        }
        self.write_out()?;
        self.out.flush()?;
        Ok((self.out, self.written))
    }

    fn push_row(&mut self, batch: &Batch, row: usize) {
        let Writer { text, scratch, written, .. } = self;
        let cells = (0..self.column_count).map(|column| {
            let cell = batch.cell(row, column);
            match cell.state() {
                State::Cut { .. } => written.cells_cut += 1,
                State::Undecodable => written.cells_undecodable += 1,
                State::Value | State::Null => {}
            }
            cell
        });
        match &mut self.form {
            Form::Csv(csv) => csv.push_row(text, cells, scratch),
            Form::Insert(insert) => insert.push_row(text, cells, scratch),
            Form::Tsv => tsv::push_row(text, cells, scratch),
            Form::Markdown => markdown::push_row(text, cells, scratch),
            Form::Json(keys) => {
                text.push_ascii(if written.rows == 0 { b"\n" } else { b",\n" });
                json::push_object(text, keys, cells, scratch);
            }
            Form::NdJson(keys) => {
                json::push_object(text, keys, cells, scratch);
                text.push(b'\n');
            }
        }
        self.written.rows += 1;
    }

    fn write_out(&mut self) -> io::Result<()> {
        self.out.write_all(&self.text)?;
        self.text.clear();
        if self.text.capacity() > TEXT_BYTES_KEPT {
            self.text.shrink_to(TEXT_BYTES);
        }
        self.scratch.clear();
        if self.scratch.capacity() > TEXT_BYTES_KEPT {
            self.scratch.shrink_to(TEXT_BYTES);
        }
        Ok(())
    }
}
