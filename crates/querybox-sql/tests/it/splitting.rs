//! Where statements end, as the databases see it.

use proptest::prelude::*;
use querybox_sql::{Dialect, SplitError, TokenKind, lex, split, split_from, testkit::postgres_script};

#[track_caller]
fn check(dialect: &Dialect, script: &str, expected: &[&str]) {
    let statements = split(script, dialect).unwrap();
    let texts: Vec<&str> = statements.iter().map(|statement| statement.text(script)).collect();
    assert_eq!(texts, expected);
}

#[track_caller]
fn postgres(script: &str, expected: &[&str]) {
    check(&Dialect::postgres(), script, expected);
}

#[track_caller]
fn sqlite(script: &str, expected: &[&str]) {
    check(&Dialect::sqlite(), script, expected);
}

#[test]
fn a_semicolon_ends_a_statement() {
    postgres("select 1; select 2;select 3", &["select 1", "select 2", "select 3"]);
    postgres("select 1;", &["select 1"]);
    postgres("  select 1  ", &["select 1"]);
}

#[test]
fn empty_statements_are_skipped() {
    for script in ["", " \n", ";", " ; ;; ", "-- a;\n", "/* ; */ ; -- ;"] {
        postgres(script, &[]);
        sqlite(script, &[]);
    }
    postgres(";;select 1;;", &["select 1"]);
}

#[test]
fn comments_around_a_statement_are_not_of_it_but_those_inside_are() {
    postgres(
        "-- one;\nselect /* ; */ 1 -- two;\n; /* three */ select 2 /* four */",
        &["select /* ; */ 1", "select 2"],
    );
}

#[test]
fn a_hint_before_a_statement_is_of_it() {
    postgres("/*+ SeqScan(a) */ -- why\nselect 1", &["/*+ SeqScan(a) */ -- why\nselect 1"]);
    postgres("/* a */ /*+ b */ select 1; /*+ c */; select 2", &["/*+ b */ select 1", "select 2"]);
}

#[test]
fn semicolons_in_literals_end_nothing() {
    for statement in [
        "select ';', 'it''s;'",
        "select E'\\';'",
        "select E'a' -- it's\n'\\';'",
        "select U&'\\0041;' uescape '!'",
        "select $$;$$, $a$;$$;$b$;$a$",
        "select \"a;\"\"b;\"",
        "select /* ; /* ; */ ; */ 1",
    ] {
        postgres(&format!("{statement};select 2"), &[statement, "select 2"]);
    }
    postgres("select 'a\\'; select 'b'", &["select 'a\\'", "select 'b'"]);
    sqlite("select [a;], `b;`, \"c;\"; select 2", &["select [a;], `b;`, \"c;\"", "select 2"]);
    check(
        &crate::soup::escaping(),
        "select 'a\\';', \"b;\"; select 2 # ;",
        &["select 'a\\';', \"b;\"", "select 2"],
    );
}

#[test]
fn a_backslash_holds_the_quote_while_standard_strings_are_off() {
    let script = r"select 'it\'; delete from victim; --'; select B'0' 'x'
        'y\';', E'\';', $$\$$, U&'\'; z' ; select 2";
    check(
        &Dialect::postgres_with_escapes(),
        script,
        &[
            r"select 'it\'; delete from victim; --'",
            r"select B'0' 'x'
        'y\';', E'\';', $$\$$, U&'\'; z'",
            "select 2",
        ],
    );
    postgres(r"select 'it\'; select 2 --'", &[r"select 'it\'", "select 2"]);
}

#[test]
fn the_rest_of_a_script_is_split_anew_where_a_statement_changes_the_dialect() {
    let script = "set x = 'größe\\'; select 'it\\'; x';\n \\d";
    let first = split(&script[..20], &Dialect::postgres()).unwrap()[0].range.clone();
    let escaping = Dialect::postgres_with_escapes();
    let SplitError::BackslashCommand { line, offset, .. } =
        split_from(script, first.end, &escaping).unwrap_err();
    assert_eq!((line, offset), (2, script.len() - 2), "counted in the whole script");
    let rest = split_from(&script[..script.len() - 2], first.end, &escaping).unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].text(script), "select 'it\\'; x'");
}

#[test]
fn semicolons_in_parentheses_end_nothing_in_postgres() {
    let rule = "create rule r as on insert to t do also (insert into a values (1); delete from b)";
    postgres(&format!("{rule}; select 2"), &[rule, "select 2"]);
    postgres("select 1); select 2", &["select 1)", "select 2"]);
    postgres("select (1; select 2", &["select (1; select 2"]);
    // SQLite has no such statement, so there a forgotten parenthesis harms one statement only.
    sqlite("select (1; select 2", &["select (1", "select 2"]);
}

