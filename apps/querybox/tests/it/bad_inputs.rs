//! Each bad input has its clear message and its exit code.

use std::fs;

use expect_test::expect;

use crate::house::{House, names};

#[test]
fn a_connection_that_is_not_there() {
    House::new().run(["query", "nope", "select 1"]).says(
        2,
        expect![[r#"
        error: there is no connection nope
         hint: `querybox connections list` shows the connections that are there
    "#]],
    );
}

#[test]
fn a_driver_that_is_not_there() {
    House::new().run(["exec", "oracle", "select 1"]).says(
        2,
        expect![[r#"
        error: there is no driver `oracle`
         hint: `querybox plugins list` shows the drivers that are there
    "#]],
    );
}

#[test]
fn a_connection_whose_plugin_is_missing() {
    let house = House::new();
    fs::remove_file(house.path("plugins/querybox-driver-sqlite")).unwrap();
    house.run(["query", "shop", "select 1"]).says(
        3,
        expect![[r#"
        error: there is no usable driver for sqlite
         hint: `querybox plugins list` shows the drivers that are there, and why others are not
    "#]],
    );
}

#[test]
fn a_plugin_that_prints_garbage() {
    let house = House::new();
    house.add_script("oracle", r"printf 'Segmentation \033[31mfault'");
    house.run(["exec", "oracle", "select 1"]).says(3, expect![[r#"
        error: the driver `oracle` is broken: <house>/plugins/querybox-driver-oracle: its answer to `info` is no plugin info: expected value at line 1 column 1
    "#]]);
    house.run(["plugins", "list"]).exits(0).on_stdout(expect![[r#"
        DRIVER  NAME    VERSION  STATE                                                                              FILE
        -       -       -        broken: its answer to `info` is no plugin info: expected value at line 1 column 1  <house>/plugins/querybox-driver-oracle
        sqlite  SQLite  0.1.0    usable                                                                             <house>/plugins/querybox-driver-sqlite
    "#]]);
}

#[test]
fn a_plugin_that_hangs_when_it_is_asked() {
    let house = House::new();
    house.add_script("oracle", "while :; do :; done");
    house.run(["exec", "oracle", "select 1"]).says(3, expect![[r#"
        error: the driver `oracle` is broken: <house>/plugins/querybox-driver-oracle: it did not answer `info` within 2s
    "#]]);
    // Other drivers do not suffer.
    house.run(["query", "shop", "select 1"]).exits(0);
}

#[test]
fn a_syntax_error_is_shown_where_it_is() {
    House::new().run(["query", "shop", "select name\nform products"]).says(
        1,
        expect![[r#"
        error: near "products": syntax error
           --> line 2, column 6
          |
        2 | form products
          |      ^^^^^^^^
         code: SQLSTATE 42601, SQLITE_ERROR
    "#]],
    );
}

const THIRD_FAILS: &str = "create table t (x integer not null);\ninsert into t values (1);\n\
    insert into t values (null);\nselect 'later' as word;\n";

#[test]
fn the_third_statement_of_a_script_fails() {
    let house = House::new();
    let script = house.path("script.sql");
    fs::write(&script, THIRD_FAILS).unwrap();
    let script = script.to_str().unwrap();
    house.run(["query", "shop", "-f", script]).says(
        1,
        expect![[r#"
            (CREATE TABLE, T)
            (INSERT 1, T)
            error: NOT NULL constraint failed: t.x
               --> <house>/script.sql:3:1 (the statement begins here)
              |
            3 | insert into t values (null);
              | ^^^^^^
             code: SQLSTATE 23502, SQLITE_CONSTRAINT_NOTNULL
        "#]],
    );
    // What was done before it stays.
    house.run(["query", "shop", "select count(*) as n from t"]).exits(0).on_stdout(expect![[r#"
        n
        1
    "#]]);
}

#[test]
fn later_statements_run_when_they_are_asked_to() {
    let house = House::new();
    house
        .run_with(THIRD_FAILS.as_bytes(), ["query", "shop", "--on-error", "continue"])
        .exits(1)
        .on_stdout(expect![[r#"
            word
            later
        "#]])
        .on_stderr(expect![[r#"
            (CREATE TABLE, T)
            (INSERT 1, T)
            error: NOT NULL constraint failed: t.x
               --> standard input:3:1 (the statement begins here)
              |
            3 | insert into t values (null);
              | ^^^^^^
             code: SQLSTATE 23502, SQLITE_CONSTRAINT_NOTNULL
            (1 row, T)
        "#]]);
}

#[test]
fn a_single_transaction_keeps_nothing_of_a_failed_script() {
    let house = House::new();
    for on_error in ["stop", "continue"] {
        let args = ["query", "shop", "--single-transaction", "--on-error", on_error];
        let ran = house.run_with(THIRD_FAILS.as_bytes(), args).exits(1);
        let last = ran.stderr.lines().last().unwrap();
        let expected = "warning: rolled back: the script is one transaction, and not all of it could be done";
        assert_eq!(last, expected, "{ran:#?}");
    }
    house.run(["query", "shop", "select count(*) from t"]).says(
        1,
        expect![[r#"
        error: no such table: t
         code: SQLSTATE 42P01, SQLITE_ERROR
    "#]],
    );
}

#[test]
fn a_script_that_ends_inside_a_transaction() {
    House::new().run(["query", "shop", "begin; delete from products"]).says(
        1,
        expect![[r#"
        (BEGIN, T, transaction open)
        (DELETE 3, T, transaction open)
        error: rolled back: one-shot session
         code: SQLSTATE 25000
         detail: The script left a transaction open, and nothing could follow in this session.
         hint: End the script with COMMIT, or run it as a single transaction.
    "#]],
    );
}

#[test]
fn text_that_is_not_utf_8() {
    let house = House::new();
    fs::write(house.path("old.sql"), b"select 1;\nselect 'gr\xfc\xdf';").unwrap();
    house.run(["query", "shop", "-f", "old.sql"]).says(
        2,
        expect![[r#"
        error: old.sql is not UTF-8: byte 0xfc at line 2, column 11
         hint: convert it, for instance with `iconv -f latin1 -t utf-8`
    "#]],
    );
    house.run_with(b"\xff", ["query", "shop"]).says(
        2,
        expect![[r#"
            error: standard input is not UTF-8: byte 0xff at line 1, column 1
             hint: convert it, for instance with `iconv -f latin1 -t utf-8`
        "#]],
    );
}

#[test]
fn files_that_cannot_be_read() {
    let house = House::new();
    house.run(["query", "shop", "-f", "nope.sql"]).says(
        2,
        expect![[r#"
        error: cannot read nope.sql: no such file or directory
    "#]],
    );
    house.run(["query", "shop", "-f", "plugins"]).says(
        2,
        expect![[r#"
        error: cannot read plugins: is a directory
    "#]],
    );
}

#[test]
fn outputs_that_cannot_be_written() {
    let house = House::new();
    house.run(["query", "shop", "-o", "nope/out.csv", "select 1"]).says(
        2,
        expect![[r#"
        error: cannot write nope/out.csv: its folder does not exist
    "#]],
    );
    house.run(["query", "shop", "-o", "plugins", "select 1"]).says(
        2,
        expect![[r#"
        error: cannot write plugins: it is a folder
    "#]],
    );
}

#[test]
fn nothing_is_opened_for_a_request_that_cannot_be_carried_out() {
    let house = House::empty();
    house.run(["query", "shop", "-f", "nope.sql"]).exits(2);
    house.run(["query", "shop", "-o", "nope/out.csv", "select 1"]).exits(2);
    house.run(["query", "shop", "--format", "xml", "select 1"]).exits(2);
    house.run(["query", "shop", "--deadline", "soon", "select 1"]).exits(2);
    house.run(["query", "shop", "-f", "a.sql", "select 1"]).exits(2);
    assert_eq!(names(house.path("").as_path()), ["plugins"]);
}

#[test]
fn parameters_that_the_form_does_not_have() {
    let house = House::new();
    house.run(["exec", "sqlite", "-p", "fiel=x", "select 1"]).says(
        2,
        expect![[r#"
            error: parameter "fiel" is not one of this driver's
             hint: `querybox plugins info DRIVER` shows the parameters that there are
        "#]],
    );
    house.run(["exec", "sqlite", "select 1"]).says(
        2,
        expect![[r#"
            error: parameter "file" is missing
             hint: `querybox plugins info DRIVER` shows the parameters that there are
        "#]],
    );
}

#[test]
fn a_database_that_is_not_there() {
    let house = House::new();
    let file = format!("file={}", house.file("nope.db").display());
    house.run(["exec", "sqlite", "-p", &file, "select 1"]).says(
        3,
        expect![[r#"
        error: <files>/nope.db does not exist; with `create=true` an empty database is made
    "#]],
    );
    fs::write(
        house.file("text.db"),
        "This is no database, but it is long enough to be taken for one. ".repeat(20),
    )
    .unwrap();
    let file = format!("file={}", house.file("text.db").display());
    house.run(["exec", "sqlite", "-p", &file, "select * from x"]).says(
        3,
        expect![[r#"
        error: <files>/text.db is not a SQLite database, or it is encrypted
    "#]],
    );
}

#[test]
fn settings_that_do_not_exist() {
    let house = House::new();
    fs::write(house.home().join("config.toml"), "dedline = '5s'\n").unwrap();
    house.run(["connections", "list"]).says(
        2,
        expect![[r#"
        error: <house>/home/config.toml: TOML parse error at line 1, column 1
          |
        1 | dedline = '5s'
          | ^^^^^^^
        unknown field `dedline`, expected one of `deadline`, `deadline_max`, `session_idle`, `plugins`, `shell_history`, `texts`, `history`, `serve`
         hint: `querybox --help` lists what can be set there
    "#]],
    );
}

#[test]
fn a_home_that_is_a_file() {
    let house = House::empty();
    fs::write(house.home(), "").unwrap();
    house.run(["connections", "list"]).says(
        2,
        expect![[r#"
        error: cannot use <house>/home as the home: it is no folder
    "#]],
    );
}

#[test]
fn a_password_in_standard_input_beside_the_sql() {
    House::new().run_with(b"x", ["query", "shop", "--password-stdin"]).says(
        2,
        expect![[r#"
        error: standard input cannot hold both the SQL and the password
         hint: give the SQL as an argument or in a file with `-f FILE`
    "#]],
    );
}

#[test]
fn rejected_start_up_sql_points_into_no_script() {
    let house = House::new();
    house.run(["connections", "edit", "shop", "--startup-sql", "select nope"]).exits(0);
    let ran = house.run(["query", "shop", "select id from products"]).exits(1);
    assert!(ran.stderr.starts_with("error: no such column: nope\n"), "{ran:#?}");
    let ran = [ran, house.run(["connections", "test", "shop"]).exits(1)];
    assert!(ran.iter().all(|ran| !ran.stderr.contains("-->") && !ran.stderr.contains('^')), "{ran:#?}");
}

#[test]
fn a_name_that_is_none_is_told_with_what_names_are() {
    let house = House::new();
    house.run(["connections", "edit", "shop", "--name", ""]).says(
        2,
        expect![[r#"
            error: name is not valid: a name needs at least one character
             hint: a name has 1 to 100 characters, none of them a control character, and no space at either end
        "#]],
    );
}
