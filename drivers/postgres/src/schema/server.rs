//! What belongs to the database as a whole, or to its server: extensions, roles and databases.

use querybox_plugin::{Error, pb};

use super::{
    filter::{comment, named},
    reading::Row,
};

pub(super) fn extensions() -> String {
    format!(
        "SELECT e.extname, e.extversion, n.nspname, d.description, pg_catalog.pg_get_userbyid(e.extowner)
         FROM pg_catalog.pg_extension e
         JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
         {comment}
         WHERE ($1 IS NULL OR n.nspname = ANY ($1)) AND {named}
         ORDER BY e.extname",
        comment = comment("pg_extension", "e.oid"),
        named = named("e.extname"),
    )
}

pub(super) fn extension(row: &mut Row<'_>) -> Result<pb::Extension, Error> {
    Ok(pb::Extension {
        name: row.text()?,
        version: row.text()?,
        schema: row.text()?,
        comment: row.text()?,
        owner: row.text()?,
    })
}

/// A join that finds the comment on an object that all databases of a server share.
fn shared_comment(catalog: &str, oid: &str) -> String {
    format!(
        "LEFT JOIN pg_catalog.pg_shdescription d
           ON d.objoid = {oid} AND d.classoid = 'pg_catalog.{catalog}'::pg_catalog.regclass"
    )
}

/// From the view that hides passwords: the table is not for everybody.
pub(super) fn roles() -> String {
    format!(
        "SELECT r.rolname, r.rolcanlogin, r.rolsuper, r.rolcreatedb, r.rolcreaterole, r.rolinherit,
                r.rolreplication, r.rolbypassrls, NULLIF(r.rolconnlimit, -1), ARRAY(
                  SELECT g.rolname FROM pg_catalog.pg_auth_members m
                  JOIN pg_catalog.pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid
                  GROUP BY g.rolname ORDER BY g.rolname),
                d.description, r.rolname = SESSION_USER
         FROM pg_catalog.pg_roles r
         {comment}
         WHERE ($4 OR r.rolname !~ '^pg_') AND {named}
         ORDER BY r.rolname",
        comment = shared_comment("pg_authid", "r.oid"),
        named = named("r.rolname"),
    )
}

pub(super) fn role(row: &mut Row<'_>) -> Result<pb::Role, Error> {
    Ok(pb::Role {
        name: row.text()?,
        can_log_in: row.flag()?,
        superuser: row.flag()?,
        creates_databases: row.flag()?,
        creates_roles: row.flag()?,
        inherits: row.flag()?,
        replicates: row.flag()?,
        bypasses_row_security: row.flag()?,
        connections_max: row.optional_number()?,
        member_of: row.texts()?,
        comment: row.text()?,
        is_current: row.flag()?,
    })
}

/// For a server of this major version.
pub(super) fn databases(version: u32) -> String {
    let collation = match version {
        17.. => "COALESCE(b.datlocale, b.datcollate)",
        15.. => "COALESCE(b.daticulocale, b.datcollate)",
        _ => "b.datcollate",
    };
    format!(
        "SELECT b.datname, pg_catalog.pg_get_userbyid(b.datdba), pg_catalog.pg_encoding_to_char(b.encoding),
                {collation}, b.datname = pg_catalog.current_database(), b.datistemplate, NOT b.datallowconn,
                CASE WHEN $5 AND pg_catalog.has_database_privilege(b.oid, 'CONNECT')
                     THEN pg_catalog.pg_database_size(b.oid) END,
                d.description
         FROM pg_catalog.pg_database b
         {comment}
         WHERE {named}
         ORDER BY b.datname",
        comment = shared_comment("pg_database", "b.oid"),
        named = named("b.datname"),
    )
}

pub(super) fn database(row: &mut Row<'_>) -> Result<pb::Database, Error> {
    Ok(pb::Database {
        name: row.text()?,
        owner: row.text()?,
        encoding: row.text()?,
        collation: row.text()?,
        is_current: row.flag()?,
        template: row.flag()?,
        closed: row.flag()?,
        size_bytes: row.optional_number()?,
        comment: row.text()?,
    })
}
