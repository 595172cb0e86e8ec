//! The SQL of keys. Each function runs inside the transaction of its caller.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::{Key, KeyId, KeyRecord, KeyState, Registering};
use crate::{
    Error,
    columns::{self, Time},
    text,
};

const SELECT: &str = "
    SELECT id, salt, check_value, state, created_us, emptied_us, retired_us,
           (SELECT count(*) FROM credential WHERE key_id = master_key.id)
           + (SELECT count(*) FROM text_key WHERE key_id = master_key.id) AS credential_count
    FROM master_key";

/// All keys, the oldest first.
pub(crate) fn all(db: &rusqlite::Connection) -> Result<Vec<Key>, Error> {
    let mut statement = db.prepare_cached(&format!("{SELECT} ORDER BY created_us, id"))?;
    let found = statement.query_map([], from_row)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(crate) fn by_id(db: &rusqlite::Connection, id: KeyId) -> Result<Key, Error> {
    let mut statement = db.prepare_cached(&format!("{SELECT} WHERE id = ?1"))?;
    statement.query_map([id], from_row)?.next().ok_or(Error::NoKey(id))?.map_err(Error::from)
}

/// Sees to it that a key may be registered.
pub(crate) fn make_room(db: &rusqlite::Connection, registering: Registering) -> Result<(), Error> {
    match registering {
        Registering::Beside => {}
        Registering::First => {
            if db.prepare_cached("SELECT 1 FROM master_key")?.exists([])? {
                return Err(Error::KeysPresent);
            }
        }
        Registering::ReplacingUnused => {
            // Secrets at rest are in this table, and beside it the key of texts, which goes when it seals none.
            let texts = !text::key::forget_unused(db)?;
            let credentials = db.query_row(
                "SELECT count(*) AS credential_count FROM credential WHERE key_id IS NOT NULL",
                [],
                |row| columns::count(row, "credential_count"),
            )?;
            if credentials > 0 || texts {
                return Err(Error::KeysUsed { credentials, texts });
            }
            // A retired key stays known, so that it never comes back.
            db.execute("DELETE FROM master_key WHERE state <> ?1", [KeyState::Retired])?;
        }
    }
    Ok(())
}

/// Registers a key: as the primary one where there is none.
pub(crate) fn insert(db: &rusqlite::Connection, record: &KeyRecord, now: Timestamp) -> Result<Key, Error> {
    let is_primary = "SELECT 1 FROM master_key WHERE state = ?1";
    let state = match db.prepare_cached(is_primary)?.exists([KeyState::Primary])? {
        true => KeyState::DecryptOnly,
        false => KeyState::Primary,
    };
    db.prepare_cached(
        "INSERT INTO master_key (id, salt, check_value, state, created_us) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![record.id, record.salt, record.check, state, Time(now)])?;
    by_id(db, record.id)
}

/// Makes a key the primary one, and the present one decrypt-only.
pub(crate) fn promote(db: &rusqlite::Connection, id: KeyId) -> Result<(), Error> {
    match by_id(db, id)?.state {
        KeyState::Primary => return Ok(()),
        KeyState::Retired => return Err(Error::KeyRetired(id)),
        KeyState::DecryptOnly => {}
    }
    db.execute(
        "UPDATE master_key SET state = ?1 WHERE state = ?2",
        [KeyState::DecryptOnly, KeyState::Primary],
    )?;
    db.execute(
        "UPDATE master_key SET state = ?1, emptied_us = NULL WHERE id = ?2",
        params![KeyState::Primary, id],
    )?;
    Ok(())
}

/// Notes that nothing is sealed under a key, as far as that is so.
pub(crate) fn mark_emptied(db: &rusqlite::Connection, now: Timestamp) -> Result<(), Error> {
    db.prepare_cached(
        "UPDATE master_key SET emptied_us = ?1
         WHERE state = ?2 AND emptied_us IS NULL
               AND NOT EXISTS (SELECT 1 FROM credential WHERE key_id = master_key.id)
               AND NOT EXISTS (SELECT 1 FROM text_key WHERE key_id = master_key.id)",
    )?
    .execute(params![Time(now), KeyState::DecryptOnly])?;
    Ok(())
}

/// Sees to it that nothing is ever sealed under a key again. It must be empty, and a rotation must have said so.
pub(crate) fn retire(db: &rusqlite::Connection, id: KeyId, now: Timestamp) -> Result<Key, Error> {
    let key = by_id(db, id)?;
    match key.state {
        KeyState::Retired => return Ok(key),
        KeyState::DecryptOnly if key.credentials == 0 && key.emptied.is_some() => {}
        KeyState::Primary | KeyState::DecryptOnly => {
            return Err(Error::KeyInUse { id, credentials: key.credentials });
        }
    }
    db.execute(
        "UPDATE master_key SET state = ?1, retired_us = ?2 WHERE id = ?3",
        params![KeyState::Retired, Time(now), id],
    )?;
    by_id(db, id)
}

/// A secret is about to be sealed under a key.
pub(crate) fn use_for_seal(db: &rusqlite::Connection, id: KeyId) -> Result<(), Error> {
    let state: Option<KeyState> = db
        .prepare_cached("SELECT state FROM master_key WHERE id = ?1")?
        .query_map([id], |row| row.get(0))?
        .next()
        .transpose()?;
    match state {
        None => Err(Error::NoKey(id)),
        Some(KeyState::Retired) => Err(Error::KeyRetired(id)),
        Some(KeyState::Primary | KeyState::DecryptOnly) => {
            db.prepare_cached(
                "UPDATE master_key SET emptied_us = NULL WHERE id = ?1 AND emptied_us IS NOT NULL",
            )?
            .execute([id])?;
            Ok(())
        }
    }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Key> {
    let time = |column: &str| row.get::<_, Option<Time>>(column).map(|time| time.map(|Time(time)| time));
    Ok(Key {
        record: KeyRecord { id: row.get("id")?, salt: row.get("salt")?, check: row.get("check_value")? },
        state: row.get("state")?,
        created: columns::time(row, "created_us")?,
        emptied: time("emptied_us")?,
        retired: time("retired_us")?,
        credentials: columns::count(row, "credential_count")?,
    })
}
