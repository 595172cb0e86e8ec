//! Which table a statement reads, and whether its blocks can be shared out.

use postgres_protocol::escape::escape_literal;
use querybox_plugin::{Error, ExecuteError};
use querybox_sql::{Dialect, Token, TokenKind, lex};

use super::{Executor, is_idle};
use crate::{
    bindings::Bound,
    connect::Reserve,
    connection::{Answer, Frame},
    message::parse_texts,
    rejection::Refusal,
};

/// The version that reads a range of blocks without looking at the others.
const RANGES_SINCE: u32 = 14;
/// Blocks of a range, usually of 8 KiB: below, a range is over before a connection for it is open.
const RANGE_BLOCKS_MIN: u32 = 256;
/// Above, the last range would be waited for.
const RANGE_BLOCKS_MAX: u32 = 32 * 1024;
/// Ranges for each connection, so that all end at about the same time.
const RANGES_EACH: u32 = 8;

/// A table that can be read in parts, in the transaction of the session's connection, which has a lock on it and has given its
/// snapshot out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    /// Its name with its schema, quoted.
    name: String,
    /// The condition that a row is of a table that was a part when the snapshot was taken: others may become parts meanwhile.
    /// Empty: it has no parts.
    of_parts: String,
    /// The blocks that were there when the snapshot was taken; of a table that has parts, those of the largest one.
    blocks: u32,
    range_blocks: u32,
    pub(super) snapshot: String,
    /// A list of calls that make the settings of another session's transaction those of this session. Empty: it has none of its
    /// own.
    pub(super) settings: String,
}

/// What became of looking for a table.
pub(super) enum Found {
    Table(Table),
    /// The reason why it is read over one connection.
    NotNow(String),
    /// The server refused to tell.
    Refused(Refusal),
    /// No such table.
    Nothing,
}

impl Table {
    /// Chooses the ranges for so many connections.
    fn shared_by(self, connections_max: u32) -> Self {
        let wanted = self.blocks / (connections_max * RANGES_EACH);
        Self { range_blocks: wanted.clamp(RANGE_BLOCKS_MIN, RANGE_BLOCKS_MAX), ..self }
    }

    /// How many ranges there are: one at least, for an empty table too.
    pub(super) fn ranges(&self) -> u32 {
        self.blocks.div_ceil(self.range_blocks).max(1)
    }

    /// How many connections have something to do.
    pub(super) fn connections(&self, connections_max: u32) -> u32 {
        self.ranges().min(connections_max)
    }

    /// The statement that reads a range. The last one has no end, and the operators are the server's own, whatever the session
    /// looks names up in.
    pub(super) fn part(&self, range: u32) -> String {
        let Self { name, of_parts, range_blocks, .. } = self;
        let from = range * range_blocks;
        let mut sql =
            format!("SELECT * FROM {name} WHERE ctid OPERATOR(pg_catalog.>=) '({from},0)'::pg_catalog.tid");
        if range + 1 < self.ranges() {
            let to = from + range_blocks;
            sql += &format!(" AND ctid OPERATOR(pg_catalog.<) '({to},0)'::pg_catalog.tid");
        }
        sql + of_parts
    }

    /// The statement that locks it without waiting.
    pub(super) fn lock(&self) -> String {
        format!("LOCK TABLE {} IN ACCESS SHARE MODE NOWAIT", self.name)
    }
}