#[test]
fn a_body_of_a_routine_is_one_statement() {
    for statement in [
        "create function f() returns int begin atomic select 1; select 2; end",
        "CREATE OR REPLACE PROCEDURE p() LANGUAGE sql BEGIN ATOMIC END",
        "create function f() returns int begin /* ; */ atomic select case when a then 1 end; select 2; end",
        "create function f() returns int begin atomic select 1 as end; select 1 as case; select 1 end; select t.end; end",
        "create function begin() returns int begin atomic select 1; end",
        "create function f() returns int begin atomic select \"end\"; select 'end'; select (end); end",
        "create function f() returns int begin atomic create function g() begin atomic select 1; end; select 2; end",
        "create function f() returns int begin atomic select 1; -- the end\n end",
    ] {
        postgres(&format!("{statement}; select 2; end"), &[statement, "select 2", "end"]);
    }
}

#[test]
fn begin_elsewhere_starts_a_transaction() {
    postgres("begin; select 1; end; begin atomic; end", &["begin", "select 1", "end", "begin atomic", "end"]);
    postgres("select begin atomic from t; end", &["select begin atomic from t", "end"]);
    postgres("create table function (begin int); end", &["create table function (begin int)", "end"]);
    postgres(
        "create function f() as 'x'; begin atomic; end",
        &["create function f() as 'x'", "begin atomic", "end"],
    );
    postgres("create trigger t begin; end", &["create trigger t begin", "end"]);
    sqlite("begin; select 1; end", &["begin", "select 1", "end"]);
    sqlite("create function f begin atomic; end", &["create function f begin atomic", "end"]);
}

#[test]
fn a_trigger_of_sqlite_is_one_statement() {
    for statement in [
        "create trigger t after insert on a begin update b set x = case when 1 then 2 end; delete from c; end",
        "CREATE TEMP TRIGGER IF NOT EXISTS begin BEFORE DELETE ON a WHEN old.x > 1 BEGIN SELECT 1; END",
        "create temporary trigger t after update of begin on a begin select 1 as end; select (';'); end",
        "explain query plan create trigger t after insert on a begin select 1; end",
        "explain create trigger t after insert on a begin select 1; /* ; */ end",
    ] {
        sqlite(&format!("{statement}; select 2; end"), &[statement, "select 2", "end"]);
    }
    sqlite(
        "create trigger t after insert on a; select 2",
        &["create trigger t after insert on a", "select 2"],
    );
}

#[test]
fn what_is_not_closed_is_one_statement() {
    for rest in ["select 'a; select 2;", "select $$; select 2", "/* ; select 2", "select \"a; "] {
        postgres(&format!("select 1; {rest}"), &["select 1", rest]);
    }
    postgres(
        "create function f() begin atomic select 1; select 2",
        &["create function f() begin atomic select 1; select 2"],
    );
}

#[test]
fn commands_of_psql_are_refused_with_their_place() {
    for (script, command, line, column) in [
        ("\\d", "\\d", 1, 1),
        ("select 1;\nselect 'é' \\gx out\n;", "\\gx", 2, 12),
        ("copy t from stdin;\n1\n\\.\n", "\\.", 3, 1),
        ("select 1\\;select 2", "\\;", 1, 9),
        ("\\", "\\", 1, 1),
        ("\\é", "\\", 1, 1),
        ("\n\n  \\dt+ public.*", "\\dt", 3, 3),
    ] {
        let error = split(script, &Dialect::postgres()).unwrap_err();
        let offset = script.find('\\').unwrap();
        let expected = SplitError::BackslashCommand { command: command.to_owned(), offset, line, column };
        assert_eq!(error, expected);
    }
    assert_eq!(
        split("select 1;\n\\d t", &Dialect::postgres()).unwrap_err().to_string(),
        "psql's \\d at line 2, column 1 is not SQL; take it out or run the script with psql"
    );
    postgres("select '\\d', $$\\d$$ -- \\d", &["select '\\d', $$\\d$$"]);
    sqlite("\\d; select 1", &["\\d", "select 1"]);
}

#[test]
fn lines_of_comments_end_as_the_database_ends_them() {
    postgres("-- a\rselect 1; select 2", &["select 1", "select 2"]);
    sqlite("-- a\rselect 1; select 2", &[]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// That the counts are PostgreSQL's own is shown by its driver's tests.
    #[test]
    fn generated_scripts_have_the_statements_that_were_generated(seed: u64) {
        let script = postgres_script(seed);
        let statements = split(&script.sql, &Dialect::postgres()).unwrap();
        prop_assert_eq!(statements.len(), script.statements, "{}", script.sql);
        let is_broken = |kind| matches!(kind, TokenKind::Unterminated(_));
        prop_assert!(!lex(&script.sql, &Dialect::postgres()).any(|token| is_broken(token.kind)));
    }
}

#[test]
fn generated_scripts_use_every_template() {
    let all: String = (0..300).map(|seed| postgres_script(seed).sql).collect();
    for part in ["create rule", "BEGIN", "atomic", "do ", "$é$", "U&'", "E'", "end;", "prepare"] {
        assert!(all.contains(part), "{part}");
    }
    assert_eq!(postgres_script(7), postgres_script(7));
}
