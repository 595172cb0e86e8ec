//! Settings for the catalog's queries, until the transaction's end or the savepoint before takes them back.

use querybox_plugin::Error;

use super::reading::{Lookup, Row};

/// Goes before the queries of each [`Reading`](super::reading::Reading).
///
/// Nothing is looked up in schemas that somebody else may write to: an operator made there, that fits better than the
/// server's own, would run with the rights of whoever looks (<https://wiki.postgresql.org/wiki/CVE-2018-1058>). So names in
/// what the server writes are qualified, and values written in one way, whatever the session's settings are. The schemas that
/// the session looks in are kept for [`LOOKED_IN`] and [`DEFAULTS`].
///
/// The server takes a large catalog for a reason to compile and to share out queries that are over before that has paid.
pub(super) fn lookup(version: u32) -> Lookup {
    // There was nothing to compile with before version 11.
    let jit = if version >= 11 { "pg_catalog.set_config('jit', 'off', true)" } else { "''" };
    let sql = format!(
        "SELECT pg_catalog.set_config('querybox.looked_in', pg_catalog.current_schemas(true)::pg_catalog.text, true),
                pg_catalog.set_config('querybox.defaults', pg_catalog.current_schemas(false)::pg_catalog.text, true),
                pg_catalog.set_config('search_path', '', true),
                pg_catalog.set_config('DateStyle', 'ISO, YMD', true),
                pg_catalog.set_config('IntervalStyle', 'postgres', true),
                pg_catalog.set_config('extra_float_digits', '3', true),
                pg_catalog.set_config('quote_all_identifiers', 'off', true),
                pg_catalog.set_config('standard_conforming_strings', 'on', true),
                pg_catalog.set_config('max_parallel_workers_per_gather', '0', true), {jit}"
    );
    Lookup::plain(sql, Vec::new(), Vec::new())
}

/// The schemas that the session looks in for a name, in its order: `name[]`.
pub(super) const LOOKED_IN: &str = "pg_catalog.current_setting('querybox.looked_in')::pg_catalog.name[]";
/// Of these, those that were named in its settings: `name[]`.
pub(super) const DEFAULTS: &str = "pg_catalog.current_setting('querybox.defaults')::pg_catalog.name[]";

/// Reads the answer, of which nothing is needed.
pub(super) fn skip(row: &mut Row<'_>) -> Result<(), Error> {
    (0..10).try_for_each(|_| row.optional().map(|_| ()))
}
