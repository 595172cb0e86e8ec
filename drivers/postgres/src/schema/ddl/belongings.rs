//! What belongs to relations: keys, indexes, statistics, triggers, policies, rules and comments; as parts of a table, and by
//! themselves.

use super::{comment_on, qualified};

/// The queries, each of rows of kind, number, section and text. Their parameters: [`numbers`](super::found::numbers).
pub(super) fn queries(version: u32) -> Vec<String> {
    vec![keys(version), indexes(), statistics(), triggers(version), policies(), rules(), comments()]
}

/// Joins a relation by its number.
fn relation(oid: &str) -> String {
    format!(
        "JOIN pg_catalog.pg_class c ON c.oid = {oid}
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    )
}

fn keys(version: u32) -> String {
    let name = qualified("n", "c.relname");
    // Those of a partition come with its table.
    let is_own = if version >= 11 { "k.conparentid = 0" } else { "true" };
    format!(
        "SELECT CASE x.way WHEN 'own' THEN 4 ELSE 2 END, CASE x.way WHEN 'own' THEN k.oid ELSE c.oid END,
                CASE WHEN x.way = 'own' THEN 'o' WHEN k.contype = 'f' THEN 'z' WHEN k.convalidated THEN 'e' ELSE 'a' END,
                CASE WHEN x.way = 'own' OR k.contype = 'f' OR NOT k.convalidated
                     THEN 'ALTER TABLE ' || {name} || ' ADD ' ELSE '' END
                || pg_catalog.format('CONSTRAINT %I %s', k.conname, pg_catalog.pg_get_constraintdef(k.oid))
         FROM pg_catalog.pg_constraint k {relation}
         CROSS JOIN (VALUES ('own'), ('part')) AS x (way)
         WHERE k.contype IN ('p', 'u', 'x', 'c', 'f')
           AND CASE x.way WHEN 'own' THEN k.oid = ANY ($4) ELSE k.conrelid = ANY ($1)
                 AND (k.conislocal OR c.relispartition) AND (k.contype <> 'f' OR {is_own}) END
         ORDER BY c.oid, pg_catalog.strpos('puxcf', k.contype::pg_catalog.text), k.conname",
        relation = relation("k.conrelid"),
    )
}

