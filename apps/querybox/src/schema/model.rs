//! A catalog, put together from the objects that a driver sends one by one.

use std::collections::HashMap;

use querybox_contracts::plugin::v1::{self as plugin, schema_object::Object};
use serde::Serialize;

/// Schemas in the driver's order.
#[derive(Default)]
pub(crate) struct Catalog {
    pub schemas: Vec<Schema>,
    schema_places: HashMap<String, usize>,
    /// By schema and relation.
    relation_places: HashMap<(String, String), (usize, usize)>,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct Schema {
    pub name: String,
    pub is_default: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comment: String,
    pub relations: Vec<Relation>,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct Relation {
    pub name: String,
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row_estimate: Option<u64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comment: String,
    pub columns: Vec<Column>,
    pub keys: Vec<Key>,
    pub indexes: Vec<Index>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Column {
    pub name: String,
    #[serde(rename = "type")]
    pub database_type: String,
    pub nullable: bool,
    #[serde(rename = "default", skip_serializing_if = "Option::is_none")]
    pub default_expression: Option<String>,
    pub generated: bool,
    /// From 1. `None`: not part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_key_position: Option<u32>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Key {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    pub kind: &'static str,
    pub columns: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub references: Option<Reference>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub definition: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Reference {
    pub schema: String,
    pub relation: String,
    pub columns: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Index {
    pub name: String,
    pub unique: bool,
    pub columns: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub definition: String,
}

impl Serialize for Catalog {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.schemas.serialize(serializer)
    }
}

impl Catalog {
    pub(crate) fn has_relations(&self) -> bool {
        self.schemas.iter().any(|schema| !schema.relations.is_empty())
    }

    /// Adds an object. What belongs to a parent that was not sent, because only part was asked for, makes the parent.
    pub(crate) fn add(&mut self, object: plugin::SchemaObject) {
        match object.object {
            Some(Object::Schema(schema)) => {
                let place = self.schema(&schema.name);
                place.is_default = schema.is_default;
                place.comment = schema.comment;
            }
            Some(Object::Relation(relation)) => {
                let kind = relation_kind(relation.kind());
                let place = self.relation(&relation.schema, &relation.name);
                place.kind = kind;
                place.row_estimate = relation.row_estimate;
                place.comment = relation.comment;
            }
            Some(Object::Column(column)) => {
                let generated = column.generated() != plugin::Generated::Unspecified;
                self.relation(&column.schema, &column.relation).columns.push(Column {
                    name: column.name,
                    database_type: column.database_type,
                    nullable: column.nullable,
                    default_expression: column.default_expression,
                    generated,
                    primary_key_position: (column.primary_key_position > 0)
                        .then_some(column.primary_key_position),
                    comment: column.comment,
                });
            }
            Some(Object::Key(key)) => {
                let kind = key_kind(key.kind());
                let references = (!key.referenced_relation.is_empty()).then_some(Reference {
                    schema: key.referenced_schema,
                    relation: key.referenced_relation,
                    columns: key.referenced_columns,
                });
                let (name, columns, definition) = (key.name, key.columns, key.definition);
                let relation = self.relation(&key.schema, &key.relation);
                relation.keys.push(Key { name, kind, columns, references, definition });
            }
            Some(Object::Index(index)) => {
                self.relation(&index.schema, &index.relation).indexes.push(Index {
                    name: index.name,
                    unique: index.unique,
                    columns: index.columns,
                    definition: index.definition,
                });
            }
            Some(
                Object::Trigger(_)
                | Object::Policy(_)
                | Object::Sequence(_)
                | Object::Type(_)
                | Object::Routine(_)
                | Object::Extension(_)
                | Object::Role(_)
                | Object::Database(_),
            )
            | None => {}
        }
    }

    fn schema(&mut self, name: &str) -> &mut Schema {
        let place = self.schema_place(name);
        &mut self.schemas[place]
    }

    fn schema_place(&mut self, name: &str) -> usize {
        if let Some(place) = self.schema_places.get(name) {
            return *place;
        }
        self.schemas.push(Schema { name: name.to_owned(), ..Schema::default() });
        let place = self.schemas.len() - 1;
        self.schema_places.insert(name.to_owned(), place);
        place
    }

    fn relation(&mut self, schema: &str, name: &str) -> &mut Relation {
        let key = (schema.to_owned(), name.to_owned());
        let (schema, relation) = match self.relation_places.get(&key) {
            Some(places) => *places,
            None => {
                let schema = self.schema_place(schema);
                let relations = &mut self.schemas[schema].relations;
                relations.push(Relation { name: name.to_owned(), kind: "relation", ..Relation::default() });
                let places = (schema, relations.len() - 1);
                self.relation_places.insert(key, places);
                places
            }
        };
        &mut self.schemas[schema].relations[relation]
    }
}

fn relation_kind(kind: plugin::RelationKind) -> &'static str {
    match kind {
        plugin::RelationKind::Unspecified => "relation",
        plugin::RelationKind::Table => "table",
        plugin::RelationKind::View => "view",
        plugin::RelationKind::MaterializedView => "materialized view",
        plugin::RelationKind::ForeignTable => "foreign table",
        plugin::RelationKind::PartitionedTable => "partitioned table",
        plugin::RelationKind::VirtualTable => "virtual table",
    }
}

fn key_kind(kind: plugin::KeyKind) -> &'static str {
    match kind {
        plugin::KeyKind::Unspecified => "key",
        plugin::KeyKind::Primary => "primary key",
        plugin::KeyKind::Unique => "unique",
        plugin::KeyKind::Foreign => "foreign key",
        plugin::KeyKind::Check => "check",
        plugin::KeyKind::Exclusion => "exclusion",
    }
}
