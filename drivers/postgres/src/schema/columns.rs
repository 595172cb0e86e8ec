//! Columns, of which there are many: their rows name relations and types by number.

use std::collections::HashMap;

use querybox_plugin::{Error, pb};

use super::{filter::visible_relations, reading::Row, relations::Relations};

/// What is known of columns while the rest is read.
#[derive(Debug)]
pub(super) struct Columns {
    types: HashMap<(u32, i32), String>,
    /// Whether keys and indexes follow, which name columns by number.
    keeps_names: bool,
    /// Of each relation in the order of their numbers.
    names: HashMap<u32, Vec<(i16, String)>>,
    /// The relation of the last column, and how many of its columns were told.
    last: (u32, u32),
}

impl Columns {
    pub(super) fn new(keeps_names: bool) -> Self {
        Self { types: HashMap::new(), keeps_names, names: HashMap::new(), last: (0, 0) }
    }

    pub(super) fn name(&self, relation: u32, attribute: i16) -> Option<&str> {
        let names = self.names.get(&relation)?;
        let at = names.binary_search_by_key(&attribute, |(number, _)| *number).ok()?;
        Some(&names[at].1)
    }

    pub(super) fn add_type(&mut self, row: &mut Row<'_>) -> Result<(), Error> {
        let id = (row.number()?, row.number()?);
        self.types.insert(id, row.text()?);
        Ok(())
    }

    pub(super) fn add_name(&mut self, row: &mut Row<'_>) -> Result<(), Error> {
        let (relation, attribute) = (row.number()?, row.number()?);
        self.names.entry(relation).or_default().push((attribute, row.text()?));
        Ok(())
    }

    /// `None`: its relation is not known.
    pub(super) fn column(
        &mut self,
        row: &mut Row<'_>,
        relations: &Relations,
    ) -> Result<Option<pb::RelationColumn>, Error> {
        let (oid, attribute) = (row.number()?, row.number()?);
        let name = row.text()?;
        if self.keeps_names {
            self.names.entry(oid).or_default().push((attribute, name.clone()));
        }
        // Numbers of columns that were dropped are not used again.
        let position = if self.last.0 == oid { self.last.1 + 1 } else { 1 };
        self.last = (oid, position);
        let type_id = (row.number()?, row.number()?);
        let mut column = pb::RelationColumn {
            name,
            position,
            database_type: self.types.get(&type_id).cloned().unwrap_or_default(),
            nullable: !row.flag()?,
            default_expression: row.optional()?,
            generated: match row.letter()? {
                b's' => pb::Generated::Stored,
                b'v' => pb::Generated::Virtual,
                _ => pb::Generated::Unspecified,
            }
            .into(),
            identity: match row.letter()? {
                b'a' => pb::Identity::Always,
                b'd' => pb::Identity::ByDefault,
                _ => pb::Identity::Unspecified,
            }
            .into(),
            primary_key_position: row.number()?,
            comment: row.text()?,
            collation: row.text()?,
            inherited: row.flag()?,
            ..pb::RelationColumn::default()
        };
        let Some((schema, relation)) = relations.get(oid) else { return Ok(None) };
        (column.schema, column.relation) = (schema, relation);
        Ok(Some(column))
    }
}

fn from_visible() -> String {
    format!(
        "FROM pg_catalog.pg_attribute a
         JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE a.attnum > 0 AND NOT a.attisdropped AND {}",
        visible_relations("c", "n")
    )
}

/// The names of all types of columns, each once.
pub(super) fn types() -> String {
    format!(
        "SELECT t.atttypid, t.atttypmod, pg_catalog.format_type(t.atttypid, t.atttypmod)
         FROM (SELECT DISTINCT a.atttypid, a.atttypmod {}) t",
        from_visible()
    )
}

pub(super) fn names() -> String {
    format!("SELECT a.attrelid, a.attnum, a.attname {} ORDER BY a.attrelid, a.attnum", from_visible())
}

/// For a server of this major version.
pub(super) fn columns(version: u32) -> String {
    let generated = if version >= 12 { "a.attgenerated" } else { "''" };
    format!(
        "SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull,
                CASE WHEN a.atthasdef THEN pg_catalog.pg_get_expr(e.adbin, e.adrelid) END,
                {generated}, a.attidentity, COALESCE(pg_catalog.array_position(k.conkey, a.attnum), 0),
                d.description,
                CASE WHEN a.attcollation NOT IN (0, 100) AND a.attcollation <> (
                       SELECT t.typcollation FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid)
                     THEN (SELECT o.collname FROM pg_catalog.pg_collation o WHERE o.oid = a.attcollation) END,
                NOT a.attislocal
         FROM pg_catalog.pg_attribute a
         JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN pg_catalog.pg_attrdef e
           ON a.atthasdef AND e.adrelid = a.attrelid AND e.adnum = a.attnum
         LEFT JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
         LEFT JOIN pg_catalog.pg_description d
           ON d.objoid = c.oid AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
          AND d.objsubid = a.attnum
         WHERE a.attnum > 0 AND NOT a.attisdropped AND {visible}
         ORDER BY a.attrelid, a.attnum",
        visible = visible_relations("c", "n")
    )
}
