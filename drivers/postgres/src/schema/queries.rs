//! The catalog queries. Each takes the values of a [`Filter`] and is ordered by schema and relation.
//!
//! Everything of the catalog is qualified, so that no search path of the user's can put something else in its place.

use querybox_plugin::{Error, pb};

/// What is asked for, as values of the queries' parameters.
pub(super) struct Filter {
    schemas: Option<String>,
    relation: Option<String>,
    include_system: bool,
}

impl Filter {
    pub(super) fn new(request: &pb::GetSchemaRequest) -> Result<Self, Error> {
        let names = request.schemas.iter().chain([&request.name]);
        if names.into_iter().any(|name| name.contains('\0')) {
            return Err(Error::parameter("relation", "or one of the schemas has a zero byte in it"));
        }
        Ok(Self {
            schemas: (!request.schemas.is_empty()).then(|| array(&request.schemas)),
            relation: Some(request.name.clone()).filter(|name| !name.is_empty()),
            include_system: request.include_system,
        })
    }

    /// `$1` a text array or NULL, `$2` a text or NULL, `$3` a bool.
    pub(super) fn values(&self) -> [Option<&str>; 3] {
        let include_system = if self.include_system { "t" } else { "f" };
        [self.schemas.as_deref(), self.relation.as_deref(), Some(include_system)]
    }
}

/// An array of the server in its text form.
fn array(texts: &[String]) -> String {
    let quoted = texts.iter().map(|text| {
        let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{escaped}\"")
    });
    format!("{{{}}}", quoted.collect::<Vec<_>>().join(","))
}

/// Which schemas are looked at: those of the user, the session's own temporary one, and the system's when asked for.
macro_rules! visible {
    () => {
        "($1::pg_catalog.text[] IS NULL OR n.nspname = ANY ($1))
           AND (n.oid = pg_catalog.pg_my_temp_schema() OR CASE WHEN $3::pg_catalog.bool
                THEN n.nspname !~ '^pg_(toast|temp_)'
                ELSE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' END)"
    };
}

/// Which relations are looked at.
macro_rules! visible_relations {
    () => {
        concat!(
            visible!(),
            " AND ($2::pg_catalog.text IS NULL OR c.relname = $2) AND c.relkind IN ('r', 'v', 'm', 'f', 'p')"
        )
    };
}

pub(super) const SCHEMAS: &str = concat!(
    "SELECT n.nspname, n.nspname = ANY (pg_catalog.current_schemas(false)), d.description
     FROM pg_catalog.pg_namespace n
     LEFT JOIN pg_catalog.pg_description d
       ON d.objoid = n.oid AND d.classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.objsubid = 0
     WHERE ",
    visible!(),
    " AND ($2::pg_catalog.text IS NULL OR EXISTS (
         SELECT FROM pg_catalog.pg_class c
         WHERE c.relnamespace = n.oid AND c.relname = $2 AND c.relkind IN ('r', 'v', 'm', 'f', 'p')))
     ORDER BY n.nspname"
);

// Before version 14 an estimate of 0 also stood for a table that was never counted.
pub(super) const RELATIONS: &str = concat!(
    "SELECT n.nspname, c.relname, c.relkind,
            CASE WHEN c.relkind <> 'v' AND (c.reltuples > 0 OR c.reltuples = 0 AND c.relpages > 0)
                 THEN c.reltuples::pg_catalog.int8 END,
            d.description
     FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_catalog.pg_description d
       ON d.objoid = c.oid AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objsubid = 0
     WHERE ",
    visible_relations!(),
    " ORDER BY n.nspname, c.relname"
);

/// For a server of this major version.
pub(super) fn columns(major_version: u32) -> String {
    let generated = if major_version >= 12 { "a.attgenerated <> ''" } else { "false" };
    format!(
        "SELECT n.nspname, c.relname, a.attname,
                pg_catalog.row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum),
                pg_catalog.format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
                pg_catalog.pg_get_expr(e.adbin, e.adrelid), {generated},
                COALESCE(pg_catalog.array_position(k.conkey, a.attnum), 0), d.description
         FROM pg_catalog.pg_attribute a
         JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN pg_catalog.pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
         LEFT JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
         LEFT JOIN pg_catalog.pg_description d
           ON d.objoid = c.oid AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
          AND d.objsubid = a.attnum
         WHERE a.attnum > 0 AND NOT a.attisdropped AND {visible}
         ORDER BY n.nspname, c.relname, a.attnum",
        visible = visible_relations!()
    )
}

