//! The history: what ran, how it ended, how much came of it. Never the text of a query.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Row, params};
use uuid::Uuid;

use crate::{
    ConnectionId, DriverType, Error,
    columns::{self, Count, Span, Time, UuidColumn},
};

/// Older runs make room for newer ones: months of a person's work, about one megabyte.
pub const RUNS_MAX: u32 = 10_000;

/// One run of a query or a script, written down when it has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Whose run it was. A leased session has many.
    pub session: Uuid,
    /// `None` for an unsaved connection. May since have been deleted.
    pub connection: Option<ConnectionId>,
    pub driver_type: DriverType,
    /// Kept in whole microseconds.
    pub started: Timestamp,
    pub duration: Duration,
    /// Rows and bytes of all results together.
    pub rows: u64,
    pub bytes: u64,
    pub outcome: Outcome,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// The database refused a statement.
    Rejected,
    /// The machinery failed: driver, network, disk.
    Failed,
    /// A deadline or another limit was reached.
    Limited,
    Canceled,
}

pub(crate) fn insert(db: &rusqlite::Connection, run: &Run) -> Result<(), Error> {
    db.prepare_cached(
        "INSERT INTO run (session_id, connection_id, driver_type, started_us, duration_ns, row_count, byte_count,
                          outcome)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        UuidColumn(run.session),
        run.connection,
        run.driver_type,
        Time(run.started),
        Span(run.duration),
        Count(run.rows),
        Count(run.bytes),
        run.outcome,
    ])?;
    // Numbers have no gaps that matter: a rolled back insert only lets a row go one run earlier.
    db.prepare_cached("DELETE FROM run WHERE number <= ?1")?
        .execute([db.last_insert_rowid() - i64::from(RUNS_MAX)])?;
    Ok(())
}

pub(crate) fn newest(db: &rusqlite::Connection, limit: u32) -> Result<Vec<Run>, Error> {
    let mut statement = db.prepare_cached("SELECT * FROM run ORDER BY number DESC LIMIT ?1")?;
    let runs = statement.query_map([limit], from_row)?.collect::<rusqlite::Result<Vec<Run>>>()?;
    Ok(runs)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Run> {
    Ok(Run {
        session: columns::uuid(row, "session_id")?,
        connection: row.get("connection_id")?,
        driver_type: row.get("driver_type")?,
        started: columns::time(row, "started_us")?,
        duration: row.get("duration_ns").map(|Span(duration)| duration)?,
        rows: columns::count(row, "row_count")?,
        bytes: columns::count(row, "byte_count")?,
        outcome: row.get("outcome")?,
    })
}
