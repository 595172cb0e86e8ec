//! What the statements of an object need to be there before them.

use std::collections::HashMap;

use querybox_plugin::{Error, pb, pb::SchemaObjectKind as Kind};

use crate::schema::reading::Row;

/// An object, and one that it needs.
pub(super) struct Need {
    pub(super) kind: i32,
    pub(super) oid: u32,
    pub(super) object: pb::ObjectRef,
}

/// What each object needs, under its kind and number.
pub(super) type Needs = HashMap<(i32, u32), Vec<pb::ObjectRef>>;

impl Need {
    pub(super) fn read(row: &mut Row<'_>) -> Result<Self, Error> {
        Ok(Self {
            kind: row.number()?,
            oid: row.number()?,
            object: pb::ObjectRef {
                kind: row.number()?,
                schema: row.text()?,
                relation: String::new(),
                name: row.text()?,
                arguments: row.optional()?,
            },
        })
    }
}

/// The needs of relations, sequences, types and routines among one another, as far as the server knows them: it does not look
/// into the texts of functions. Its parameters: [`numbers`](super::found::numbers).
///
/// The server keeps them between parts of objects (a view's rule, a column's default, a table's row type); `part` tells whose
/// each part is. What stands in the ties is none.
pub(super) fn query(version: u32) -> String {
    let multiranges = if version >= 14 {
        "UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, r.rngmultitypid, 9, r.rngtypid
         FROM pg_catalog.pg_range r WHERE r.rngtypid >= 16384"
    } else {
        ""
    };
    // From this number on objects are somebody's, and not the server's own (FirstNormalObjectId, access/transam.h).
    format!(
        "WITH class AS (
           SELECT c.oid AS objid,
                  CASE WHEN c.relkind IN ('r', 'p', 'v', 'm', 'f') THEN 2 WHEN c.relkind = 'c' THEN 9
                       WHEN c.relkind = 'S' AND q.refobjid IS NULL THEN 8 ELSE 2 END AS kind,
                  CASE WHEN c.relkind IN ('r', 'p', 'v', 'm', 'f') THEN c.oid WHEN c.relkind = 'c' THEN c.reltype
                       WHEN c.relkind = 'S' THEN COALESCE(q.refobjid, c.oid) ELSE i.indrelid END AS oid
           FROM pg_catalog.pg_class c
           LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
           LEFT JOIN pg_catalog.pg_depend q ON c.relkind = 'S' AND q.objid = c.oid AND q.objsubid = 0
             AND q.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
             AND q.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
             AND q.refobjsubid > 0 AND q.deptype IN ('a', 'i')
           WHERE c.oid >= 16384
         ), type AS (
           SELECT t.oid AS objid, COALESCE(c.kind, 9) AS kind, COALESCE(c.oid, e.oid) AS oid
           FROM pg_catalog.pg_type t
           JOIN pg_catalog.pg_type e ON e.oid = CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE t.oid END
           LEFT JOIN class c ON c.objid = e.typrelid
           WHERE t.oid >= 16384
         ), part (classid, objid, kind, oid) AS (
           SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, objid, kind, oid FROM class
           UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, objid, kind, oid FROM type
           {multiranges}
           UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, p.oid, 10, p.oid
             FROM pg_catalog.pg_proc p WHERE p.oid >= 16384
           UNION ALL SELECT 'pg_catalog.pg_attrdef'::pg_catalog.regclass, d.oid, 2, d.adrelid
             FROM pg_catalog.pg_attrdef d
           UNION ALL SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass, k.oid,
               CASE WHEN k.conrelid <> 0 THEN 2 ELSE 9 END, CASE WHEN k.conrelid <> 0 THEN k.conrelid ELSE k.contypid END
             FROM pg_catalog.pg_constraint k WHERE k.contype <> 'f' AND k.oid >= 16384
           UNION ALL SELECT 'pg_catalog.pg_rewrite'::pg_catalog.regclass, w.oid, 2, w.ev_class
             FROM pg_catalog.pg_rewrite w WHERE w.rulename = '_RETURN' AND w.oid >= 16384
         ), need AS (
           SELECT DISTINCT a.kind, a.oid, b.kind AS needed_kind, b.oid AS needed
           FROM pg_catalog.pg_depend d
           JOIN part a ON a.classid = d.classid AND a.objid = d.objid
           JOIN part b ON b.classid = d.refclassid AND b.objid = d.refobjid
           WHERE d.objid >= 16384 AND d.refobjid >= 16384 AND (a.kind <> b.kind OR a.oid <> b.oid)
             AND CASE a.kind WHEN 2 THEN a.oid = ANY ($1) WHEN 8 THEN a.oid = ANY ($2) WHEN 9 THEN a.oid = ANY ($7)
                   ELSE a.oid = ANY ($8) END
         )
         SELECT d.kind, d.oid, d.needed_kind, n.nspname, COALESCE(c.relname, t.typname, p.proname),
                CASE WHEN p.oid IS NOT NULL THEN pg_catalog.pg_get_function_identity_arguments(p.oid) END
         FROM need d
         LEFT JOIN pg_catalog.pg_class c ON d.needed_kind IN ({relation}, {sequence}) AND c.oid = d.needed
         LEFT JOIN pg_catalog.pg_type t ON d.needed_kind = {kind_of_types} AND t.oid = d.needed
         LEFT JOIN pg_catalog.pg_proc p ON d.needed_kind = {routine} AND p.oid = d.needed
         JOIN pg_catalog.pg_namespace n
           ON n.oid = COALESCE(c.relnamespace, t.typnamespace, p.pronamespace)
         WHERE $3 IS NOT NULL AND $4 IS NOT NULL AND $5 IS NOT NULL AND $6 IS NOT NULL AND $9 IS NOT NULL
           AND $10 IS NOT NULL
         ORDER BY 1, 2, 3, 4, 5, 6",
        relation = i32::from(Kind::Relation),
        sequence = i32::from(Kind::Sequence),
        kind_of_types = i32::from(Kind::Type),
        routine = i32::from(Kind::Routine),
    )
}
