//! What is asked of a catalog.

use querybox_contracts::plugin::v1 as plugin;
use querybox_core::{DdlOrder, ObjectName, SchemaKind};

use super::InvalidField;

/// Objects that one request may name.
const OBJECTS_MAX: usize = 1000;

pub(crate) fn schema_kinds(kinds: &[i32]) -> Result<Vec<SchemaKind>, InvalidField> {
    let unknown = || InvalidField::new("kinds", "has one that this version does not know");
    kinds.iter().map(|kind| schema_kind(*kind).ok().flatten().ok_or_else(unknown)).collect()
}

pub(crate) fn ddl_order(objects: Vec<plugin::ObjectRef>) -> Result<DdlOrder, InvalidField> {
    if objects.is_empty() || objects.len() > OBJECTS_MAX {
        return Err(InvalidField::new("objects", "are none, or more than 1,000"));
    }
    let object = |object: plugin::ObjectRef| {
        let kind = schema_kind(object.kind)
            .map_err(|()| InvalidField::new("objects", "have a kind that this version does not know"))?;
        let plugin::ObjectRef { kind: _, schema, relation, name, arguments } = object;
        if name.is_empty() {
            return Err(InvalidField::new("objects", "have one without a name"));
        }
        Ok(ObjectName { kind, schema, relation, name, arguments })
    };
    Ok(DdlOrder { objects: objects.into_iter().map(object).collect::<Result<_, _>>()? })
}

/// `None`: it is not said.
fn schema_kind(kind: i32) -> Result<Option<SchemaKind>, ()> {
    Ok(Some(match plugin::SchemaObjectKind::try_from(kind).map_err(|_| ())? {
        plugin::SchemaObjectKind::Unspecified => return Ok(None),
        plugin::SchemaObjectKind::Schema => SchemaKind::Schema,
        plugin::SchemaObjectKind::Relation => SchemaKind::Relation,
        plugin::SchemaObjectKind::Column => SchemaKind::Column,
        plugin::SchemaObjectKind::Key => SchemaKind::Key,
        plugin::SchemaObjectKind::Index => SchemaKind::Index,
        plugin::SchemaObjectKind::Trigger => SchemaKind::Trigger,
        plugin::SchemaObjectKind::Policy => SchemaKind::Policy,
        plugin::SchemaObjectKind::Sequence => SchemaKind::Sequence,
        plugin::SchemaObjectKind::Type => SchemaKind::Type,
        plugin::SchemaObjectKind::Routine => SchemaKind::Routine,
        plugin::SchemaObjectKind::Extension => SchemaKind::Extension,
        plugin::SchemaObjectKind::Role => SchemaKind::Role,
        plugin::SchemaObjectKind::Database => SchemaKind::Database,
    }))
}
