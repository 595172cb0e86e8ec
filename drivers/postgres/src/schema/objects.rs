//! What stands by itself in a database: schemas, sequences, types and routines.

use querybox_plugin::{Error, pb};

use super::{
    filter::{comment, extension, named, visible},
    reading::Row,
    relations::persistence,
    settings::DEFAULTS,
};
use crate::connection::out_of_order;

pub(super) fn schemas() -> String {
    let holds = |catalog: &str, namespace: &str, name: &str| {
        format!(
            "EXISTS (SELECT FROM pg_catalog.{catalog} o WHERE o.{namespace} = n.oid AND {})",
            named(&format!("o.{name}"))
        )
    };
    format!(
        "SELECT n.nspname, n.nspname = ANY ({DEFAULTS}), d.description,
                pg_catalog.pg_get_userbyid(n.nspowner), ext.extname
         FROM pg_catalog.pg_namespace n
         {comment} {extension}
         WHERE {visible}
           AND ($2 IS NULL AND $3 IS NULL OR {classes} OR {routines} OR {types})
         ORDER BY n.nspname",
        comment = comment("pg_namespace", "n.oid"),
        extension = extension("pg_namespace", "n.oid"),
        visible = visible("n"),
        // Types of relations and arrays have names of their own beside them, which changes nothing that matters.
        classes = holds("pg_class", "relnamespace", "relname"),
        routines = holds("pg_proc", "pronamespace", "proname"),
        types = holds("pg_type", "typnamespace", "typname"),
    )
}

pub(super) fn schema(row: &mut Row<'_>) -> Result<pb::Schema, Error> {
    Ok(pb::Schema {
        name: row.text()?,
        is_default: row.flag()?,
        comment: row.text()?,
        owner: row.text()?,
        extension: row.text()?,
    })
}

pub(super) fn sequences() -> String {
    format!(
        "SELECT n.nspname, c.relname, pg_catalog.format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement,
                s.seqmin, s.seqmax, s.seqcache, s.seqcycle, rn.nspname, r.relname, a.attname, o.deptype = 'i',
                pg_catalog.pg_get_userbyid(c.relowner), d.description, ext.extname, c.relpersistence
         FROM pg_catalog.pg_sequence s
         JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN pg_catalog.pg_depend o
           ON o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.objid = c.oid AND o.objsubid = 0
          AND o.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.refobjsubid > 0
          AND o.deptype IN ('a', 'i')
         LEFT JOIN pg_catalog.pg_class r ON r.oid = o.refobjid
         LEFT JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
         LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = o.refobjid AND a.attnum = o.refobjsubid
         {comment} {extension}
         WHERE {visible} AND {named}
         ORDER BY n.nspname, c.relname",
        comment = comment("pg_class", "c.oid"),
        extension = extension("pg_class", "c.oid"),
        visible = visible("n"),
        named = named("c.relname"),
    )
}

pub(super) fn sequence(row: &mut Row<'_>) -> Result<pb::Sequence, Error> {
    Ok(pb::Sequence {
        schema: row.text()?,
        name: row.text()?,
        database_type: row.text()?,
        start: row.number()?,
        increment: row.number()?,
        minimum: row.number()?,
        maximum: row.number()?,
        cache: row.number()?,
        cycle: row.flag()?,
        owned_by_schema: row.text()?,
        owned_by_relation: row.text()?,
        owned_by_column: row.text()?,
        of_identity: row.flag()?,
        owner: row.text()?,
        comment: row.text()?,
        extension: row.text()?,
        persistence: persistence(row.letter()?).into(),
    })
}

