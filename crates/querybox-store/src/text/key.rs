//! The SQL of the key of texts. Each function runs inside the transaction of its caller.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};

use uuid::Uuid;

use super::{SealedTextKey, TextKeyUse};
use crate::{
    Error,
    columns::{self, Time, UuidColumn},
    key::rows::use_for_seal,
};

pub(crate) fn get(db: &rusqlite::Connection) -> Result<Option<SealedTextKey>, Error> {
    let mut statement = db.prepare_cached("SELECT id, key_id, sealed FROM text_key")?;
    let found = statement
        .query_row([], |row| {
            Ok(SealedTextKey {
                id: columns::uuid(row, "id")?,
                key: row.get("key_id")?,
                blob: row.get("sealed")?,
            })
        })
        .optional()?;
    Ok(found)
}

/// Which key there is.
pub(crate) fn id(db: &rusqlite::Connection) -> Result<Option<Uuid>, Error> {
    let mut statement = db.prepare_cached("SELECT id FROM text_key")?;
    Ok(statement.query_row([], |row| columns::uuid(row, "id")).optional()?)
}

/// The key, and how much is sealed with it.
pub(crate) fn usage(db: &rusqlite::Connection) -> Result<Option<TextKeyUse>, Error> {
    let Some(key) = get(db)? else { return Ok(None) };
    let count = |sql: &str| db.query_row(sql, [], |row| columns::count(row, "number_of"));
    Ok(Some(TextKeyUse {
        key,
        drafts: count("SELECT count(*) AS number_of FROM draft WHERE is_sealed")?,
        runs: count("SELECT count(*) AS number_of FROM run WHERE is_sealed")?,
    }))
}

/// Forgets the key.
pub(crate) fn forget(db: &rusqlite::Connection) -> Result<(), Error> {
    db.execute("DELETE FROM text_key", [])?;
    Ok(())
}

pub(crate) fn make(
    db: &rusqlite::Connection,
    key: SealedTextKey,
    now: Timestamp,
) -> Result<SealedTextKey, Error> {
    if let Some(kept) = get(db)? {
        return Ok(kept);
    }
    use_for_seal(db, key.key)?;
    db.prepare_cached(
        "INSERT INTO text_key (only_row, id, sealed, key_id, created_us) VALUES (1, ?1, ?2, ?3, ?4)",
    )?
    .execute(params![UuidColumn(key.id), key.blob, key.key, Time(now)])?;
    Ok(key)
}

pub(crate) fn swap(
    db: &rusqlite::Connection,
    expected: &SealedTextKey,
    key: &SealedTextKey,
) -> Result<bool, Error> {
    use_for_seal(db, key.key)?;
    let changed = db
        .prepare_cached(
            "UPDATE text_key SET sealed = ?1, key_id = ?2 WHERE sealed = ?3 AND key_id = ?4 AND id = ?5",
        )?
        .execute(params![key.blob, key.key, expected.blob, expected.key, UuidColumn(expected.id)])?;
    Ok(changed > 0)
}

/// Forgets a key that seals nothing (any more). True: there is none now.
pub(crate) fn forget_unused(db: &rusqlite::Connection) -> Result<bool, Error> {
    db.execute(
        "DELETE FROM text_key
         WHERE NOT EXISTS (SELECT 1 FROM draft WHERE is_sealed) AND NOT EXISTS (SELECT 1 FROM run WHERE is_sealed)",
        [],
    )?;
    Ok(get(db)?.is_none())
}
