//! An Arrow IPC stream: the driver's own bytes where they say all, else its columns with text where a type has no form.

use arrow_ipc::writer::StreamWriter;

use crate::{
    ArrowStream, Shape,
    export::{ExportError, Exported, Sink, arrays::Arrays, sink::Counted, source::Read},
};

pub(super) enum ArrowFile<S: Sink> {
    AsSent(ArrowStream<Counted<S>>),
    Encoded(Arrays, Box<StreamWriter<Counted<S>>>),
}

impl<S: Sink> ArrowFile<S> {
    pub(super) fn begin(shape: &Shape, inexact: &[usize], out: Counted<S>) -> Result<Self, ExportError> {
        let arrays = Arrays::new(shape, inexact, |_| false);
        if arrays.are_native() {
            return Ok(ArrowFile::AsSent(ArrowStream::begin(shape, out)?));
        }
        let writer = StreamWriter::try_new(out, arrays.schema())?;
        Ok(ArrowFile::Encoded(arrays, Box::new(writer)))
    }

    pub(super) fn batch(&mut self, read: &Read<'_>, exported: &mut Exported) -> Result<(), ExportError> {
        match self {
            ArrowFile::AsSent(stream) => {
                stream.batch(read.batch, &read.raw.metadata, &read.raw.body)?;
                stream.out_mut().write_out()?;
            }
            ArrowFile::Encoded(arrays, writer) => {
                writer.write(&arrays.of(read.batch, exported)?)?;
                writer.get_mut().write_out()?;
            }
        }
        Ok(())
    }

    pub(super) fn bytes(&self) -> u64 {
        match self {
            ArrowFile::AsSent(stream) => stream.out().bytes(),
            ArrowFile::Encoded(_, writer) => writer.get_ref().bytes(),
        }
    }

    pub(super) fn end(self, exported: &mut Exported) -> Result<Counted<S>, ExportError> {
        match self {
            ArrowFile::AsSent(stream) => {
                let (out, written) = stream.end()?;
                exported.cells_cut += written.written.cells_cut;
                exported.cells_left_out += written.cells_left_out;
                Ok(out)
            }
            ArrowFile::Encoded(_, writer) => Ok(writer.into_inner()?),
        }
    }
}
