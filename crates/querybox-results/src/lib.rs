//! The renderer: the one place that knows how a value looks, and the row formats that are made with it; and results that
//! are kept, of any size.
//!
//! A result enters as the bytes a driver sent ([`Shape::new`], [`Shape::batch`]), is checked once at that edge, and
//! leaves as text: cell by cell ([`Batch::cell`], [`Cell`]) or as a document ([`Writer`]). Everything from a driver is
//! hostile input here: what is wrong with it is an [`Error`], never a panic.
//!
//! ```
//! use bytes::Bytes;
//! use querybox_results::{Column, Format, Shape, Writer};
//!
//! /// Exports what a driver sent: its schema, its columns, and its batches as metadata, body and number of rows.
//! fn export(
//!     schema: &Bytes,
//!     columns: Vec<Column>,
//!     batches: Vec<(Bytes, Bytes, u32)>,
//! ) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
//!     let shape = Shape::new(schema, columns)?;
//!     let mut writer = Writer::begin(Format::Csv, shape.columns(), Vec::new())?;
//!     for (metadata, body, row_count) in batches {
//!         writer.batch(&shape.batch(&metadata, body, row_count, Vec::new())?)?;
//!     }
//!     let (document, _) = writer.end()?;
//!     Ok(document)
//! }
//! ```
//!
//! A result that is kept ([`KeptWriter`], [`Kept`]) lies outside of memory, in a [`Spool`] that is sealed, and can be read
//! at any place ([`Rows::window`], [`Rows::cell`]), also while it still arrives. It can be filtered, sorted and freed of
//! repetitions ([`filter`], [`sort`], [`distinct`]); each of these views is kept rows again. All of these, and queries that
//! run, can be exported ([`export`]).
//!
//! This crate knows display kinds and Arrow. It must not know databases, protobuf, processes or terminals.

mod batch;
mod cache;
mod cell;
mod display;
mod error;
mod export;
mod format;
mod kept;
mod message;
mod shape;
mod spool;
mod text;
mod values;
mod view;

pub use batch::{Batch, CellNote, Note};
pub use cell::{Cell, State};
pub use display::Display;
pub use error::Error;
pub use export::{
    ChannelSink, Existing, ExportError, ExportFormat, ExportProgress, ExportWatch, Exported, Exporter,
    FileSink, GrowingSource, KeptSource, Sink, Source, StreamSink, XlsxOptions, export,
};
pub use format::{
    Backslashes, ByteLiterals, CsvOptions, Format, Formulas, InsertOptions, LineEnd, Quoting, Writer,
    Written,
    arrow::{ArrowStream, ArrowWritten},
};
pub use kept::{
    CellPart, Kept, KeptWriter, ReadError, Rows, Statement, StatementState, Window, WindowCell, WindowQuery,
};
pub use shape::{Column, Shape};
pub use spool::{Budget, Limit, Limits, RawBatch, Spool, SpoolError, SpoolWriter, Used};
pub use view::{
    Bar, Case, Comparison, Condition, Direction, Distinct, Nulls, Numbers, Progress, SortColumn, Statistics,
    Test, ViewError, Work, distinct, filter, sort, statistics,
};