pub(super) fn types() -> String {
    format!(
        "SELECT n.nspname, t.typname, t.typtype,
                CASE WHEN t.typtype = 'e' THEN ARRAY(
                  SELECT e.enumlabel FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid
                  ORDER BY e.enumsortorder) END,
                CASE WHEN t.typtype = 'c' THEN ARRAY(
                  SELECT a.attname FROM pg_catalog.pg_attribute a
                  WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) END,
                CASE WHEN t.typtype = 'c' THEN ARRAY(
                  SELECT pg_catalog.format_type(a.atttypid, a.atttypmod) FROM pg_catalog.pg_attribute a
                  WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) END,
                CASE t.typtype WHEN 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod)
                  WHEN 'r' THEN (SELECT pg_catalog.format_type(r.rngsubtype, NULL)
                                 FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid) END,
                t.typnotnull,
                CASE WHEN t.typtype = 'd' THEN
                  COALESCE(pg_catalog.pg_get_expr(t.typdefaultbin, 0), t.typdefault) END,
                CASE WHEN t.typtype = 'd' THEN ARRAY(
                  SELECT k.conname FROM pg_catalog.pg_constraint k
                  WHERE k.contypid = t.oid AND k.contype = 'c' ORDER BY k.conname) END,
                CASE WHEN t.typtype = 'd' THEN ARRAY(
                  SELECT pg_catalog.pg_get_constraintdef(k.oid) FROM pg_catalog.pg_constraint k
                  WHERE k.contypid = t.oid AND k.contype = 'c' ORDER BY k.conname) END,
                pg_catalog.pg_get_userbyid(t.typowner), d.description, ext.extname
         FROM pg_catalog.pg_type t
         JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
         {comment} {extension}
         WHERE t.typtype IN ('e', 'c', 'd', 'r', 'b') AND {visible} AND {named}
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_type o WHERE o.typarray = t.oid)
           AND (t.typrelid = 0 OR EXISTS (
             SELECT FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
         ORDER BY n.nspname, t.typname",
        comment = comment("pg_type", "t.oid"),
        extension = extension("pg_type", "t.oid"),
        visible = visible("n"),
        named = named("t.typname"),
    )
}

pub(super) fn own_type(row: &mut Row<'_>) -> Result<pb::Type, Error> {
    Ok(pb::Type {
        schema: row.text()?,
        name: row.text()?,
        kind: match row.letter()? {
            b'e' => pb::TypeKind::Enum,
            b'c' => pb::TypeKind::Composite,
            b'd' => pb::TypeKind::Domain,
            b'r' => pb::TypeKind::Range,
            b'b' => pb::TypeKind::Base,
            // The query asks for no other.
            _ => return Err(out_of_order()),
        }
        .into(),
        labels: row.texts()?,
        attributes: row
            .texts()?
            .into_iter()
            .zip(row.texts()?)
            .map(|(name, database_type)| pb::TypeAttribute { name, database_type })
            .collect(),
        base_type: row.text()?,
        not_null: row.flag()?,
        default_expression: row.optional()?,
        checks: row
            .texts()?
            .into_iter()
            .zip(row.texts()?)
            .map(|(name, definition)| pb::TypeCheck { name, definition })
            .collect(),
        owner: row.text()?,
        comment: row.text()?,
        extension: row.text()?,
    })
}

/// Without those that are the inside of a type, as the constructors of a range are. For a server of this major version.
pub(super) fn routines(version: u32) -> String {
    let kind = match version {
        11.. => "p.prokind",
        _ => "CASE WHEN p.proisagg THEN 'a' WHEN p.proiswindow THEN 'w' ELSE 'f' END",
    };
    format!(
        "SELECT n.nspname, p.proname, {kind}, pg_catalog.pg_get_function_arguments(p.oid),
                pg_catalog.pg_get_function_identity_arguments(p.oid),
                pg_catalog.pg_get_function_result(p.oid), l.lanname, p.provolatile, p.prosecdef,
                pg_catalog.pg_get_userbyid(p.proowner), d.description, ext.extname
         FROM pg_catalog.pg_proc p
         JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
         JOIN pg_catalog.pg_language l ON l.oid = p.prolang
         {comment} {extension}
         WHERE {visible} AND {named} AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_depend i WHERE i.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
             AND i.objid = p.oid AND i.deptype = 'i')
         ORDER BY n.nspname, p.proname, 5",
        comment = comment("pg_proc", "p.oid"),
        extension = extension("pg_proc", "p.oid"),
        visible = visible("n"),
        named = named("p.proname"),
    )
}

pub(super) fn routine(row: &mut Row<'_>) -> Result<pb::Routine, Error> {
    Ok(pb::Routine {
        schema: row.text()?,
        name: row.text()?,
        kind: match row.letter()? {
            b'p' => pb::RoutineKind::Procedure,
            b'a' => pb::RoutineKind::Aggregate,
            b'w' => pb::RoutineKind::Window,
            _ => pb::RoutineKind::Function,
        }
        .into(),
        arguments: row.text()?,
        identity_arguments: row.text()?,
        result: row.text()?,
        language: row.text()?,
        volatility: match row.letter()? {
            b's' => pb::Volatility::Stable,
            b'i' => pb::Volatility::Immutable,
            _ => pb::Volatility::Unspecified,
        }
        .into(),
        security_definer: row.flag()?,
        owner: row.text()?,
        comment: row.text()?,
        extension: row.text()?,
    })
}
