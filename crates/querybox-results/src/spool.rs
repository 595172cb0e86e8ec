//! Batches kept outside of memory: as the driver sent them, in order, the first ones in memory and the others in a file
//! without a name, sealed with a key that dies with the spool.
//!
//! There is one [`SpoolWriter`], and any number of readers of its [`Spool`], also while rows still arrive: a reader never
//! waits for the disk of the writer.
//!
//! Batches lie together in blocks, so that neither many small ones nor many rows make the index long. The last block grows
//! in memory; it is closed when it is long enough, and then stays there or goes to the file.

mod block;
mod budget;
mod file;

use std::{
    collections::BTreeSet,
    io,
    ops::Range,
    sync::{Arc, RwLock},
};

use bytes::Bytes;
use querybox_vault::{EphemeralKey, RecordNumber};

pub use budget::{Budget, Limit, Limits, Used};
use budget::{Purpose, Share};

pub(crate) use file::SharedFile;

use crate::{CellNote, Note};

/// A block is closed when it is as long. Drivers send batches of this size, so each of these is a block.
const BLOCK_BYTES: u64 = 128 * 1024;
/// What a batch takes of memory beside its bytes, roughly: handles of its buffers, its place in the index.
const BATCH_OVERHEAD_BYTES: u64 = 256;
/// The same for a note.
const NOTE_OVERHEAD_BYTES: u64 = 64;

/// Rows as a driver sent them, unread: a message of the plugin contract.
#[derive(Clone, Debug)]
pub struct RawBatch {
    /// The Arrow IPC message, without its frame.
    pub metadata: Bytes,
    /// The body it describes.
    pub body: Bytes,
    /// Its rows.
    pub row_count: u32,
    /// The cells that the body does not hold.
    pub notes: Vec<CellNote>,
}

impl RawBatch {
    /// The bytes it counts as.
    pub fn bytes(&self) -> u64 {
        let of_notes = self.notes.iter().map(|note| NOTE_OVERHEAD_BYTES + note.note.bytes()).sum::<u64>();
        (self.metadata.len() + self.body.len()) as u64 + BATCH_OVERHEAD_BYTES + of_notes
    }
}

