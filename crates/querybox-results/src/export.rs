//! Exports: rows of a kept result, a view or a query that runs, as a document of any format, to any place.
//!
//! One road for all: a [`Source`] of batches, an [`Exporter`] of a format, a [`Sink`]. Memory does not depend on the number
//! of rows.

mod arrays;
mod arrow;
mod parquet;
mod sink;
mod source;
mod xlsx;

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
};

use arrow_schema::ArrowError;

pub use sink::{ChannelSink, Existing, FileSink, Sink, StreamSink};
pub use source::{GrowingSource, KeptSource, Source};
pub use xlsx::XlsxOptions;

use crate::{
    CsvOptions, Format, InsertOptions, RawBatch, ReadError, Shape, Writer, Written,
    export::{arrow::ArrowFile, parquet::ParquetFile, sink::Counted, source::Read, xlsx::Workbook},
};

/// The formats of exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// Comma-separated values, or with something else in the comma's place.
    Csv(CsvOptions),
    /// [`Format::Tsv`].
    Tsv,
    /// [`Format::Json`].
    Json,
    /// [`Format::NdJson`].
    NdJson,
    /// [`Format::Markdown`].
    Markdown,
    /// `INSERT` statements.
    Insert(InsertOptions),
    /// A workbook of Excel's. Numbers of up to 15 digits, truths, dates, and times without a zone to the millisecond are such
    /// in a spreadsheet too; what it cannot hold exactly is text. Texts of more than 32,767 characters are shortened, and
    /// counted. When a sheet is full, the next one goes on.
    Xlsx(XlsxOptions),
    /// Parquet, compressed with zstd: each column with its type. Decimals of more than 38 digits are text, and so is each column
    /// of which the source knows that a cell lies outside of its type. Repeated names get `_2`, `_3` and so on.
    Parquet,
    /// An Arrow IPC stream. Columns of which the source knows that a cell lies outside of their type are text, with names as in
    /// Parquet; of other results it is what the driver sent.
    Arrow,
}

impl ExportFormat {
    /// The ending of such a file's name, without its point.
    #[must_use]
    pub fn ending(&self) -> &'static str {
        match self {
            ExportFormat::Csv(_) => "csv",
            ExportFormat::Tsv => "tsv",
            ExportFormat::Json => "json",
            ExportFormat::NdJson => "ndjson",
            ExportFormat::Markdown => "md",
            ExportFormat::Insert(_) => "sql",
            ExportFormat::Xlsx(_) => "xlsx",
            ExportFormat::Parquet => "parquet",
            ExportFormat::Arrow => "arrows",
        }
    }

    /// Its media type.
    #[must_use]
    pub fn media_type(&self) -> &'static str {
        match self {
            ExportFormat::Csv(_) => "text/csv; charset=utf-8",
            ExportFormat::Tsv => "text/tab-separated-values; charset=utf-8",
            ExportFormat::Json => "application/json",
            ExportFormat::NdJson => "application/x-ndjson",
            ExportFormat::Markdown => "text/markdown; charset=utf-8",
            ExportFormat::Insert(_) => "application/sql",
            ExportFormat::Xlsx(_) => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            ExportFormat::Parquet => "application/vnd.apache.parquet",
            ExportFormat::Arrow => "application/vnd.apache.arrow.stream",
        }
    }

    /// Whether its columns have types, which are chosen by all rows: see [`Source::inexact_columns`].
    #[must_use]
    pub fn has_types(&self) -> bool {
        matches!(self, ExportFormat::Parquet | ExportFormat::Arrow)
    }
}

/// What an export has written, and what of it is not what the database has: tell people of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
    /// Cells of which only the first part was there to write.
    pub cells_cut: u64,
    /// Text that could not be decoded: the hexadecimal digits of its bytes stand there.
    pub cells_undecodable: u64,
    /// Cells that are null because their column's type has no form for them. Only while a query runs: see
    /// [`Source::inexact_columns`].
    pub cells_left_out: u64,
    /// Cells that were whole, and are too long for the format.
    pub cells_shortened: u64,
    /// Sheets of a workbook.
    pub sheets: usize,
}

/// How far an export has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExportProgress {
    /// Rows that are written.
    pub rows: u64,
    /// Rows in all, when that is known.
    pub all: Option<u64>,
    /// Bytes that are written.
    pub bytes: u64,
}

/// How an export is watched and stopped.
pub struct ExportWatch<'w> {
    /// Called after each batch.
    pub progress: &'w mut dyn FnMut(ExportProgress),
    /// Looked at before each batch: the export ends soon after it is true.
    pub cancel: &'w AtomicBool,
}

