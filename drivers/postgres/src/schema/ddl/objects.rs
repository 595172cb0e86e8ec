//! What stands by itself: schemas, extensions, types, sequences and routines.

use super::{comment_on, qualified};

/// The queries, each of rows of kind, number, section and text. Their parameters: [`numbers`](super::found::numbers).
pub(super) fn queries(version: u32) -> Vec<String> {
    vec![schemas(), extensions(), types(version), sequences(), routines(version), indexes_left_out()]
}

/// Makes an object's own piece, its comment, its owner and its grants: of an alias `o` of a catalog.
struct Standing<'a> {
    kind: u8,
    catalog: &'a str,
    parameter: u8,
    /// The statement. NULL: there is none.
    statement: &'a str,
    /// What it is called in COMMENT ON.
    called: &'a str,
    owner: &'a str,
    /// The column of its grants.
    grants: &'a str,
    /// More that is left out: an expression of words or NULL.
    left_out: &'a str,
    joins: &'a str,
}

impl Standing<'_> {
    fn query(&self) -> String {
        let Self { kind, catalog, parameter, statement, called, owner, grants, left_out, joins } = self;
        format!(
            "SELECT {kind}, o.oid, p.section, p.text
             FROM pg_catalog.{catalog} o {joins}
             LEFT JOIN pg_catalog.pg_description d ON d.objoid = o.oid AND d.objsubid = 0
               AND d.classoid = 'pg_catalog.{catalog}'::pg_catalog.regclass
             CROSS JOIN LATERAL (VALUES ('o', {statement}), ('a', {comment}),
               ('l', 'owner ' || pg_catalog.pg_get_userbyid(o.{owner})),
               ('l', CASE WHEN {grants} IS NOT NULL THEN 'grants' END), ('l', {left_out})
             ) AS p (section, text)
             WHERE o.oid = ANY (${parameter}) AND p.text IS NOT NULL",
            comment = comment_on(called),
        )
    }
}

fn schemas() -> String {
    Standing {
        kind: 1,
        catalog: "pg_namespace",
        parameter: 9,
        // Every new database has one of this name.
        statement: "pg_catalog.format('CREATE SCHEMA %s%I',
            CASE o.nspname WHEN 'public' THEN 'IF NOT EXISTS ' END, o.nspname)",
        called: "pg_catalog.format('SCHEMA %I', o.nspname)",
        owner: "nspowner",
        grants: "o.nspacl",
        left_out: "NULL",
        joins: "",
    }
    .query()
}

fn extensions() -> String {
    Standing {
        kind: 11,
        catalog: "pg_extension",
        parameter: 10,
        statement: "pg_catalog.format('CREATE EXTENSION %s%I WITH SCHEMA %I VERSION %L',
            CASE o.extname WHEN 'plpgsql' THEN 'IF NOT EXISTS ' END, o.extname, n.nspname, o.extversion)",
        called: "pg_catalog.format('EXTENSION %I', o.extname)",
        owner: "extowner",
        grants: "NULL",
        left_out: "CASE WHEN o.extconfig IS NOT NULL THEN 'what was put into its own tables' END",
        joins: "JOIN pg_catalog.pg_namespace n ON n.oid = o.extnamespace",
    }
    .query()
}

