//! The names that a database holds, for completion: a small copy of its catalog, shared with the line editor.

use std::sync::{Arc, PoisonError, RwLock};

use crate::{sanitize, schema::model::Catalog};

/// The catalog's names as of the last reading.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub schemas: Vec<String>,
    pub relations: Vec<RelationNames>,
}

#[derive(Debug, Default)]
pub(crate) struct RelationNames {
    pub schema: String,
    /// Names without a schema are looked up in its schema.
    pub is_default: bool,
    pub name: String,
    pub kind: &'static str,
    /// Each with its type.
    pub columns: Vec<(String, String)>,
}

impl Names {
    /// Takes the names of a catalog. Those that a terminal would not show as they are cannot be completed.
    pub(crate) fn of(catalog: Catalog) -> Names {
        let mut names = Names::default();
        for schema in catalog.schemas.into_iter().filter(|schema| is_plain(&schema.name)) {
            for relation in schema.relations.into_iter().filter(|relation| is_plain(&relation.name)) {
                let columns = relation.columns.into_iter().filter(|column| is_plain(&column.name));
                names.relations.push(RelationNames {
                    schema: schema.name.clone(),
                    is_default: schema.is_default,
                    name: relation.name,
                    kind: relation.kind,
                    columns: columns
                        .map(|column| (column.name, sanitize::line(&column.database_type).into_owned()))
                        .collect(),
                });
            }
            names.schemas.push(schema.name);
        }
        names
    }
}

fn is_plain(name: &str) -> bool {
    !name.chars().any(sanitize::is_hidden)
}

/// The names that the line editor completes, which change while it runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct SharedNames(Arc<RwLock<Arc<Names>>>);

impl SharedNames {
    pub(crate) fn get(&self) -> Arc<Names> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set(&self, names: Names) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(names);
    }
}