/// One row for each column of a key; the first value tells keys apart.
pub(super) const KEYS: &str = concat!(
    "SELECT k.oid, n.nspname, c.relname, k.conname, k.contype, rn.nspname, r.relname,
            CASE k.contype
              WHEN 'c' THEN pg_catalog.pg_get_expr(k.conbin, k.conrelid)
              WHEN 'f' THEN pg_catalog.concat_ws(' ',
                CASE k.confmatchtype WHEN 'f' THEN 'MATCH FULL' END,
                CASE k.confupdtype WHEN 'r' THEN 'ON UPDATE RESTRICT' WHEN 'c' THEN 'ON UPDATE CASCADE'
                  WHEN 'n' THEN 'ON UPDATE SET NULL' WHEN 'd' THEN 'ON UPDATE SET DEFAULT' END,
                CASE k.confdeltype WHEN 'r' THEN 'ON DELETE RESTRICT' WHEN 'c' THEN 'ON DELETE CASCADE'
                  WHEN 'n' THEN 'ON DELETE SET NULL' WHEN 'd' THEN 'ON DELETE SET DEFAULT' END,
                CASE WHEN k.condeferrable THEN 'DEFERRABLE' END,
                CASE WHEN k.condeferred THEN 'INITIALLY DEFERRED' END,
                CASE WHEN NOT k.convalidated THEN 'NOT VALID' END)
              ELSE pg_catalog.concat_ws(' ',
                CASE WHEN k.condeferrable THEN 'DEFERRABLE' END,
                CASE WHEN k.condeferred THEN 'INITIALLY DEFERRED' END)
            END,
            a.attname, ra.attname
     FROM pg_catalog.pg_constraint k
     JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_catalog.pg_class r ON r.oid = k.confrelid
     LEFT JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
     LEFT JOIN LATERAL ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey))
       WITH ORDINALITY AS p (own, referenced, place) ON true
     LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.own
     LEFT JOIN pg_catalog.pg_attribute ra ON ra.attrelid = k.confrelid AND ra.attnum = p.referenced
     WHERE k.contype IN ('p', 'u', 'f', 'c') AND ",
    visible_relations!(),
    " ORDER BY n.nspname, c.relname, k.contype = 'p' DESC, k.conname, k.oid, p.place"
);

/// One row for each column of an index; the first value tells indexes apart. For a server of this major version.
pub(super) fn indexes(major_version: u32) -> String {
    // Columns that are only stored beside the key came with version 11.
    let key_columns = if major_version >= 11 { "i.indnkeyatts" } else { "i.indnatts" };
    format!(
        "SELECT i.indexrelid, n.nspname, c.relname, x.relname, i.indisunique,
                CASE WHEN k.oid IS NULL THEN pg_catalog.pg_get_indexdef(i.indexrelid) END,
                COALESCE(a.attname, pg_catalog.pg_get_indexdef(i.indexrelid, p.place, true))
         FROM pg_catalog.pg_index i
         JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
         JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN pg_catalog.pg_constraint k
           ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
         CROSS JOIN LATERAL pg_catalog.generate_series(1, {key_columns}) AS p (place)
         LEFT JOIN pg_catalog.pg_attribute a
           ON a.attrelid = i.indrelid AND a.attnum = i.indkey[p.place - 1] AND a.attnum <> 0
         WHERE {visible}
         ORDER BY n.nspname, c.relname, x.relname, i.indexrelid, p.place",
        visible = visible_relations!()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_in_an_array() {
        let names = ["plain".to_owned(), r#"a"b\c,d"#.to_owned(), String::new()];
        assert_eq!(array(&names), r#"{"plain","a\"b\\c,d",""}"#);
    }
}
