//! A catalog, put together from the objects that a driver sends one by one.

mod objects;

use std::collections::HashMap;

use querybox_contracts::plugin::v1::{self as plugin, schema_object::Object};
use serde::Serialize;

pub(crate) use objects::{
    Attribute, Column, Database, Extension, Index, Key, OwnType, Policy, Reference, Role, Routine, Sequence,
    Trigger,
};

/// Everything in the driver's order.
#[derive(Default, Serialize)]
pub(crate) struct Catalog {
    pub schemas: Vec<Schema>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<Extension>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub databases: Vec<Database>,
    #[serde(skip)]
    schema_places: HashMap<String, usize>,
    /// By schema and relation.
    #[serde(skip)]
    relation_places: HashMap<(String, String), (usize, usize)>,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct Schema {
    pub name: String,
    pub is_default: bool,
    /// The database told of it, and not only of what it holds.
    #[serde(skip)]
    pub is_listed: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comment: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub owner: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub extension: String,
    pub relations: Vec<Relation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sequences: Vec<Sequence>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<OwnType>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routines: Vec<Routine>,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct Relation {
    pub name: String,
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row_estimate: Option<u64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comment: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub owner: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// Each with its schema.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<Name>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub partition_bound: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub partition_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistence: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row_security: Option<&'static str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub extension: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unpopulated: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    pub columns: Vec<Column>,
    pub keys: Vec<Key>,
    pub indexes: Vec<Index>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<Trigger>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<Policy>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Name {
    pub schema: String,
    pub name: String,
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
                place.is_listed = true;
                place.is_default = schema.is_default;
                place.comment = schema.comment;
                (place.owner, place.extension) = (schema.owner, schema.extension);
            }
            Some(Object::Relation(relation)) => self.add_relation(relation),
            Some(Object::Column(column)) => {
                self.relation(&column.schema, &column.relation).columns.push(column.into());
            }
            Some(Object::Key(key)) => self.relation(&key.schema, &key.relation).keys.push(key.into()),
            Some(Object::Index(index)) => {
                self.relation(&index.schema, &index.relation).indexes.push(index.into());
            }
            Some(Object::Trigger(trigger)) => {
                self.relation(&trigger.schema, &trigger.relation).triggers.push(trigger.into());
            }
            Some(Object::Policy(policy)) => {
                self.relation(&policy.schema, &policy.relation).policies.push(policy.into());
            }
            Some(Object::Sequence(sequence)) => {
                self.schema(&sequence.schema).sequences.push(sequence.into());
            }
            Some(Object::Type(own)) => self.schema(&own.schema).types.push(own.into()),
            Some(Object::Routine(routine)) => self.schema(&routine.schema).routines.push(routine.into()),
            Some(Object::Extension(extension)) => self.extensions.push(extension.into()),
            Some(Object::Role(role)) => self.roles.push(role.into()),
            Some(Object::Database(database)) => self.databases.push(database.into()),
            None => {}
        }
    }

    fn add_relation(&mut self, relation: plugin::Relation) {
        let kind = relation_kind(relation.kind());
        let persistence = persistence(relation.persistence());
        let row_security = match relation.row_security() {
            plugin::RowSecurity::Unspecified => None,
            plugin::RowSecurity::Enabled => Some("enabled"),
            plugin::RowSecurity::Forced => Some("forced"),
        };
        let place = self.relation(&relation.schema, &relation.name);
        let parents = relation.parents.into_iter();
        *place = Relation {
            name: relation.name,
            kind,
            row_estimate: relation.row_estimate,
            comment: relation.comment,
            owner: relation.owner,
            size_bytes: relation.size_bytes,
            parents: parents.map(|parent| Name { schema: parent.schema, name: parent.name }).collect(),
            partition_bound: relation.partition_bound,
            partition_key: relation.partition_key,
            persistence,
            row_security,
            extension: relation.extension,
            unpopulated: relation.unpopulated,
            source: relation.source,
            ..std::mem::take(place)
        };
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

fn persistence(persistence: plugin::Persistence) -> Option<&'static str> {
    match persistence {
        plugin::Persistence::Unspecified => None,
        plugin::Persistence::Unlogged => Some("unlogged"),
        plugin::Persistence::Temporary => Some("temporary"),
    }
}
