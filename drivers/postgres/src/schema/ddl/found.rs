//! Which objects the names mean.

use querybox_plugin::{Error, SchemaError, pb, pb::SchemaObjectKind as Kind};

use crate::{
    connection::Connection,
    schema::{
        array,
        reading::{Lookup, Reading, Row},
        settings::{self, LOOKED_IN},
    },
};

/// An object that there is.
#[derive(Debug)]
pub(super) struct Found {
    /// Which of those that were asked for.
    pub(super) place: u32,
    pub(super) oid: u32,
    pub(super) object: pb::ObjectRef,
}

impl Found {
    fn read(row: &mut Row<'_>) -> Result<Self, Error> {
        Ok(Self {
            place: row.number()?,
            oid: row.number()?,
            object: pb::ObjectRef {
                kind: row.number()?,
                schema: row.text()?,
                relation: row.text()?,
                name: row.text()?,
                arguments: row.optional()?,
            },
        })
    }
}

/// Finds objects, in the order in which they are asked for.
pub(super) async fn find(
    connection: &mut Connection,
    objects: &[pb::ObjectRef],
    version: u32,
) -> Result<Vec<Found>, SchemaError> {
    let texts = objects.iter().flat_map(|object| [&object.schema, &object.relation, &object.name]);
    if texts
        .chain(objects.iter().filter_map(|object| object.arguments.as_ref()))
        .any(|text| text.contains('\0'))
    {
        return Err(Error::parameter("objects", "have a zero byte in a name").into());
    }
    let column = |text: fn(&pb::ObjectRef) -> Option<&String>| {
        Some(array::write_optional(objects.iter().map(|object| text(object).map(String::as_str))))
    };
    let kinds = objects.iter().map(|object| object.kind.to_string()).collect::<Vec<_>>().join(",");
    let values = vec![
        Some(format!("{{{kinds}}}")),
        column(|object| Some(&object.schema)),
        column(|object| Some(&object.relation)),
        column(|object| Some(&object.name)),
        column(|object| object.arguments.as_ref()),
    ];
    // int4[], and four times text[].
    let types = vec![1007, 1009, 1009, 1009, 1009];
    let lookups = vec![settings::lookup(version), Lookup::plain(query(version), types, values)];
    let mut reading = Reading::begin(connection, lookups);
    reading.advance().await?;
    while reading.row(settings::skip).await?.is_some() {}
    reading.advance().await?;
    let mut found = Vec::new();
    while let Some(one) = reading.row(Found::read).await? {
        found.push(one);
    }
    reading.end().await?;
    Ok(found)
}

