//! The SQL of credentials. Each function runs inside the transaction of its caller.

use jiff::Timestamp;
use rusqlite::{Row, params, types::Type};

use super::{Credential, CredentialKey, EntryId, Kept, leftovers};
use crate::{
    ConnectionId, Error, KeyId, Owner,
    columns::{self, Time},
    connection, key,
};

const SELECT: &str = "
    SELECT connection_id, owner, field, sealed, key_id, keyring_entry, created_us, updated_us, last_access_us,
           last_rotated_us
    FROM credential";

/// Those of a connection that one owner has, by field.
pub(crate) fn of_owner(
    db: &rusqlite::Connection,
    connection: ConnectionId,
    owner: &Owner,
) -> Result<Vec<Credential>, Error> {
    let sql = format!("{SELECT} WHERE connection_id = ?1 AND owner = ?2 ORDER BY field");
    let mut statement = db.prepare_cached(&sql)?;
    let found = statement.query_map(params![connection, owner], from_row)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Those of all owners of a connection, or of all connections.
pub(crate) fn of(
    db: &rusqlite::Connection,
    connection: Option<ConnectionId>,
) -> Result<Vec<Credential>, Error> {
    let sql = format!("{SELECT} WHERE ?1 IS NULL OR connection_id = ?1 ORDER BY connection_id, owner, field");
    let mut statement = db.prepare_cached(&sql)?;
    let found = statement.query_map([connection], from_row)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(crate) fn one(db: &rusqlite::Connection, key: &CredentialKey) -> Result<Option<Credential>, Error> {
    let sql = format!("{SELECT} WHERE connection_id = ?1 AND owner = ?2 AND field = ?3");
    let mut statement = db.prepare_cached(&sql)?;
    let mut found = statement.query_map(params![key.connection, key.owner, key.field], from_row)?;
    Ok(found.next().transpose()?)
}

/// At most `limit` that are sealed under another key than `key`, after `after` in the order of their names.
pub(crate) fn sealed_otherwise(
    db: &rusqlite::Connection,
    key: KeyId,
    after: Option<&CredentialKey>,
    limit: u32,
) -> Result<Vec<Credential>, Error> {
    let sql = format!(
        "{SELECT}
         WHERE key_id <> ?1 AND (?2 IS NULL OR (connection_id, owner, field) > (?2, ?3, ?4))
         ORDER BY connection_id, owner, field LIMIT ?5"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let found = statement.query_map(
        params![
            key,
            after.map(|after| after.connection),
            after.map(|after| &after.owner),
            after.map(|after| &after.field),
            limit
        ],
        from_row,
    )?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Sets a secret, new or in place of what was `seen`, when the connection is still at `revision`: a secret is meant for the
/// host that was seen.
pub(crate) fn put(
    db: &rusqlite::Connection,
    key: &CredentialKey,
    revision: u64,
    seen: Option<&Kept>,
    kept: &Kept,
    now: Timestamp,
) -> Result<Credential, Error> {
    let changed = || Error::Conflict(key.connection);
    if connection::rows::by_id(db, key.connection)?.revision != revision {
        return Err(changed());
    }
    let before = one(db, key)?;
    let before = before.as_ref().map(|before| &before.kept);
    if before != seen || !settle_place(db, before, kept)? {
        return Err(changed());
    }
    let (sealed, key_id, entry) = columns_of(kept);
    db.prepare_cached(
        "INSERT INTO credential (connection_id, owner, field, sealed, key_id, keyring_entry, created_us, updated_us)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)
         ON CONFLICT (connection_id, owner, field)
         DO UPDATE SET sealed = ?4, key_id = ?5, keyring_entry = ?6, updated_us = ?7",
    )?
    .execute(params![key.connection, key.owner, key.field, sealed, key_id, entry, Time(now)])?;
    one(db, key)?.ok_or_else(|| Error::Storage("a credential is gone in its own transaction".into()))
}

/// Puts the same secret in another place, or under another key, when it is still kept as `expected` says. False: it was
/// set, moved or removed meanwhile, or the plan for its entry was given up.
pub(crate) fn swap(
    db: &rusqlite::Connection,
    key: &CredentialKey,
    expected: &Kept,
    kept: &Kept,
    now: Timestamp,
) -> Result<bool, Error> {
    let is_as_expected = one(db, key)?.is_some_and(|present| present.kept == *expected);
    if !is_as_expected || !settle_place(db, Some(expected), kept)? {
        return Ok(false);
    }
    let (sealed, key_id, entry) = columns_of(kept);
    db.prepare_cached(
        "UPDATE credential SET sealed = ?4, key_id = ?5, keyring_entry = ?6, last_rotated_us = ?7
         WHERE connection_id = ?1 AND owner = ?2 AND field = ?3",
    )?
    .execute(params![key.connection, key.owner, key.field, sealed, key_id, entry, Time(now)])?;
    Ok(true)
}

/// Removes one that is still kept as it was seen.
pub(crate) fn delete(db: &rusqlite::Connection, seen: &Credential) -> Result<(), Error> {
    let key = &seen.key;
    if one(db, key)?.is_none_or(|present| present.kept != seen.kept) {
        return Err(Error::Conflict(key.connection));
    }
    leftovers::add_of(db, key.connection, Some((&key.owner, &key.field)))?;
    db.prepare_cached("DELETE FROM credential WHERE connection_id = ?1 AND owner = ?2 AND field = ?3")?
        .execute(params![key.connection, key.owner, key.field])?;
    Ok(())
}

/// Removes all of a connection, and returns them.
pub(crate) fn delete_all(
    db: &rusqlite::Connection,
    connection: ConnectionId,
) -> Result<Vec<Credential>, Error> {
    let found = of(db, Some(connection))?;
    leftovers::add_of(db, connection, None)?;
    db.prepare_cached("DELETE FROM credential WHERE connection_id = ?1")?.execute([connection])?;
    Ok(found)
}

/// Notes a use of all that an owner has for a connection; as for connections, the latest one counts.
pub(crate) fn touch(
    db: &rusqlite::Connection,
    connection: ConnectionId,
    owner: &Owner,
    used: Timestamp,
) -> Result<(), Error> {
    db.prepare_cached(
        "UPDATE credential SET last_access_us = max(ifnull(last_access_us, ?3), ?3)
         WHERE connection_id = ?1 AND owner = ?2",
    )?
    .execute(params![connection, owner, Time(used)])?;
    Ok(())
}

/// What a change of place means for keys and for the keyring. False, and nothing was done: the plan for the new entry was
/// given up.
fn settle_place(db: &rusqlite::Connection, before: Option<&Kept>, after: &Kept) -> Result<bool, Error> {
    match after {
        Kept::Sealed { key, .. } => key::rows::use_for_seal(db, *key)?,
        Kept::Keyring(entry) if !leftovers::settle(db, *entry)? => return Ok(false),
        Kept::Keyring(_) => {}
    }
    if let Some(entry) = before.and_then(Kept::entry) {
        leftovers::add(db, entry)?;
    }
    Ok(true)
}

fn columns_of(kept: &Kept) -> (Option<&[u8]>, Option<KeyId>, Option<EntryId>) {
    match kept {
        Kept::Sealed { key, blob } => (Some(blob), Some(*key), None),
        Kept::Keyring(entry) => (None, None, Some(*entry)),
    }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Credential> {
    let time = |column: &str| row.get::<_, Option<Time>>(column).map(|time| time.map(|Time(time)| time));
    let kept = match (row.get("key_id")?, row.get("sealed")?, row.get("keyring_entry")?) {
        (Some(key), Some(blob), None) => Kept::Sealed { key, blob },
        (None, None, Some(entry)) => Kept::Keyring(entry),
        _ => {
            let column = row.as_ref().column_index("sealed")?;
            let what = "neither a seal nor an entry of the keyring".to_owned();
            return Err(rusqlite::Error::InvalidColumnType(column, what, Type::Blob));
        }
    };
    Ok(Credential {
        key: CredentialKey {
            connection: row.get("connection_id")?,
            owner: row.get("owner")?,
            field: row.get("field")?,
        },
        kept,
        created: columns::time(row, "created_us")?,
        updated: columns::time(row, "updated_us")?,
        last_access: time("last_access_us")?,
        last_rotated: time("last_rotated_us")?,
    })
}
