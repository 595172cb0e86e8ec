//! What the database holds, as SQLite's catalog and the texts in it tell.
//!
//! Not told, for SQLite keeps it only inside the text of CREATE TABLE: names of primary, unique and foreign keys, and
//! whether a foreign key is deferred.

mod catalog;
pub(crate) mod ddl;
mod definition;
mod pattern;

use std::collections::HashMap;

use futures::executor::block_on;
use querybox_plugin::{SchemaError, SchemaObjects, pb, pb::schema_object::Object};
use rusqlite::{Connection, ffi};

use self::catalog::{Index, Relation};
use crate::{execute::Fault, open::Database, rejection::primary_code};

/// Tells the objects that the filter wants.
pub(crate) fn tell(
    database: &Database,
    filter: &pb::GetSchemaRequest,
    objects: SchemaObjects,
) -> Result<(), SchemaError> {
    let mut telling = Telling { connection: &database.connection, filter, objects };
    telling.tell().map_err(|stop| match stop {
        Stop::Listener(error) => error,
        Stop::Sqlite(error) => match database.fault(&error) {
            Fault::Refused(rejection) => SchemaError::Rejected(rejection),
            Fault::Failed(error) => error.into(),
        },
    })
}

/// Why the objects ended early.
enum Stop {
    Listener(SchemaError),
    Sqlite(rusqlite::Error),
}

impl From<SchemaError> for Stop {
    fn from(error: SchemaError) -> Self {
        Self::Listener(error)
    }
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

struct Telling<'a> {
    connection: &'a Connection,
    filter: &'a pb::GetSchemaRequest,
    objects: SchemaObjects,
}

impl Telling<'_> {
    fn tell(&mut self) -> Result<(), Stop> {
        for schema in catalog::schemas(self.connection)? {
            if !self.filter.schemas.is_empty() && !self.filter.schemas.contains(&schema) {
                continue;
            }
            let relations = self.wanted(&schema)?;
            let asks_for_names = !(self.filter.name.is_empty() && self.filter.name_pattern.is_empty());
            if relations.is_empty() && asks_for_names {
                continue;
            }
            self.object(Object::Schema(pb::Schema {
                name: schema.clone(),
                is_default: schema == "main",
                ..pb::Schema::default()
            }))?;
            self.relations(&schema, relations)?;
        }
        block_on(self.objects.flush())?;
        Ok(())
    }

    /// The relations of a schema that are asked for.
    fn wanted(&self, schema: &str) -> Result<Vec<Relation>, Stop> {
        let pb::GetSchemaRequest { name, name_pattern, include_system, .. } = self.filter;
        let mut relations = catalog::relations(self.connection, schema)?;
        relations.retain(|relation| {
            (name.is_empty() || *name == relation.name)
                && (name_pattern.is_empty() || pattern::matches(name_pattern, &relation.name))
                && (*include_system || !relation.is_system)
        });
        Ok(relations)
    }

    fn relations(&mut self, schema: &str, relations: Vec<Relation>) -> Result<(), Stop> {
        // Statistics are there only after ANALYZE.
        let estimates = known(catalog::row_estimates(self.connection, schema))?;
        let definitions = catalog::definitions(self.connection, schema)?;
        let mut triggers = catalog::triggers(self.connection, schema)?;
        let persistence = match schema {
            "temp" => pb::Persistence::Temporary,
            _ => pb::Persistence::Unspecified,
        };
        for relation in relations {
            self.object(Object::Relation(pb::Relation {
                schema: schema.to_owned(),
                name: relation.name.clone(),
                kind: relation.kind.into(),
                row_estimate: estimates.get(&relation.name).copied(),
                persistence: persistence.into(),
                ..pb::Relation::default()
            }))?;
            self.details(&Owner { schema, relation: &relation, definitions: &definitions })?;
            for (name, definition) in triggers.remove(&relation.name).unwrap_or_default() {
                self.object(Object::Trigger(pb::Trigger {
                    schema: schema.to_owned(),
                    relation: relation.name.clone(),
                    name,
                    definition,
                    ..pb::Trigger::default()
                }))?;
            }
        }
        Ok(())
    }

    fn details(&mut self, owner: &Owner<'_>) -> Result<(), Stop> {
        let wants = |kind| self.objects.wants(kind);
        let (columns, keys, indexes) = (
            wants(pb::SchemaObjectKind::Column),
            wants(pb::SchemaObjectKind::Key),
            wants(pb::SchemaObjectKind::Index),
        );
        if !(columns || keys || indexes) {
            return Ok(());
        }
        let Owner { schema, relation, definitions } = *owner;
        // A view over a dropped table, or a table of a module that is not built in, has no columns to tell.
        let found = known(catalog::columns(self.connection, schema, relation))?;
        let owned = known(catalog::indexes(self.connection, schema, &relation.name, definitions))?;
        for column in &found {
            self.object(Object::Column(owner.column(column, &owned)))?;
        }
        if keys {
            self.keys(owner, &found, &owned)?;
        }
        for index in owned {
            self.object(Object::Index(owner.index(index)))?;
        }
        Ok(())
    }

    fn keys(
        &mut self,
        owner: &Owner<'_>,
        columns: &[catalog::Column],
        indexes: &[Index],
    ) -> Result<(), Stop> {
        let mut primary: Vec<_> = columns.iter().filter(|column| column.key_position > 0).collect();
        primary.sort_by_key(|column| column.key_position);
        if !primary.is_empty() {
            let columns = primary.into_iter().map(|column| column.name.clone()).collect();
            self.object(Object::Key(pb::Key { columns, ..owner.key(pb::KeyKind::Primary) }))?;
        }
        for index in indexes.iter().filter(|index| index.origin == "u") {
            let columns = index.columns.clone();
            self.object(Object::Key(pb::Key { columns, ..owner.key(pb::KeyKind::Unique) }))?;
        }
        for foreign in known(catalog::foreign_keys(self.connection, owner.schema, &owner.relation.name))? {
            self.object(Object::Key(pb::Key {
                columns: foreign.columns,
                referenced_schema: owner.schema.to_owned(),
                referenced_relation: foreign.parent,
                referenced_columns: foreign.parent_columns,
                definition: foreign.actions,
                ..owner.key(pb::KeyKind::Foreign)
            }))?;
        }
        if let Some(create_table) = owner.definitions.get(&owner.relation.name)
            && owner.relation.kind == pb::RelationKind::Table
        {
            for check in definition::checks(create_table) {
                self.object(Object::Key(pb::Key {
                    name: check.name,
                    columns: check.column.into_iter().collect(),
                    definition: check.expression,
                    ..owner.key(pb::KeyKind::Check)
                }))?;
            }
        }
        Ok(())
    }

    fn object(&mut self, object: Object) -> Result<(), Stop> {
        block_on(self.objects.tell(object))?;
        Ok(())
    }
}

