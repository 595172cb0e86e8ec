//! Tables, views and the like: what stands before, in and behind their parentheses.
//!
//! A partition is made as a table of its own and then attached, so that its columns keep their order and its keys and indexes
//! their names.

use super::{options, qualified};

/// The queries, each of rows of kind, number, section and text. Their parameters: [`numbers`](super::found::numbers).
pub(super) fn queries(version: u32) -> Vec<String> {
    vec![heads(version), columns(version), parents(), left_out(), left_out_of_columns(version)]
}

/// The clauses that every query about relations has.
const FROM: &str = "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace";

fn heads(version: u32) -> String {
    let name = qualified("n", "c.relname");
    let using = match version {
        12.. => {
            "COALESCE(' USING ' || pg_catalog.quote_ident((
               SELECT m.amname FROM pg_catalog.pg_am m WHERE m.oid = c.relam AND m.amname <> 'heap')), '')"
        }
        _ => "''",
    };
    let with = format!("COALESCE(' WITH (' || {} || ')', '')", options("c.reloptions", "="));
    let foreign = format!(
        "(SELECT ' SERVER ' || pg_catalog.quote_ident(s.srvname) || COALESCE(' OPTIONS (' || {} || ')', '')
          FROM pg_catalog.pg_foreign_table f JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
          WHERE f.ftrelid = c.oid)",
        options("f.ftoptions", " ")
    );
    format!(
        "SELECT 2, c.oid, p.section, p.text {FROM}
         CROSS JOIN LATERAL (VALUES
           ('h', CASE WHEN c.relkind IN ('r', 'p', 'f') THEN pg_catalog.concat('CREATE ',
              CASE c.relpersistence WHEN 't' THEN 'TEMPORARY ' WHEN 'u' THEN 'UNLOGGED ' END,
              CASE c.relkind WHEN 'f' THEN 'FOREIGN ' END, 'TABLE ', {name}) END),
           ('t', CASE WHEN c.relkind IN ('r', 'p', 'f') THEN pg_catalog.concat(
              CASE WHEN NOT c.relispartition THEN (
                SELECT ' INHERITS (' || pg_catalog.string_agg({parent}, ', ' ORDER BY i.inhseqno) || ')'
                FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class pc ON pc.oid = i.inhparent
                JOIN pg_catalog.pg_namespace pn ON pn.oid = pc.relnamespace WHERE i.inhrelid = c.oid) END,
              CASE c.relkind WHEN 'p' THEN ' PARTITION BY ' || pg_catalog.pg_get_partkeydef(c.oid) END,
              {using}, {with}, {foreign}) END),
           ('o', CASE c.relkind
              WHEN 'v' THEN pg_catalog.concat('CREATE ', CASE c.relpersistence WHEN 't' THEN 'TEMPORARY ' END,
                'VIEW ', {name}, {with}, E' AS\\n', pg_catalog.pg_get_viewdef(c.oid))
              WHEN 'm' THEN pg_catalog.concat('CREATE MATERIALIZED VIEW ', {name}, {using}, {with}, E' AS\\n',
                pg_catalog.rtrim(pg_catalog.pg_get_viewdef(c.oid), ';'),
                CASE WHEN NOT c.relispopulated THEN E'\\nWITH NO DATA' END) END),
           ('a', CASE WHEN c.relrowsecurity THEN 'ALTER TABLE ' || {name} || ' ENABLE ROW LEVEL SECURITY' END),
           ('a', CASE WHEN c.relforcerowsecurity THEN 'ALTER TABLE ' || {name} || ' FORCE ROW LEVEL SECURITY' END)
         ) AS p (section, text)
         WHERE c.oid = ANY ($1) AND p.text IS NOT NULL",
        parent = qualified("pn", "pc.relname"),
    )
}

/// What ties partitions to their tables, before all other ties.
fn parents() -> String {
    format!(
        "SELECT 2, c.oid, 'z', 'ALTER TABLE ONLY ' || {parent} || ' ATTACH PARTITION ' || {name} || ' '
                || pg_catalog.pg_get_expr(c.relpartbound, c.oid)
         {FROM}
         JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid
         JOIN pg_catalog.pg_class pc ON pc.oid = i.inhparent
         JOIN pg_catalog.pg_namespace pn ON pn.oid = pc.relnamespace
         WHERE c.oid = ANY ($1) AND c.relispartition",
        parent = qualified("pn", "pc.relname"),
        name = qualified("n", "c.relname"),
    )
}

