//! Batches read and looked at by several threads at once, and taken in their order by the caller's.
//!
//! Most of a view's time goes into opening what was sealed and reading what drivers sent, which needs no order. Each thread has
//! every so-many-eth block, so that what waits to be taken is bounded whichever of them is slow.

use std::{
    panic::resume_unwind,
    sync::{
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
    let threads = thread::available_parallelism().map_or(1, |count| count.get().min(THREADS_MAX));
    if threads == 1 || rows.spool().next_block(0) >= end {
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
            let found = self.block(next).map(|batches| {
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

    fn block(&self, first: u64) -> Result<Vec<Scanned>, ReadError> {
        let Some(batches) = self.rows.spool().batches(first)? else { return Ok(Vec::new()) };
        // The last block may have grown since its rows were counted, by whole batches.
        let wanted = batches.with_rows().filter(|(rows, _)| rows.end <= self.end);
        wanted.map(|(rows, raw)| Scanned::read(self.rows, rows, raw)).collect()
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
