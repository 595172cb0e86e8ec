//! A rejection by the database, as people read it: the message, the place in the statement, and what the database added.

mod excerpt;

use querybox_contracts::plugin::v1 as plugin;

use crate::{sanitize, screen::Paint};

use excerpt::Excerpt;

/// Where the text that was sent came from.
pub(crate) struct Source<'a> {
    /// The whole text that was sent.
    pub sql: &'a str,
    /// The file it was read from. `None`: the command line.
    pub file: Option<&'a str>,
    /// The line of the file at which the text begins, from 1.
    pub first_line: usize,
    /// The byte at which the rejected statement begins, for databases that say no more. `None`: unknown, or the first.
    pub statement: Option<usize>,
}

impl Source<'_> {
    /// No text of the user's was rejected, and no place is shown.
    pub(crate) const NONE: Source<'static> = Source { sql: "", file: None, first_line: 1, statement: None };
}

/// Lays a rejection out for standard error. Safe for a terminal; without a last line end.
pub(crate) fn describe(
    rejection: &plugin::Rejection,
    source: &Source<'_>,
    width: usize,
    paint: Paint,
) -> String {
    let severity = match rejection.severity.as_str() {
        "" => "error".to_owned(),
        word => word.to_lowercase(),
    };
    let message = sanitize::lines(&rejection.message).replace('\n', "\n  ");
    let mut text = format!("{} {message}", paint.error(&format!("{}:", sanitize::line(&severity))));
    let place = rejection.position_byte.map(|position| (position as usize, ""));
    // A script that runs further than its first statement leaves people looking for the one that failed.
    let place = place.or(source.statement.map(|start| (start, " (the statement begins here)")));
    let place = place.filter(|_| !source.sql.is_empty());
    let excerpt = place.and_then(|(position, remark)| Excerpt::new(source, position, remark, width));
    if let Some(excerpt) = excerpt {
        excerpt.push(&mut text, source, paint);
    }
    // The first is not worth a word, and the end of a script is no statement.
    let is_told = place.is_some() || rejection.statement == 0 || rejection.rolled_back_at_end;
    let number = if is_told { String::new() } else { format!("number {}", rejection.statement + 1) };
    let code = match (rejection.sqlstate.as_str(), rejection.vendor_code.as_str()) {
        ("", vendor) => vendor.to_owned(),
        (sqlstate, "") => format!("SQLSTATE {sqlstate}"),
        (sqlstate, vendor) => format!("SQLSTATE {sqlstate}, {vendor}"),
    };
    let hint = match (misses_value(rejection, source.sql), rejection.hint.trim_end()) {
        (false, hint) => hint.to_owned(),
        (true, "") => BIND_HINT.to_owned(),
        (true, hint) => format!("{hint}\n{BIND_HINT}"),
    };
    let facts = [
        ("statement", number.as_str()),
        ("code", code.as_str()),
        ("detail", &rejection.detail),
        ("hint", &hint),
        ("context", &rejection.context),
    ];
    for (label, fact) in facts {
        if !fact.is_empty() {
            let indent = " ".repeat(label.len() + 3);
            let fact = sanitize::lines(fact.trim_end()).replace('\n', &format!("\n{indent}"));
            text.push_str(&format!("\n {} {fact}", paint.accent(&format!("{label}:"))));
        }
    }
    text
}

/// How a parameter gets its value; the shell has no way of its own.
pub(crate) const BIND_HINT: &str = "`querybox query --bind NAME=VALUE` gives the parameter :NAME a value, `--bind 1=VALUE` gives one to $1 or ?1";

