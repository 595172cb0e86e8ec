//! SQLite's catalog: its pragmas as tables, with names given as values.

use std::collections::{BTreeMap, HashMap};

use querybox_plugin::pb;
use rusqlite::{Connection, Params, Row, types::ValueRef};

use super::definition;

/// A table, view or virtual table.
pub(super) struct Relation {
    pub(super) name: String,
    pub(super) kind: pb::RelationKind,
    /// SQLite's own, or what a virtual table keeps its rows in.
    pub(super) is_system: bool,
}

pub(super) struct Column {
    pub(super) name: String,
    /// From 1.
    pub(super) position: u32,
    pub(super) database_type: String,
    pub(super) not_null: bool,
    pub(super) default: Option<String>,
    pub(super) generated: pb::Generated,
    /// From 1; 0 when it is not in the primary key.
    pub(super) key_position: u32,
}

pub(super) struct Index {
    pub(super) name: String,
    pub(super) unique: bool,
    /// `c` by CREATE INDEX, `u` by UNIQUE, `pk` by PRIMARY KEY.
    pub(super) origin: String,
    pub(super) columns: Vec<String>,
}

#[derive(Default)]
pub(super) struct ForeignKey {
    pub(super) parent: String,
    pub(super) columns: Vec<String>,
    pub(super) parent_columns: Vec<String>,
    pub(super) actions: String,
}

/// main, temp when it holds something, and what is attached.
pub(super) fn schemas(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    all(connection, "SELECT name FROM pragma_database_list ORDER BY seq", [], |row| text(row, 0))
}

/// The texts that made a schema's tables, views and indexes, by name: they share one space of names.
pub(super) fn definitions(
    connection: &Connection,
    schema: &str,
) -> rusqlite::Result<HashMap<String, String>> {
    let sql = format!(
        "SELECT name, sql FROM {}.sqlite_schema WHERE type <> 'trigger' AND sql IS NOT NULL",
        quoted(schema)
    );
    Ok(all(connection, &sql, [], |row| Ok((text(row, 0)?, text(row, 1)?)))?.into_iter().collect())
}

/// The triggers of a schema in the order in which they were made, by the table or view that they watch: names and texts.
pub(super) fn triggers(
    connection: &Connection,
    schema: &str,
) -> rusqlite::Result<HashMap<String, Vec<(String, String)>>> {
    let sql = format!(
        "SELECT tbl_name, name, sql FROM {}.sqlite_schema WHERE type = 'trigger' ORDER BY rowid",
        quoted(schema)
    );
    let mut triggers = HashMap::<_, Vec<_>>::new();
    for (table, trigger) in
        all(connection, &sql, [], |row| Ok((text(row, 0)?, (text(row, 1)?, text(row, 2)?))))?
    {
        triggers.entry(table).or_default().push(trigger);
    }
    Ok(triggers)
}

/// A table, view, index or trigger with its text, which an index that a constraint made has none of.
pub(super) struct Entry {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) table: String,
    pub(super) sql: Option<String>,
}

/// What a schema has under a name, and what belongs to that, in the order in which it was made.
pub(super) fn entries(connection: &Connection, schema: &str, name: &str) -> rusqlite::Result<Vec<Entry>> {
    let sql = format!(
        "SELECT type, name, tbl_name, sql FROM {}.sqlite_schema WHERE name = ?1 OR tbl_name = ?1 ORDER BY rowid",
        quoted(schema)
    );
    all(connection, &sql, [name], |row| {
        Ok(Entry {
            kind: text(row, 0)?,
            name: text(row, 1)?,
            table: text(row, 2)?,
            sql: optional_text(row, 3)?,
        })
    })
}

pub(super) fn relations(connection: &Connection, schema: &str) -> rusqlite::Result<Vec<Relation>> {
    let sql = "SELECT name, type FROM pragma_table_list WHERE schema = ?1 ORDER BY name";
    all(connection, sql, [schema], |row| {
        let (name, kind) = (text(row, 0)?, text(row, 1)?);
        Ok(Relation {
            kind: match kind.as_str() {
                "view" => pb::RelationKind::View,
                "virtual" => pb::RelationKind::VirtualTable,
                _ => pb::RelationKind::Table,
            },
            is_system: kind == "shadow"
                || name.get(..7).is_some_and(|prefix| prefix.eq_ignore_ascii_case("sqlite_")),
            name,
        })
    })
}

/// Rows of each table as ANALYZE counted them.
pub(super) fn row_estimates(connection: &Connection, schema: &str) -> rusqlite::Result<HashMap<String, u64>> {
    let sql = format!("SELECT tbl, stat FROM {}.sqlite_stat1", quoted(schema));
    let mut estimates = HashMap::new();
    for (table, stat) in all(connection, &sql, [], |row| Ok((text(row, 0)?, optional_text(row, 1)?)))? {
        // The first number is the rows of the index, which a partial one has fewer of.
        let rows = stat.as_deref().and_then(|stat| stat.split(' ').next()?.parse::<u64>().ok());
        if let Some(rows) = rows {
            let known = estimates.entry(table).or_insert(rows);
            *known = rows.max(*known);
        }
    }
    Ok(estimates)
}