fn query(version: u32) -> String {
    // Where no schema is named: in the first one of those looked in that has an object of the name. `same` tells its catalog
    // with the column of the schema, and what makes another one, `x`, an object of the same name.
    let in_schema = |catalog: &str, namespace: &str, same: &str| {
        format!(
            "(n.nspname = q.schema OR q.schema = '' AND n.nspname = ANY ({LOOKED_IN}) AND NOT EXISTS (
                SELECT FROM pg_catalog.{catalog} x JOIN pg_catalog.pg_namespace xn ON xn.oid = x.{namespace}
                WHERE {same} AND pg_catalog.array_position({LOOKED_IN}, xn.nspname)
                  < pg_catalog.array_position({LOOKED_IN}, n.nspname)))"
        )
    };
    let class_in_schema = in_schema("pg_class", "relnamespace", "x.relname = c.relname");
    let class = |kind: Kind, relkinds: &str| {
        format!(
            "SELECT c.oid, {kind} AS kind, n.nspname AS schema, NULL::pg_catalog.name AS relation, c.relname AS name,
                    NULL::pg_catalog.text AS arguments
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             WHERE q.kind IN (0, {kind}) AND c.relname = q.name AND c.relkind IN ({relkinds}) AND {found}",
            kind = i32::from(kind),
            found = class_in_schema,
        )
    };
    let belonging = |kind: Kind, catalog: &str, relation: &str, name: &str, rest: &str| {
        format!(
            "SELECT o.oid, {kind}, n.nspname, c.relname, o.{name}, NULL
             FROM pg_catalog.{catalog} o JOIN pg_catalog.pg_class c ON c.oid = o.{relation}
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             WHERE q.kind = {kind} AND o.{name} = q.name AND c.relname = q.relation AND {found} {rest}",
            kind = i32::from(kind),
            found = class_in_schema,
        )
    };
    let database = |kind: Kind, catalog: &str, name: &str| {
        format!(
            "SELECT o.oid, {kind}, '', NULL, o.{name}, NULL FROM pg_catalog.{catalog} o
             WHERE q.kind IN (0, {kind}) AND q.schema = '' AND o.{name} = q.name",
            kind = i32::from(kind),
        )
    };
    let types = format!(
        "SELECT t.oid, {kind}, n.nspname, NULL, t.typname, NULL
         FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
         WHERE q.kind IN (0, {kind}) AND t.typname = q.name AND t.typtype IN ('e', 'c', 'd', 'r', 'b') AND {found}
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_type o WHERE o.typarray = t.oid)
           AND (t.typrelid = 0 OR EXISTS (
             SELECT FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))",
        kind = i32::from(Kind::Type),
        found = in_schema("pg_type", "typnamespace", "x.typname = t.typname"),
    );
    let routines = format!(
        "SELECT p.oid, {kind}, n.nspname, NULL, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid)
         FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
         WHERE q.kind IN (0, {kind}) AND p.proname = q.name AND {found}
           AND (q.arguments IS NULL OR pg_catalog.pg_get_function_identity_arguments(p.oid) = q.arguments)",
        kind = i32::from(Kind::Routine),
        found = in_schema("pg_proc", "pronamespace", "x.proname = p.proname AND x.proargtypes = p.proargtypes"),
    );
    let no_copies = if version >= 13 { "AND o.tgparentid = 0" } else { "" };
    let found = [
        class(Kind::Relation, "'r', 'v', 'm', 'f', 'p'"),
        class(Kind::Index, "'i', 'I'"),
        class(Kind::Sequence, "'S'"),
        types,
        routines,
        belonging(
            Kind::Key,
            "pg_constraint",
            "conrelid",
            "conname",
            "AND o.contype IN ('p', 'u', 'f', 'c', 'x')",
        ),
        belonging(
            Kind::Trigger,
            "pg_trigger",
            "tgrelid",
            "tgname",
            &format!("AND NOT o.tgisinternal {no_copies}"),
        ),
        belonging(Kind::Policy, "pg_policy", "polrelid", "polname", ""),
        database(Kind::Schema, "pg_namespace", "nspname"),
        database(Kind::Extension, "pg_extension", "extname"),
    ];
    format!(
        "SELECT q.place - 1, f.oid, f.kind, f.schema, f.relation, f.name, f.arguments
         FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3),
                pg_catalog.unnest($4), pg_catalog.unnest($5))
           WITH ORDINALITY AS q (kind, schema, relation, name, arguments, place)
         CROSS JOIN LATERAL ({}) f
         ORDER BY q.place, f.kind, f.schema, f.arguments",
        found.join(" UNION ALL ")
    )
}

/// The kinds whose numbers the queries take, in the order of their parameters: `$1` relations, `$2` sequences, `$3` indexes,
/// `$4` keys, `$5` triggers, `$6` policies, `$7` types, `$8` routines, `$9` schemas, `$10` extensions.
const NUMBERED: [Kind; 10] = [
    Kind::Relation,
    Kind::Sequence,
    Kind::Index,
    Kind::Key,
    Kind::Trigger,
    Kind::Policy,
    Kind::Type,
    Kind::Routine,
    Kind::Schema,
    Kind::Extension,
];

/// `oid[]` each.
pub(super) const NUMBER_TYPES: [u32; NUMBERED.len()] = [1028; NUMBERED.len()];

/// The numbers of what was found.
pub(super) fn numbers(found: &[Found]) -> Vec<Option<String>> {
    let of_kind = |kind: Kind| {
        let oids = found.iter().filter(|one| one.object.kind == i32::from(kind));
        Some(format!("{{{}}}", oids.map(|one| one.oid.to_string()).collect::<Vec<_>>().join(",")))
    };
    NUMBERED.iter().map(|kind| of_kind(*kind)).collect()
}
