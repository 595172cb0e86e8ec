//! Rows that one thread collects in memory, and the sorted runs that it makes of them.

use std::{
    mem,
    sync::{Arc, atomic::AtomicBool},
};

use arrow_array::{Array, ArrayRef, UInt64Array};
use arrow_select::concat::concat;

use crate::{
    Batch, CellNote, Error, Rows, Shape,
    spool::{SharedFile, SpoolWriter},
    view::{
        Scanned, ViewError,
        gather::{Gatherer, HELD_BYTES_MAX, Keeper},
        sort::{
            Repeated, SortColumn,
            keys::{self, Keys, Prefix, is_repeated},
        },
    },
};

/// Batches are put together until they are as long: each that a sorted row can come from costs something for each column of
/// each batch that is written.
const CHUNK_BYTES: usize = 4 << 20;
/// Batches that a run is written through: the one that is put together, the one that waits in the spool, and the block of it.
const WRITING: usize = 3;
/// What a row takes beside its key while it waits to be sorted.
const WAITING_BYTES: usize = size_of::<Waiting>();

/// What is to be sorted, and how.
pub(super) struct Sorting<'s> {
    pub(super) rows: &'s Rows,
    pub(super) by: &'s [SortColumn],
    pub(super) repeated: Repeated,
    /// Of the rows, with their numbers as one more column.
    pub(super) shape: Shape,
    pub(super) cancel: &'s AtomicBool,
}

/// Rows in memory that wait to be sorted, and runs of those that were.
pub(super) struct Sorter<'s> {
    sorting: &'s Sorting<'s>,
    memory_bytes: usize,
    chunks: Vec<Chunk>,
    /// What becomes the next chunk.
    parts: Vec<Scanned>,
    part_bytes: usize,
    part_rows: u32,
    part_keys: Vec<u8>,
    waiting: Vec<Waiting>,
    /// What batches and keys hold.
    bytes: usize,
    /// The most that a batch held with its keys.
    longest_bytes: usize,
    runs: Vec<Run>,
    /// Where the runs lie.
    file: Arc<SharedFile>,
    scratch: String,
}

/// Rows in their order.
pub(super) struct Run {
    pub(super) rows: Rows,
    /// The most that a batch of it takes in memory, with its keys.
    pub(super) batch_bytes: usize,
}

struct Chunk {
    batch: Arc<Batch>,
    bytes: usize,
    keys: Vec<u8>,
}

struct Waiting {
    prefix: Prefix,
    chunk: u32,
    row: u32,
    /// In the keys of the chunk.
    key_start: u32,
    key_bytes: u32,
}

impl Waiting {
    fn key<'c>(&self, chunks: &'c [Chunk]) -> &'c [u8] {
        &chunks[self.chunk as usize].keys[self.key_start as usize..][..self.key_bytes as usize]
    }
}

