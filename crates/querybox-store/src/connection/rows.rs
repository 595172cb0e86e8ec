//! The SQL of connections. Each function runs inside the transaction of its caller.

use jiff::Timestamp;
use rusqlite::{CachedStatement, Row, ToSql, named_params, params};

use crate::{
    Connection, ConnectionId, ConnectionName, ConnectionSettings, Deadline, Error, Parameter,
    columns::{self, Count, Span, Time},
};

const SELECT: &str = "
    SELECT id, revision, name, driver_type, folder, environment, read_only, deadline, deadline_ns, rows_max,
           bytes_max, startup_sql, default_schema, secret_place, secret_scope, history, created_us, updated_us,
           last_access_us
    FROM connection";

pub(crate) fn by_id(db: &rusqlite::Connection, id: ConnectionId) -> Result<Connection, Error> {
    one(db, "WHERE id = ?1", &id)?.ok_or_else(|| Error::NotFound(id.to_string()))
}

pub(crate) fn by_name(db: &rusqlite::Connection, name: &ConnectionName) -> Result<Connection, Error> {
    one(db, "WHERE name_key = ?1", &name.derive_key())?.ok_or_else(|| Error::NotFound(name.to_string()))
}

/// All connections, by folder, then by name without case.
pub(crate) fn all(db: &rusqlite::Connection) -> Result<Vec<Connection>, Error> {
    let mut statement = db.prepare_cached(&format!("{SELECT} ORDER BY folder, name_key"))?;
    let mut connections =
        statement.query_map([], from_row)?.collect::<rusqlite::Result<Vec<Connection>>>()?;
    for connection in &mut connections {
        connection.settings.parameters = parameters(db, connection.id)?;
    }
    Ok(connections)
}

pub(crate) fn insert(
    db: &rusqlite::Connection,
    id: ConnectionId,
    settings: &ConnectionSettings,
    now: Timestamp,
) -> Result<Connection, Error> {
    let statement = db.prepare_cached(
        "INSERT INTO connection (id, revision, name, name_key, driver_type, folder, environment, read_only,
                                 deadline, deadline_ns, rows_max, bytes_max, startup_sql, default_schema,
                                 secret_place, secret_scope, history, created_us, updated_us)
         VALUES (:id, 1, :name, :name_key, :driver_type, :folder, :environment, :read_only, :deadline,
                 :deadline_ns, :rows_max, :bytes_max, :startup_sql, :default_schema, :secret_place, :secret_scope,
                 :history, :now, :now)",
    )?;
    write_settings(statement, id, settings, now)?;
    insert_parameters(db, id, &settings.parameters)?;
    by_id(db, id)
}

pub(crate) fn update(
    db: &rusqlite::Connection,
    id: ConnectionId,
    revision: u64,
    settings: &ConnectionSettings,
    now: Timestamp,
) -> Result<Connection, Error> {
    let present = by_id(db, id)?;
    if present.revision != revision {
        return Err(Error::Conflict(id));
    }
    let statement = db.prepare_cached(
        "UPDATE connection
         SET revision = revision + 1, name = :name, name_key = :name_key, driver_type = :driver_type,
             folder = :folder, environment = :environment, read_only = :read_only, deadline = :deadline,
             deadline_ns = :deadline_ns, rows_max = :rows_max, bytes_max = :bytes_max,
             startup_sql = :startup_sql, default_schema = :default_schema, secret_place = :secret_place,
             secret_scope = :secret_scope, history = :history, updated_us = :now
         WHERE id = :id",
    )?;
    write_settings(statement, id, settings, now)?;
    db.execute("DELETE FROM parameter WHERE connection_id = ?1", [id])?;
    insert_parameters(db, id, &settings.parameters)?;
    by_id(db, id)
}

pub(crate) fn delete(db: &rusqlite::Connection, id: ConnectionId) -> Result<(), Error> {
    match db.execute("DELETE FROM connection WHERE id = ?1", [id])? {
        0 => Err(Error::NotFound(id.to_string())),
        _ => Ok(()),
    }
}

/// Notes a use. The latest one counts, whatever the order they are written in; a connection deleted meanwhile is no
/// error.
pub(crate) fn touch(db: &rusqlite::Connection, id: ConnectionId, used: Timestamp) -> Result<(), Error> {
    db.prepare_cached(
        "UPDATE connection SET last_access_us = max(ifnull(last_access_us, ?2), ?2) WHERE id = ?1",
    )?
    .execute(params![id, Time(used)])?;
    Ok(())
}

