//! The rows of one statement, from SQLite to the reader.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, Thread},
    time::{Duration, Instant},
};

use futures::executor::block_on;
use querybox_plugin::{ColumnKind, Done, Error, ExecuteError, Query, Rows, Statement, pb};
use rusqlite::ffi;

use crate::{cell, columns, open::Database};

/// A row that waits longer than this for the next one is sent without it.
const ROW_WAIT: Duration = Duration::from_millis(50);
/// The stack of the thread that sends waiting rows; it calls little.
const SENDER_STACK_BYTES: usize = 256 * 1024;

/// Steps a statement to its end and tells its rows; whether it was done, rather than rejected. `done` is asked after
/// the last step.
pub(crate) fn stream(
    database: &Database,
    query: &Query,
    compiled: &mut rusqlite::Statement<'_>,
    statement: Statement<'_>,
    done: impl Fn() -> Done,
    refusal: impl Fn(&rusqlite::Error) -> Result<pb::Rejection, Error>,
) -> Result<bool, ExecuteError> {
    let reads_only = compiled.readonly();
    let mut steps = compiled.raw_query();
    // Columns are read after the first step, which compiles anew when another connection has changed the schema.
    let (rows, kinds) = match steps.next() {
        Err(error) => {
            drop(steps);
            block_on(statement.rejected(refusal(&error)?))?;
            return Ok(false);
        }
        Ok(None) => {
            drop(steps);
            let columns = columns::columns(compiled, None);
            let mut rows = block_on(statement.rows(&columns))?;
            tell_facts(&mut rows, columns::facts(&database.connection, compiled))?;
            block_on(rows.finish(done()))?;
            return Ok(true);
        }
        Ok(Some(row)) => {
            let columns = columns::columns(row.as_ref(), Some(row));
            let kinds: Vec<_> = columns.iter().map(|column| column.kind.clone()).collect();
            let mut rows = block_on(statement.rows(&columns))?;
            if rows.begin_row() {
                tell_row(&mut rows, &kinds, row, &mut String::new())?;
                // The first row is a batch of its own, so nothing waits while the next one is looked for.
                block_on(rows.flush())?;
            }
            tell_facts(&mut rows, columns::facts(&database.connection, row.as_ref()))?;
            (rows, kinds)
        }
    };

    let rest = Rest { rows: Mutex::new(Waiting { rows, since: None }), kinds: &kinds };
    let stepped = rest.step_through(&mut steps, query, reads_only);
    let rows = rest.rows.into_inner().unwrap_or_else(PoisonError::into_inner).rows;
    drop(steps);
    match stepped {
        Ok(()) => {
            block_on(rows.finish(done()))?;
            Ok(true)
        }
        Err(Halt::Refused(error)) => {
            block_on(rows.rejected(refusal(&error)?))?;
            Ok(false)
        }
        Err(Halt::Failed(error)) => Err(error),
    }
}

/// Why the rows ended before their end.
enum Halt {
    Refused(rusqlite::Error),
    Failed(ExecuteError),
}

/// All rows but the first.
struct Rest<'a> {
    rows: Mutex<Waiting<'a>>,
    kinds: &'a [ColumnKind],
}

/// Rows that were told and not yet sent.
struct Waiting<'a> {
    rows: Rows<'a>,
    /// Since when the oldest of them waits.
    since: Option<Instant>,
}

impl Waiting<'_> {
    fn flush(&mut self) -> Result<(), ExecuteError> {
        self.since = None;
        block_on(self.rows.flush())
    }
}

impl<'a> Rest<'a> {
    /// Steps to the end while a second thread sends rows that wait for the next one: SQLite may look for it for hours.
    fn step_through(
        &self,
        steps: &mut rusqlite::Rows<'_>,
        query: &Query,
        reads_only: bool,
    ) -> Result<(), Halt> {
        // One row is the commonest answer and needs no second thread.
        let Some(second) = steps.next().map_err(Halt::Refused)? else { return Ok(()) };
        let mut scratch = String::new();
        if !self.tell(second, &mut scratch)? && reads_only {
            return Ok(());
        }
        let ended = AtomicBool::new(false);
        thread::scope(|scope| {
            let sender = thread::Builder::new()
                .name("sqlite-waiting".into())
                .stack_size(SENDER_STACK_BYTES)
                .spawn_scoped(scope, || self.send_waiting(&ended));
            // Without a second thread rows wait for the next one, and nothing else is lost.
            let _end = End { ended: &ended, thread: sender.as_ref().ok().map(|sender| sender.thread()) };
            while let Some(row) = steps.next().map_err(Halt::Refused)? {
                if reads_only && query.cancelled.is_cancelled() {
                    let interrupted = ffi::Error::new(ffi::SQLITE_INTERRUPT);
                    return Err(Halt::Refused(rusqlite::Error::SqliteFailure(interrupted, None)));
                }
                // A statement that writes is stepped to its end, for one that is left half-way commits what it did.
                if !self.tell(row, &mut scratch)? && reads_only {
                    break;
                }
            }
            Ok(())
        })
    }

    /// Tells one row; false when no further one is wanted.
    fn tell(&self, row: &rusqlite::Row<'_>, scratch: &mut String) -> Result<bool, Halt> {
        let mut waiting = self.lock();
        if !waiting.rows.begin_row() {
            return Ok(false);
        }
        let due = tell_row(&mut waiting.rows, self.kinds, row, scratch).map_err(Halt::Failed)?;
        if due {
            waiting.flush().map_err(Halt::Failed)?;
        } else if waiting.since.is_none() {
            waiting.since = Some(Instant::now());
        }
        Ok(true)
    }

    fn send_waiting(&self, ended: &AtomicBool) {
        while !ended.load(Ordering::Acquire) {
            thread::park_timeout(ROW_WAIT);
            let mut waiting = self.lock();
            if waiting.since.is_some_and(|since| since.elapsed() >= ROW_WAIT) && waiting.flush().is_err() {
                // Nobody listens: the stepping thread is interrupted, or finds out at its next batch.
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<'a>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the second thread however the stepping ends; the scope would wait for it for ever.
struct End<'a> {
    ended: &'a AtomicBool,
    thread: Option<&'a Thread>,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        if let Some(thread) = self.thread {
            thread.unpark();
        }
    }
}

/// Tells the values of a row; whether the batch is due.
fn tell_row(
    rows: &mut Rows<'_>,
    kinds: &[ColumnKind],
    row: &rusqlite::Row<'_>,
    scratch: &mut String,
) -> Result<bool, ExecuteError> {
    for (index, kind) in kinds.iter().enumerate() {
        let value =
            row.get_ref(index).map_err(|error| Error::broken(format!("a value is missing: {error}")))?;
        cell::tell(rows, kind, value, scratch);
    }
    Ok(rows.end_row())
}

fn tell_facts(rows: &mut Rows<'_>, facts: Vec<pb::ColumnFact>) -> Result<(), ExecuteError> {
    if facts.is_empty() { Ok(()) } else { block_on(rows.column_facts(facts)) }
}