impl<'s> Sorter<'s> {
    pub(super) fn new(sorting: &'s Sorting<'s>, memory_bytes: usize) -> Sorter<'s> {
        Sorter {
            sorting,
            memory_bytes,
            chunks: Vec::new(),
            parts: Vec::new(),
            part_bytes: 0,
            part_rows: 0,
            part_keys: Vec::new(),
            waiting: Vec::new(),
            bytes: 0,
            longest_bytes: 0,
            runs: Vec::new(),
            file: Arc::new(SharedFile::new(sorting.rows.spool().budget())),
            scratch: String::new(),
        }
    }

    /// Collects a batch. When the memory is full, what it holds becomes a run.
    pub(super) fn add(&mut self, scanned: Scanned) -> Result<(), ViewError> {
        let Sorting { by, repeated, .. } = self.sorting;
        if !self.parts.is_empty() && self.part_bytes + scanned.bytes > CHUNK_BYTES {
            self.end_chunk()?;
        }
        let keys = Keys::of(&scanned.batch, scanned.rows.clone(), by, *repeated, &mut self.scratch);
        self.make_room(keys.ends.len());
        let chunk = self.chunks.len() as u32;
        let bytes = scanned.bytes + keys.bytes.len();
        let before = self.part_keys.len() as u32;
        let mut key_start = 0;
        for (row, end) in (self.part_rows..).zip(&keys.ends) {
            let key = &keys.bytes[key_start as usize..*end as usize];
            let (key_start_there, key_bytes) = (before + key_start, key.len() as u32);
            let prefix = keys::prefix(key);
            self.waiting.push(Waiting { prefix, chunk, row, key_start: key_start_there, key_bytes });
            key_start = *end;
        }
        if self.part_keys.is_empty() {
            // Those of a long batch are as long, and not to be there twice.
            self.part_keys = keys.bytes;
        } else {
            self.part_keys.extend_from_slice(&keys.bytes);
        }
        self.part_rows += keys.ends.len() as u32;
        self.part_bytes += scanned.bytes;
        self.bytes += bytes;
        self.longest_bytes = self.longest_bytes.max(bytes);
        self.parts.push(scanned);
        // Half of the memory is for rows all the same: many short runs take long to merge.
        let writing_bytes = (WRITING * self.longest_bytes).min(self.memory_bytes / 2);
        if self.held_bytes() + writing_bytes >= self.memory_bytes { self.write_run() } else { Ok(()) }
    }

    /// All that waits becomes a run too, when there are others.
    pub(super) fn end(&mut self) -> Result<(), ViewError> {
        if self.runs.is_empty() || self.waiting.is_empty() { Ok(()) } else { self.write_run() }
    }

    /// Puts those of several threads together: runs, or rows that wait when there is none.
    pub(super) fn join(sorters: Vec<Sorter<'s>>) -> Result<Joined<'s>, ViewError> {
        if sorters.iter().any(|sorter| !sorter.runs.is_empty()) {
            let mut runs = Vec::new();
            for mut sorter in sorters {
                if !sorter.waiting.is_empty() {
                    sorter.write_run()?;
                }
                runs.append(&mut sorter.runs);
            }
            return Ok(Joined::Runs(runs));
        }
        let mut sorters = sorters.into_iter();
        let mut whole = sorters.next().expect("a thread sorts at least");
        whole.end_chunk()?;
        for mut other in sorters {
            other.end_chunk()?;
            let before = whole.chunks.len() as u32;
            let moved = other.waiting.into_iter();
            whole.waiting.extend(moved.map(|waiting| Waiting { chunk: waiting.chunk + before, ..waiting }));
            whole.chunks.append(&mut other.chunks);
        }
        Ok(Joined::Waiting(whole))
    }

    /// Writes the rows that wait as the view.
    pub(super) fn write_view(mut self) -> Result<Rows, ViewError> {
        let rows = self.sorting.rows;
        let keeper = Keeper::new(rows.shape().clone(), SpoolWriter::new(rows.spool().budget()));
        Ok(self.write(keeper)?.rows)
    }

    /// Grows by an eighth and not by all of it: the old and the new are there together for a moment.
    fn make_room(&mut self, rows: usize) {
        if self.waiting.capacity() - self.waiting.len() < rows {
            self.waiting.reserve_exact(rows.max(self.waiting.len() / 8));
        }
    }

    /// What it takes, with what growing takes.
    fn held_bytes(&self) -> usize {
        self.bytes + self.waiting.capacity() * WAITING_BYTES * 2
    }

    /// Puts the parts together, each row with its number.
    fn end_chunk(&mut self) -> Result<(), ViewError> {
        let parts = mem::take(&mut self.parts);
        if parts.is_empty() {
            return Ok(());
        }
        let shape = &self.sorting.shape;
        let arrow = |error| ViewError::Rows(Error::Batch(error));
        let mut arrays = (0..shape.columns().len() - 1)
            .map(|column| {
                let of_parts: Vec<&dyn Array> =
                    parts.iter().map(|part| part.batch.arrays().column(column).as_ref()).collect();
                concat(&of_parts)
            })
            .collect::<Result<Vec<ArrayRef>, _>>()
            .map_err(arrow)?;
        let numbers = parts.iter().flat_map(|part| part.rows.clone());
        arrays.push(Arc::new(UInt64Array::from_iter_values(numbers)));
        let mut notes = Vec::new();
        let mut before = 0;
        for part in &parts {
            notes.extend(part.batch.notes().map(|note| CellNote { row: note.row + before, ..note.clone() }));
            before += part.batch.row_count() as u32;
        }
        drop(parts);
        let batch = Arc::new(shape.batch_of(arrays, notes).map_err(ViewError::Rows)?);
        let (bytes, keys) = (mem::take(&mut self.part_bytes), mem::take(&mut self.part_keys));
        self.part_rows = 0;
        self.chunks.push(Chunk { batch, bytes, keys });
        Ok(())
    }

    /// Writes the rows that wait as a run, and has none then.
    fn write_run(&mut self) -> Result<(), ViewError> {
        let Sorting { rows, shape, .. } = self.sorting;
        let writer = SpoolWriter::for_work(rows.spool().budget(), &self.file);
        let keeper = Keeper::new(shape.clone(), writer);
        let run = self.write(keeper)?;
        self.runs.push(run);
        Ok(())
    }

    fn write(&mut self, mut keeper: Keeper) -> Result<Run, ViewError> {
        self.end_chunk()?;
        self.sort();
        let mut gatherer = Gatherer::new(HELD_BYTES_MAX, |picked| keeper.keep(&picked));
        let chunks = mem::take(&mut self.chunks);
        for chunk in &chunks {
            gatherer.add_source(&chunk.batch, chunk.bytes);
        }
        for waiting in mem::take(&mut self.waiting) {
            gatherer.push(waiting.chunk as usize, waiting.row as usize, waiting.key_bytes as usize)?;
        }
        gatherer.flush()?;
        let batch_bytes = gatherer.longest_bytes();
        self.bytes = 0;
        Ok(Run { rows: keeper.end()?, batch_bytes })
    }

    fn sort(&mut self) {
        let chunks = &self.chunks;
        let key = |waiting: &Waiting| waiting.key(chunks);
        self.waiting
            .sort_unstable_by(|one, two| one.prefix.cmp(&two.prefix).then_with(|| key(one).cmp(key(two))));
        if self.sorting.repeated == Repeated::Go {
            self.waiting.dedup_by(|later, earlier| is_repeated(key(later), key(earlier)));
        }
    }
}

/// What several threads made of the rows together.
pub(super) enum Joined<'s> {
    /// Of all rows.
    Runs(Vec<Run>),
    /// All rows, in memory.
    Waiting(Sorter<'s>),
}
