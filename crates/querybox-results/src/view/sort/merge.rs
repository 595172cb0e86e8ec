//! Sorted runs made one.
//!
//! The thread of the caller only compares keys. Another one reads ahead of it, and a third one writes behind it: opening what
//! was sealed, and sealing, take longer than comparing.

use std::{
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use arrow_array::{cast::AsArray, types::UInt64Type};

use crate::{
    Batch, ReadError, Rows,
    spool::{SharedFile, SpoolWriter},
    view::{
        Scan, ViewError,
        gather::{Gatherer, HELD_BYTES_MAX, Keeper, Picked},
        sort::{
            Repeated,
            keys::{self, Keys, Prefix, is_repeated},
            runs::{Run, Sorting},
            tournament::Tournament,
        },
    },
};

/// What the runs become.
#[derive(Clone, Copy)]
pub(super) enum Output<'f> {
    /// Another run, in this file.
    Run(&'f Arc<SharedFile>),
    /// The view, which is the last thing of the work.
    View,
}

/// How memory is shared out.
#[derive(Clone, Copy)]
pub(super) struct Shares {
    /// For batches of runs.
    pub(super) reading_bytes: usize,
    /// For batches whose rows are not written yet.
    held_bytes: usize,
}

impl Shares {
    /// The rest is for what is put together and written.
    pub(super) fn of(memory_bytes: usize) -> Shares {
        Shares { reading_bytes: memory_bytes / 2, held_bytes: (memory_bytes / 8).min(HELD_BYTES_MAX) }
    }
}

/// Batches of each run that are in memory: the one where the merge is and the next, where there is room for that.
const BATCHES_MAX: usize = 2;
/// New batches that wait to be written: their rows hold others in memory.
const BEHIND: usize = 2;

/// A batch of a run with its keys.
struct Loaded {
    batch: Arc<Batch>,
    bytes: usize,
    keys: Keys,
}

/// The next batch of a run. `None`: there is none.
type Next = Result<Option<Loaded>, ReadError>;

/// Where in a run the merge is.
struct Cursor {
    next: Receiver<Next>,
    current: Option<Loaded>,
    row: usize,
    /// Of the key there.
    prefix: Prefix,
    /// What the gatherer calls the current batch, and since when.
    source: Option<(u64, usize)>,
}

/// Merges runs. `tell` is called with the rows that are through.
pub(super) fn merge(
    sorting: &Sorting<'_>,
    runs: &[Run],
    output: Output<'_>,
    shares: Shares,
    tell: &mut dyn FnMut(u64),
) -> Result<Rows, ViewError> {
    let budget = sorting.rows.spool().budget();
    let keeper = match output {
        Output::Run(file) => Keeper::new(sorting.shape.clone(), SpoolWriter::for_work(budget, file)),
        Output::View => Keeper::new(sorting.rows.shape().clone(), SpoolWriter::new(budget)),
    };
    let one_each = runs.iter().map(|run| run.batch_bytes).sum::<usize>();
    let batches = if one_each.saturating_mul(BATCHES_MAX) <= shares.reading_bytes { BATCHES_MAX } else { 1 };
    thread::scope(|scope| {
        // Each run is asked for no more than so many batches that nobody took, so that no one waits to ask or to answer.
        let (ask, asked) = sync_channel(runs.len() * batches);
        let (answers, cursors): (Vec<_>, Vec<_>) = runs
            .iter()
            .map(|_| {
                let (answer, next) = sync_channel(batches);
                (answer, Cursor { next, current: None, row: 0, prefix: 0, source: None })
            })
            .unzip();
        let (put, picked) = sync_channel(BEHIND);
        scope.spawn(move || read(sorting, runs, &asked, &answers));
        let keeping = scope.spawn(move || keep(keeper, &picked));
        let put = move |picked| put.send(picked).map_err(|_| ViewError::Lost);
        let gatherer = Gatherer::new(shares.held_bytes, put);
        let compared = compare(sorting, cursors, &ask, batches, gatherer, tell);
        // Who reads is not asked any more.
        drop(ask);
        let kept = keeping.join().unwrap_or_else(|panic| resume_unwind(panic));
        match compared {
            Ok(()) => kept,
            // Why nothing more is kept says more than that it is not.
            Err(ViewError::Lost) => kept.and(Err(ViewError::Lost)),
            Err(error) => Err(error),
        }
    })
}

/// Reads the batches that are asked for.
fn read(sorting: &Sorting<'_>, runs: &[Run], asked: &Receiver<usize>, answers: &[SyncSender<Next>]) {
    let mut scans: Vec<Scan<'_>> = runs.iter().map(|run| Scan::new(&run.rows)).collect();
    let mut scratch = String::new();
    for run in asked {
        let next = load(sorting, &mut scans[run], &mut scratch);
        if answers[run].send(next).is_err() {
            break;
        }
    }
}

fn load(sorting: &Sorting<'_>, scan: &mut Scan<'_>, scratch: &mut String) -> Next {
    let Some(scanned) = scan.next()? else { return Ok(None) };
    let batch = scanned.batch;
    let numbers = batch.arrays().column(sorting.rows.columns().len()).as_primitive::<UInt64Type>();
    let numbers = numbers.values().iter().copied();
    let keys = Keys::of(&batch, numbers, sorting.by, sorting.repeated, scratch);
    Ok(Some(Loaded { bytes: scanned.bytes, keys, batch }))
}

fn keep(mut keeper: Keeper, picked: &Receiver<Picked>) -> Result<Rows, ViewError> {
    for picked in picked {
        keeper.keep(&picked)?;
    }
    keeper.end()
}

/// Picks the rows in their order. [`ViewError::Lost`]: nobody keeps them any more.
fn compare(
    sorting: &Sorting<'_>,
    mut cursors: Vec<Cursor>,
    ask: &SyncSender<usize>,
    batches: usize,
    mut gatherer: Gatherer<impl FnMut(Picked) -> Result<(), ViewError>>,
    tell: &mut dyn FnMut(u64),
) -> Result<(), ViewError> {
    let again = |run| ask.send(run).map_err(|_| ViewError::Lost);
    for _ in 0..batches {
        (0..cursors.len()).try_for_each(again)?;
    }
    for cursor in &mut cursors {
        cursor.load()?;
    }
    let mut tournament = Tournament::new(cursors.len(), |one, two| cursors[one].is_less(&cursors[two]));
    let (mut merged, mut last_key) = (0, Vec::new());
    loop {
        let run = tournament.winner();
        let cursor = &mut cursors[run];
        let Some(current) = &cursor.current else { break };
        let is_new = match sorting.repeated {
            Repeated::Stay => true,
            Repeated::Go => {
                let key = current.keys.key(cursor.row);
                let is_new = last_key.is_empty() || !is_repeated(&last_key, key);
                last_key.clear();
                last_key.extend_from_slice(key);
                is_new
            }
        };
        if is_new {
            let generation = gatherer.generation();
            let source = match cursor.source {
                Some((since, source)) if since == generation => source,
                _ => gatherer.add_source(&current.batch, current.bytes),
            };
            cursor.source = Some((generation, source));
            gatherer.push(source, cursor.row, 0)?;
        }
        merged += 1;
        if cursor.row + 1 == current.batch.row_count() {
            if sorting.cancel.load(Ordering::Relaxed) {
                return Err(ViewError::Canceled);
            }
            if gatherer.is_full() {
                gatherer.flush()?;
            }
            tell(merged);
            // Before another one comes in its place.
            cursor.current = None;
            again(run)?;
            cursor.load()?;
        } else {
            cursor.row += 1;
            cursor.look();
        }
        tournament.play_again(|one, two| cursors[one].is_less(&cursors[two]));
    }
    gatherer.flush()
}

impl Cursor {
    /// Goes to the next batch, where there is one.
    fn load(&mut self) -> Result<(), ViewError> {
        self.current = self.next.recv().map_err(|_| ViewError::Lost)??;
        self.row = 0;
        self.source = None;
        self.look();
        Ok(())
    }

    fn look(&mut self) {
        self.prefix =
            self.current.as_ref().map_or(Prefix::MAX, |current| keys::prefix(current.keys.key(self.row)));
    }

    /// Whether its row comes before that of another one. One that has none comes last.
    fn is_less(&self, other: &Cursor) -> bool {
        match (&self.current, &other.current) {
            (Some(one), Some(two)) => {
                let keys = || one.keys.key(self.row).cmp(two.keys.key(other.row));
                self.prefix.cmp(&other.prefix).then_with(keys).is_lt()
            }
            (one, _) => one.is_some(),
        }
    }
}