fn indexes() -> String {
    format!(
        "SELECT CASE x.way WHEN 'own' THEN 5 ELSE 2 END, CASE x.way WHEN 'own' THEN i.indexrelid ELSE c.oid END,
                CASE x.way WHEN 'own' THEN 'o' ELSE 'a' END, pg_catalog.pg_get_indexdef(i.indexrelid)
         FROM pg_catalog.pg_index i {relation}
         CROSS JOIN (VALUES ('own'), ('part')) AS x (way)
         WHERE CASE x.way WHEN 'own' THEN i.indexrelid = ANY ($3) ELSE i.indrelid = ANY ($1) AND NOT EXISTS (
                 SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid
                   AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')) END
         ORDER BY c.oid, i.indexrelid",
        relation = relation("i.indrelid"),
    )
}

fn statistics() -> String {
    "SELECT 2, s.stxrelid, 'a', pg_catalog.pg_get_statisticsobjdef(s.oid)
     FROM pg_catalog.pg_statistic_ext s WHERE s.stxrelid = ANY ($1) ORDER BY s.oid"
        .to_owned()
}

fn triggers(version: u32) -> String {
    let name = qualified("n", "c.relname");
    // Those of a partition that come with its table.
    let is_own = if version >= 13 { "t.tgparentid = 0" } else { "true" };
    format!(
        "SELECT CASE x.way WHEN 'own' THEN 6 ELSE 2 END, CASE x.way WHEN 'own' THEN t.oid ELSE c.oid END,
                CASE x.way WHEN 'own' THEN 'o' ELSE 'z' END, p.text
         FROM pg_catalog.pg_trigger t {relation}
         CROSS JOIN (VALUES ('own'), ('part')) AS x (way)
         CROSS JOIN LATERAL (VALUES (1, pg_catalog.pg_get_triggerdef(t.oid)),
           (2, 'ALTER TABLE ' || {name} || CASE t.tgenabled WHEN 'D' THEN ' DISABLE' WHEN 'R' THEN ' ENABLE REPLICA'
                WHEN 'A' THEN ' ENABLE ALWAYS' END || ' TRIGGER ' || pg_catalog.quote_ident(t.tgname))
         ) AS p (place, text)
         WHERE NOT t.tgisinternal AND {is_own} AND p.text IS NOT NULL
           AND CASE x.way WHEN 'own' THEN t.oid = ANY ($5) ELSE t.tgrelid = ANY ($1) END
         ORDER BY c.oid, t.tgname, p.place",
        relation = relation("t.tgrelid"),
    )
}

fn policies() -> String {
    format!(
        "SELECT CASE x.way WHEN 'own' THEN 7 ELSE 2 END, CASE x.way WHEN 'own' THEN p.oid ELSE c.oid END,
                CASE x.way WHEN 'own' THEN 'o' ELSE 'z' END,
                pg_catalog.concat('CREATE POLICY ', pg_catalog.quote_ident(p.polname), ' ON ', {name},
                  CASE WHEN NOT p.polpermissive THEN ' AS RESTRICTIVE' END,
                  CASE p.polcmd WHEN 'r' THEN ' FOR SELECT' WHEN 'a' THEN ' FOR INSERT' WHEN 'w' THEN ' FOR UPDATE'
                    WHEN 'd' THEN ' FOR DELETE' END,
                  CASE WHEN NOT 0 = ANY (p.polroles) THEN ' TO ' || (
                    SELECT pg_catalog.string_agg(pg_catalog.quote_ident(r.rolname), ', ' ORDER BY r.rolname)
                    FROM pg_catalog.pg_roles r WHERE r.oid = ANY (p.polroles)) END,
                  ' USING (' || pg_catalog.pg_get_expr(p.polqual, p.polrelid) || ')',
                  ' WITH CHECK (' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) || ')')
         FROM pg_catalog.pg_policy p {relation}
         CROSS JOIN (VALUES ('own'), ('part')) AS x (way)
         WHERE CASE x.way WHEN 'own' THEN p.oid = ANY ($6) ELSE p.polrelid = ANY ($1) END
         ORDER BY c.oid, p.polname",
        name = qualified("n", "c.relname"),
        relation = relation("p.polrelid"),
    )
}

fn rules() -> String {
    format!(
        "SELECT 2, c.oid, 'z', p.text
         FROM pg_catalog.pg_rewrite r {relation}
         CROSS JOIN LATERAL (VALUES (1, pg_catalog.pg_get_ruledef(r.oid)),
           (2, 'ALTER TABLE ' || {name} || CASE r.ev_enabled WHEN 'D' THEN ' DISABLE' WHEN 'R' THEN ' ENABLE REPLICA'
                WHEN 'A' THEN ' ENABLE ALWAYS' END || ' RULE ' || pg_catalog.quote_ident(r.rulename))
         ) AS p (place, text)
         WHERE r.ev_class = ANY ($1) AND r.rulename <> '_RETURN' AND p.text IS NOT NULL
         ORDER BY c.oid, r.rulename, p.place",
        name = qualified("n", "c.relname"),
        relation = relation("r.ev_class"),
    )
}

