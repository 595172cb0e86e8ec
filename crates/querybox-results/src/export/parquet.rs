//! Parquet: each column with its own type, compressed with zstd.

use std::{error::Error, io};

use arrow_schema::DataType;
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::properties::{EnabledStatistics, WriterProperties},
};

use crate::{
    Batch, Shape,
    export::{ExportError, Exported, Sink, arrays::Arrays, sink::Counted},
};

/// A row group is written when it has grown so long: it waits in memory until then.
const GROUP_BYTES: usize = 32 * 1024 * 1024;

pub(super) struct ParquetFile<S: Sink> {
    writer: ArrowWriter<Counted<S>>,
    arrays: Arrays,
}

impl<S: Sink> ParquetFile<S> {
    pub(super) fn begin(shape: &Shape, inexact: &[usize], out: Counted<S>) -> Result<Self, ExportError> {
        if shape.columns().is_empty() {
            return Err(ExportError::Refused("Parquet holds no rows without columns"));
        }
        // Few readers know decimals of more than 38 digits.
        let is_foreign = |data_type: &DataType| matches!(data_type, DataType::Decimal256(..));
        let arrays = Arrays::new(shape, inexact, is_foreign);
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).expect("zstd has a level 1")))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_max_row_group_bytes(Some(GROUP_BYTES))
            .set_created_by(concat!("querybox ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let writer = ArrowWriter::try_new(out, arrays.schema().clone(), Some(properties));
        Ok(ParquetFile { writer: writer.map_err(refused)?, arrays })
    }

    pub(super) fn batch(&mut self, batch: &Batch, exported: &mut Exported) -> Result<(), ExportError> {
        let arrays = self.arrays.of(batch, exported)?;
        self.writer.write(&arrays).map_err(refused)
    }

    /// Bytes that were written so far.
    pub(super) fn bytes(&self) -> u64 {
        self.writer.inner().bytes()
    }

    pub(super) fn end(self) -> Result<Counted<S>, ExportError> {
        self.writer.into_inner().map_err(refused)
    }
}

/// The crate wraps what the sink says.
fn refused(error: ParquetError) -> ExportError {
    let error = match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => return ExportError::Write(*error),
            Err(source) => source,
        },
        error => Box::new(error) as Box<dyn Error + Send + Sync>,
    };
    ExportError::Format(error)
}