/// Whether the database came upon a parameter without a value. To most the mark of a name is a mistake of syntax, as nobody
/// has put a number in its place.
fn misses_value(rejection: &plugin::Rejection, sql: &str) -> bool {
    let rest = rejection.position_byte.and_then(|position| sql.get(position as usize..)).unwrap_or_default();
    match rejection.sqlstate.as_str() {
        "42P02" => true,
        "42601" => rest
            .strip_prefix(':')
            .is_some_and(|name| name.starts_with(|c: char| c.is_alphabetic() || c == '_')),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(rejection: plugin::Rejection, sql: &str, file: Option<&str>, expected: Expect) {
        expected.assert_eq(&describe(&rejection, &Source { sql, file, ..Source::NONE }, 60, Paint::OFF));
    }

    fn at(sql: &str, token: &str) -> plugin::Rejection {
        let position = sql.find(token).map(|at| u32::try_from(at).unwrap());
        plugin::Rejection {
            message: format!("near \"{token}\": syntax error"),
            position_byte: position,
            ..plugin::Rejection::default()
        }
    }

    #[test]
    fn a_parameter_without_a_value_is_told_how_to_get_one() {
        let sql = "select a[1:2], :id";
        let told = |token: &str, sqlstate: &str| {
            let rejection = plugin::Rejection { sqlstate: sqlstate.to_owned(), ..at(sql, token) };
            describe(&rejection, &Source { sql, ..Source::NONE }, 60, Paint::OFF).contains(BIND_HINT)
        };
        assert!(told(":id", "42601") && told(":id", "42P02"));
        assert!(!told(":2", "42601") && !told("select", "42601") && !told(":id", "42703"));
    }

    #[test]
    fn the_token_is_underlined() {
        let sql = "select * form customers";
        check(
            at(sql, "form"),
            sql,
            None,
            expect![[r#"
                error: near "form": syntax error
                   --> line 1, column 10
                  |
                1 | select * form customers
                  |          ^^^^"#]],
        );
    }

    #[test]
    fn a_place_in_a_file_is_named_as_editors_jump_to_it() {
        let sql = "select 1;\n\tselect '日本', nope(2);\nselect 3";
        check(
            at(sql, "nope"),
            sql,
            Some("report.sql"),
            expect![[r#"
                error: near "nope": syntax error
                   --> report.sql:2:15
                  |
                2 |     select '日本', nope(2);
                  |                    ^^^^"#]],
        );
    }

    #[test]
    fn all_that_the_database_added_is_told() {
        let rejection = plugin::Rejection {
            sqlstate: "23505".into(),
            vendor_code: "SQLITE_CONSTRAINT_UNIQUE".into(),
            severity: "ERROR".into(),
            message: "duplicate key\x1b[2J".into(),
            detail: "Key (id)=(1) already exists.\nSecond line.".into(),
            hint: "Use another.".into(),
            context: "while inserting".into(),
            ..plugin::Rejection::default()
        };
        check(
            rejection,
            "",
            None,
            expect![[r#"
                error: duplicate key\x1b[2J
                 code: SQLSTATE 23505, SQLITE_CONSTRAINT_UNIQUE
                 detail: Key (id)=(1) already exists.
                         Second line.
                 hint: Use another.
                 context: while inserting"#]],
        );
    }

    #[test]
    fn a_fault_at_the_end_points_behind_the_text() {
        let sql = "select (1 + ";
        let mut rejection = at(sql, "nothing");
        rejection.message = "incomplete input".into();
        rejection.position_byte = Some(u32::try_from(sql.len()).unwrap());
        check(
            rejection,
            sql,
            None,
            expect![[r#"
                error: incomplete input
                   --> line 1, column 12
                  |
                1 | select (1 + 
                  |            ^"#]],
        );
    }

    #[test]
    fn a_long_line_is_shown_around_the_fault() {
        let sql = format!("select {} form x, {}", "a, ".repeat(60), "b, ".repeat(60));
        check(
            at(&sql, "form"),
            &sql,
            None,
            expect![[r#"
                error: near "form": syntax error
                   --> line 1, column 189
                  |
                1 | …a, a, a, a, a, a, a, a,  form x, b, b, b, b, b, b, b, …
                  |                           ^^^^"#]],
        );
    }

    #[test]
    fn a_fault_without_a_place_is_found_by_its_statement() {
        let sql = "select 1;\n  insert into t\nvalues (null)";
        let rejection = plugin::Rejection { message: "not null".into(), ..plugin::Rejection::default() };
        let source = Source { sql, file: Some("a.sql"), first_line: 1, statement: Some(12) };
        expect![[r#"
            error: not null
               --> a.sql:2:3 (the statement begins here)
              |
            2 |   insert into t
              |   ^^^^^^"#]]
        .assert_eq(&describe(&rejection, &source, 60, Paint::OFF));
    }

    #[test]
    fn a_position_in_no_text_shows_no_place() {
        let rejection = plugin::Rejection { position_byte: Some(0), ..at("", "nope") };
        check(rejection, "", None, expect![[r#"error: near "nope": syntax error"#]]);
    }

    #[test]
    fn a_position_outside_the_text_is_left_out() {
        let mut rejection = at("select 1", "1");
        rejection.position_byte = Some(4000);
        check(rejection, "select 1", None, expect![[r#"error: near "1": syntax error"#]]);
    }

    #[test]
    fn colors_change_nothing_else() {
        let sql = "select * form customers";
        let painted = describe(&at(sql, "form"), &Source { sql, ..Source::NONE }, 60, Paint::ON);
        assert!(painted.contains('\u{1b}'));
        let plain: String = anstyle_free(&painted);
        assert_eq!(plain, describe(&at(sql, "form"), &Source { sql, ..Source::NONE }, 60, Paint::OFF));
    }

    fn anstyle_free(painted: &str) -> String {
        let mut plain = String::new();
        let mut rest = painted;
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            plain.push_str(before);
            rest = after.split_once('m').map_or("", |(_, rest)| rest);
        }
        plain.push_str(rest);
        plain
    }
}
