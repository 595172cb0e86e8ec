//! The SQL of the history. Each function runs inside the transaction of its caller.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, params, params_from_iter, types::Value};
use uuid::Uuid;

use super::{
    ListedRun, Outcome, Run, RunChoice, RunCursor, RunEnd, RunFilter, RunLimits, RunText, SealedRun,
};
use crate::{
    Error, Owner, Written,
    columns::{self, Count, Span, Time, UuidColumn},
    text,
};

/// Of so many runs that are written, one looks whether all texts together are too long: that reads all rows.
const TEXTS_LOOKED_AT_EACH: i64 = 64;

/// What is sealed with a key of texts that is not there any more is left out: nobody could ever open it.
pub(crate) fn insert(
    db: &rusqlite::Connection,
    run: &Run,
    text: Option<&RunText>,
    limits: RunLimits,
    now: Timestamp,
) -> Result<(), Error> {
    let text = match text {
        Some(RunText { text_key: Some(key), .. }) if text::key::id(db)? != Some(*key) => None,
        Some(text) => Some(&text.written),
        None => None,
    };
    let RunEnd { outcome, error_code, duration, rows, bytes } = &run.end;
    db.prepare_cached(
        "INSERT INTO run (id, owner, session_id, connection_id, connection_name, driver_type, started_us, duration_ns,
                          row_count, byte_count, outcome, error_code, text_bytes, is_sealed, text)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?
    .execute(params![
        UuidColumn(run.id),
        run.owner,
        UuidColumn(run.session),
        run.connection,
        run.connection_name,
        run.driver_type,
        Time(run.started),
        Span(*duration),
        Count(*rows),
        Count(*bytes),
        outcome,
        error_code,
        Count(run.text_bytes),
        matches!(text, Some(Written::Sealed(_))),
        text.map(Written::as_bytes),
    ])?;
    let number = db.last_insert_rowid();
    trim(db, limits, now, number)?;
    if number % TEXTS_LOOKED_AT_EACH == 0 {
        trim_texts(db, limits)?;
    }
    Ok(())
}

/// Removes what is too old or too much. `number`: of the newest run.
fn trim(db: &rusqlite::Connection, limits: RunLimits, now: Timestamp, number: i64) -> Result<(), Error> {
    // Numbers have no gaps that matter: a rolled back insert only lets a row go one run earlier.
    db.prepare_cached("DELETE FROM run WHERE number <= ?1")?
        .execute([number - i64::from(limits.runs_max)])?;
    // A time before all times: nothing is that old.
    if let Ok(oldest) = now.checked_sub(limits.age_max) {
        db.prepare_cached("DELETE FROM run WHERE started_us < ?1")?.execute([Time(oldest)])?;
    }
    Ok(())
}

fn trim_texts(db: &rusqlite::Connection, limits: RunLimits) -> Result<(), Error> {
    let too_old: Option<i64> = db
        .prepare_cached(
            "SELECT max(number) FROM
                 (SELECT number, sum(ifnull(length(text), 0)) OVER (ORDER BY number DESC) AS total FROM run)
             WHERE total > ?1",
        )?
        .query_row([i64::try_from(limits.texts_bytes_max).unwrap_or(i64::MAX)], |row| row.get(0))?;
    if let Some(number) = too_old {
        db.execute("DELETE FROM run WHERE number <= ?1", [number])?;
    }
    Ok(())
}

/// Removes what is too old or too much.
pub(crate) fn trim_all(db: &rusqlite::Connection, limits: RunLimits, now: Timestamp) -> Result<(), Error> {
    let newest: Option<i64> = db.query_row("SELECT max(number) FROM run", [], |row| row.get(0))?;
    let Some(newest) = newest else { return Ok(()) };
    trim(db, limits, now, newest)?;
    trim_texts(db, limits)
}

/// Notes how a run ended, unless it was forgotten meanwhile.
pub(crate) fn finish(db: &rusqlite::Connection, id: Uuid, end: &RunEnd) -> Result<(), Error> {
    let RunEnd { outcome, error_code, duration, rows, bytes } = end;
    db.prepare_cached(
        "UPDATE run SET outcome = ?2, error_code = ?3, duration_ns = ?4, row_count = ?5, byte_count = ?6
         WHERE id = ?1",
    )?
    .execute(params![
        UuidColumn(id),
        outcome,
        error_code,
        Span(*duration),
        Count(*rows),
        Count(*bytes)
    ])?;
    Ok(())
}

