//! Scripts: where a statement fails, and what is kept of it.

use std::{fs, time::Duration};

use expect_test::{Expect, expect};

use super::{PG, SLEEP, Site};
use crate::house::within;

#[test]
fn a_syntax_error_is_shown_under_its_token() {
    let site = Site::start();
    // Bytes, characters and columns of a terminal all differ before the token.
    site.query("select 'größe 日本語 🙂' as a,\n  'é日🙂' as b form t").says(
        1,
        expect![[r#"
        error: syntax error at or near "form"
           --> line 2, column 14
          |
        2 |   'é日🙂' as b form t
          |                ^^^^
         code: SQLSTATE 42601
    "#]],
    );
    site.query("select 1;\nselect '🙂', nope from pg_class")
        .exits(1)
        .on_stdout(expect![[r#"
            ?column?
            1
        "#]])
        .on_stderr(expect![[r#"
            (1 row, T)
            error: column "nope" does not exist
               --> line 2, column 13
              |
            2 | select '🙂', nope from pg_class
              |              ^^^^
             code: SQLSTATE 42703
        "#]]);
    // A position inside of a function's text is told, and not shown in the script.
    site.query("do $$ begin perform nope(); end $$").says(1, expect![[r#"
        error: function nope() does not exist
         code: SQLSTATE 42883
         hint: No function matches the given name and argument types. You might need to add explicit type casts.
         context: PL/pgSQL function inline_code_block line 1 at PERFORM
                  internal query at character 8: SELECT nope()
    "#]]);
}

const THIRD_FAILS: &str = "create table t (x int not null check (x > 0));\ninsert into t values (1);\n\
    insert into t values (-1);\nselect 'later' as word;\n";

#[test]
fn the_third_statement_of_a_script_fails() {
    let site = Site::start();
    let script = site.house.path("script.sql");
    fs::write(&script, THIRD_FAILS).unwrap();
    let script = script.to_str().unwrap();
    site.run(&["query", PG, "-f", script]).says(
        1,
        expect![[r#"
        (CREATE TABLE, T)
        (INSERT 0 1, T)
        error: new row for relation "t" violates check constraint "t_x_check"
           --> <house>/script.sql:3:1 (the statement begins here)
          |
        3 | insert into t values (-1);
          | ^^^^^^
         code: SQLSTATE 23514
         detail: Failing row contains (-1).
    "#]],
    );
    // What was done before it stays.
    assert_eq!(site.ask("select count(*) from t"), "1");

    site.server.psql("drop table t");
    let ran = site.run(&["query", PG, "-f", script, "--on-error", "continue"]).exits(1);
    ran.on_stdout(expect![[r#"
        word
        later
    "#]])
        .on_stderr(expect![[r#"
        (CREATE TABLE, T)
        (INSERT 0 1, T)
        error: new row for relation "t" violates check constraint "t_x_check"
           --> <house>/script.sql:3:1 (the statement begins here)
          |
        3 | insert into t values (-1);
          | ^^^^^^
         code: SQLSTATE 23514
         detail: Failing row contains (-1).
        (1 row, T)
    "#]]);

    site.server.psql("drop table t");
    site.run(&["query", PG, "-f", script, "--single-transaction"]).says(
        1,
        expect![[r#"
        (CREATE TABLE, T, transaction open)
        (INSERT 0 1, T, transaction open)
        error: new row for relation "t" violates check constraint "t_x_check"
           --> <house>/script.sql:3:1 (the statement begins here)
          |
        3 | insert into t values (-1);
          | ^^^^^^
         code: SQLSTATE 23514
         detail: Failing row contains (-1).
        warning: rolled back: the script is one transaction, and not all of it could be done
    "#]],
    );
    assert_eq!(site.ask("select to_regclass('t') is null"), "t");

    fs::write(script, THIRD_FAILS.replace("-1", "2")).unwrap();
    site.run(&["query", PG, "-f", script, "--single-transaction"]).exits(0).on_stderr(expect![[r#"
        (CREATE TABLE, T, transaction open)
        (INSERT 0 1, T, transaction open)
        (INSERT 0 1, T, transaction open)
        (1 row, T, transaction open)
    "#]]);
    assert_eq!(site.ask("select count(*) from t"), "2");
}

#[test]
fn a_transaction_that_is_left_open_is_rolled_back() {
    let site = Site::start();
    site.server.psql("create table t (x int)");
    site.query("begin; insert into t values (1)").says(
        1,
        expect![[r#"
        (BEGIN, T, transaction open)
        (INSERT 0 1, T, transaction open)
        error: rolled back: one-shot session
         code: SQLSTATE 25000
         detail: The script left a transaction open, and nothing could follow in this session.
         hint: End the script with COMMIT, or run it as a single transaction.
    "#]],
    );
    site.query("begin; insert into t values (1); commit").exits(0).on_stderr(expect![[r#"
        (BEGIN, T, transaction open)
        (INSERT 0 1, T, transaction open)
        (COMMIT, T)
    "#]]);
    assert_eq!(site.ask("select count(*) from t"), "1");
}

#[test]
fn what_is_no_result_goes_elsewhere() {
    let site = Site::start();
    let script = "do $$ begin raise notice 'working' using hint = 'wait'; end $$;
        create table t as select generate_series(1, 3) as a;
        update t set a = a + 1;
        copy t to stdout;
        select;
        explain (costs off) select * from t where a = 1;";
    site.query(script)
        .exits(0)
        .on_stdout(expect![[r#"
        copy
        2
        3
        4




        QUERY PLAN
        Seq Scan on t
          Filter: (a = 1)
    "#]])
        .on_stderr(expect![[r#"
        notice: working
         hint: wait
        (DO, T)
        (SELECT 3, T)
        (UPDATE 3, T)
        (3 rows, T)
        (1 row, T)
        (2 rows, T)
    "#]]);
    site.query("select 1;\n\\d t\n").says(
        1,
        expect![[r#"
        error: psql's \d at line 2, column 1 is not SQL; take it out or run the script with psql
           --> line 2, column 1
          |
        2 | \d t
          | ^
         code: SQLSTATE 42601
    "#]],
    );
}

#[test]
fn limits_hold_for_rows_and_time() {
    let site = Site::start();
    let endless = "select generate_series(1, 1000000000) as i";
    let ran = site.run(&["query", PG, "--max-rows", "2", endless]).exits(0);
    ran.on_stdout(expect![[r#"
        i
        1
        2
    "#]])
        .on_stderr(expect![[r#"
        (first 2 rows of more: row limit reached, T)
    "#]]);
    let ran = site.run(&["query", PG, "--deadline", "500ms", SLEEP]).exits(4);
    // What the statement would return is known by then, and nothing of it came.
    assert_eq!(ran.stdout, "");
    ran.on_stderr(expect![[r#"
        error: the request took longer than its deadline of 500ms
         hint: `--deadline` gives it more time, `--deadline none` all of it
    "#]]);
    within(Duration::from_secs(2), "the statement's end", || site.is_left_alone());
}

#[test]
fn values_are_bound_by_number_and_by_name() {
    let site = Site::start();
    site.server.psql("create table t (id int, name text, price numeric); insert into t values (1, 'a', 1.50), (2, 'b''; --', null)");
    let check = |sql: &str, binds: &[&str], expected: Expect| {
        site.run(&[&["query", PG, sql], binds].concat()).exits(0).on_stdout(expected);
    };
    check(
        "select id from t where name = :name",
        &["--bind", "name=b'; --"],
        expect![[r#"
        id
        2
    "#]],
    );
    check(
        "select name from t where id = $1 and price < $2",
        &["-b", "1=1", "-b", "2=1.51"],
        expect![[r#"
        name
        a
    "#]],
    );
    // What looks like a parameter inside of a literal is none; a cast is none either.
    check(
        "select ':a $1' as text, :a::int + 1 as sum",
        &["--bind", "a=41"],
        expect![[r#"
        text,sum
        :a $1,42
    "#]],
    );
    check(
        "select $1::date is null as nothing",
        &["--bind-null", "1"],
        expect![[r#"
        nothing
        t
    "#]],
    );

    let refuse = |sql: &str, binds: &[&str], code: i32, expected: Expect| {
        site.run(&[&["query", PG, sql], binds].concat()).exits(code).on_stderr(expected);
    };
    refuse(
        "select :a::int",
        &["--bind", "a=canary"],
        1,
        expect![[r#"
        error: invalid input syntax for type integer: "canary"
         code: SQLSTATE 22P02
         context: unnamed portal parameter $1 = '...'
    "#]],
    );
    // Without any value SQL goes to the server as it is.
    refuse(
        "select $1::int",
        &[],
        1,
        expect![[r#"
        error: there is no parameter $1
         code: SQLSTATE 42P02
         hint: Give the statement a value for each of its parameters.
               `querybox query --bind NAME=VALUE` gives the parameter :NAME a value, `--bind 1=VALUE` gives one to $1 or ?1
    "#]],
    );
    refuse(
        "select :a::int + :b::int",
        &["--bind", "a=1"],
        2,
        expect![[r#"
        error: parameter "b" has no value
         hint: `querybox query --bind NAME=VALUE` gives the parameter :NAME a value, `--bind 1=VALUE` gives one to $1 or ?1
    "#]],
    );
    refuse(
        "select :a::int",
        &["--bind", "a=1", "--bind", "b=2"],
        2,
        expect![[r#"
        error: the statement has no parameter "b"
         hint: `querybox query --bind NAME=VALUE` gives the parameter :NAME a value, `--bind 1=VALUE` gives one to $1 or ?1
    "#]],
    );
}