fn columns(version: u32) -> String {
    let name = qualified("n", "c.relname");
    let generated = if version >= 12 { "a.attgenerated" } else { "''" };
    // Until version 17 NOT NULL had no name, and nothing else to say of it.
    let (not_null, not_null_join, not_valid) = match version {
        18.. => (
            "CASE WHEN nn.conname IS NULL OR NOT nn.convalidated THEN NULL
                  WHEN nn.conname = c.relname || '_' || a.attname || '_not_null' THEN ' NOT NULL'
                  ELSE pg_catalog.format(' CONSTRAINT %I NOT NULL', nn.conname) END
             || CASE WHEN nn.connoinherit THEN ' NO INHERIT' ELSE '' END",
            "LEFT JOIN pg_catalog.pg_constraint nn ON nn.contype = 'n' AND nn.conrelid = a.attrelid
               AND nn.conkey[1] = a.attnum",
            format!(
                "UNION ALL
                 SELECT 2, c.oid, 'a', pg_catalog.format('ALTER TABLE ONLY %s ADD CONSTRAINT %I %s', {name}, nn.conname,
                        pg_catalog.pg_get_constraintdef(nn.oid)), 100000 + nn.conkey[1]
                 {FROM} JOIN pg_catalog.pg_constraint nn ON nn.contype = 'n' AND nn.conrelid = c.oid
                 WHERE c.oid = ANY ($1) AND nn.conislocal AND NOT nn.convalidated"
            ),
        ),
        _ => ("CASE WHEN a.attnotnull THEN ' NOT NULL' END", "", String::new()),
    };
    let sequence = format!(
        "(SELECT ' (' || NULLIF(pg_catalog.concat_ws(' ',
             CASE WHEN sn.oid <> n.oid OR sc.relname <> c.relname || '_' || a.attname || '_seq'
                  THEN 'SEQUENCE NAME ' || {sequence_name} END,
             CASE WHEN s.seqincrement <> 1 THEN 'INCREMENT BY ' || s.seqincrement END,
             CASE WHEN s.seqincrement < 0 OR s.seqmin <> 1 THEN 'MINVALUE ' || s.seqmin END,
             CASE WHEN s.seqincrement < 0 OR s.seqmax <> CASE pg_catalog.format_type(s.seqtypid, NULL)
                    WHEN 'smallint' THEN 32767 WHEN 'integer' THEN 2147483647 ELSE 9223372036854775807 END
                  THEN 'MAXVALUE ' || s.seqmax END,
             CASE WHEN s.seqincrement < 0 OR s.seqstart <> s.seqmin THEN 'START WITH ' || s.seqstart END,
             CASE WHEN s.seqcache <> 1 THEN 'CACHE ' || s.seqcache END,
             CASE WHEN s.seqcycle THEN 'CYCLE' END), '') || ')'
          FROM pg_catalog.pg_depend o
          JOIN pg_catalog.pg_sequence s ON s.seqrelid = o.objid
          JOIN pg_catalog.pg_class sc ON sc.oid = o.objid
          JOIN pg_catalog.pg_namespace sn ON sn.oid = sc.relnamespace
          WHERE o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.deptype = 'i'
            AND o.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
            AND o.refobjid = a.attrelid AND o.refobjsubid = a.attnum)",
        sequence_name = qualified("sn", "sc.relname"),
    );
    let column = format!(
        "pg_catalog.concat(pg_catalog.quote_ident(a.attname), ' ', pg_catalog.format_type(a.atttypid, a.atttypmod),
           CASE WHEN a.attcollation <> 0 AND a.attcollation <> (
                  SELECT t.typcollation FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid)
                THEN (SELECT ' COLLATE ' || pg_catalog.format('%I.%I', n2.nspname, o.collname)
                      FROM pg_catalog.pg_collation o JOIN pg_catalog.pg_namespace n2 ON n2.oid = o.collnamespace
                      WHERE o.oid = a.attcollation) END,
           CASE WHEN c.relkind = 'f' THEN ' OPTIONS (' || {options} || ')' END,
           CASE {generated} WHEN 's' THEN ' GENERATED ALWAYS AS (' || e.text || ') STORED'
             WHEN 'v' THEN ' GENERATED ALWAYS AS (' || e.text || ')' ELSE ' DEFAULT ' || e.text END,
           CASE WHEN NOT c.relispartition THEN
             CASE a.attidentity WHEN 'a' THEN ' GENERATED ALWAYS AS IDENTITY'
               WHEN 'd' THEN ' GENERATED BY DEFAULT AS IDENTITY' END || COALESCE({sequence}, '') END,
           {not_null})",
        options = options("a.attfdwoptions", " "),
    );
    // What a column of a parent has, a child has too, unless it was changed there.
    let of_parent = |what: &str| {
        format!(
            "EXISTS (SELECT FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_attribute pa ON pa.attrelid = i.inhparent
                     WHERE i.inhrelid = c.oid AND pa.attname = a.attname AND {what})"
        )
    };
    format!(
        "WITH a AS (
           SELECT a.* FROM pg_catalog.pg_attribute a
           WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped
         ), e AS (
           SELECT e.adrelid, e.adnum, pg_catalog.pg_get_expr(e.adbin, e.adrelid) AS text
           FROM pg_catalog.pg_attrdef e WHERE e.adrelid = ANY ($1)
         )
         SELECT x.kind, x.oid, x.section, x.text FROM (
           SELECT 2 AS kind, c.oid, 'e' AS section, {column} AS text, a.attnum::pg_catalog.int4 AS place
           {FROM} JOIN a ON a.attrelid = c.oid
           LEFT JOIN e ON e.adrelid = a.attrelid AND e.adnum = a.attnum {not_null_join}
           WHERE c.relkind IN ('r', 'p', 'f') AND (a.attislocal OR c.relispartition)
           UNION ALL
           SELECT 2, c.oid, 'a', pg_catalog.concat('ALTER ', CASE c.relkind WHEN 'v' THEN 'VIEW ' ELSE 'TABLE ONLY ' END,
                  {name}, ' ALTER COLUMN ', pg_catalog.quote_ident(a.attname), p.change), 10000 + a.attnum
           {FROM} JOIN a ON a.attrelid = c.oid
           LEFT JOIN e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
           CROSS JOIN LATERAL (VALUES
             (CASE WHEN {generated} = '' AND e.text IS NOT NULL THEN ' SET DEFAULT ' || e.text
                   WHEN e.text IS NULL AND c.relkind <> 'v' AND {parent_default} THEN ' DROP DEFAULT' END),
             (CASE WHEN a.attnotnull AND NOT {parent_not_null} THEN ' SET NOT NULL' END)
           ) AS p (change)
           WHERE p.change IS NOT NULL
             AND (c.relkind = 'v' OR c.relkind IN ('r', 'p', 'f') AND NOT a.attislocal AND NOT c.relispartition)
           {not_valid}
         ) x ORDER BY x.oid, x.place",
        parent_default = of_parent("pa.atthasdef"),
        parent_not_null = of_parent("pa.attnotnull"),
    )
}

