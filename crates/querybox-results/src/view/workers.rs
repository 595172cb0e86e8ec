//! Batches read and looked at by several threads at once.
//!
//! Most of a view's time goes into opening what was sealed and reading what drivers sent, which needs no order. Where the caller's
//! thread takes what was found in the order of the rows, each thread has every so-many-eth block, so that what waits to be taken
//! is bounded whichever of them is slow. Where the order means nothing, each takes the next block as soon as it can.

use std::{
    panic::resume_unwind,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use crate::{
    ReadError, Rows,
    view::{Scan, Scanned, ViewError, Work},
};

/// Threads for one view. More would only wait for the one that puts together what they found.
const THREADS_MAX: usize = 2;
/// Blocks of one thread that wait to be taken, beside the one that it has in hand.
const READY_MAX: usize = 1;

/// What a thread found in a block.
type Found<T> = Result<Vec<(Scanned, T)>, ReadError>;

/// Has each batch that is there now looked at, on some thread that has a state of its own, and takes what was found in the order
/// of the rows, on this one. Answers with the states.
///
/// # Errors
///
/// When the rows cannot be read, the work is canceled, or what was found is not taken.
pub(super) fn each_batch<'w, S: Default + Send, T: Send>(
    rows: &Rows,
    work: &mut Work<'w>,
    look: impl Fn(&mut S, &Scanned) -> T + Sync,
    mut take: impl FnMut(&mut Work<'w>, Scanned, T) -> Result<(), ViewError>,
) -> Result<Vec<S>, ViewError> {
    let end = rows.row_count();
    let threads = threads_for(rows, end);
    if threads == 1 {
        let (mut state, mut scan) = (S::default(), Scan::new(rows));
        while let Some(scanned) = scan.next()? {
            work.check_canceled()?;
            let found = look(&mut state, &scanned);
            take(work, scanned, found)?;
        }
        return Ok(vec![state]);
    }
    let cancel = work.cancel;
    thread::scope(|scope| {
        let look = &look;
        let (workers, found): (Vec<_>, Vec<_>) = (0..threads)
            .map(|turn| {
                let (send, found) = sync_channel(READY_MAX);
                let share = Share { rows, end, turn, threads, cancel };
                (scope.spawn(move || share.work_through(look, &send)), found)
            })
            .unzip();
        let taken = take_in_order(&found, work, &mut take);
        // Who still works finds nobody who takes it.
        drop(found);
        let states =
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)));
        let states = states.collect();
        taken?;
        work.check_canceled()?;
        Ok(states)
    })
}