/// Whose columns, keys and indexes are told.
struct Owner<'a> {
    schema: &'a str,
    relation: &'a Relation,
    /// The texts that made the schema's objects.
    definitions: &'a HashMap<String, String>,
}

impl Owner<'_> {
    fn column(&self, column: &catalog::Column, indexes: &[Index]) -> pb::RelationColumn {
        // An INTEGER PRIMARY KEY is the row's number and never NULL, unless a habit of SQLite (DESC behind it) made it
        // an ordinary key, which then has an index.
        let is_row_number = column.key_position == 1
            && column.database_type.eq_ignore_ascii_case("INTEGER")
            && !indexes.iter().any(|index| index.origin == "pk");
        pb::RelationColumn {
            schema: self.schema.to_owned(),
            relation: self.relation.name.clone(),
            name: column.name.clone(),
            position: column.position,
            database_type: column.database_type.clone(),
            nullable: !(column.not_null || is_row_number),
            default_expression: column.default.clone(),
            generated: column.generated.into(),
            primary_key_position: column.key_position,
            ..pb::RelationColumn::default()
        }
    }

    fn key(&self, kind: pb::KeyKind) -> pb::Key {
        pb::Key {
            schema: self.schema.to_owned(),
            relation: self.relation.name.clone(),
            kind: kind.into(),
            ..pb::Key::default()
        }
    }

    fn index(&self, index: Index) -> pb::Index {
        pb::Index {
            schema: self.schema.to_owned(),
            relation: self.relation.name.clone(),
            definition: self.definitions.get(&index.name).cloned().unwrap_or_default(),
            name: index.name,
            unique: index.unique,
            columns: index.columns,
            primary: index.origin == "pk",
            ..pb::Index::default()
        }
    }
}

/// What one part of the catalog says; nothing where SQLite cannot make sense of it. Other faults end the whole.
fn known<T: Default>(result: rusqlite::Result<T>) -> rusqlite::Result<T> {
    match result {
        Err(error) if primary_code(&error) == Some(ffi::SQLITE_ERROR) => Ok(T::default()),
        result => result,
    }
}
