//! What the database holds, from its catalog: one query for each kind of object, told row by row.

mod array;
mod belongings;
mod columns;
pub(crate) mod ddl;
mod filter;
mod objects;
mod reading;
mod relations;
mod server;
mod settings;

use querybox_plugin::{
    SchemaError, SchemaObjects,
    pb::{self, SchemaObjectKind as Kind, schema_object::Object},
};

use crate::connection::Connection;
use columns::Columns;
use filter::Filter;
use reading::{Lookup, Reading};
use relations::Relations;

/// What is read of the catalog, in this order: a first screen needs schemas and relations, and a parent comes before what
/// belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Settings,
    Schemas,
    Relations,
    Types,
    Columns,
    /// Names of columns, for keys and indexes when the columns themselves are not asked for.
    ColumnNames,
    Keys,
    Indexes,
    Triggers,
    Policies,
    Sequences,
    OwnTypes,
    Routines,
    Extensions,
    Roles,
    Databases,
}

impl Stage {
    fn needed(objects: &SchemaObjects) -> Vec<Self> {
        let wants = |kinds: &[Kind]| kinds.iter().any(|kind| objects.wants(*kind));
        let of_relations =
            [Kind::Relation, Kind::Column, Kind::Key, Kind::Index, Kind::Trigger, Kind::Policy];
        let names_columns = wants(&[Kind::Key, Kind::Index]) && !wants(&[Kind::Column]);
        [
            (Self::Settings, true),
            (Self::Schemas, wants(&[Kind::Schema])),
            // The others name them by number.
            (Self::Relations, wants(&of_relations)),
            (Self::Types, wants(&[Kind::Column])),
            (Self::Columns, wants(&[Kind::Column])),
            (Self::ColumnNames, names_columns),
            (Self::Keys, wants(&[Kind::Key])),
            (Self::Indexes, wants(&[Kind::Index])),
            (Self::Triggers, wants(&[Kind::Trigger])),
            (Self::Policies, wants(&[Kind::Policy])),
            (Self::Sequences, wants(&[Kind::Sequence])),
            (Self::OwnTypes, wants(&[Kind::Type])),
            (Self::Routines, wants(&[Kind::Routine])),
            (Self::Extensions, wants(&[Kind::Extension])),
            (Self::Roles, wants(&[Kind::Role])),
            (Self::Databases, wants(&[Kind::Database])),
        ]
        .into_iter()
        .filter_map(|(stage, is_needed)| is_needed.then_some(stage))
        .collect()
    }

    fn lookup(self, version: u32, filter: &Filter) -> Lookup {
        let sql = match self {
            Self::Settings => return settings::lookup(version),
            Self::Schemas => objects::schemas(),
            Self::Relations => relations::relations(),
            Self::Types => columns::types(),
            Self::Columns => columns::columns(version),
            Self::ColumnNames => columns::names(),
            Self::Keys => belongings::keys(version),
            Self::Indexes => belongings::indexes(version),
            Self::Triggers => belongings::triggers(),
            Self::Policies => belongings::policies(),
            Self::Sequences => objects::sequences(),
            Self::OwnTypes => objects::types(),
            Self::Routines => objects::routines(version),
            Self::Extensions => server::extensions(),
            Self::Roles => server::roles(),
            Self::Databases => server::databases(version),
        };
        Lookup::filtered(sql, filter)
    }
}

/// Tells the objects that are asked for, a parent before what belongs to it.
pub(crate) async fn tell(
    connection: &mut Connection,
    request: &pb::GetSchemaRequest,
    mut told: SchemaObjects,
) -> Result<(), SchemaError> {
    let filter = Filter::new(request)?;
    let version = connection.reported.major_version();
    let stages = Stage::needed(&told);
    let lookup = |stage: &Stage| stage.lookup(version, &filter);
    let mut reading = Reading::begin(connection, stages.iter().map(lookup).collect());
    let mut relations = Relations::default();
    let mut columns = Columns::new(told.wants(Kind::Key) || told.wants(Kind::Index));
    for stage in stages {
        reading.advance().await?;
        match stage {
            Stage::Settings => while reading.row(settings::skip).await?.is_some() {},
            Stage::Schemas => {
                while let Some(schema) = reading.row(objects::schema).await? {
                    told.tell(Object::Schema(schema)).await?;
                }
            }
            Stage::Relations => {
                while let Some((oid, relation)) = reading.row(relations::relation).await? {
                    relations.add(oid, &relation);
                    told.tell(Object::Relation(relation)).await?;
                }
            }
            Stage::Types => while reading.row(|row| columns.add_type(row)).await?.is_some() {},
            Stage::Columns => {
                while let Some(column) = reading.row(|row| columns.column(row, &relations)).await? {
                    tell_known(&mut told, column.map(Object::Column)).await?;
                }
            }
            Stage::ColumnNames => while reading.row(|row| columns.add_name(row)).await?.is_some() {},
            Stage::Keys => {
                while let Some(key) = reading.row(|row| belongings::key(row, &relations, &columns)).await? {
                    tell_known(&mut told, key.map(Object::Key)).await?;
                }
            }
            Stage::Indexes => {
                while let Some(index) =
                    reading.row(|row| belongings::index(row, &relations, &columns)).await?
                {
                    tell_known(&mut told, index.map(Object::Index)).await?;
                }
            }
            Stage::Triggers => {
                while let Some(trigger) = reading.row(|row| belongings::trigger(row, &relations)).await? {
                    tell_known(&mut told, trigger.map(Object::Trigger)).await?;
                }
            }
            Stage::Policies => {
                while let Some(policy) = reading.row(|row| belongings::policy(row, &relations)).await? {
                    tell_known(&mut told, policy.map(Object::Policy)).await?;
                }
            }
            Stage::Sequences => {
                while let Some(sequence) = reading.row(objects::sequence).await? {
                    told.tell(Object::Sequence(sequence)).await?;
                }
            }
            Stage::OwnTypes => {
                while let Some(own) = reading.row(objects::own_type).await? {
                    told.tell(Object::Type(own)).await?;
                }
            }
            Stage::Routines => {
                while let Some(routine) = reading.row(objects::routine).await? {
                    told.tell(Object::Routine(routine)).await?;
                }
            }
            Stage::Extensions => {
                while let Some(extension) = reading.row(server::extension).await? {
                    told.tell(Object::Extension(extension)).await?;
                }
            }
            Stage::Roles => {
                while let Some(role) = reading.row(server::role).await? {
                    told.tell(Object::Role(role)).await?;
                }
            }
            Stage::Databases => {
                while let Some(database) = reading.row(server::database).await? {
                    told.tell(Object::Database(database)).await?;
                }
            }
        }
        told.flush().await?;
    }
    reading.end().await
}

/// What belongs to a relation that is not known is not told: a parent would be missing.
async fn tell_known(told: &mut SchemaObjects, object: Option<Object>) -> Result<(), SchemaError> {
    match object {
        Some(object) => told.tell(object).await,
        None => Ok(()),
    }
}
