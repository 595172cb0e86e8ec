//! What is asked for, as values of the queries' parameters and as conditions on them.

use querybox_plugin::{Error, pb};

use super::array;

/// What is asked for.
pub(super) struct Filter {
    values: [Option<String>; 5],
}

impl Filter {
    /// What the server has to take the parameters for: `text[]`, `text`, `text`, `bool`, `bool`.
    pub(super) const TYPES: [u32; 5] = [1009, 25, 25, 16, 16];

    pub(super) fn new(request: &pb::GetSchemaRequest) -> Result<Self, Error> {
        let names = request.schemas.iter().chain([&request.name, &request.name_pattern]);
        if names.into_iter().any(|name| name.contains('\0')) {
            return Err(Error::parameter("name", "or another of the filter has a zero byte in it"));
        }
        let flag = |flag: bool| Some(if flag { "t" } else { "f" }.to_owned());
        Ok(Self {
            values: [
                (!request.schemas.is_empty()).then(|| array::write(&request.schemas)),
                Some(request.name.clone()).filter(|name| !name.is_empty()),
                (!request.name_pattern.is_empty()).then(|| like(&request.name_pattern)),
                flag(request.include_system),
                flag(request.include_sizes),
            ],
        })
    }

    /// `$1` schemas or NULL, `$2` a name or NULL, `$3` a pattern of LIKE or NULL, `$4` whether the system's own, `$5` whether
    /// sizes.
    pub(super) fn values(&self) -> Vec<Option<String>> {
        self.values.to_vec()
    }
}

/// A pattern of the contract as one of LIKE.
fn like(pattern: &str) -> String {
    let mut like = String::with_capacity(pattern.len() + 4);
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '*' => like.push('%'),
            '?' => like.push('_'),
            '\\' => push_literal(&mut like, chars.next().unwrap_or('\\')),
            c => push_literal(&mut like, c),
        }
    }
    like
}

fn push_literal(like: &mut String, c: char) {
    if matches!(c, '%' | '_' | '\\') {
        like.push('\\');
    }
    like.push(c);
}

/// Which schemas are looked at, by an alias of pg_namespace: those of the user, the session's own temporary one, and the
/// system's when asked for.
pub(super) fn visible(schema: &str) -> String {
    format!(
        "($1 IS NULL OR {schema}.nspname = ANY ($1))
           AND ({schema}.oid = pg_catalog.pg_my_temp_schema() OR CASE WHEN $4
                THEN {schema}.nspname !~ '^pg_(toast|temp_)'
                ELSE {schema}.nspname <> 'information_schema' AND {schema}.nspname !~ '^pg_' END)"
    )
}

/// Which names are looked at.
pub(super) fn named(name: &str) -> String {
    format!("($2 IS NULL OR {name} = $2) AND ($3 IS NULL OR {name}::pg_catalog.text ILIKE $3)")
}

/// Which relations are looked at, by aliases of pg_class and pg_namespace.
pub(super) fn visible_relations(relation: &str, schema: &str) -> String {
    format!(
        "{} AND {} AND {relation}.relkind IN ('r', 'v', 'm', 'f', 'p')",
        visible(schema),
        named(&format!("{relation}.relname"))
    )
}

/// A join that finds the comment on an object: its catalog, its number, and the alias of the comment.
pub(super) fn comment(catalog: &str, oid: &str) -> String {
    format!(
        "LEFT JOIN pg_catalog.pg_description d
           ON d.objoid = {oid} AND d.classoid = 'pg_catalog.{catalog}'::pg_catalog.regclass AND d.objsubid = 0"
    )
}

/// A join that finds the extension that an object belongs to, as `ext.extname`.
pub(super) fn extension(catalog: &str, oid: &str) -> String {
    // From the extensions, which are few, to what depends on them: there is an index that way.
    format!(
        "LEFT JOIN (
           SELECT x.objid, e.extname FROM pg_catalog.pg_extension e
           JOIN pg_catalog.pg_depend x
             ON x.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND x.refobjid = e.oid
           WHERE x.deptype = 'e' AND x.classid = 'pg_catalog.{catalog}'::pg_catalog.regclass
         ) ext ON ext.objid = {oid}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_the_same_to_the_server() {
        let check = |pattern: &str, expected: &str| assert_eq!(like(pattern), expected, "{pattern}");
        check("*order?", "%order_");
        check("100%_\\*", "100\\%\\_*");
        check("a\\\\b", "a\\\\b");
        check("end\\", "end\\\\");
    }
}