impl Executor<'_> {
    /// Opens the transaction in which a statement's table can be read in parts. Unless that was found the transaction is to be
    /// rolled back.
    pub(super) async fn find(&mut self, reserve: &Reserve, bound: &Bound<'_>) -> Result<Found, ExecuteError> {
        let reported = &self.connection.reported;
        let Some(name) = name(bound.sql(), &reported.dialect()) else {
            return Ok(not("only `select * from` a table, and nothing more, is read over several"));
        };
        if !is_idle(self.connection) {
            return Ok(not("a transaction is open, which the others do not see"));
        }
        if self.query.rows_max.is_some() || self.query.bytes_max.is_some() {
            return Ok(not("a limit is set on what it may return"));
        }
        if reported.major_version() < RANGES_SINCE {
            let version = reported.version();
            return Ok(Found::NotNow(format!(
                "the server has version {version}, and reads ranges of blocks since {RANGES_SINCE}"
            )));
        }
        let (settle, probe) = (settle(&name), probe(reserve.user()));
        // The lock comes before the snapshot: a table that was written anew between would be seen as empty.
        let lock = format!("LOCK TABLE {name} IN ACCESS SHARE MODE");
        self.connection.frame = Frame::Statement;
        for command in ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", &lock, &settle, &probe] {
            self.connection.put_command(command)?;
        }
        self.connection.put_sync();
        self.connection.wire.send().await?;
        let row = match self.last_row().await? {
            Ok(row) => row,
            Err(refusal) => {
                // Whoever has written its name wrongly is told so by the statement.
                let is_told = refusal.is_fatal() || refusal.is_cancel() || refusal.is_of_names();
                return Ok(match is_told {
                    true => Found::Refused(refusal),
                    false => Found::NotNow(refusal.message().to_owned()),
                });
            }
        };
        self.found(reserve, row)
    }

    fn found(&self, reserve: &Reserve, row: Vec<Option<String>>) -> Result<Found, ExecuteError> {
        if row.is_empty() {
            return Ok(Found::Nothing);
        }
        let wrong = || Error::protocol("the server describes a table wrongly");
        if row.iter().flatten().any(|text| text.contains('\0')) {
            return Err(wrong().into());
        }
        let Ok([why, name, blocks, parts, process_id, settings, snapshot, _]) =
            <[Option<String>; 8]>::try_from(row)
        else {
            return Err(wrong().into());
        };
        if let Some(why) = why {
            return Ok(Found::NotNow(why));
        }
        let [Some(name), Some(blocks), Some(process_id), Some(snapshot)] =
            [name, blocks, process_id, snapshot]
        else {
            return Err(wrong().into());
        };
        let key = self.canceller.key.map(|key| key.process_id);
        if process_id.parse().ok() != key {
            return Ok(not("a pooler is between here and the server"));
        }
        let blocks = blocks.parse().map_err(|_| wrong())?;
        let of_parts = parts.map_or_else(String::new, |parts| {
            let parts = escape_literal(&parts);
            format!(" AND tableoid OPERATOR(pg_catalog.=) ANY ({parts}::pg_catalog.oid[])")
        });
        let settings = settings.unwrap_or_default();
        let table = Table { name, of_parts, blocks, range_blocks: RANGE_BLOCKS_MIN, snapshot, settings };
        Ok(Found::Table(table.shared_by(reserve.connections_max)))
    }

    /// The last row of what was sent, as text.
    async fn last_row(&mut self) -> Result<Result<Vec<Option<String>>, Refusal>, ExecuteError> {
        let mut row = Vec::new();
        let mut refused = None;
        loop {
            let Some(answer) = self.connection.next()? else {
                self.connection.wait(&self.query.cancelled, self.canceller).await?;
                continue;
            };
            match answer {
                Answer::Row(head) => {
                    row = parse_texts(self.connection.wire.body(head), self.connection.reported.encoding())?;
                    self.connection.wire.consume(head);
                }
                Answer::Refused(fatal) if fatal.is_fatal() => return Ok(Err(fatal)),
                Answer::Refused(refusal) => refused = Some(refusal),
                Answer::Ready => return Ok(refused.map_or(Ok(row), Err)),
                Answer::Notice(_) | Answer::Other(_) => {}
                Answer::Fields(_) | Answer::CopyData(_) => {
                    return Err(crate::connection::out_of_order().into());
                }
            }
        }
    }
}

fn not(why: &str) -> Found {
    Found::NotNow(why.to_owned())
}

/// Finds the table as the session looks it up, and lets what follows look up the server's own names alone: an operator that
/// somebody else made, and that fits better, would run with the rights of whoever reads.
fn settle(name: &str) -> String {
    let name = escape_literal(name);
    format!(
        "SELECT pg_catalog.set_config('querybox.table', pg_catalog.to_regclass({name})::pg_catalog.oid::pg_catalog.text, true), \
           pg_catalog.set_config('querybox.search_path', pg_catalog.current_setting('search_path'), true), \
           pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true)"
    )
}

/// The query for all that has to be known, in one row; none when there is no such table. It ends with the session's own
/// search path, by which the statement is described. It takes the transaction's snapshot,
/// and so sees every block that has rows of it.
fn probe(user: &str) -> String {
    let user = escape_literal(user);
    let table = "NULLIF(pg_catalog.current_setting('querybox.table'), '')::pg_catalog.oid";
    format!(
        "WITH RECURSIVE tree(oid) AS ( \
           SELECT {table} \
           UNION SELECT i.inhrelid FROM tree JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.oid), \
         part AS ( \
           SELECT coalesce(pg_catalog.max(pg_catalog.pg_relation_size(c.oid)), 0) AS bytes, \
             CASE WHEN pg_catalog.count(*) > 1 THEN pg_catalog.array_agg(c.oid) END AS oids, \
             pg_catalog.bool_or(c.relpersistence = 't') AS is_temporary, \
             pg_catalog.bool_or(c.relkind NOT IN ('r', 'p')) AS is_other, \
             pg_catalog.bool_or(c.relkind = 'r' AND a.amname IS DISTINCT FROM 'heap') AS is_no_heap \
           FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid \
           LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam), \
         root AS ( \
           SELECT c.*, n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
           WHERE c.oid = {table}), \
         answer AS ( \
           SELECT part.bytes, part.oids, pg_catalog.format('%I.%I', root.nspname, root.relname) AS name, CASE \
             WHEN root.relkind NOT IN ('r', 'p') THEN 'it is no table' \
             WHEN part.is_temporary THEN 'a temporary table is seen by its own session alone' \
             WHEN part.is_other THEN 'a part of it is no table of this server' \
             WHEN part.is_no_heap THEN 'it is not stored in blocks as usual' \
             WHEN pg_catalog.row_security_active(root.oid) THEN 'policies say which of its rows are seen' \
             WHEN session_user::pg_catalog.text <> {user} THEN 'the session has become another user''s' \
           END AS why FROM part, root) \
         SELECT why, name, pg_catalog.ceil(bytes / pg_catalog.current_setting('block_size')::pg_catalog.numeric), \
           oids, pg_catalog.pg_backend_pid(), \
           (SELECT pg_catalog.string_agg(pg_catalog.format('pg_catalog.set_config(%L, %L, true)', s.name, s.setting), ', ') \
            FROM (SELECT s.name, CASE s.name WHEN 'search_path' THEN pg_catalog.current_setting('querybox.search_path') \
                    ELSE s.setting END AS setting, 1 AS turn FROM pg_catalog.pg_settings s \
                  WHERE s.source = 'session' AND s.name NOT LIKE 'transaction%' AND s.name NOT LIKE 'querybox.%' \
                  UNION ALL SELECT 'role', pg_catalog.current_setting('role'), 2 \
                  WHERE pg_catalog.current_setting('role') <> 'none' ORDER BY turn) s), \
           CASE WHEN why IS NULL THEN pg_catalog.pg_export_snapshot() END, \
           pg_catalog.set_config('search_path', pg_catalog.current_setting('querybox.search_path'), true) \
         FROM answer"
    )
}

