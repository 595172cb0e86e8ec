//! Each kind of token, by what the databases' own lexers do.

use expect_test::{Expect, expect};
use querybox_sql::{Dialect, TokenKind, Unterminated, lex};

/// Lists the tokens; white space has no line, and line breaks are shown as signs.
fn check(dialect: &Dialect, sql: &str, expected: Expect) {
    let mut shown = String::new();
    for token in lex(sql, dialect).filter(|token| token.kind != TokenKind::Whitespace) {
        shown.push_str(&format!(
            "{:?} {}\n",
            token.kind,
            sql[token.range].replace("\n", "⏎").replace("\r", "␍")
        ));
    }
    expected.assert_eq(&shown);
}

fn postgres(sql: &str, expected: Expect) {
    check(&Dialect::postgres(), sql, expected);
}

fn sqlite(sql: &str, expected: Expect) {
    check(&Dialect::sqlite(), sql, expected);
}

#[test]
fn every_form_of_a_postgres_literal_is_one_token() {
    postgres(
        r#"'it''s\' E'it\'s' U&'\0061' x'1F' B'01' n'a' $$it's$$ $t$a$$b$t1$c$t$ "a""b" U&"\0061""#,
        expect![[r#"
            String 'it''s\'
            String E'it\'s'
            String U&'\0061'
            String x'1F'
            String B'01'
            String n'a'
            String $$it's$$
            String $t$a$$b$t1$c$t$
            QuotedIdentifier "a""b"
            QuotedIdentifier U&"\0061"
        "#]],
    );
}

#[test]
fn an_e_string_goes_on_after_a_line_break() {
    postgres(
        "E'a\\'' -- it's\n  'b\\'' 'c\\' E'd' 'e\\'",
        expect![[r#"
            String E'a\'' -- it's⏎  'b\''
            String 'c\'
            String E'd'
            String 'e\'
        "#]],
    );
}

#[test]
fn dollars_in_words_are_no_quotes() {
    postgres(
        "a$b$c $1$t$;$t$ $é$;$é$ $1a$b$",
        expect![[r#"
            Word a$b$c
            Parameter $1
            String $t$;$t$
            String $é$;$é$
            Parameter $1
            Word a$b$
        "#]],
    );
}

#[test]
fn comments_nest_where_the_database_nests_them() {
    let sql = "/* a /* b */ c */ d -- e\n+--f\r*/*g*/#h";
    postgres(
        sql,
        expect![[r#"
            Comment /* a /* b */ c */
            Word d
            Comment -- e
            Operator +
            Comment --f
            Operator *
            Comment /*g*/
            Operator #
            Word h
        "#]],
    );
    sqlite(
        sql,
        expect![[r#"
            Comment /* a /* b */
            Word c
            Operator *
            Operator /
            Word d
            Comment -- e
            Operator +
            Comment --f␍*/*g*/#h
        "#]],
    );
    check(
        &crate::soup::escaping(),
        "# it's\na#b",
        expect![[r#"
            Comment # it's
            Word a
            Comment #b
        "#]],
    );
}

#[test]
fn numbers_hold_their_letters() {
    postgres(
        "1 1.5 .5 1. 1e10 1.5E-3 0xFF_FF 1_000 1a 1..2 1$1 x1",
        expect![[r#"
            Number 1
            Number 1.5
            Number .5
            Number 1.
            Number 1e10
            Number 1.5E-3
            Number 0xFF_FF
            Number 1_000
            Number 1a
            Number 1
            Operator .
            Number .2
            Number 1
            Parameter $1
            Word x1
        "#]],
    );
}

#[test]
fn sqlite_has_its_own_quotes_and_parameters() {
    sqlite(
        "[a;] `b``;` \"c\"\";\" x'00' E'\\' ? ?12 :n @n $n",
        expect![[r#"
            QuotedIdentifier [a;]
            QuotedIdentifier `b``;`
            QuotedIdentifier "c"";"
            String x'00'
            Word E
            String '\'
            Parameter ?
            Parameter ?12
            Parameter :n
            Parameter @n
            Parameter $n
        "#]],
    );
}

#[test]
fn backslashes_escape_in_all_literals_where_the_database_says_so() {
    check(
        &crate::soup::escaping(),
        r#"'it\'s' "it\"s" 'a\\' `b\`"#,
        expect![[r#"
            String 'it\'s'
            String "it\"s"
            String 'a\\'
            QuotedIdentifier `b\`
        "#]],
    );
}

#[test]
fn a_backslash_takes_the_rest_of_its_line() {
    postgres(
        "select 1 \\gx it's\n\\d \"a\r;",
        expect![[r#"
            Word select
            Number 1
            BackslashCommand \gx it's
            BackslashCommand \d "a
            Semicolon ;
        "#]],
    );
    sqlite(
        "\\d",
        expect![[r#"
            Operator \
            Word d
        "#]],
    );
}

#[test]
fn what_is_not_closed_reaches_to_the_end() {
    let last = |dialect: &Dialect, sql: &str| lex(sql, dialect).last().unwrap().kind;
    for (sql, what) in [
        ("a 'b;", Unterminated::String),
        ("a E'b\\'", Unterminated::String),
        ("a E'b'\n'c\\'", Unterminated::String),
        ("a $$b;$", Unterminated::DollarQuote),
        ("a $x$b$y$", Unterminated::DollarQuote),
        ("a \"b;", Unterminated::QuotedIdentifier),
        ("a /* /* b */ ;", Unterminated::Comment),
    ] {
        assert_eq!(last(&Dialect::postgres(), sql), TokenKind::Unterminated(what), "{sql}");
    }
    for (sql, what) in [("[a;", Unterminated::QuotedIdentifier), ("`a", Unterminated::QuotedIdentifier)] {
        assert_eq!(last(&Dialect::sqlite(), sql), TokenKind::Unterminated(what), "{sql}");
    }
}