pub(super) fn columns(
    connection: &Connection,
    schema: &str,
    relation: &Relation,
) -> rusqlite::Result<Vec<Column>> {
    // Hidden columns of virtual tables (1) are arguments of the module; 2 and 3 are generated ones.
    let sql = "SELECT name, cid + 1, type, \"notnull\", dflt_value, hidden, pk \
               FROM pragma_table_xinfo(?1, ?2) WHERE hidden <> 1 ORDER BY cid";
    all(connection, sql, [relation.name.as_str(), schema], |row| {
        Ok(Column {
            name: text(row, 0)?,
            position: row.get(1)?,
            database_type: text(row, 2)?,
            not_null: row.get(3)?,
            default: optional_text(row, 4)?,
            generated: match row.get(5)? {
                2 => pb::Generated::Virtual,
                3 => pb::Generated::Stored,
                _ => pb::Generated::Unspecified,
            },
            key_position: row.get(6)?,
        })
    })
}

/// The indexes of a table in the order in which they were made.
pub(super) fn indexes(
    connection: &Connection,
    schema: &str,
    table: &str,
    definitions: &HashMap<String, String>,
) -> rusqlite::Result<Vec<Index>> {
    let sql = "SELECT name, \"unique\", origin FROM pragma_index_list(?1, ?2) ORDER BY seq DESC";
    let mut indexes = all(connection, sql, [table, schema], |row| {
        Ok(Index { name: text(row, 0)?, unique: row.get(1)?, origin: text(row, 2)?, columns: Vec::new() })
    })?;
    for index in &mut indexes {
        let sql = "SELECT name FROM pragma_index_xinfo(?1, ?2) WHERE key ORDER BY seqno";
        let names = all(connection, sql, [index.name.as_str(), schema], |row| optional_text(row, 0))?;
        // An expression has no name, only its text.
        let terms =
            definitions.get(&index.name).map(|text| definition::index_terms(text)).unwrap_or_default();
        index.columns = names
            .into_iter()
            .enumerate()
            .map(|(at, name)| name.or_else(|| terms.get(at).cloned()).unwrap_or_default())
            .collect();
    }
    Ok(indexes)
}

/// The foreign keys of a table in the order of its text.
pub(super) fn foreign_keys(
    connection: &Connection,
    schema: &str,
    table: &str,
) -> rusqlite::Result<Vec<ForeignKey>> {
    let sql = "SELECT id, \"table\", \"from\", \"to\", on_update, on_delete, \"match\" \
               FROM pragma_foreign_key_list(?1, ?2) ORDER BY id, seq";
    let mut keys = BTreeMap::<i64, ForeignKey>::new();
    let parts = all(connection, sql, [table, schema], |row| {
        let actions = actions(&text(row, 4)?, &text(row, 5)?, &text(row, 6)?);
        Ok((row.get(0)?, text(row, 1)?, text(row, 2)?, optional_text(row, 3)?, actions))
    })?;
    for (id, parent, column, parent_column, actions) in parts {
        let key: &mut ForeignKey = keys.entry(id).or_default();
        key.parent = parent;
        key.actions = actions;
        key.columns.push(column);
        key.parent_columns.extend(parent_column);
    }
    // SQLite numbers them from the last one.
    let mut keys: Vec<_> = keys.into_values().rev().collect();
    for key in keys.iter_mut().filter(|key| key.parent_columns.is_empty()) {
        // Without columns it points to the parent's primary key.
        let sql = "SELECT name FROM pragma_table_info(?1, ?2) WHERE pk > 0 ORDER BY pk";
        key.parent_columns = all(connection, sql, [key.parent.as_str(), schema], |row| text(row, 0))?;
    }
    Ok(keys)
}

fn actions(on_update: &str, on_delete: &str, matching: &str) -> String {
    let mut actions = Vec::new();
    if on_update != "NO ACTION" {
        actions.push(format!("ON UPDATE {on_update}"));
    }
    if on_delete != "NO ACTION" {
        actions.push(format!("ON DELETE {on_delete}"));
    }
    if matching != "NONE" {
        actions.push(format!("MATCH {matching}"));
    }
    actions.join(" ")
}

fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare_cached(sql)?.query_map(params, read)?.collect()
}

fn text(row: &Row<'_>, index: usize) -> rusqlite::Result<String> {
    Ok(optional_text(row, index)?.unwrap_or_default())
}

/// Text of the catalog. A name in no encoding is shown as well as it can be, rather than hiding all others.
fn optional_text(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<String>> {
    Ok(match row.get_ref(index)? {
        ValueRef::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_) => None,
    })
}

/// A name inside a statement, where it cannot be given as a value.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
