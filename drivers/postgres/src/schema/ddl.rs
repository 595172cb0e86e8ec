//! The statements that make objects again, put together of what the server's own definition functions say.
//!
//! Each query answers with pieces: what they belong to, where they stand in the statements, and their text. What refers to
//! other objects (foreign keys, triggers, policies, rules, what ties a partition to its table) is kept apart, so that several
//! objects can be made in any order.

mod belongings;
mod found;
mod needs;
mod objects;
mod tables;

use std::collections::HashMap;

use querybox_plugin::{DdlStatements, Error, SchemaError, pb};

use super::{
    reading::{Lookup, Reading, Row},
    settings,
};
use crate::connection::Connection;
use found::Found;
use needs::{Need, Needs};

/// How often objects are looked for when one of them goes away while it is read.
const ATTEMPTS_MAX: u32 = 5;

/// Whether somebody dropped an object after it was found: the definition functions look at what is there now, whatever the
/// snapshot. In the user's own transaction nothing can be asked again.
fn is_gone(rejection: &pb::Rejection) -> bool {
    // internal_error ("cache lookup failed", "could not open relation"), undefined_table, undefined_function,
    // undefined_object.
    rejection.transaction_state() == pb::TransactionState::Idle
        && ["XX000", "42P01", "42883", "42704"].contains(&rejection.sqlstate.as_str())
}

/// Tells the statements of objects in the order in which they are asked for.
pub(crate) async fn tell(
    connection: &mut Connection,
    objects: &[pb::ObjectRef],
    mut statements: DdlStatements,
) -> Result<(), SchemaError> {
    let version = connection.reported.major_version();
    let mut attempts = 1;
    let (found, (mut drafts, mut needs)) = loop {
        let read = async {
            let found = found::find(connection, objects, version).await?;
            let read = read(connection, &found, version).await?;
            Ok((found, read))
        };
        match read.await {
            Err(SchemaError::Rejected(rejection)) if attempts < ATTEMPTS_MAX && is_gone(&rejection) => {
                attempts += 1
            }
            read => break read?,
        }
    };
    for Found { place, oid, object } in found {
        let key = (object.kind, oid);
        let Some(draft) = drafts.remove(&key) else { continue };
        let needs = needs.remove(&key).unwrap_or_default();
        statements.tell(draft.finish(place, object, needs)).await?;
    }
    statements.flush().await
}

/// The pieces of all objects and what each needs, under their kinds and numbers.
async fn read(
    connection: &mut Connection,
    found: &[Found],
    version: u32,
) -> Result<(HashMap<(i32, u32), Draft>, Needs), SchemaError> {
    let mut drafts = HashMap::new();
    let mut needs = Needs::new();
    if found.is_empty() {
        return Ok((drafts, needs));
    }
    let mut queries = Vec::new();
    queries.extend(objects::queries(version));
    queries.extend(tables::queries(version));
    queries.extend(belongings::queries(version));
    let numbers = found::numbers(found);
    let lookups =
        queries.into_iter().map(|sql| Lookup::plain(sql, found::NUMBER_TYPES.to_vec(), numbers.clone()));
    let needed = Lookup::plain(needs::query(version), found::NUMBER_TYPES.to_vec(), numbers.clone());
    let lookups: Vec<_> = [settings::lookup(version)].into_iter().chain(lookups).chain([needed]).collect();
    let pieces = lookups.len() - 2;
    let mut reading = Reading::begin(connection, lookups);
    reading.advance().await?;
    while reading.row(settings::skip).await?.is_some() {}
    for _ in 0..pieces {
        reading.advance().await?;
        while let Some(piece) = reading.row(Piece::read).await? {
            let draft: &mut Draft = drafts.entry((piece.kind, piece.oid)).or_default();
            draft.add(piece);
        }
    }
    reading.advance().await?;
    while let Some(Need { kind, oid, object }) = reading.row(Need::read).await? {
        needs.entry((kind, oid)).or_default().push(object);
    }
    reading.end().await?;
    Ok((drafts, needs))
}

/// A part of an object's statements.
struct Piece {
    kind: i32,
    oid: u32,
    section: u8,
    text: String,
}

impl Piece {
    fn read(row: &mut Row<'_>) -> Result<Self, Error> {
        Ok(Self { kind: row.number()?, oid: row.number()?, section: row.letter()?, text: row.text()? })
    }
}

