//! New batches out of rows of others.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BinaryArray, RecordBatch, RecordBatchOptions};
use arrow_ipc::writer::{DictionaryTracker, EncodedData, IpcDataGenerator, IpcWriteOptions};
use arrow_schema::ArrowError;
use arrow_select::interleave::interleave;

use crate::{
    Batch, CellNote, Error, Rows, Shape,
    spool::{RawBatch, SpoolWriter},
    view::ViewError,
};

/// As drivers' batches, so that windows of a view cost what windows of a result cost.
const BATCH_BYTES: usize = 128 * 1024;
const BATCH_ROWS_MAX: usize = 8192;
/// Sources are held until their rows are written; but not more of them than this.
const HELD_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Gathers rows of other batches, in any order, into new ones, and keeps them.
pub(crate) struct Gatherer {
    shape: Shape,
    writer: SpoolWriter,
    /// The batches that the gathered rows are of.
    sources: Vec<Arc<Batch>>,
    held_bytes: usize,
    /// How often the sources were let go.
    generation: u64,
    /// The source and the row in it.
    picks: Vec<(usize, usize)>,
    /// About so long is what was picked, and the row that is about to be.
    picked_bytes: usize,
    /// One more column, when the shape has one more than the sources.
    keys: Vec<Vec<u8>>,
}

impl Gatherer {
    /// Gathers rows of this shape for a spool.
    pub(crate) fn new(shape: Shape, writer: SpoolWriter) -> Gatherer {
        let (sources, picks, keys) = (Vec::new(), Vec::new(), Vec::new());
        Gatherer { shape, writer, sources, held_bytes: 0, generation: 0, picks, picked_bytes: 0, keys }
    }

    /// Whether the sources should be let go before another comes.
    pub(crate) fn is_full(&self) -> bool {
        self.held_bytes > HELD_BYTES_MAX
    }

    /// What a source is called holds for one generation.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Rows of this batch, which holds so many bytes, are named by the number that is the answer, until the sources are let
    /// go.
    pub(crate) fn add_source(&mut self, batch: &Arc<Batch>, bytes: usize) -> usize {
        self.held_bytes += bytes;
        self.sources.push(batch.clone());
        self.sources.len() - 1
    }

    /// Gathers a row of a source.
    pub(crate) fn push(&mut self, source: usize, row: usize) -> Result<(), ViewError> {
        self.make_room(self.sources[source].row_bytes(row))?;
        self.pick(source, row)
    }

    /// Gathers a row with its key, for a shape that has a column for it.
    pub(crate) fn push_with_key(&mut self, source: usize, row: usize, key: &[u8]) -> Result<(), ViewError> {
        self.make_room(self.sources[source].row_bytes(row) + key.len())?;
        self.keys.push(key.to_vec());
        self.pick(source, row)
    }

    /// For a row as long. Long rows may have lain among short ones, and are not to come together in one batch.
    fn make_room(&mut self, row_bytes: usize) -> Result<(), ViewError> {
        if self.picked_bytes + row_bytes > 2 * BATCH_BYTES {
            self.write()?;
        }
        self.picked_bytes += row_bytes;
        Ok(())
    }

    fn pick(&mut self, source: usize, row: usize) -> Result<(), ViewError> {
        self.picks.push((source, row));
        let is_batch = self.picks.len() == BATCH_ROWS_MAX || self.picked_bytes >= BATCH_BYTES;
        if is_batch { self.write() } else { Ok(()) }
    }

    /// Writes what was gathered, and lets the sources go.
    pub(crate) fn flush(&mut self) -> Result<(), ViewError> {
        self.write()?;
        self.sources.clear();
        self.held_bytes = 0;
        self.generation += 1;
        Ok(())
    }

    /// Writes the rest.
    pub(crate) fn end(mut self) -> Result<Rows, ViewError> {
        self.flush()?;
        let rows = Rows::new(self.shape, self.writer.spool().clone());
        self.writer.end()?;
        Ok(rows)
    }

    fn write(&mut self) -> Result<(), ViewError> {
        if self.picks.is_empty() {
            return Ok(());
        }
        let raw = gather(&self.shape, &self.sources, &self.picks, &self.keys);
        self.writer.push(raw.map_err(|error| ViewError::Rows(Error::Batch(error)))?)?;
        self.picks.clear();
        self.picked_bytes = 0;
        self.keys.clear();
        Ok(())
    }
}

fn gather(
    shape: &Shape,
    sources: &[Arc<Batch>],
    picks: &[(usize, usize)],
    keys: &[Vec<u8>],
) -> Result<RawBatch, ArrowError> {
    let own_columns = shape.columns().len() - usize::from(!keys.is_empty());
    let (used, picks_of_used) = only_used(sources, picks);
    let mut arrays = (0..own_columns)
        .map(|column| {
            let values: Vec<&dyn Array> =
                used.iter().map(|source| source.arrays().column(column).as_ref()).collect();
            interleave(&values, &picks_of_used)
        })
        .collect::<Result<Vec<ArrayRef>, _>>()?;
    if !keys.is_empty() {
        arrays.push(Arc::new(BinaryArray::from_iter_values(keys)));
    }
    let options = RecordBatchOptions::new().with_row_count(Some(picks.len()));
    let batch = RecordBatch::try_new_with_options(shape.schema().clone(), arrays, &options)?;
    let mut notes = Vec::new();
    for (row, (source, source_row)) in (0..).zip(picks) {
        let of_row = sources[*source].notes_of(*source_row);
        notes.extend(of_row.map(|note| CellNote { row, ..note.clone() }));
    }
    encode(&batch, notes)
}

/// The sources that rows are picked of, and the picks as they number these. A sort has thousands of sources, of which a batch has
/// rows of a few hundred, and each costs something for each column.
fn only_used<'s>(
    sources: &'s [Arc<Batch>],
    picks: &[(usize, usize)],
) -> (Vec<&'s Batch>, Vec<(usize, usize)>) {
    let mut used: Vec<&Batch> = Vec::new();
    let mut numbers = vec![None; sources.len()];
    let renumbered = picks.iter().map(|(source, row)| {
        let number = *numbers[*source].get_or_insert_with(|| {
            used.push(&sources[*source]);
            used.len() - 1
        });
        (number, *row)
    });
    let renumbered = renumbered.collect();
    (used, renumbered)
}

fn encode(batch: &RecordBatch, notes: Vec<CellNote>) -> Result<RawBatch, ArrowError> {
    let (mut tracker, options) = (DictionaryTracker::new(true), IpcWriteOptions::default());
    let generator = IpcDataGenerator::default();
    let (_, encoded) = generator.encode(batch, &mut tracker, &options, &mut Default::default())?;
    let EncodedData { ipc_message, arrow_data } = encoded;
    Ok(RawBatch {
        metadata: ipc_message.into(),
        body: arrow_data.into(),
        row_count: u32::try_from(batch.num_rows()).expect("a batch has a few thousand rows"),
        notes,
    })
}