/// Runs that a filter lets through, the one that began last first.
pub(crate) fn list(
    db: &rusqlite::Connection,
    filter: &RunFilter,
    after: Option<RunCursor>,
    limit: u32,
) -> Result<Vec<ListedRun>, Error> {
    let mut sql = "SELECT * FROM run WHERE owner = ?".to_owned();
    let mut values = vec![Value::Text(filter.owner.as_str().to_owned())];
    if let Some(connection) = filter.connection {
        sql.push_str(" AND connection_id = ?");
        values.push(Value::Blob(connection.as_uuid().as_bytes().to_vec()));
    }
    if let Some(since) = filter.since {
        sql.push_str(" AND started_us >= ?");
        values.push(Value::Integer(since.as_microsecond()));
    }
    if let Some(before) = filter.before {
        sql.push_str(" AND started_us < ?");
        values.push(Value::Integer(before.as_microsecond()));
    }
    if let Some(RunCursor { started_us, number }) = after {
        sql.push_str(" AND (started_us, number) < (?, ?)");
        values.extend([Value::Integer(started_us), Value::Integer(number)]);
    }
    if !filter.outcomes.is_empty() {
        let signs = vec!["?"; filter.outcomes.len()].join(", ");
        sql.push_str(&format!(" AND outcome IN ({signs})"));
        values.extend(filter.outcomes.iter().map(|outcome| Value::Text(outcome.word().to_owned())));
    }
    sql.push_str(" ORDER BY started_us DESC, number DESC LIMIT ?");
    values.push(Value::Integer(limit.into()));
    let mut statement = db.prepare_cached(&sql)?;
    let found = statement.query_map(params_from_iter(values), listed)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(crate) fn one(db: &rusqlite::Connection, owner: &Owner, id: Uuid) -> Result<Option<ListedRun>, Error> {
    let mut statement = db.prepare_cached("SELECT * FROM run WHERE owner = ?1 AND id = ?2")?;
    Ok(statement.query_row(params![owner, UuidColumn(id)], listed).optional()?)
}

/// Forgets runs, and answers how many there were.
pub(crate) fn delete(db: &rusqlite::Connection, owner: &Owner, choice: &RunChoice) -> Result<u64, Error> {
    let count = match choice {
        RunChoice::Ids(ids) => {
            let mut statement = db.prepare_cached("DELETE FROM run WHERE owner = ?1 AND id = ?2")?;
            let mut count = 0;
            for id in ids {
                count += statement.execute(params![owner, UuidColumn(*id)])?;
            }
            count
        }
        RunChoice::Before(time) => {
            db.execute("DELETE FROM run WHERE owner = ?1 AND started_us < ?2", params![owner, Time(*time)])?
        }
        RunChoice::Of(connection) => {
            db.execute("DELETE FROM run WHERE owner = ?1 AND connection_id = ?2", params![owner, connection])?
        }
        RunChoice::All => db.execute("DELETE FROM run WHERE owner = ?1", [owner])?,
    };
    Ok(count as u64)
}

/// Sealed texts of all owners, a piece at a time. `after`: the number of the last one that was seen.
pub(crate) fn sealed(db: &rusqlite::Connection, after: i64, limit: u32) -> Result<Vec<SealedRun>, Error> {
    let mut statement = db.prepare_cached(
        "SELECT number, owner, id, text FROM run WHERE is_sealed AND number > ?1 ORDER BY number LIMIT ?2",
    )?;
    let found = statement.query_map(params![after, limit], |row| {
        Ok(SealedRun {
            number: row.get("number")?,
            owner: row.get("owner")?,
            id: columns::uuid(row, "id")?,
            blob: row.get("text")?,
        })
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Forgets the sealed texts of runs, which stay. `None`: of all.
pub(crate) fn forget_sealed(db: &rusqlite::Connection, ids: Option<&[Uuid]>) -> Result<u64, Error> {
    const FORGET: &str = "UPDATE run SET text = NULL, is_sealed = 0 WHERE is_sealed";
    let Some(ids) = ids else { return Ok(db.execute(FORGET, [])? as u64) };
    let mut statement = db.prepare_cached(&format!("{FORGET} AND id = ?1"))?;
    let mut count = 0;
    for id in ids {
        count += statement.execute([UuidColumn(*id)])?;
    }
    Ok(count as u64)
}

fn listed(row: &Row<'_>) -> rusqlite::Result<ListedRun> {
    let text: Option<Vec<u8>> = row.get("text")?;
    let is_sealed = row.get("is_sealed")?;
    Ok(ListedRun {
        run: from_row(row)?,
        text: text.map(|bytes| if is_sealed { Written::Sealed(bytes) } else { Written::Plain(bytes) }),
        cursor: RunCursor { started_us: row.get("started_us")?, number: row.get("number")? },
    })
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Run> {
    Ok(Run {
        id: columns::uuid(row, "id")?,
        owner: row.get("owner")?,
        session: columns::uuid(row, "session_id")?,
        connection: row.get("connection_id")?,
        connection_name: row.get("connection_name")?,
        driver_type: row.get("driver_type")?,
        started: columns::time(row, "started_us")?,
        text_bytes: columns::count(row, "text_bytes")?,
        end: RunEnd {
            outcome: row.get::<_, Outcome>("outcome")?,
            error_code: row.get("error_code")?,
            duration: row.get("duration_ns").map(|Span(duration)| duration)?,
            rows: columns::count(row, "row_count")?,
            bytes: columns::count(row, "byte_count")?,
        },
    })
}
