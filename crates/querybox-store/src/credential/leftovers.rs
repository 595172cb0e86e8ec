//! Entries of the operating system's keyring that no credential stands for.

use jiff::Timestamp;
use rusqlite::params;

use super::CredentialKey;
use crate::{ConnectionId, Error, Owner, columns::Time};

/// Notes that an entry is about to be made, or is to be removed. One that is noted already keeps its time.
pub(crate) fn add(db: &rusqlite::Connection, key: &CredentialKey, now: Timestamp) -> Result<(), Error> {
    db.prepare_cached(
        "INSERT INTO keyring_leftover (connection_id, owner, field, since_us) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET since_us = ?4",
    )?
    .execute(params![key.connection, key.owner, key.field, Time(now)])?;
    Ok(())
}

/// As [`add`], unless a credential stands for the entry.
pub(crate) fn plan(db: &rusqlite::Connection, key: &CredentialKey, now: Timestamp) -> Result<(), Error> {
    let stands = "SELECT 1 FROM credential
                  WHERE connection_id = ?1 AND owner = ?2 AND field = ?3 AND sealed IS NULL";
    match db.prepare_cached(stands)?.exists(params![key.connection, key.owner, key.field])? {
        true => Ok(()),
        false => add(db, key, now),
    }
}

/// Notes the entries of a connection's credentials, of one or of all, which are about to be removed.
pub(crate) fn add_of(
    db: &rusqlite::Connection,
    connection: ConnectionId,
    one: Option<(&Owner, &String)>,
    now: Timestamp,
) -> Result<(), Error> {
    db.prepare_cached(
        "INSERT INTO keyring_leftover (connection_id, owner, field, since_us)
         SELECT connection_id, owner, field, ?4 FROM credential
         WHERE connection_id = ?1 AND sealed IS NULL AND (?2 IS NULL OR (owner = ?2 AND field = ?3))
         ON CONFLICT DO UPDATE SET since_us = ?4",
    )?
    .execute(params![
        connection,
        one.map(|(owner, _)| owner),
        one.map(|(_, field)| field),
        Time(now)
    ])?;
    Ok(())
}

/// The entry is gone, or a credential stands for it.
pub(crate) fn remove(db: &rusqlite::Connection, key: &CredentialKey) -> Result<(), Error> {
    db.prepare_cached("DELETE FROM keyring_leftover WHERE connection_id = ?1 AND owner = ?2 AND field = ?3")?
        .execute(params![key.connection, key.owner, key.field])?;
    Ok(())
}

/// Those noted before a time, oldest first.
pub(crate) fn before(db: &rusqlite::Connection, time: Timestamp) -> Result<Vec<CredentialKey>, Error> {
    let mut statement = db.prepare_cached(
        "SELECT connection_id, owner, field FROM keyring_leftover WHERE since_us < ?1 ORDER BY since_us",
    )?;
    let found = statement.query_map([Time(time)], |row| {
        Ok(CredentialKey {
            connection: row.get("connection_id")?,
            owner: row.get("owner")?,
            field: row.get("field")?,
        })
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}