fn one(db: &rusqlite::Connection, filter: &str, value: &dyn ToSql) -> Result<Option<Connection>, Error> {
    let mut statement = db.prepare_cached(&format!("{SELECT} {filter}"))?;
    let Some(found) = statement.query_map([value], from_row)?.next() else {
        return Ok(None);
    };
    let mut connection = found?;
    connection.settings.parameters = parameters(db, connection.id)?;
    Ok(Some(connection))
}

fn parameters(db: &rusqlite::Connection, id: ConnectionId) -> rusqlite::Result<Vec<Parameter>> {
    db.prepare_cached("SELECT name, value FROM parameter WHERE connection_id = ?1 ORDER BY position")?
        .query_map([id], |row| Ok(Parameter { name: row.get("name")?, value: row.get("value")? }))?
        .collect()
}

/// Runs a statement whose parameters are the settings, the id and the time.
fn write_settings(
    mut statement: CachedStatement<'_>,
    id: ConnectionId,
    settings: &ConnectionSettings,
    now: Timestamp,
) -> Result<(), Error> {
    let written = statement.execute(named_params! {
        ":id": id,
        ":name": settings.name,
        ":name_key": settings.name.derive_key(),
        ":driver_type": settings.driver_type,
        ":folder": settings.folder,
        ":environment": settings.environment,
        ":read_only": settings.read_only,
        ":deadline": deadline_word(settings.deadline),
        ":deadline_ns": deadline_span(settings.deadline),
        ":rows_max": settings.rows_max.map(Count),
        ":bytes_max": settings.bytes_max.map(Count),
        ":startup_sql": settings.startup_sql,
        ":default_schema": settings.default_schema,
        ":secret_place": settings.secret_place,
        ":secret_scope": settings.secret_scope,
        ":history": settings.history,
        ":now": Time(now),
    });
    match written {
        Ok(_) => Ok(()),
        // The name is the only thing besides the id that two connections can clash in, and ids are primary keys.
        Err(source) if is_unique_violation(&source) => Err(Error::NameTaken(settings.name.clone())),
        Err(source) => Err(source.into()),
    }
}

fn is_unique_violation(error: &rusqlite::Error) -> bool {
    error.sqlite_extended_error_code() == Some(rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE)
}

fn insert_parameters(
    db: &rusqlite::Connection,
    id: ConnectionId,
    parameters: &[Parameter],
) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached(
        "INSERT INTO parameter (connection_id, position, name, value) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for (position, Parameter { name, value }) in (0_i64..).zip(parameters) {
        statement.execute(params![id, position, name, value])?;
    }
    Ok(())
}

/// Without the parameters, which have a table of their own.
fn from_row(row: &Row<'_>) -> rusqlite::Result<Connection> {
    Ok(Connection {
        id: row.get("id")?,
        revision: columns::count(row, "revision")?,
        settings: ConnectionSettings {
            name: row.get("name")?,
            driver_type: row.get("driver_type")?,
            parameters: Vec::new(),
            folder: row.get("folder")?,
            environment: row.get("environment")?,
            read_only: row.get("read_only")?,
            deadline: deadline(row)?,
            rows_max: row.get::<_, Option<Count>>("rows_max")?.map(|Count(rows)| rows),
            bytes_max: row.get::<_, Option<Count>>("bytes_max")?.map(|Count(bytes)| bytes),
            startup_sql: row.get("startup_sql")?,
            default_schema: row.get("default_schema")?,
            secret_place: row.get("secret_place")?,
            secret_scope: row.get("secret_scope")?,
            history: row.get("history")?,
        },
        created: columns::time(row, "created_us")?,
        updated: columns::time(row, "updated_us")?,
        last_access: row.get::<_, Option<Time>>("last_access_us")?.map(|Time(used)| used),
    })
}

fn deadline_word(deadline: Deadline) -> &'static str {
    match deadline {
        Deadline::Default => "default",
        Deadline::None => "none",
        Deadline::After(_) => "after",
    }
}

fn deadline_span(deadline: Deadline) -> Option<Span> {
    match deadline {
        Deadline::Default | Deadline::None => None,
        Deadline::After(span) => Some(Span(span)),
    }
}

fn deadline(row: &Row<'_>) -> rusqlite::Result<Deadline> {
    let word: String = row.get("deadline")?;
    match word.as_str() {
        "default" => Ok(Deadline::Default),
        "none" => Ok(Deadline::None),
        "after" => row.get("deadline_ns").map(|Span(span)| Deadline::After(span)),
        _ => Err(rusqlite::Error::InvalidColumnType(
            row.as_ref().column_index("deadline")?,
            format!("deadline {word:?}"),
            rusqlite::types::Type::Text,
        )),
    }
}
