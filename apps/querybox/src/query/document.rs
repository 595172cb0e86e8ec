//! Results as documents: for programs, or to be kept.

use std::fs::File;

use querybox_api::{read_batch, read_export_format};
use querybox_contracts::{core::v1::export_order::Format, plugin::v1 as plugin};
use querybox_results::{ExportError, ExportFormat, Exported, Exporter, ReadError, Shape, StreamSink};

use crate::{
    cli::documents::DocumentArg,
    failure::{Failure, chain},
    output::Output,
    query::{shapes::broken, sheet::Losses},
};

/// What kind of document, and how it is written.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub kind: DocumentArg,
    format: ExportFormat,
}

impl Document {
    /// `dialect`: of the database that the rows are from.
    pub(crate) fn new(
        kind: DocumentArg,
        format: Format,
        dialect: &plugin::Dialect,
    ) -> Result<Document, Failure> {
        let format =
            read_export_format(format, dialect).map_err(|error| Failure::usage(error.to_string()))?;
        Ok(Document { kind, format })
    }
}

/// A document of one result in the making.
pub(crate) struct DocumentWriter {
    exporter: Exporter<StreamSink<File>>,
    output: Output,
}

impl DocumentWriter {
    pub(crate) fn begin(
        document: &Document,
        shape: &Shape,
        output: Output,
    ) -> Result<DocumentWriter, Failure> {
        let sink = output.handle().map_err(|error| Failure::writing(output.name(), &error))?;
        // Which columns hold what their types do not is known of kept results alone.
        let exporter = Exporter::begin(document.format.clone(), shape, &[], StreamSink(sink));
        let exporter = exporter.map_err(|error| failure(output.name(), error))?;
        Ok(DocumentWriter { exporter, output })
    }

    pub(crate) fn batch(&mut self, batch: plugin::Batch) -> Result<(), Failure> {
        let raw = read_batch(batch).map_err(|error| broken(&error))?;
        self.exporter.batch(&raw).map_err(|error| failure(self.output.name(), error))
    }

    /// Ends the document, and gives back what it was written to.
    pub(crate) fn end(self) -> Result<(Output, Losses), Failure> {
        let DocumentWriter { exporter, output } = self;
        let exported = exporter.end().map_err(|error| failure(output.name(), error))?;
        let Exported { cells_cut, cells_undecodable, cells_left_out, cells_shortened, .. } = exported;
        let losses =
            Losses { cells_cut, cells_undecodable, cells_left_out, cells_shortened, ..Losses::default() };
        Ok((output, losses))
    }
}

fn failure(name: &str, error: ExportError) -> Failure {
    match error {
        ExportError::Write(error) => Failure::writing(name, &error),
        ExportError::Refused(why) => Failure::usage(format!("the result cannot be written so: {why}")),
        ExportError::Read(ReadError::Rows { source, .. }) => {
            broken(&querybox_core::BrokenContract { what: chain(&source).into() })
        }
        error => Failure::machinery(format!("cannot write {name}: {}", chain(&error))),
    }
}