/// What a table's statements do not make.
fn left_out() -> String {
    format!(
        "SELECT 2, c.oid, 'l', w.words {FROM}
         CROSS JOIN LATERAL (VALUES
           ('owner ' || pg_catalog.pg_get_userbyid(c.relowner)),
           (CASE WHEN c.relacl IS NOT NULL THEN 'grants' END),
           (CASE WHEN c.reltablespace <> 0 THEN 'tablespace ' || (
              SELECT t.spcname FROM pg_catalog.pg_tablespace t WHERE t.oid = c.reltablespace) END),
           (CASE WHEN c.reloftype <> 0 THEN 'that it is of the type '
              || pg_catalog.format_type(c.reloftype, NULL) END),
           (CASE WHEN c.relkind IN ('r', 'p', 'm') AND c.relreplident <> 'd' AND n.nspname <> 'pg_catalog'
              THEN 'replica identity' END),
           (CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisclustered)
              THEN 'the index that it is clustered by' END),
           (CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_class t WHERE t.oid = c.reltoastrelid
                AND t.reloptions IS NOT NULL) THEN 'storage parameters of its TOAST table' END),
           (CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_seclabel s WHERE s.objoid = c.oid
                AND s.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass) THEN 'security labels' END),
           (CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_publication_rel pr WHERE pr.prrelid = c.oid)
              THEN 'publications that it is in' END),
           ((SELECT 'storage parameters of the indexes of keys ' || pg_catalog.string_agg(k.conname, ', ' ORDER BY k.conname)
             FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class x ON x.oid = k.conindid
             WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x') AND x.reloptions IS NOT NULL
             HAVING pg_catalog.count(*) > 0))
         ) AS w (words)
         WHERE c.oid = ANY ($1) AND w.words IS NOT NULL"
    )
}

fn left_out_of_columns(version: u32) -> String {
    let compressed = if version >= 14 { "a.attcompression <> ''" } else { "false" };
    let columns = |is_so: &str| {
        format!("pg_catalog.string_agg(a.attname, ', ' ORDER BY a.attnum) FILTER (WHERE {is_so})")
    };
    format!(
        "SELECT 2, f.attrelid, 'l', w.words FROM (
           SELECT a.attrelid, {storage} AS storage, {statistics} AS statistics, {grants} AS grants
           FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
           WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped
           GROUP BY a.attrelid
         ) f
         CROSS JOIN LATERAL (VALUES ('storage of columns ' || f.storage),
           ('statistics target or options of columns ' || f.statistics), ('grants on columns ' || f.grants)) AS w (words)
         WHERE w.words IS NOT NULL",
        storage = columns(&format!("a.attstorage <> t.typstorage OR {compressed}")),
        statistics = columns("COALESCE(a.attstattarget, -1) <> -1 OR a.attoptions IS NOT NULL"),
        grants = columns("a.attacl IS NOT NULL"),
    )
}