/// Comments on relations and on what is made with them, behind all else.
fn comments() -> String {
    let name = qualified("n", "c.relname");
    let on_relation = "CASE c.relkind WHEN 'v' THEN 'VIEW ' WHEN 'm' THEN 'MATERIALIZED VIEW '
        WHEN 'f' THEN 'FOREIGN TABLE ' WHEN 'S' THEN 'SEQUENCE ' WHEN 'i' THEN 'INDEX ' WHEN 'I' THEN 'INDEX '
        ELSE 'TABLE ' END";
    // Of a thing that has a name within its relation: its kind and number, its name, its relation, and where it stands.
    let within = |what: &str, catalog: &str, name_of: &str, relation_of: &str, section: &str, own: &str| {
        let named = format!("'{what} ' || pg_catalog.quote_ident(o.{name_of}) || ' ON ' || {name}");
        let (kind, parameter) = own.split_once(' ').unwrap_or(("0", "NULL"));
        format!(
            "SELECT 2, c.oid, {section}, {text}, 3 FROM pg_catalog.pg_description d
             JOIN pg_catalog.{catalog} o ON o.oid = d.objoid {relation}
             WHERE d.classoid = 'pg_catalog.{catalog}'::pg_catalog.regclass AND o.{relation_of} = ANY ($1)
             UNION ALL
             SELECT {kind}, o.oid, 'a', {text}, 3 FROM pg_catalog.pg_description d
             JOIN pg_catalog.{catalog} o ON o.oid = d.objoid {relation}
             WHERE d.classoid = 'pg_catalog.{catalog}'::pg_catalog.regclass AND o.oid = ANY ({parameter})",
            text = comment_on(&named),
            relation = relation(&format!("o.{relation_of}")),
        )
    };
    let class = "d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass";
    let parts = [
        format!(
            "SELECT CASE WHEN c.relkind = 'S' THEN 8 WHEN c.relkind IN ('i', 'I') THEN 5 ELSE 2 END, c.oid, 'a',
                    {}, 1
             FROM pg_catalog.pg_description d {}
             WHERE {class} AND d.objsubid = 0 AND (d.objoid = ANY ($1) OR d.objoid = ANY ($2) OR d.objoid = ANY ($3))",
            comment_on(&format!("{on_relation} || {name}")),
            relation("d.objoid"),
        ),
        format!(
            "SELECT 2, c.oid, 'a', {}, 2
             FROM pg_catalog.pg_description d {}
             JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid
             WHERE {class} AND d.objsubid > 0 AND d.objoid = ANY ($1)",
            comment_on(&format!("'COLUMN ' || {name} || '.' || pg_catalog.quote_ident(a.attname)")),
            relation("d.objoid"),
        ),
        format!(
            "SELECT 2, i.indrelid, 'a', {}, 3
             FROM pg_catalog.pg_description d JOIN pg_catalog.pg_index i ON i.indexrelid = d.objoid {}
             WHERE {class} AND i.indrelid = ANY ($1)",
            comment_on(&format!("'INDEX ' || {name}")),
            relation("d.objoid"),
        ),
        format!(
            "SELECT 2, s.stxrelid, 'a', {}, 3
             FROM pg_catalog.pg_description d JOIN pg_catalog.pg_statistic_ext s ON s.oid = d.objoid
             JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
             WHERE d.classoid = 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass AND s.stxrelid = ANY ($1)",
            comment_on(&format!("'STATISTICS ' || {}", qualified("n", "s.stxname"))),
        ),
        within(
            "CONSTRAINT",
            "pg_constraint",
            "conname",
            "conrelid",
            "CASE WHEN o.contype = 'f' THEN 'z' ELSE 'a' END",
            "4 $4",
        ),
        within("TRIGGER", "pg_trigger", "tgname", "tgrelid", "'z'", "6 $5"),
        within("POLICY", "pg_policy", "polname", "polrelid", "'z'", "7 $6"),
        within("RULE", "pg_rewrite", "rulename", "ev_class", "'z'", ""),
    ];
    format!(
        "SELECT x.kind, x.oid, x.section, x.text FROM ({}) AS x (kind, oid, section, text, place)
         ORDER BY x.oid, x.place, x.text",
        parts.join(" UNION ALL ")
    )
}
