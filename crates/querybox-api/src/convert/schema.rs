//! What is asked of a catalog.

use querybox_contracts::plugin::v1 as plugin;
use querybox_core::{SchemaKind, SchemaOrder};

use super::InvalidField;

pub(crate) fn schema_filter(
    schemas: Vec<String>,
    relation: String,
    kinds: &[i32],
    include_system: bool,
) -> Result<SchemaOrder, InvalidField> {
    let kinds = kinds.iter().map(|kind| schema_kind(*kind)).collect::<Result<_, _>>()?;
    let relation = Some(relation).filter(|relation| !relation.is_empty());
    Ok(SchemaOrder { schemas, relation, kinds, include_system })
}

fn schema_kind(kind: i32) -> Result<SchemaKind, InvalidField> {
    Ok(match plugin::SchemaObjectKind::try_from(kind) {
        Ok(plugin::SchemaObjectKind::Schema) => SchemaKind::Schema,
        Ok(plugin::SchemaObjectKind::Relation) => SchemaKind::Relation,
        Ok(plugin::SchemaObjectKind::Column) => SchemaKind::Column,
        Ok(plugin::SchemaObjectKind::Key) => SchemaKind::Key,
        Ok(plugin::SchemaObjectKind::Index) => SchemaKind::Index,
        Ok(plugin::SchemaObjectKind::Unspecified) | Err(_) => {
            return Err(InvalidField::new("kinds", "has one that this version does not know"));
        }
    })
}