/// For a server of this major version.
fn types(version: u32) -> String {
    let multirange = match version {
        14.. => {
            "(SELECT pg_catalog.format(', MULTIRANGE_TYPE_NAME = %I.%I', mn.nspname, m.typname)
              FROM pg_catalog.pg_type m JOIN pg_catalog.pg_namespace mn ON mn.oid = m.typnamespace
              WHERE m.oid = r.rngmultitypid)"
        }
        _ => "NULL",
    };
    let name = qualified("n", "o.typname");
    let collate = |collation: &str| {
        format!(
            "(SELECT ' COLLATE ' || pg_catalog.format('%I.%I', cn.nspname, co.collname)
              FROM pg_catalog.pg_collation co JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace
              WHERE co.oid = {collation})"
        )
    };
    let statement = format!(
        "CASE o.typtype
           WHEN 'e' THEN 'CREATE TYPE ' || {name} || ' AS ENUM (' || COALESCE((
             SELECT pg_catalog.string_agg(pg_catalog.quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
             FROM pg_catalog.pg_enum e WHERE e.enumtypid = o.oid), '') || ')'
           WHEN 'c' THEN 'CREATE TYPE ' || {name} || ' AS (' || COALESCE((
             SELECT pg_catalog.string_agg(pg_catalog.concat(pg_catalog.quote_ident(a.attname), ' ',
                      pg_catalog.format_type(a.atttypid, a.atttypmod),
                      CASE WHEN a.attcollation <> t.typcollation THEN {attribute_collation} END),
                    ', ' ORDER BY a.attnum)
             FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
             WHERE a.attrelid = o.typrelid AND a.attnum > 0 AND NOT a.attisdropped), '') || ')'
           WHEN 'd' THEN pg_catalog.concat('CREATE DOMAIN ', {name}, ' AS ',
             pg_catalog.format_type(o.typbasetype, o.typtypmod),
             CASE WHEN o.typcollation <> (SELECT t.typcollation FROM pg_catalog.pg_type t
                    WHERE t.oid = o.typbasetype) THEN {domain_collation} END,
             ' DEFAULT ' || COALESCE(pg_catalog.pg_get_expr(o.typdefaultbin, 0),
               pg_catalog.quote_literal(o.typdefault)),
             CASE WHEN o.typnotnull THEN ' NOT NULL' END, (
             SELECT pg_catalog.string_agg(pg_catalog.format(' CONSTRAINT %I %s', k.conname,
                      pg_catalog.pg_get_constraintdef(k.oid)), '' ORDER BY k.conname)
             FROM pg_catalog.pg_constraint k WHERE k.contypid = o.oid AND k.contype = 'c' AND k.convalidated))
           WHEN 'r' THEN (SELECT pg_catalog.concat('CREATE TYPE ', {name}, ' AS RANGE (SUBTYPE = ',
               pg_catalog.format_type(r.rngsubtype, NULL),
               CASE WHEN NOT oc.opcdefault THEN pg_catalog.format(', SUBTYPE_OPCLASS = %I.%I', ocn.nspname, oc.opcname)
                 END,
               CASE WHEN r.rngcollation <> 0 THEN (
                 SELECT pg_catalog.format(', COLLATION = %I.%I', rn.nspname, rc.collname)
                 FROM pg_catalog.pg_collation rc JOIN pg_catalog.pg_namespace rn ON rn.oid = rc.collnamespace
                 WHERE rc.oid = r.rngcollation) END,
               CASE WHEN r.rngsubdiff <> 0 THEN ', SUBTYPE_DIFF = ' || r.rngsubdiff::pg_catalog.text END,
               {multirange}, ')')
             FROM pg_catalog.pg_range r JOIN pg_catalog.pg_opclass oc ON oc.oid = r.rngsubopc
             JOIN pg_catalog.pg_namespace ocn ON ocn.oid = oc.opcnamespace WHERE r.rngtypid = o.oid)
         END",
        attribute_collation = collate("a.attcollation"),
        domain_collation = collate("o.typcollation"),
    );
    Standing {
        kind: 9,
        catalog: "pg_type",
        parameter: 7,
        statement: &statement,
        called: &format!("CASE o.typtype WHEN 'd' THEN 'DOMAIN ' ELSE 'TYPE ' END || {name}"),
        owner: "typowner",
        grants: "o.typacl",
        left_out: "NULLIF(pg_catalog.concat_ws(', ',
            CASE WHEN o.typtype = 'b' THEN 'all of it: a base type is made of functions' END,
            CASE WHEN o.typtype = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_range r
              WHERE r.rngtypid = o.oid AND r.rngcanonical <> 0) THEN 'its canonical function' END,
            CASE WHEN o.typtype = 'c' AND EXISTS (SELECT FROM pg_catalog.pg_description x
              WHERE x.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND x.objoid = o.typrelid
                AND x.objsubid > 0) THEN 'comments on its attributes' END,
            CASE WHEN o.typtype = 'd' AND EXISTS (SELECT FROM pg_catalog.pg_constraint k
              JOIN pg_catalog.pg_description x ON x.objoid = k.oid
                AND x.classoid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
              WHERE k.contypid = o.oid) THEN 'comments on its checks' END,
            CASE WHEN o.typtype = 'd' AND EXISTS (SELECT FROM pg_catalog.pg_constraint k
              WHERE k.contypid = o.oid AND k.contype = 'c' AND NOT k.convalidated)
              THEN 'checks that are not validated' END), '')",
        joins: "JOIN pg_catalog.pg_namespace n ON n.oid = o.typnamespace",
    }
    .query()
}

