//! New batches out of rows of others.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
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
pub(crate) const HELD_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Gathers rows of other batches, in any order, and hands over as many at a time as a new batch has.
pub(crate) struct Gatherer<P> {
    put: P,
    /// The batches that the gathered rows are of.
    sources: Vec<Arc<Batch>>,
    held_bytes: usize,
    held_bytes_max: usize,
    /// How often the sources were let go.
    generation: u64,
    /// The source and the row in it.
    picks: Vec<(usize, usize)>,
    /// About so long is what was picked, and the row that is about to be.
    picked_bytes: usize,
    /// What goes along with it.
    beside_bytes: usize,
    /// The most that a batch was long, with what went along.
    longest_bytes: usize,
}

/// Rows that become a batch.
pub(crate) struct Picked {
    /// Batches of which some row is picked.
    sources: Vec<Arc<Batch>>,
    /// The source and the row in it.
    picks: Vec<(usize, usize)>,
}

/// Keeps rows that were gathered.
pub(crate) struct Keeper {
    shape: Shape,
    writer: SpoolWriter,
}

impl<P: FnMut(Picked) -> Result<(), ViewError>> Gatherer<P> {
    /// What is gathered goes there. Sources should not hold more than so many bytes.
    pub(crate) fn new(held_bytes_max: usize, put: P) -> Gatherer<P> {
        Gatherer {
            put,
            sources: Vec::new(),
            held_bytes: 0,
            held_bytes_max,
            generation: 0,
            picks: Vec::new(),
            picked_bytes: 0,
            beside_bytes: 0,
            longest_bytes: 0,
        }
    }

    /// Whether the sources should be let go before another comes.
    pub(crate) fn is_full(&self) -> bool {
        self.held_bytes > self.held_bytes_max
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

    /// Gathers a row of a source. So many bytes go along with it wherever it is read again.
    pub(crate) fn push(&mut self, source: usize, row: usize, beside_bytes: usize) -> Result<(), ViewError> {
        let row_bytes = self.sources[source].row_bytes(row);
        // Long rows may have lain among short ones, and are not to come together in one batch.
        if self.picked_bytes + row_bytes > 2 * BATCH_BYTES {
            self.put()?;
        }
        self.picked_bytes += row_bytes;
        self.beside_bytes += beside_bytes;
        self.picks.push((source, row));
        let is_batch = self.picks.len() == BATCH_ROWS_MAX || self.picked_bytes >= BATCH_BYTES;
        if is_batch { self.put() } else { Ok(()) }
    }

    /// Hands over what was gathered, and lets the sources go.
    pub(crate) fn flush(&mut self) -> Result<(), ViewError> {
        self.put()?;
        self.sources.clear();
        self.held_bytes = 0;
        self.generation += 1;
        Ok(())
    }

    /// The most that a batch was long which was handed over, with what went along with its rows.
    pub(crate) fn longest_bytes(&self) -> usize {
        self.longest_bytes
    }

    fn put(&mut self) -> Result<(), ViewError> {
        if self.picks.is_empty() {
            return Ok(());
        }
        self.longest_bytes = self.longest_bytes.max(self.picked_bytes + self.beside_bytes);
        (self.picked_bytes, self.beside_bytes) = (0, 0);
        let picked = only_used(&self.sources, &self.picks);
        self.picks.clear();
        (self.put)(picked)
    }
}

impl Keeper {
    /// Keeps rows of this shape.
    pub(crate) fn new(shape: Shape, writer: SpoolWriter) -> Keeper {
        Keeper { shape, writer }
    }

    /// Keeps rows whose first columns are those of the shape.
    pub(crate) fn keep(&mut self, picked: &Picked) -> Result<(), ViewError> {
        let raw = gather(&self.shape, picked).map_err(|error| ViewError::Rows(Error::Batch(error)))?;
        Ok(self.writer.push(raw)?)
    }

    /// Writes the rest.
    pub(crate) fn end(self) -> Result<Rows, ViewError> {
        let rows = Rows::new(self.shape, self.writer.spool().clone());
        self.writer.end()?;
        Ok(rows)
    }
}

fn gather(shape: &Shape, Picked { sources, picks }: &Picked) -> Result<RawBatch, ArrowError> {
    let arrays = (0..shape.columns().len())
        .map(|column| {
            let values: Vec<&dyn Array> =
                sources.iter().map(|source| source.arrays().column(column).as_ref()).collect();
            interleave(&values, picks)
        })
        .collect::<Result<Vec<ArrayRef>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(picks.len()));
    let batch = RecordBatch::try_new_with_options(shape.schema().clone(), arrays, &options)?;
    let mut notes = Vec::new();
    for (row, (source, source_row)) in (0..).zip(picks) {
        let of_row = sources[*source].notes_of(*source_row);
        notes.extend(of_row.map(|note| CellNote { row, ..note.clone() }));
    }
    encode(&batch, notes)
}

/// The sources that rows are picked of, and the picks as they number these: each source costs something for each column.
fn only_used(sources: &[Arc<Batch>], picks: &[(usize, usize)]) -> Picked {
    let mut used = Vec::new();
    let mut numbers = vec![None; sources.len()];
    let renumbered = picks.iter().map(|(source, row)| {
        let number = *numbers[*source].get_or_insert_with(|| {
            used.push(sources[*source].clone());
            used.len() - 1
        });
        (number, *row)
    });
    let picks = renumbered.collect();
    Picked { sources: used, picks }
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