/// The statements of an object, while its pieces come.
#[derive(Debug, Default)]
struct Draft {
    /// `b`: statements before the object.
    before: Vec<String>,
    /// `o`: the object in one statement.
    whole: Vec<String>,
    /// `h`: what stands before the parenthesis of a table.
    head: Option<String>,
    /// `e`: what stands in it.
    elements: Vec<String>,
    /// `t`: what stands behind it.
    tail: String,
    /// `a`: statements after the object.
    after: Vec<String>,
    /// `z`: statements that need other objects.
    ties: Vec<String>,
    /// `l`: what is left out.
    left_out: Vec<String>,
}

impl Draft {
    fn add(&mut self, piece: Piece) {
        match piece.section {
            b'b' => self.before.push(piece.text),
            b'o' => self.whole.push(piece.text),
            b'h' => self.head = Some(piece.text),
            b'e' => self.elements.push(piece.text),
            b't' => self.tail.push_str(&piece.text),
            b'a' => self.after.push(piece.text),
            b'z' => self.ties.push(piece.text),
            _ => self.left_out.push(piece.text),
        }
    }

    fn finish(self, place: u32, found: pb::ObjectRef, needs: Vec<pb::ObjectRef>) -> pb::Ddl {
        let Self { before, whole, head, elements, tail, after, ties, left_out } = self;
        let table = head.map(|head| match elements.is_empty() {
            true => format!("{head} (){tail}"),
            false => format!("{head} (\n    {}\n){tail}", elements.join(",\n    ")),
        });
        let sql = before.into_iter().chain(table).chain(whole).chain(after);
        pb::Ddl {
            object: place,
            found: Some(found),
            sql: script(sql),
            ties_sql: script(ties.into_iter()),
            left_out,
            needs,
        }
    }
}

/// Statements, each with its end behind it.
fn script(statements: impl Iterator<Item = String>) -> String {
    let mut script = String::new();
    for statement in statements {
        // The server ends some of its texts by itself.
        script.push_str(statement.trim_end().trim_end_matches(';'));
        script.push_str(";\n");
    }
    script
}

/// A name with its schema; of the session's own temporary one by the name that any session has for it.
fn qualified(schema: &str, name: &str) -> String {
    format!(
        "pg_catalog.format('%I.%I', CASE WHEN {schema}.oid = pg_catalog.pg_my_temp_schema() THEN 'pg_temp'
           ELSE {schema}.nspname END, {name})"
    )
}

/// The comment on an object as a statement: what the object is called in it, and its description.
fn comment_on(what: &str) -> String {
    format!("'COMMENT ON ' || {what} || ' IS ' || pg_catalog.quote_literal(d.description)")
}

/// Options as they stand in `OPTIONS (…)` or `WITH (…)`: an array of them, and what stands between a name and a value.
fn options(array: &str, between: &str) -> String {
    format!(
        "(SELECT pg_catalog.string_agg(pg_catalog.quote_ident(option_name) || '{between}'
                   || pg_catalog.quote_literal(option_value), ', ')
          FROM pg_catalog.pg_options_to_table({array}))"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_statements_in_their_order() {
        let mut draft = Draft::default();
        let pieces = [
            (b'z', "ALTER TABLE a.t ADD FOREIGN KEY …"),
            (b'h', "CREATE TABLE a.t"),
            (b'a', "CREATE INDEX i ON a.t (x);"),
            (b'e', "x integer"),
            (b'e', "PRIMARY KEY (x)"),
            (b't', " WITH (fillfactor='70')"),
            (b'b', "CREATE SEQUENCE a.s"),
            (b'l', "owner ada"),
        ];
        for (section, text) in pieces {
            draft.add(Piece { kind: 2, oid: 1, section, text: text.to_owned() });
        }
        let ddl = draft.finish(3, pb::ObjectRef::default(), Vec::new());
        assert_eq!(
            ddl.sql,
            "CREATE SEQUENCE a.s;\nCREATE TABLE a.t (\n    x integer,\n    PRIMARY KEY (x)\n) WITH (fillfactor='70');\n\
             CREATE INDEX i ON a.t (x);\n"
        );
        assert_eq!(ddl.ties_sql, "ALTER TABLE a.t ADD FOREIGN KEY …;\n");
        assert_eq!((ddl.object, ddl.left_out), (3, vec!["owner ada".to_owned()]));
    }
}