/// The name in `select * from name` or `table name`, as it is written; none when there is anything else.
fn name(sql: &str, dialect: &Dialect) -> Option<String> {
    let is_code = |token: &Token| !matches!(token.kind, TokenKind::Whitespace | TokenKind::Comment);
    let mut tokens = lex(sql, dialect)
        .filter(is_code)
        .filter(|token| token.kind != TokenKind::Semicolon)
        .map(|token| (token.kind, &sql[token.range]));
    let is = |token: Option<(TokenKind, &str)>, expected: &str| {
        token.is_some_and(|(_, text)| text.eq_ignore_ascii_case(expected))
    };
    let (_, first) = tokens.next()?;
    if first.eq_ignore_ascii_case("select") {
        if !(is(tokens.next(), "*") && is(tokens.next(), "from")) {
            return None;
        }
    } else if !first.eq_ignore_ascii_case("table") {
        return None;
    }
    let mut name = String::new();
    loop {
        match tokens.next()? {
            (TokenKind::Word, word) if name.is_empty() && word.eq_ignore_ascii_case("only") => return None,
            (TokenKind::Word, part) => name += part,
            // What begins otherwise has escapes of its own.
            (TokenKind::QuotedIdentifier, part) if part.starts_with('"') => name += part,
            _ => return None,
        }
        match tokens.next() {
            None => return Some(name),
            Some((TokenKind::Operator, ".")) => name.push('.'),
            Some(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_table_and_nothing_more_is_read_in_parts() {
        let check = |sql: &str, expected: Option<&str>| {
            assert_eq!(name(sql, &Dialect::postgres()).as_deref(), expected, "{sql}");
        };
        check("select * from t", Some("t"));
        check("SELECT*FROM\tshop . \"Big \"\"t\" -- all\n;", Some("shop.\"Big \"\"t\""));
        check("table only_t", Some("only_t"));
        check("/* x */ table a.b.c", Some("a.b.c"));
        for sql in [
            "select a from t",
            "select * from t x",
            "select * from t limit 1",
            "select * from t, u",
            "select * from only t",
            "select * from f()",
            "select * from t *",
            "select * from t tablesample system (1)",
            "select * from (select 1) s",
            "select * from U&\"t\"",
            "select * from 't'",
            "select * from t.",
            "select *",
            "with t as (select 1) select * from t",
            "table",
            "",
        ] {
            check(sql, None);
        }
    }

    #[test]
    fn ranges_cover_every_block_once_and_have_no_end() {
        let table = |blocks, connections| {
            let (name, none) = ("s.t".to_owned(), String::new);
            let range_blocks = 1;
            Table { name, of_parts: none(), blocks, range_blocks, snapshot: none(), settings: none() }
                .shared_by(connections)
        };
        for (blocks, connections, ranges, used) in [
            (0, 4, 1, 1),
            (1, 4, 1, 1),
            (256, 4, 1, 1),
            (257, 4, 2, 2),
            (8192, 4, 32, 4),
            (u32::MAX, 16, 131_072, 16),
        ] {
            let table = table(blocks, connections);
            assert_eq!((table.ranges(), table.connections(connections)), (ranges, used), "{blocks}");
            assert!(u64::from(table.range_blocks) * u64::from(ranges) >= u64::from(blocks));
            assert!(!table.part(ranges - 1).contains("pg_catalog.<)"));
        }
        assert_eq!(
            table(512, 2).part(0),
            "SELECT * FROM s.t WHERE ctid OPERATOR(pg_catalog.>=) '(0,0)'::pg_catalog.tid \
             AND ctid OPERATOR(pg_catalog.<) '(256,0)'::pg_catalog.tid"
        );
    }
}
