//! What an editor is told of a script.

use proptest::prelude::*;
use querybox_sql::{
    AskedLimits, AskedParameters, Dialect, Outlined, StatementKind, asked_parameters, outline, split,
    statement_at,
};

use crate::soup::{dialect, text};

#[track_caller]
fn check_kind(statement: &str, kind: StatementKind) {
    let dialect = Dialect::postgres();
    let kinds: Vec<_> = outline(statement, &dialect).map(|one| one.kind).collect();
    assert_eq!(kinds, [kind], "{statement}");
}

#[test]
fn a_statement_is_what_its_verb_says() {
    for query in [
        "select 1",
        "-- why\n/* what */ SELECT 1",
        "/*+ SeqScan(t) */ select 1",
        "((select 1) union (select 2))",
        "with a as (delete from t returning *), b (c) as materialized (select 1) select * from a",
        "values (1)",
        "table t",
        "explain delete from t",
        "show all",
    ] {
        check_kind(query, StatementKind::Query);
    }
    for change in ["insert into t values (1)", "with a as (select 1) update t set b = 1", "copy t from stdin"]
    {
        check_kind(change, StatementKind::Change);
    }
    check_kind("create function f() returns int begin atomic select 1; end", StatementKind::Definition);
    for transaction in ["begin", "START TRANSACTION", "rollback to a", "end"] {
        check_kind(transaction, StatementKind::Transaction);
    }
    for other in ["set a = 1", "vacuum", "'begin'", "with", "with a as (select 1)", "\"select\""] {
        check_kind(other, StatementKind::Other);
    }
    check_kind("\\d t", StatementKind::Command);
}

#[test]
fn a_command_of_psql_is_a_piece_and_ends_an_open_statement() {
    let script = "select 1; \\d t  \nselect 2 \\g\nselect 3";
    let dialect = Dialect::postgres();
    let found: Vec<_> = outline(script, &dialect).map(|one| (&script[one.range], one.kind)).collect();
    let (query, command) = (StatementKind::Query, StatementKind::Command);
    assert_eq!(
        found,
        [("select 1", query), ("\\d t", command), ("select 2", query), ("\\g", command), ("select 3", query)]
    );
    assert!(split(script, &dialect).is_err());
}

/// `|` is the cursor; the answer is the statement's text.
#[track_caller]
fn check_cursor(marked: &str, expected: Option<&str>) {
    let cursor = marked.find('|').unwrap();
    let script = marked.replace('|', "");
    let dialect = Dialect::postgres();
    let found = statement_at(&script, cursor, outline(&script, &dialect));
    let text = found.as_ref().map(|(_, one)| &script[one.range.clone()]);
    assert_eq!(text, expected, "{marked}");
    if let Some((number, one)) = found {
        assert_eq!(outline(&script, &dialect).nth(number), Some(one));
    }
}

#[test]
fn the_statement_at_the_cursor_is_the_one_that_a_person_means() {
    check_cursor("|select 1; select 2", Some("select 1"));
    check_cursor("select| 1; select 2", Some("select 1"));
    check_cursor("select 1|; select 2", Some("select 1"));
    check_cursor("select 1;| select 2", Some("select 1"));
    check_cursor("select 1;|select 2", Some("select 2"));
    check_cursor("select 1; |select 2", Some("select 2"));
    check_cursor("select 1 -- o|ne\n; select 2", Some("select 1"));
    check_cursor("select 1; -- o|ne\nselect 2", Some("select 1"));
    check_cursor("select 1;\n-- t|wo\nselect 2", Some("select 2"));
    check_cursor("select 1;\n|\nselect 2;\n", Some("select 2"));
    check_cursor("select 1;\nselect 2;\n\n|", Some("select 2"));
    check_cursor("  |  \nselect 1", Some("select 1"));
    check_cursor("select 'é|'; select 2", Some("select 'é'"));
    check_cursor("|", None);
    check_cursor(" ; | -- nothing", None);
}

#[track_caller]
fn check_asked(dialect: &Dialect, statement: &str, names: &[&str]) {
    let all = AskedLimits { count_max: 10, name_bytes_max: 100 };
    let AskedParameters { told: asked, has_more } = asked_parameters(statement, dialect, all);
    assert!(!has_more);
    assert_eq!(asked.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), names, "{statement}");
    assert!(asked.is_sorted_by_key(|one| one.range.start));
}

#[test]
fn each_value_is_asked_for_once() {
    let (postgres, sqlite) = (Dialect::postgres(), Dialect::sqlite());
    check_asked(&postgres, "select :a::int, $2, :b, :a, $2, ':no'", &["a", "2", "b"]);
    check_asked(&postgres, "select :a, $1", &["a", "1"]);
    check_asked(&sqlite, "select ?, ?, ?", &["1", "2", "3"]);
    check_asked(&sqlite, "select ?5, ?, :a, ?", &["5", "6", "a", "8"]);
    check_asked(&sqlite, "select :a, ?, :a, ?1", &["a", "2"]);
    check_asked(&sqlite, "select $a, @a, ?3", &["a", "3"]);
}

#[test]
fn no_more_values_are_told_than_may_be_held() {
    let check =
        |dialect: &Dialect, statement: &str, count_max, name_bytes_max, expected: usize, more: bool| {
            let asked = asked_parameters(statement, dialect, AskedLimits { count_max, name_bytes_max });
            assert_eq!((asked.told.len(), asked.has_more), (expected, more), "{statement}");
        };
    let (postgres, sqlite) = (Dialect::postgres(), Dialect::sqlite());
    check(&sqlite, "select ?, ?, ?", 3, 100, 3, false);
    check(&sqlite, "select ?, ?, ?", 2, 100, 2, true);
    check(&sqlite, "select ?, ?, ?", 3, 2, 2, true);
    // One that was told is told again for nothing.
    check(&postgres, "select :a, :b, :a, :b, :a", 2, 2, 2, false);
    check(&postgres, "select :a, :bb", 2, 2, 1, true);
    check(&postgres, &format!("select :{}", "n".repeat(1000)), 2, 999, 0, true);
    check(&postgres, "select 1", 0, 0, 0, false);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn an_outline_has_the_statements_of_the_splitter(sql in text(), dialect in dialect()) {
        let outlined: Vec<Outlined> = outline(&sql, &dialect).collect();
        let mut last = 0;
        for one in &outlined {
            prop_assert!(last <= one.range.start && one.range.start < one.range.end && one.range.end <= one.end);
            prop_assert!(sql.get(one.range.clone()).is_some());
            last = one.end;
        }
        if let Ok(statements) = split(&sql, &dialect) {
            prop_assert!(outlined.iter().map(|one| &one.range).eq(statements.iter().map(|one| &one.range)));
        }
    }

    #[test]
    fn some_statement_is_at_every_cursor(sql in text(), at in any::<prop::sample::Index>(), dialect in dialect()) {
        let cursor = at.index(sql.len() + 1);
        let is_empty = outline(&sql, &dialect).next().is_none();
        prop_assert_eq!(statement_at(&sql, cursor, outline(&sql, &dialect)).is_none(), is_empty);
    }
}