/// Why a batch was not kept, or cannot be read again.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// A limit. The batch was not kept, and none after it will be; all before it are.
    #[error(transparent)]
    Limit(#[from] Limit),
    /// The file could not be made, written or read.
    #[error("the file of a kept result failed")]
    File(#[source] io::Error),
    /// What the file holds is not what was written to it.
    #[error("the file of a kept result was changed or damaged")]
    Damaged,
}

/// Writes a [`Spool`]. It can still be read when this is dropped.
#[derive(Debug)]
pub struct SpoolWriter {
    spool: Arc<Spool>,
    stopped: Option<Limit>,
    /// Whether blocks may stay in memory.
    in_memory: bool,
}

/// Batches of one statement, kept.
#[derive(Debug)]
pub struct Spool {
    share: Share,
    key: EphemeralKey,
    /// Other spools may lie in it too.
    file: Arc<SharedFile>,
    index: RwLock<Index>,
}

#[derive(Debug, Default)]
struct Index {
    /// In the order of their rows, without gaps.
    closed: Vec<Block>,
    /// The batches of the last block, which still grows.
    open: Vec<RawBatch>,
    open_bytes: u64,
    open_first_row: u64,
    row_count: u64,
    /// Columns of which some cell is in a note and not in its array.
    inexact_columns: BTreeSet<u16>,
}

#[derive(Debug)]
struct Block {
    first_row: u64,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    Memory(Arc<[RawBatch]>),
    File { offset: u64, bytes: u32, number: RecordNumber },
}

/// Batches that lie together.
pub(crate) struct Batches {
    /// The row of the first one's first row.
    pub(crate) first_row: u64,
    pub(crate) batches: Vec<RawBatch>,
    /// Bytes that live as long as any of the batches, beside what is counted as the spool's.
    pub(crate) held_bytes: u64,
}

impl SpoolWriter {
    /// An empty spool. Its file is made when it needs one.
    pub fn new(budget: &Arc<Budget>) -> SpoolWriter {
        SpoolWriter::in_file(budget, &Arc::new(SharedFile::new(budget)))
    }

    /// An empty spool that lies in a file with others: a descriptor for each would be too many. The file goes with the last.
    pub(crate) fn in_file(budget: &Arc<Budget>, file: &Arc<SharedFile>) -> SpoolWriter {
        SpoolWriter::of(budget, file, Purpose::Keeping)
    }

    fn of(budget: &Arc<Budget>, file: &Arc<SharedFile>, purpose: Purpose) -> SpoolWriter {
        let spool = Spool {
            share: Share::new(budget, file.together(), purpose),
            key: EphemeralKey::make("result spool"),
            file: Arc::clone(file),
            index: RwLock::default(),
        };
        SpoolWriter { spool: Arc::new(spool), stopped: None, in_memory: purpose == Purpose::Keeping }
    }

    /// An empty spool for the time of some work, in a file with others. It keeps nothing in memory but the block that grows,
    /// because what comes to it was in memory before, and is none of what all results may keep: the disk alone is its limit.
    pub(crate) fn for_work(budget: &Arc<Budget>, file: &Arc<SharedFile>) -> SpoolWriter {
        SpoolWriter::of(budget, file, Purpose::Working)
    }

    /// What is written, to be read by any number of readers.
    pub fn spool(&self) -> &Arc<Spool> {
        &self.spool
    }

    /// Keeps a batch; readers see its rows at once. One without rows is not kept.
    ///
    /// # Errors
    ///
    /// When a limit is reached, now or before, or the file fails. The batch is then not kept.
    pub fn push(&mut self, batch: RawBatch) -> Result<(), SpoolError> {
        if let Some(limit) = self.stopped {
            return Err(limit.into());
        }
        if batch.row_count == 0 {
            return Ok(());
        }
        let spool = self.spool.clone();
        let bytes = batch.bytes();
        spool.share.take(bytes).map_err(|limit| self.stop(limit))?;
        let is_long = spool.index().open_bytes >= BLOCK_BYTES;
        if is_long && let Err(error) = self.close_block() {
            spool.share.give_back(bytes);
            return Err(error);
        }
        spool.share.use_memory(bytes);
        let mut index = spool.index_mut();
        index.row_count += u64::from(batch.row_count);
        let outside = batch.notes.iter().filter(|note| !matches!(note.note, Note::CutAtSize(_)));
        // No database has as many columns; who sends notes on others wants to fill memory.
        index.inexact_columns.extend(outside.filter_map(|note| u16::try_from(note.column).ok()));
        index.open_bytes += bytes;
        index.open.push(batch);
        Ok(())
    }

    /// Ends the spool: what is over its memory's limit goes to the file.
    ///
    /// # Errors
    ///
    /// When a limit is reached or the file fails. The last rows then stay in memory, and can be read.
    pub fn end(mut self) -> Result<(), SpoolError> {
        self.close_block()
    }

    /// Closes the block that grows, where there is one. When that fails, it is as before.
    fn close_block(&mut self) -> Result<(), SpoolError> {
        let spool = self.spool.clone();
        let (batches, bytes, first_row) = {
            let index = spool.index();
            (index.open.clone(), index.open_bytes, index.open_first_row)
        };
        if batches.is_empty() {
            return Ok(());
        }
        let place = if self.in_memory && spool.share.fits_memory() {
            Place::Memory(batches.into())
        } else {
            // Readers find the rows in memory until the file has them.
            let place = self.write(&batches)?;
            spool.share.free_memory(bytes);
            place
        };
        let mut index = spool.index_mut();
        index.closed.push(Block { first_row, place });
        index.open = Vec::new();
        index.open_bytes = 0;
        index.open_first_row = index.row_count;
        Ok(())
    }

    fn write(&mut self, batches: &[RawBatch]) -> Result<Place, SpoolError> {
        let spool = self.spool.clone();
        let mut file = spool.file.for_writing().map_err(|error| self.refused(error))?;
        let mut block = block::encode(batches, EphemeralKey::OVERHEAD_BYTES);
        let number = spool.key.seal(&mut block);
        let length = block.len() as u64;
        // A message of gRPC has less than 4 GiB, and so has a block.
        let Ok(bytes) = u32::try_from(block.len()) else {
            return Err(self.fail(io::ErrorKind::FileTooLarge.into()));
        };
        let free = file.free_bytes().map_err(|error| self.fail(error))?;
        spool.share.take_disk(length, free).map_err(|limit| self.stop(limit))?;
        match file.append(&block) {
            Ok(offset) => Ok(Place::File { offset, bytes, number }),
            Err(error) => {
                spool.share.give_back_disk(length);
                Err(self.fail(error))
            }
        }
    }

    fn refused(&mut self, error: SpoolError) -> SpoolError {
        match error {
            SpoolError::Limit(limit) => self.stop(limit),
            SpoolError::File(error) => self.fail(error),
            SpoolError::Damaged => error,
        }
    }

    fn fail(&mut self, error: io::Error) -> SpoolError {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => self.stop(Limit::DiskFull),
            _ => SpoolError::File(error),
        }
    }

    /// A limit holds from then on: a shorter batch might fit, but rows in the middle would be missing.
    fn stop(&mut self, limit: Limit) -> SpoolError {
        self.stopped = Some(limit);
        limit.into()
    }
}

