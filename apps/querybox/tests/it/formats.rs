//! What results look like, and what goes where.

use expect_test::expect;

use crate::house::House;

const PRODUCTS: &str = "select * from products order by id";

#[test]
fn csv_where_standard_output_is_no_terminal() {
    House::new()
        .run(["query", "shop", PRODUCTS])
        .exits(0)
        .on_stdout(expect![[r#"
        id,name,price,note
        1,Lamp,12.5,
        2,Täble,100,""
        3,"Chair, red",49.99,"a ""b"""
    "#]])
        .on_stderr(expect![[r#"
        (3 rows, T)
    "#]]);
}

#[test]
fn every_format() {
    let house = House::new();
    let check = |format: &str, expected: expect_test::Expect| {
        house.run(["query", "shop", "--format", format, PRODUCTS]).exits(0).on_stdout(expected);
    };
    check(
        "table",
        expect![[r#"
             id │ name       │ price │ note
            ────┼────────────┼───────┼──────
              1 │ Lamp       │  12.5 │ ∅
              2 │ Täble      │   100 │
              3 │ Chair, red │ 49.99 │ a "b"
        "#]],
    );
    check(
        "tsv",
        expect![[r#"
        id	name	price	note
        1	Lamp	12.5	\N
        2	Täble	100	
        3	Chair, red	49.99	a "b"
    "#]],
    );
    check(
        "json",
        expect![[r#"
        [
        {"id":1,"name":"Lamp","price":12.5,"note":null},
        {"id":2,"name":"Täble","price":100,"note":""},
        {"id":3,"name":"Chair, red","price":49.99,"note":"a \"b\""}
        ]
    "#]],
    );
    check(
        "ndjson",
        expect![[r#"
        {"id":1,"name":"Lamp","price":12.5,"note":null}
        {"id":2,"name":"Täble","price":100,"note":""}
        {"id":3,"name":"Chair, red","price":49.99,"note":"a \"b\""}
    "#]],
    );
}

#[test]
fn several_results_follow_one_another() {
    House::new()
        .run_with(
            b"select 1 as a; create temp table t (x); insert into t values (1), (2); select x from t; select 3 as b where 0;",
            ["query", "shop", "-f", "-"],
        )
        .exits(0)
        .on_stdout(expect![[r#"
            a
            1

            x
            1
            2

            b
        "#]])
        .on_stderr(expect![[r#"
            (1 row, T)
            (CREATE TABLE, T)
            (INSERT 2, T)
            (2 rows, T)
            (0 rows, T)
        "#]]);
}

#[test]
fn json_keeps_digits_and_names() {
    House::new()
        .run([
            "query",
            "shop",
            "--format",
            "ndjson",
            "select 9007199254740993 as big, 0.1 as f, 9e999 as inf, null as n, 'x' as f, x'00ff' as bytes",
        ])
        .exits(0)
        .on_stdout(expect![[r#"
            {"big":9007199254740993,"f":0.1,"inf":"Infinity","n":null,"f_2":"x","bytes":"\\x00ff"}
        "#]]);
}

#[test]
fn nothing_to_run_is_nothing_done() {
    let ran = House::new().run(["query", "shop", " -- nothing\n ; "]).exits(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
}

#[test]
fn verbose_tells_the_facts() {
    let ran = House::new().run(["query", "shop", "--verbose", "select 1"]).exits(0);
    // What the machine cannot enforce depends on the machine.
    let lines: Vec<_> = ran.stderr.lines().filter(|line| !line.starts_with("warning: ")).collect();
    assert!(lines[0].starts_with("session 0"), "{ran:#?}");
    assert!(
        lines[1].starts_with("SQLite 3.") && lines[1].ends_with(", database <files>/shop.db"),
        "{ran:#?}"
    );
    assert!(lines[2].starts_with("driver process "), "{ran:#?}");
    assert_eq!(lines[3], "(1 row, T, first row after T)");
    assert!(lines[4].starts_with("1 statement done, 0 rejected"), "{ran:#?}");
}

#[test]
fn the_schema_as_a_tree_and_as_json() {
    let house = House::new();
    house.run(["schema", "shop"]).exits(0).on_stdout(expect![[r#"
        main (default)
        └── products (table)
            ├── id     INTEGER        primary key, not null
            ├── name   TEXT
            ├── price  decimal(10,2)
            └── note   TEXT
    "#]]);
    let json = house.run(["schema", "shop", "--json"]).exits(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[0]["relations"][0]["columns"][1]["name"], "name");
    house.run(["schema", "shop", "--relation", "nope"]).says(
        2,
        expect![[r#"
        error: shop has no table or view nope
    "#]],
    );
}

#[test]
fn completions_and_help_need_no_home() {
    let house = House::empty();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(house.run(["completions", shell]).exits(0).stdout.contains("single-transaction"), "{shell}");
    }
    assert!(house.run(["query", "--help"]).exits(0).stdout.contains("Exit codes:"));
    assert!(house.run(["--version"]).exits(0).stdout.starts_with("querybox "));
    assert!(!house.home().exists());
}