/// Why an export ended early. What was written of it is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// It was told to stop.
    #[error("the export was canceled")]
    Canceled,
    /// The rows cannot be had.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// More rows were to come, and will not.
    #[error("the statement did not come to its end, and so did not the export")]
    BrokenOff,
    /// The place for the export does not take it: the disk is full, nobody reads any more.
    #[error("the export cannot be written")]
    Write(#[from] io::Error),
    /// The format does not take such a result, or not with these options.
    #[error("the result cannot be exported so: {0}")]
    Refused(&'static str),
    /// The format does not take these rows.
    #[error("the rows do not go into the format")]
    Format(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<ArrowError> for ExportError {
    fn from(error: ArrowError) -> Self {
        match error {
            ArrowError::IoError(_, error) => ExportError::Write(error),
            error => ExportError::Format(Box::new(error)),
        }
    }
}

/// Exports a source to its end.
///
/// # Errors
///
/// When the rows cannot be had or written, or the export is canceled. The sink is then dropped unfinished.
pub fn export(
    source: &mut impl Source,
    format: ExportFormat,
    sink: impl Sink,
    watch: &mut ExportWatch<'_>,
) -> Result<Exported, ExportError> {
    let all = source.row_count();
    let mut exporter = Exporter::begin(format, source.shape(), &source.inexact_columns(), sink)?;
    loop {
        if watch.cancel.load(Ordering::Relaxed) {
            return Err(ExportError::Canceled);
        }
        let Some(batch) = source.next_batch()? else { break };
        exporter.batch(&batch)?;
        let (rows, bytes) = (exporter.exported.rows, exporter.bytes());
        (watch.progress)(ExportProgress { rows, all, bytes });
    }
    exporter.end()
}

/// An export into which batches are put as they come: for a query whose batches are pushed, not asked for.
pub struct Exporter<S: Sink> {
    shape: Shape,
    encoder: Encoder<S>,
    exported: Exported,
}

enum Encoder<S: Sink> {
    Text(Writer<Counted<S>>),
    Arrow(Box<ArrowFile<S>>),
    Parquet(Box<ParquetFile<S>>),
    Xlsx(Box<Workbook<S>>),
}

impl<S: Sink> Exporter<S> {
    /// Begins an export of rows of this shape. `inexact` are the columns that [`Source::inexact_columns`] speaks of.
    ///
    /// # Errors
    ///
    /// When the sink fails, or the format does not take such a result.
    pub fn begin(
        format: ExportFormat,
        shape: &Shape,
        inexact: &[usize],
        sink: S,
    ) -> Result<Self, ExportError> {
        let (columns, out) = (shape.columns(), Counted::new(sink));
        let encoder = match format {
            ExportFormat::Csv(options) => {
                if let Some(why) = options.refused() {
                    return Err(ExportError::Refused(why));
                }
                Encoder::Text(Writer::begin_csv(options, columns, out)?)
            }
            ExportFormat::Tsv => Encoder::Text(Writer::begin(Format::Tsv, columns, out)?),
            ExportFormat::Json => Encoder::Text(Writer::begin(Format::Json, columns, out)?),
            ExportFormat::NdJson => Encoder::Text(Writer::begin(Format::NdJson, columns, out)?),
            ExportFormat::Markdown => Encoder::Text(Writer::begin(Format::Markdown, columns, out)?),
            ExportFormat::Insert(options) => Encoder::Text(Writer::begin_insert(options, columns, out)?),
            ExportFormat::Xlsx(options) => Encoder::Xlsx(Box::new(Workbook::begin(options, shape, out)?)),
            ExportFormat::Parquet => Encoder::Parquet(Box::new(ParquetFile::begin(shape, inexact, out)?)),
            ExportFormat::Arrow => Encoder::Arrow(Box::new(ArrowFile::begin(shape, inexact, out)?)),
        };
        Ok(Exporter { shape: shape.clone(), encoder, exported: Exported::default() })
    }

    /// Writes rows. Those of text and of Arrow are with the sink at once; Parquet and XLSX gather them into larger parts.
    ///
    /// # Errors
    ///
    /// When the batch is not one of the export's shape, or cannot be written. The export is then of no more use.
    pub fn batch(&mut self, raw: &RawBatch) -> Result<(), ExportError> {
        let RawBatch { metadata, body, row_count, notes } = raw;
        let rows = self.exported.rows..self.exported.rows + u64::from(*row_count);
        let batch = self.shape.batch(metadata, body.clone(), *row_count, notes.clone());
        let batch = batch.map_err(|source| ReadError::Rows { rows: rows.clone(), source })?;
        match &mut self.encoder {
            Encoder::Text(writer) => {
                writer.batch(&batch)?;
                writer.out_mut().write_out()?;
            }
            Encoder::Arrow(file) => file.batch(&Read { raw, batch: &batch }, &mut self.exported)?,
            Encoder::Parquet(file) => file.batch(&batch, &mut self.exported)?,
            Encoder::Xlsx(workbook) => workbook.batch(&batch, &mut self.exported)?,
        }
        self.exported.rows = rows.end;
        Ok(())
    }

    /// Bytes that are written so far.
    pub fn bytes(&self) -> u64 {
        match &self.encoder {
            Encoder::Text(writer) => writer.out().bytes(),
            Encoder::Arrow(file) => file.bytes(),
            Encoder::Parquet(file) => file.bytes(),
            Encoder::Xlsx(workbook) => workbook.bytes(),
        }
    }

    /// Ends the document, and makes it final.
    ///
    /// # Errors
    ///
    /// When the rest cannot be written, or the sink does not get its place.
    pub fn end(self) -> Result<Exported, ExportError> {
        let mut exported = self.exported;
        let out = match self.encoder {
            Encoder::Text(writer) => {
                let (out, written) = writer.end()?;
                let Written { cells_cut, cells_undecodable, .. } = written;
                exported = Exported { cells_cut, cells_undecodable, ..exported };
                out
            }
            Encoder::Arrow(file) => file.end(&mut exported)?,
            Encoder::Parquet(file) => file.end()?,
            Encoder::Xlsx(workbook) => workbook.end(&mut exported)?,
        };
        exported.bytes = out.finish()?;
        Ok(exported)
    }
}
