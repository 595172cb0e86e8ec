//! An Arrow IPC stream: the driver's own bytes, put into the stream's frame.

use std::io;

use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteOptions};
use arrow_schema::Schema;
use bytes::Bytes;

use crate::{Batch, Shape, State, Written};

/// What stands before the length of each message.
const CONTINUATION: [u8; 4] = [0xff; 4];
/// Messages begin at multiples of this.
const ALIGNMENT_BYTES: usize = 8;

/// Writes one result as an Arrow IPC stream.
///
/// Batches are passed on as the driver sent them, not encoded again. The schema has the columns' names, and lets every column
/// be null. What an Arrow type cannot hold, and came as a note, is null here: tell people of
/// [`ArrowWritten::cells_left_out`].
pub struct ArrowStream<W> {
    out: W,
    written: ArrowWritten,
}

/// What an [`ArrowStream`] has written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArrowWritten {
    /// Rows, and cells of which only the first part was there to write.
    pub written: Written,
    /// Cells that are null in the stream and are not NULL in the database.
    pub cells_left_out: u64,
}

impl<W: io::Write> ArrowStream<W> {
    /// Begins a stream for a result of this shape.
    ///
    /// # Errors
    ///
    /// When `out` fails.
    pub fn begin(shape: &Shape, out: W) -> io::Result<Self> {
        let fields = shape.schema().fields().iter().zip(shape.columns());
        let fields = fields.map(|(field, column)| field.as_ref().clone().with_name(&column.name));
        let schema = Schema::new(fields.collect::<Vec<_>>());
        let (mut tracker, options) = (DictionaryTracker::new(true), IpcWriteOptions::default());
        let header = IpcDataGenerator::default().schema_to_bytes_with_dictionary_tracker(
            &schema,
            &mut tracker,
            &options,
        );
        let mut stream = ArrowStream { out, written: ArrowWritten::default() };
        stream.message(&header.ipc_message, &[])?;
        Ok(stream)
    }

    /// Writes a batch that [`Shape::batch`] has read from this metadata and this body.
    ///
    /// # Errors
    ///
    /// When the underlying writer fails. The stream is then broken off and of no more use.
    pub fn batch(&mut self, batch: &Batch, arrow_metadata: &Bytes, arrow_body: &Bytes) -> io::Result<()> {
        for cell in batch.noted_cells() {
            match cell.state() {
                // The array holds what is there of the value, unless the note does.
                State::Cut { .. } if cell.is_in_array() => self.written.written.cells_cut += 1,
                State::Cut { .. } | State::Value | State::Undecodable | State::Null => {
                    self.written.cells_left_out += 1;
                }
            }
        }
        self.written.written.rows += batch.row_count() as u64;
        self.message(arrow_metadata, arrow_body)
    }

    /// What it is written to.
    pub(crate) fn out(&self) -> &W {
        &self.out
    }

    pub(crate) fn out_mut(&mut self) -> &mut W {
        &mut self.out
    }

    /// Ends the stream, flushes the underlying writer and gives it back.
    ///
    /// # Errors
    ///
    /// When the underlying writer fails.
    pub fn end(mut self) -> io::Result<(W, ArrowWritten)> {
        self.out.write_all(&CONTINUATION)?;
        self.out.write_all(&[0; 4])?;
        self.out.flush()?;
        Ok((self.out, self.written))
    }

    fn message(&mut self, metadata: &[u8], body: &[u8]) -> io::Result<()> {
        let length = metadata.len().next_multiple_of(ALIGNMENT_BYTES);
        let length_field = i32::try_from(length).map_err(|_| io::ErrorKind::InvalidData)?;
        let padding = [0; ALIGNMENT_BYTES];
        self.out.write_all(&CONTINUATION)?;
        self.out.write_all(&length_field.to_le_bytes())?;
        self.out.write_all(metadata)?;
        self.out.write_all(&padding[..length - metadata.len()])?;
        self.out.write_all(body)?;
        // The driver's last buffer may lack its padding; the next message begins behind it all the same.
        self.out.write_all(&padding[..body.len().next_multiple_of(ALIGNMENT_BYTES) - body.len()])
    }
}