impl Spool {
    /// Rows that are kept so far.
    pub fn row_count(&self) -> u64 {
        self.index().row_count
    }

    /// Bytes that are kept so far, as the driver sent them.
    pub fn bytes(&self) -> u64 {
        self.share.bytes()
    }

    /// Columns of which some cell that is kept so far is not in its Arrow array: what a number's or a date's type has no form
    /// for, or text that could not be decoded.
    pub(crate) fn inexact_columns(&self) -> Vec<usize> {
        self.index().inexact_columns.iter().map(|column| usize::from(*column)).collect()
    }

    pub(crate) fn budget(&self) -> &Arc<Budget> {
        self.share.budget()
    }

    /// What tells this spool from others of its budget.
    pub(crate) fn id(&self) -> u64 {
        self.share.id
    }

    /// The batches that lie together with the one that has a row. `None`: there is no such row yet.
    pub(crate) fn batches(&self, row: u64) -> Result<Option<Batches>, SpoolError> {
        let (first_row, place) = {
            let index = self.index();
            if row >= index.row_count {
                return Ok(None);
            }
            if row >= index.open_first_row {
                let (first_row, batches) = (index.open_first_row, index.open.clone());
                return Ok(Some(Batches { first_row, batches, held_bytes: 0 }));
            }
            let after = index.closed.partition_point(|block| block.first_row <= row);
            let block = &index.closed[after - 1];
            (block.first_row, block.place.clone())
        };
        match place {
            Place::Memory(batches) => {
                Ok(Some(Batches { first_row, batches: batches.to_vec(), held_bytes: 0 }))
            }
            Place::File { offset, bytes, number } => {
                let batches = self.read(offset, bytes, number)?;
                Ok(Some(Batches { first_row, batches, held_bytes: u64::from(bytes) }))
            }
        }
    }

    /// The first row behind the block that has a row, which is that of the next block when there is one.
    pub(crate) fn next_block(&self, row: u64) -> u64 {
        let index = self.index();
        let after = index.closed.partition_point(|block| block.first_row <= row);
        match index.closed.get(after) {
            Some(next) => next.first_row,
            None if row < index.open_first_row => index.open_first_row,
            None => index.row_count.max(row),
        }
    }

    fn read(&self, offset: u64, bytes: u32, number: RecordNumber) -> Result<Vec<RawBatch>, SpoolError> {
        let mut block = vec![0; bytes as usize];
        self.file.read_at(&mut block, offset).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => SpoolError::Damaged,
            _ => SpoolError::File(error),
        })?;
        let length = self.key.open(number, &mut block).map_err(|_| SpoolError::Damaged)?.len();
        block.truncate(length);
        block::decode(&block.into()).ok_or(SpoolError::Damaged)
    }

    fn index(&self) -> std::sync::RwLockReadGuard<'_, Index> {
        self.index.read().expect(NO_PANIC)
    }

    fn index_mut(&self) -> std::sync::RwLockWriteGuard<'_, Index> {
        self.index.write().expect(NO_PANIC)
    }
}

const NO_PANIC: &str = "nothing panics while it holds the index";

impl Batches {
    /// Each batch with the rows it has.
    pub(crate) fn with_rows(self) -> impl Iterator<Item = (Range<u64>, RawBatch)> {
        let mut next = self.first_row;
        self.batches.into_iter().map(move |batch| {
            let rows = next..next + u64::from(batch.row_count);
            next = rows.end;
            (rows, batch)
        })
    }
}
