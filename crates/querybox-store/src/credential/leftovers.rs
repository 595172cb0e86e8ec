//! Entries of the operating system's keyring that no credential names.

use std::ops::Range;

use jiff::Timestamp;
use rusqlite::params;

use super::EntryId;
use crate::{ConnectionId, Error, Owner, columns::Time};

/// Makes the name of an entry that is about to be made.
pub(crate) fn plan(db: &rusqlite::Connection, now: Timestamp) -> Result<EntryId, Error> {
    let mut statement = db.prepare_cached(
        "INSERT INTO keyring_leftover (entry, planned_us) VALUES (randomblob(16), ?1) RETURNING entry",
    )?;
    Ok(statement.query_row([Time(now)], |row| row.get(0))?)
}

/// A credential is about to name a planned entry. False: the plan was given up.
pub(crate) fn settle(db: &rusqlite::Connection, entry: EntryId) -> Result<bool, Error> {
    let settled = db
        .prepare_cached("DELETE FROM keyring_leftover WHERE entry = ?1 AND planned_us IS NOT NULL")?
        .execute([entry])?;
    Ok(settled > 0)
}

/// An entry is to be removed, unless a credential names it. False: one does.
pub(crate) fn give_up(db: &rusqlite::Connection, entry: EntryId) -> Result<bool, Error> {
    let given_up = db
        .prepare_cached(
            "INSERT INTO keyring_leftover (entry, planned_us)
             SELECT ?1, NULL WHERE NOT EXISTS (SELECT 1 FROM credential WHERE keyring_entry = ?1)
             ON CONFLICT DO UPDATE SET planned_us = NULL",
        )?
        .execute([entry])?;
    Ok(given_up > 0)
}

/// The entry of a credential that names another place now is to be removed.
pub(crate) fn add(db: &rusqlite::Connection, entry: EntryId) -> Result<(), Error> {
    db.prepare_cached("INSERT INTO keyring_leftover (entry, planned_us) VALUES (?1, NULL)")?
        .execute([entry])?;
    Ok(())
}

/// The entries of a connection's credentials, of one or of all, which are about to go, are to be removed.
pub(crate) fn add_of(
    db: &rusqlite::Connection,
    connection: ConnectionId,
    one: Option<(&Owner, &String)>,
) -> Result<(), Error> {
    db.prepare_cached(
        "INSERT INTO keyring_leftover (entry, planned_us)
         SELECT keyring_entry, NULL FROM credential
         WHERE connection_id = ?1 AND keyring_entry IS NOT NULL AND (?2 IS NULL OR (owner = ?2 AND field = ?3))",
    )?
    .execute(params![connection, one.map(|(owner, _)| owner), one.map(|(_, field)| field)])?;
    Ok(())
}

/// The entry is gone.
pub(crate) fn remove(db: &rusqlite::Connection, entry: EntryId) -> Result<(), Error> {
    db.prepare_cached("DELETE FROM keyring_leftover WHERE entry = ?1")?.execute([entry])?;
    Ok(())
}

/// Those that are to be removed, or were planned at a time that is not in `spared`.
const DUE: &str = "(planned_us IS NULL OR planned_us < ?1 OR planned_us >= ?2)
                   AND NOT EXISTS (SELECT 1 FROM credential WHERE keyring_entry = entry)";

pub(crate) fn count_due(db: &rusqlite::Connection, spared: &Range<Timestamp>) -> Result<usize, Error> {
    let sql = format!("SELECT count(*) FROM keyring_leftover WHERE {DUE}");
    let count: i64 =
        db.prepare_cached(&sql)?.query_row([Time(spared.start), Time(spared.end)], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// Gives the plans up that are due, and answers with all that is to be removed.
pub(crate) fn claim(db: &rusqlite::Connection, spared: &Range<Timestamp>) -> Result<Vec<EntryId>, Error> {
    let sql = format!("UPDATE keyring_leftover SET planned_us = NULL WHERE {DUE} RETURNING entry");
    let mut statement = db.prepare_cached(&sql)?;
    let claimed = statement.query_map([Time(spared.start), Time(spared.end)], |row| row.get(0))?;
    Ok(claimed.collect::<rusqlite::Result<_>>()?)
}