/// Each block that is there now is looked at by some of several threads, each of which has a state of its own that is made for so
/// many threads, and ended when there is no block left. `tell` is called, on this thread, with the rows that were looked at.
/// Answers with the states.
///
/// # Errors
///
/// When the rows cannot be read, the work is canceled, or looking fails.
pub(super) fn each_batch_in_any_order<'w, S: Send>(
    rows: &Rows,
    work: &mut Work<'w>,
    make: impl Fn(usize) -> S,
    look: impl Fn(&mut S, Scanned) -> Result<(), ViewError> + Sync,
    end: impl Fn(&mut S) -> Result<(), ViewError> + Sync,
    tell: impl Fn(&mut Work<'w>, u64),
) -> Result<Vec<S>, ViewError> {
    let blocks = Blocks { rows, end: rows.row_count(), next: Mutex::new(0), is_over: AtomicBool::new(false) };
    let threads = threads_for(rows, blocks.end);
    let states: Vec<S> = (0..threads).map(|_| make(threads)).collect();
    let cancel = work.cancel;
    let ended: Vec<_> = thread::scope(|scope| {
        let (told, done) = sync_channel(threads);
        let (blocks, look, end) = (&blocks, &look, &end);
        let workers = states.into_iter().map(|mut state| {
            let told = told.clone();
            scope.spawn(move || {
                let worked = blocks.work_through(cancel, |scanned| look(&mut state, scanned), &told);
                let ended = worked.and_then(|()| end(&mut state)).map(|()| state);
                if ended.is_err() {
                    // The others would work for nothing.
                    blocks.is_over.store(true, Ordering::Relaxed);
                }
                ended
            })
        });
        let workers: Vec<_> = workers.collect();
        drop(told);
        let mut all_done = 0;
        for rows in done {
            all_done += rows;
            tell(work, all_done);
        }
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    let states = all_of(ended)?;
    work.check_canceled()?;
    Ok(states)
}

/// What went wrong says more than that others stopped for it.
fn all_of<S>(ended: Vec<Result<S, ViewError>>) -> Result<Vec<S>, ViewError> {
    let (mut states, mut stopped) = (Vec::new(), None);
    for ended in ended {
        match ended {
            Ok(state) => states.push(state),
            Err(ViewError::Canceled) => stopped = Some(ViewError::Canceled),
            Err(error) => return Err(error),
        }
    }
    stopped.map_or(Ok(states), Err)
}

fn threads_for(rows: &Rows, end: u64) -> usize {
    if rows.spool().next_block(0) >= end {
        return 1;
    }
    thread::available_parallelism().map_or(1, |count| count.get().min(THREADS_MAX))
}

/// Blocks of which each goes to whoever comes next.
struct Blocks<'b> {
    rows: &'b Rows,
    /// Rows behind this one came later.
    end: u64,
    /// The first row of the next one.
    next: Mutex<u64>,
    /// Whether somebody failed.
    is_over: AtomicBool,
}

impl Blocks<'_> {
    fn work_through(
        &self,
        cancel: &AtomicBool,
        mut look: impl FnMut(Scanned) -> Result<(), ViewError>,
        told: &SyncSender<u64>,
    ) -> Result<(), ViewError> {
        while let Some(first) = self.take() {
            for scanned in block(self.rows, first, self.end)? {
                if cancel.load(Ordering::Relaxed) || self.is_over.load(Ordering::Relaxed) {
                    return Err(ViewError::Canceled);
                }
                let rows = scanned.rows.end - scanned.rows.start;
                look(scanned)?;
                // Whoever listens does so until the last has ended.
                let _ = told.send(rows);
            }
        }
        Ok(())
    }

    /// The first row of a block that nobody had. `None`: there is none.
    fn take(&self) -> Option<u64> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let first = *next;
        if first >= self.end {
            return None;
        }
        *next = self.rows.spool().next_block(first);
        Some(first)
    }
}

/// The batches that lie together from this row on, without those that came later.
fn block(rows: &Rows, first: u64, end: u64) -> Result<Vec<Scanned>, ReadError> {
    let Some(batches) = rows.spool().batches(first)? else { return Ok(Vec::new()) };
    // The last block may have grown since its rows were counted, by whole batches.
    let wanted = batches.with_rows().filter(|(rows, _)| rows.end <= end);
    wanted.map(|(range, raw)| Scanned::read(rows, range, raw)).collect()
}

/// The blocks of one thread.
struct Share<'s> {
    rows: &'s Rows,
    /// Rows behind this one came later.
    end: u64,
    turn: usize,
    threads: usize,
    cancel: &'s AtomicBool,
}

impl Share<'_> {
    fn work_through<S: Default, T>(
        &self,
        look: &impl Fn(&mut S, &Scanned) -> T,
        send: &SyncSender<Found<T>>,
    ) -> S {
        let mut state = S::default();
        let mut next = self.after(0, self.turn);
        while next < self.end && !self.cancel.load(Ordering::Relaxed) {
            let found = block(self.rows, next, self.end).map(|batches| {
                let looked_at = batches.into_iter().map(|scanned| {
                    let found = look(&mut state, &scanned);
                    (scanned, found)
                });
                looked_at.collect()
            });
            let is_last = found.is_err();
            if send.send(found).is_err() || is_last {
                break;
            }
            next = self.after(next, self.threads);
        }
        state
    }

    /// The first row of a block that comes so many blocks later.
    fn after(&self, row: u64, blocks: usize) -> u64 {
        (0..blocks).fold(row, |row, _| self.rows.spool().next_block(row))
    }
}

fn take_in_order<'w, T>(
    found: &[Receiver<Found<T>>],
    work: &mut Work<'w>,
    take: &mut impl FnMut(&mut Work<'w>, Scanned, T) -> Result<(), ViewError>,
) -> Result<(), ViewError> {
    for of_turn in found.iter().cycle() {
        // The first that has no more had the last block, or stopped, and why is known.
        let Ok(block) = of_turn.recv() else { break };
        for (scanned, found) in block? {
            work.check_canceled()?;
            take(work, scanned, found)?;
        }
    }
    Ok(())
}
