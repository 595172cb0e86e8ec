//! Tables, views and the like.

use std::collections::HashMap;

use querybox_plugin::{Error, pb};

use super::{
    filter::{comment, extension, visible_relations},
    reading::Row,
};
use crate::connection::out_of_order;

/// The names of the relations that were found, by their numbers: rows about what belongs to them have only these, which is
/// most of what would be sent.
#[derive(Debug, Default)]
pub(super) struct Relations {
    names: HashMap<u32, (String, String)>,
}

impl Relations {
    pub(super) fn add(&mut self, oid: u32, relation: &pb::Relation) {
        self.names.insert(oid, (relation.schema.clone(), relation.name.clone()));
    }

    /// Schema and name.
    pub(super) fn get(&self, oid: u32) -> Option<(String, String)> {
        self.names.get(&oid).cloned()
    }
}

// Before version 14 an estimate of 0 also stood for a table that was never counted.
pub(super) fn relations() -> String {
    format!(
        "SELECT c.oid, n.nspname, c.relname, c.relkind,
                CASE WHEN c.relkind <> 'v' AND (c.reltuples > 0 OR c.reltuples = 0 AND c.relpages > 0)
                     THEN c.reltuples::pg_catalog.int8 END,
                d.description, pg_catalog.pg_get_userbyid(c.relowner),
                CASE WHEN $5 AND c.relkind IN ('r', 'm') THEN pg_catalog.pg_table_size(c.oid) END,
                p.schemas, p.names,
                CASE WHEN c.relispartition THEN pg_catalog.pg_get_expr(c.relpartbound, c.oid) END,
                CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END,
                c.relpersistence, c.relrowsecurity, c.relforcerowsecurity, ext.extname,
                c.relkind = 'm' AND NOT c.relispopulated, fs.srvname
         FROM pg_catalog.pg_class c
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN (
           SELECT i.inhrelid, pg_catalog.array_agg(pn.nspname ORDER BY i.inhseqno) AS schemas,
                  pg_catalog.array_agg(pc.relname ORDER BY i.inhseqno) AS names
           FROM pg_catalog.pg_inherits i
           JOIN pg_catalog.pg_class pc ON pc.oid = i.inhparent
           JOIN pg_catalog.pg_namespace pn ON pn.oid = pc.relnamespace
           GROUP BY i.inhrelid
         ) p ON p.inhrelid = c.oid
         LEFT JOIN pg_catalog.pg_foreign_table ft ON ft.ftrelid = c.oid
         LEFT JOIN pg_catalog.pg_foreign_server fs ON fs.oid = ft.ftserver
         {comment} {extension}
         WHERE {visible}
         ORDER BY n.nspname, c.relname",
        comment = comment("pg_class", "c.oid"),
        extension = extension("pg_class", "c.oid"),
        visible = visible_relations("c", "n"),
    )
}

pub(super) fn relation(row: &mut Row<'_>) -> Result<(u32, pb::Relation), Error> {
    let oid = row.number()?;
    let relation = pb::Relation {
        schema: row.text()?,
        name: row.text()?,
        kind: match row.letter()? {
            b'r' => pb::RelationKind::Table,
            b'v' => pb::RelationKind::View,
            b'm' => pb::RelationKind::MaterializedView,
            b'f' => pb::RelationKind::ForeignTable,
            b'p' => pb::RelationKind::PartitionedTable,
            // The query asks for no other.
            _ => return Err(out_of_order()),
        }
        .into(),
        row_estimate: row.optional_number()?,
        comment: row.text()?,
        owner: row.text()?,
        size_bytes: row.optional_number()?,
        parents: row
            .texts()?
            .into_iter()
            .zip(row.texts()?)
            .map(|(schema, name)| pb::RelationName { schema, name })
            .collect(),
        partition_bound: row.text()?,
        partition_key: row.text()?,
        persistence: persistence(row.letter()?).into(),
        row_security: match (row.flag()?, row.flag()?) {
            (false, _) => pb::RowSecurity::Unspecified,
            (true, false) => pb::RowSecurity::Enabled,
            (true, true) => pb::RowSecurity::Forced,
        }
        .into(),
        extension: row.text()?,
        unpopulated: row.flag()?,
        source: row.text()?,
    };
    Ok((oid, relation))
}

pub(super) fn persistence(letter: u8) -> pb::Persistence {
    match letter {
        b'u' => pb::Persistence::Unlogged,
        b't' => pb::Persistence::Temporary,
        _ => pb::Persistence::Unspecified,
    }
}
