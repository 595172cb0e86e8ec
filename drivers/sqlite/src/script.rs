//! The statements of a script, and what each of them is.

use std::ops::Range;

use querybox_sql::Dialect;

use crate::lexer::{Kind, Token, Tokens};

/// Where the statements of a script stand: from the first token of each to its last, without the semicolon. Empty ones
/// are left out.
pub(crate) fn statements(sql: &str) -> impl Iterator<Item = Range<usize>> {
    querybox_sql::split(sql, &Dialect::sqlite())
        .expect("only commands of a database's own shell are refused, and SQLite's dialect has none")
        .into_iter()
        .map(|statement| statement.range)
        // To SQLite a comment without an end is a comment.
        .filter(|range| Tokens::from(&sql[range.clone()], 0).next().is_some())
}

/// What a statement does, for its command tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verb {
    /// It changes rows, which SQLite counts.
    Change(&'static str),
    /// Anything else, in one word or two.
    Other(String),
}

impl Verb {
    /// Reads it off the statement's first words.
    pub(crate) fn of(statement: &str) -> Self {
        let mut tokens = Tokens::from(statement, 0);
        let Some(first) = tokens.next() else { return Self::Other(String::new()) };
        if let Some(change) = change(&first) {
            return Self::Change(change);
        }
        let word = first.text.to_ascii_uppercase();
        match word.as_str() {
            "WITH" => main_verb(tokens),
            "CREATE" | "DROP" | "ALTER" => {
                let modifiers = ["TEMP", "TEMPORARY", "UNIQUE", "VIRTUAL"];
                let object = tokens
                    .find(|token| !modifiers.iter().any(|modifier| token.is(modifier)))
                    .map(|token| token.text.to_ascii_uppercase())
                    .unwrap_or_default();
                Self::Other(format!("{word} {object}"))
            }
            _ => Self::Other(word),
        }
    }

    /// The command tag, and the rows that were changed, given SQLite's count of the last change.
    pub(crate) fn done(&self, changes: u64) -> (String, Option<u64>) {
        match self {
            Self::Change(verb) => (format!("{verb} {changes}"), Some(changes)),
            Self::Other(words) => (words.clone(), None),
        }
    }
}

fn change(token: &Token<'_>) -> Option<&'static str> {
    ["INSERT", "UPDATE", "DELETE", "REPLACE"].into_iter().find(|verb| token.is(verb))
}

/// The verb behind WITH and its parts: the first one that directly follows a part's closing parenthesis. (The names of
/// parts may be words such as REPLACE; they follow WITH, RECURSIVE or a comma.)
fn main_verb(tokens: Tokens<'_>) -> Verb {
    let (mut depth, mut closed) = (0_u32, false);
    for token in tokens {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            Kind::Word if depth == 0 && closed => {
                if let Some(change) = change(&token) {
                    return Verb::Change(change);
                }
                if token.is("SELECT") || token.is("VALUES") {
                    return Verb::Other(token.text.to_ascii_uppercase());
                }
            }
            _ => {}
        }
        closed = token.kind == Kind::Close;
    }
    Verb::Other("WITH".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sql: &str, expected: &[&str]) {
        let texts: Vec<_> = statements(sql).map(|range| &sql[range]).collect();
        assert_eq!(texts, expected);
    }

    #[test]
    fn semicolons_part_statements_and_empty_ones_are_skipped() {
        check("", &[]);
        check(" ; -- nothing\n /* ; */ ;", &[]);
        check("select 1", &["select 1"]);
        check(" /* a */ select 1 -- b\n ; ;; select ';' ; ", &["select 1", "select ';'"]);
        check("select (; select 2", &["select (", "select 2"]);
    }

    #[test]
    fn the_body_of_a_trigger_stays_whole() {
        let trigger = "create temp trigger t after insert on a begin \
                       insert into b select case when 1 then 2 end; /* ; end; */ delete from c; end";
        check(&format!("{trigger}; select 1"), &[trigger, "select 1"]);
        let explained = "EXPLAIN QUERY PLAN CREATE TRIGGER t DELETE ON a BEGIN SELECT 1; END";
        check(&format!("{explained};;select 1;"), &[explained, "select 1"]);
        check("begin; select 1; end; select 2", &["begin", "select 1", "end", "select 2"]);
        check("create table trigger_log(a); select 1", &["create table trigger_log(a)", "select 1"]);
    }

    #[track_caller]
    fn verb(statement: &str, tag: &str, affected: Option<u64>) {
        assert_eq!(Verb::of(statement).done(5), (tag.to_owned(), affected));
    }

    #[test]
    fn tags_are_verbs_and_counts() {
        verb("insert or replace into a values (1)", "INSERT 5", Some(5));
        verb("Replace into a values (1)", "REPLACE 5", Some(5));
        verb("with replace(a) as (select 1), b as (values (2)) select * from b", "SELECT", None);
        verb("with a as not materialized (select 1) update b set c = (select 1)", "UPDATE 5", Some(5));
        verb("with recursive a as (select 1 union select replace(2,3,4)) delete from b", "DELETE 5", Some(5));
        verb("explain delete from a", "EXPLAIN", None);
        verb("create unique index if not exists i on a(b)", "CREATE INDEX", None);
        verb("create temporary table t(a)", "CREATE TABLE", None);
        verb("create virtual table t using fts5(a)", "CREATE TABLE", None);
        verb("alter table a add b", "ALTER TABLE", None);
        verb("pragma table_list", "PRAGMA", None);
        verb("(", "(", None);
    }
}
