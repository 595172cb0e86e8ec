//! The SQL of drafts. Each function runs inside the transaction of its caller.

use rusqlite::{OptionalExtension as _, Row, params};

use super::{DraftKey, DraftLimits, DraftRow, DraftWrite, NewDraft, Written};
use crate::{
    Error, Owner,
    columns::{self, Count, Time, UuidColumn},
};

const ROW: &str = "id, revision, is_sealed, head, length(body) AS body_bytes, updated_us";

pub(crate) fn all(db: &rusqlite::Connection, owner: &Owner) -> Result<Vec<DraftRow>, Error> {
    let mut statement =
        db.prepare_cached(&format!("SELECT {ROW} FROM draft WHERE owner = ?1 ORDER BY number"))?;
    let found = statement.query_map([owner], row_of)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(crate) fn one(db: &rusqlite::Connection, key: &DraftKey) -> Result<Option<(DraftRow, Written)>, Error> {
    let mut statement =
        db.prepare_cached(&format!("SELECT {ROW}, body FROM draft WHERE owner = ?1 AND id = ?2"))?;
    let found = statement
        .query_row(params![key.owner, UuidColumn(key.id)], |row| Ok((row_of(row)?, written(row, "body")?)))
        .optional()?;
    Ok(found)
}

pub(crate) fn put(
    db: &rusqlite::Connection,
    key: &DraftKey,
    seen: u64,
    draft: &NewDraft,
    limits: DraftLimits,
) -> Result<DraftWrite, Error> {
    if !is_as_seen(db, key, seen)? {
        return Ok(DraftWrite::Changed);
    }
    if draft.text_key.is_some() && super::key::id(db)? != draft.text_key {
        return Ok(DraftWrite::KeyGone);
    }
    let (drafts, bytes) = db
        .prepare_cached(
            "SELECT count(*), coalesce(sum(length(body)), 0) FROM draft WHERE owner = ?1 AND id <> ?2",
        )?
        .query_row(params![key.owner, UuidColumn(key.id)], |row| {
            Ok((row.get::<_, Count>(0)?.0, row.get::<_, Count>(1)?.0))
        })?;
    let body_bytes = draft.body.as_bytes().len() as u64;
    if drafts >= limits.drafts_max || bytes.saturating_add(body_bytes) > limits.bytes_max {
        return Ok(DraftWrite::Full);
    }
    let NewDraft { revision, head, body, updated, .. } = draft;
    db.prepare_cached(
        "INSERT INTO draft (owner, id, revision, is_sealed, head, body, updated_us)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (owner, id) DO UPDATE SET
             revision = excluded.revision, is_sealed = excluded.is_sealed, head = excluded.head,
             body = excluded.body, updated_us = excluded.updated_us",
    )?
    .execute(params![
        key.owner,
        UuidColumn(key.id),
        Count(*revision),
        matches!(body, Written::Sealed(_)),
        head.as_bytes(),
        body.as_bytes(),
        Time(*updated),
    ])?;
    Ok(DraftWrite::Done)
}

pub(crate) fn delete(db: &rusqlite::Connection, key: &DraftKey, seen: u64) -> Result<DraftWrite, Error> {
    if !is_as_seen(db, key, seen)? {
        return Ok(DraftWrite::Changed);
    }
    db.prepare_cached("DELETE FROM draft WHERE owner = ?1 AND id = ?2")?
        .execute(params![key.owner, UuidColumn(key.id)])?;
    Ok(DraftWrite::Done)
}

/// The names of all sealed drafts, of all owners.
pub(crate) fn sealed(db: &rusqlite::Connection) -> Result<Vec<DraftKey>, Error> {
    let mut statement = db.prepare_cached("SELECT owner, id FROM draft WHERE is_sealed ORDER BY number")?;
    let found = statement
        .query_map([], |row| Ok(DraftKey { owner: row.get("owner")?, id: columns::uuid(row, "id")? }))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Forgets all sealed drafts, of all owners.
pub(crate) fn delete_sealed(db: &rusqlite::Connection) -> Result<u64, Error> {
    Ok(db.execute("DELETE FROM draft WHERE is_sealed", [])? as u64)
}

fn is_as_seen(db: &rusqlite::Connection, key: &DraftKey, seen: u64) -> Result<bool, Error> {
    Ok(revision(db, key)? == seen)
}

/// The revision of a draft. 0: there is none.
pub(crate) fn revision(db: &rusqlite::Connection, key: &DraftKey) -> Result<u64, Error> {
    let found: Option<Count> = db
        .prepare_cached("SELECT revision FROM draft WHERE owner = ?1 AND id = ?2")?
        .query_row(params![key.owner, UuidColumn(key.id)], |row| row.get(0))
        .optional()?;
    Ok(found.map_or(0, |Count(revision)| revision))
}

fn row_of(row: &Row<'_>) -> rusqlite::Result<DraftRow> {
    Ok(DraftRow {
        id: columns::uuid(row, "id")?,
        revision: columns::count(row, "revision")?,
        head: written(row, "head")?,
        body_bytes: columns::count(row, "body_bytes")?,
        updated: columns::time(row, "updated_us")?,
    })
}

fn written(row: &Row<'_>, column: &str) -> rusqlite::Result<Written> {
    let bytes = row.get(column)?;
    Ok(if row.get("is_sealed")? { Written::Sealed(bytes) } else { Written::Plain(bytes) })
}
