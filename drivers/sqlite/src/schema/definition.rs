//! What only the texts in SQLite's catalog tell: check constraints, and the expressions of an index.
//!
//! SQLite keeps the text of each CREATE TABLE and CREATE INDEX that it has accepted, so it is well formed.

use crate::lexer::{Kind, Token, Tokens};

/// A CHECK of a table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Check {
    /// Empty when it has none.
    pub(super) name: String,
    /// The column whose definition it belongs to; none when it is the table's.
    pub(super) column: Option<String>,
    pub(super) expression: String,
}

/// The check constraints in the text of a CREATE TABLE.
pub(super) fn checks(create_table: &str) -> Vec<Check> {
    let mut checks = Vec::new();
    for part in list(create_table) {
        let is_of_table =
            ["CONSTRAINT", "CHECK", "PRIMARY", "UNIQUE", "FOREIGN"].iter().any(|word| part[0].is(word));
        let column = (!is_of_table).then(|| unquoted(part[0].text));
        let mut depth = 0_u32;
        for (at, token) in part.iter().enumerate() {
            match token.kind {
                Kind::Open => depth += 1,
                Kind::Close => depth = depth.saturating_sub(1),
                Kind::Word if depth == 0 && token.is("CHECK") => {
                    let Some(expression) = parenthesis(create_table, &part[at + 1..]) else { continue };
                    let name = match &part[..at] {
                        [.., constraint, name] if constraint.is("CONSTRAINT") => unquoted(name.text),
                        _ => String::new(),
                    };
                    checks.push(Check { name, column: column.clone(), expression: expression.to_owned() });
                }
                _ => {}
            }
        }
    }
    checks
}

/// The columns and expressions in the text of a CREATE INDEX, without their direction.
pub(super) fn index_terms(create_index: &str) -> Vec<String> {
    list(create_index)
        .into_iter()
        .map(|mut term| {
            term.pop_if(|last| last.is("ASC") || last.is("DESC"));
            match (term.first(), term.last()) {
                (Some(first), Some(last)) => create_index[first.range.start..last.range.end].to_owned(),
                _ => String::new(),
            }
        })
        .collect()
}

/// The parts of the first parenthesis of a text, between its commas. None is empty.
fn list(sql: &str) -> Vec<Vec<Token<'_>>> {
    let mut parts = vec![Vec::new()];
    let mut depth = 0_u32;
    for token in Tokens::from(sql, 0).skip_while(|token| token.kind != Kind::Open).skip(1) {
        match token.kind {
            Kind::Close if depth == 0 => break,
            Kind::Comma if depth == 0 => {
                parts.push(Vec::new());
                continue;
            }
            Kind::Open => depth += 1,
            Kind::Close => depth -= 1,
            _ => {}
        }
        parts.last_mut().expect("there is one from the start").push(token);
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// What stands in the parenthesis that the tokens begin with.
fn parenthesis<'a>(sql: &'a str, tokens: &[Token<'_>]) -> Option<&'a str> {
    let open = tokens.first().filter(|token| token.kind == Kind::Open)?;
    let mut depth = 0_u32;
    for token in tokens {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(sql[open.range.end..token.range.start].trim());
        }
    }
    None
}

fn unquoted(name: &str) -> String {
    let Some(quote) = name.chars().next().filter(|first| "\"'`[".contains(*first)) else {
        return name.to_owned();
    };
    let inside = name.get(1..name.len() - 1).unwrap_or_default();
    let doubled = [quote, quote].iter().collect::<String>();
    if quote == '[' { inside.to_owned() } else { inside.replace(&doubled, &quote.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sql: &str, expected: &[(&str, Option<&str>, &str)]) {
        let found = checks(sql);
        let found: Vec<_> =
            found.iter().map(|check| (&*check.name, check.column.as_deref(), &*check.expression)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn checks_of_columns_and_of_the_table_are_found() {
        check(
            "CREATE TABLE \"a(b\" (
                \"my \"\"id\" integer check ( \"my \"\"id\" > 0 ) CONSTRAINT [b c] CHECK(f(1, ')') in (1,2)),
                [check] text default ('check (1)') /* check (2) */,
                c generated always as (d check) ,
                check (a <> ';'), CONSTRAINT whole CHECK ((a) or (b)),
                primary key (id), foreign key (c) references t(check_) )",
            &[
                ("", Some("my \"id"), "\"my \"\"id\" > 0"),
                ("b c", Some("my \"id"), "f(1, ')') in (1,2)"),
                ("", None, "a <> ';'"),
                ("whole", None, "(a) or (b)"),
            ],
        );
        check("CREATE TABLE a(b)", &[]);
        check("", &[]);
    }

    #[test]
    fn terms_of_an_index_keep_their_text() {
        let sql =
            "create index i on a (b desc, lower(c || ',') COLLATE nocase ASC, \"d,e\") where f in (1, 2)";
        assert_eq!(index_terms(sql), ["b", "lower(c || ',') COLLATE nocase", "\"d,e\""]);
        assert!(index_terms("").is_empty());
    }
}