/// Sequences by themselves, and those that go with the columns of tables.
fn sequences() -> String {
    let name = qualified("n", "c.relname");
    let create = format!(
        "pg_catalog.concat('CREATE ', CASE c.relpersistence WHEN 't' THEN 'TEMPORARY ' WHEN 'u' THEN 'UNLOGGED ' END,
           'SEQUENCE ', {name}, ' AS ', pg_catalog.format_type(s.seqtypid, NULL), ' INCREMENT BY ', s.seqincrement,
           ' MINVALUE ', s.seqmin, ' MAXVALUE ', s.seqmax, ' START WITH ', s.seqstart, ' CACHE ', s.seqcache,
           CASE WHEN s.seqcycle THEN ' CYCLE' END)"
    );
    let owned_by = format!(
        "CASE WHEN r.oid IS NOT NULL THEN
           'ALTER SEQUENCE ' || {name} || ' OWNED BY ' || {} || '.' || pg_catalog.quote_ident(a.attname) END",
        qualified("rn", "r.relname")
    );
    format!(
        "SELECT CASE x.way WHEN 'own' THEN 8 ELSE 2 END, CASE x.way WHEN 'own' THEN c.oid ELSE r.oid END,
                p.section, p.text
         FROM pg_catalog.pg_sequence s
         JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN pg_catalog.pg_depend o
           ON o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.objid = c.oid AND o.objsubid = 0
          AND o.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.refobjsubid > 0 AND o.deptype = 'a'
         LEFT JOIN pg_catalog.pg_class r ON r.oid = o.refobjid
         LEFT JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
         LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = o.refobjid AND a.attnum = o.refobjsubid
         LEFT JOIN pg_catalog.pg_description d ON d.objoid = c.oid AND d.objsubid = 0
           AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
         CROSS JOIN (VALUES ('own'), ('part')) AS x (way)
         CROSS JOIN LATERAL (VALUES
           (CASE x.way WHEN 'own' THEN 'o' ELSE 'b' END, {create}),
           (CASE x.way WHEN 'own' THEN 'z' ELSE 'a' END, {owned_by}),
           ('a', CASE x.way WHEN 'part' THEN {comment} END),
           ('l', 'value of the sequence ' || c.relname),
           ('l', CASE x.way WHEN 'own' THEN 'owner ' || pg_catalog.pg_get_userbyid(c.relowner) END),
           ('l', CASE WHEN c.relacl IS NOT NULL THEN CASE x.way WHEN 'own' THEN 'grants'
              ELSE 'grants on the sequence ' || c.relname END END)
         ) AS p (section, text)
         WHERE CASE x.way WHEN 'own' THEN c.oid = ANY ($2) ELSE r.oid = ANY ($1) END AND p.text IS NOT NULL
         ORDER BY c.oid",
        comment = comment_on(&format!("'SEQUENCE ' || {name}")),
    )
}

/// For a server of this major version.
fn routines(version: u32) -> String {
    let is_aggregate = if version >= 11 { "o.prokind = 'a'" } else { "o.proisagg" };
    let called = match version {
        11.. => "CASE o.prokind WHEN 'a' THEN 'AGGREGATE ' WHEN 'p' THEN 'PROCEDURE ' ELSE 'FUNCTION ' END",
        _ => "CASE WHEN o.proisagg THEN 'AGGREGATE ' ELSE 'FUNCTION ' END",
    };
    Standing {
        kind: 10,
        catalog: "pg_proc",
        parameter: 8,
        // In a sub-select, for the function fails for an aggregate.
        statement: &format!(
            "(SELECT pg_catalog.pg_get_functiondef(f.oid) FROM pg_catalog.pg_proc f
              WHERE f.oid = CASE WHEN NOT {is_aggregate} THEN o.oid END)"
        ),
        called: &format!(
            "CASE WHEN NOT {is_aggregate} THEN {called} || {} || '('
               || pg_catalog.pg_get_function_identity_arguments(o.oid) || ')' END",
            qualified("n", "o.proname")
        ),
        owner: "proowner",
        grants: "o.proacl",
        left_out: &format!(
            "CASE WHEN {is_aggregate} THEN 'all of it: the server has no text of an aggregate' END"
        ),
        joins: "JOIN pg_catalog.pg_namespace n ON n.oid = o.pronamespace",
    }
    .query()
}

/// An index belongs to whoever owns its table, and has a tablespace of its own.
fn indexes_left_out() -> String {
    "SELECT x.kind, CASE x.kind WHEN 5 THEN c.oid ELSE i.indrelid END, 'l',
            CASE x.kind WHEN 5 THEN 'tablespace ' || t.spcname
              ELSE pg_catalog.concat('tablespace ', t.spcname, ' of the index ', c.relname) END
     FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
     JOIN pg_catalog.pg_tablespace t ON t.oid = c.reltablespace
     CROSS JOIN (VALUES (5), (2)) AS x (kind)
     WHERE CASE x.kind WHEN 5 THEN c.oid = ANY ($3) ELSE i.indrelid = ANY ($1) END"
        .to_owned()
}
