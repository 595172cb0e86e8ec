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
fn markdown_is_a_table_to_paste() {
    House::new().run(["query", "shop", "--format", "markdown", PRODUCTS]).exits(0).on_stdout(expect![[r#"
        | id | name | price | note |
        | ---: | --- | ---: | --- |
        | 1 | Lamp | 12.5 | *NULL* |
        | 2 | Täble | 100 |  |
        | 3 | Chair, red | 49.99 | a "b" |
    "#]]);
}

#[test]
fn arrow_is_a_stream_of_one_result_that_other_readers_take() {
    let house = House::new();
    let script = "select 1 as a; select id, name, price from products order by id; select 3 as c";
    house.run(["query", "shop", "-o", "out.arrow", "--result", "2", script]).exits(0);
    let file = std::fs::File::open(house.path("out.arrow")).unwrap();
    let reader = arrow_ipc::reader::StreamReader::try_new(file, None).unwrap();
    let names: Vec<_> = reader.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["id", "name", "price"]);
    assert_eq!(reader.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 3);

    // One that was not chosen, and one that is not there.
    house.run(["query", "shop", "-o", "none.arrow", script]).says(
        2,
        expect![[r#"
        (1 row, T)
        error: there are several results, and an Arrow stream holds one
         hint: say which one with `--result NUMBER`
    "#]],
    );
    house.run(["query", "shop", "-o", "none.arrow", "--result", "4", script]).says(
        2,
        expect![[r#"
        (1 row, T)
        (3 rows, T)
        (1 row, T)
        error: there is no result 4: 3 results came
    "#]],
    );
    house.run(["query", "shop", "-o", "none.arrow", "create temp table t (x)"]).says(
        2,
        expect![[r#"
        (CREATE TABLE, T)
        error: no result came that could be written as an Arrow stream
    "#]],
    );
    assert!(!house.path("none.arrow").exists());
    // SQLite's types are those of values: one that the column's does not hold is told, and is none to a program.
    let mixed = "select 1 as a union all select 'x'";
    house.run(["query", "shop", "-o", "mixed.arrow", mixed]).says(4, expect![[r#"
        (2 rows, T)
        warning: 1 value was left null: the column's Arrow type does not hold such; `--format csv` writes everything, and `results export` of what `--keep` keeps has such a column as text
        mixed.arrow was not written
    "#]]);
    assert!(!house.path("mixed.arrow").exists());
}

#[test]
fn parquet_and_workbooks_are_files_of_one_result() {
    let house = House::new();
    house.run(["query", "shop", "-o", "out.parquet", PRODUCTS]).says(
        0,
        expect![[r#"
            (3 rows, T)
        "#]],
    );
    let document = std::fs::read(house.path("out.parquet")).unwrap();
    assert!(document.starts_with(b"PAR1") && document.ends_with(b"PAR1"));
    house.run(["query", "shop", "-o", "out.xlsx", "--sheet-rows", "2", PRODUCTS]).exits(0);
    let document = std::fs::read(house.path("out.xlsx")).unwrap();
    let has = |part: &str| document.windows(part.len()).any(|bytes| bytes == part.as_bytes());
    assert!(document.starts_with(b"PK") && has("xl/worksheets/sheet2.xml") && !has("sheet3.xml"));
    for (file, noun) in [("no.parquet", "a Parquet file"), ("no.xlsx", "a workbook")] {
        let ran = house.run(["query", "shop", "-o", file, "select 1; select 2"]).exits(2);
        let told = format!("error: there are several results, and {noun} holds one");
        assert!(ran.stderr.contains(&told), "{ran:?}");
        let ran = house.run(["query", "shop", "-o", file, "select nope"]).exits(1);
        assert!(ran.stderr.contains(&format!("{file} was not written")), "{ran:?}");
        assert!(!house.path(file).exists());
    }
}

#[test]
fn insert_statements_are_for_the_database_that_the_rows_are_from() {
    let house = House::new();
    let sql = "select id, name, note, x'00ff' as bytes, null as empty from products where id <> 2";
    house.run(["query", "shop", "--format", "sql", "--table", "main.copy", sql]).exits(0).on_stdout(expect![
        [r#"
            INSERT INTO "main"."copy" ("id", "name", "note", "bytes", "empty") VALUES
              (1, 'Lamp', NULL, X'00ff', NULL),
              (3, 'Chair, red', 'a "b"', X'00ff', NULL);
        "#]
    ]);
    // The database takes them.
    house.run(["query", "shop", "-o", "copy.sql", "--table", "copy", sql]).exits(0);
    let script = std::fs::read_to_string(house.path("copy.sql")).unwrap();
    let script = format!(
        "create temp table copy (id, name, note, bytes, empty); {script} \
         select count(*) as same from copy natural join (select id, name, x'00ff' as bytes from products)"
    );
    let ran = house.run(["query", "shop", "--result", "1", &script]).exits(0);
    assert_eq!(ran.stdout, "same\n2\n");
    house.run(["query", "shop", "--format", "sql", sql]).says(
        2,
        expect![[r#"
            error: INSERT statements need a table
             hint: name it with `--table NAME`
        "#]],
    );
}

#[test]
fn csv_has_dialects() {
    let house = House::new();
    let sql = "select '=1+1' as a, null as b, 'x;y' as c";
    let check = |options: &[&str], expected: &str| {
        let ran = house.run(["query", "shop", sql].iter().chain(options)).exits(0);
        assert_eq!(ran.stdout, expected);
    };
    check(&[], "a,b,c\n=1+1,,x;y\n");
    check(&["--delimiter", ";", "--crlf"], "a;b;c\r\n=1+1;;\"x;y\"\r\n");
    check(&["--delimiter", "\\t", "--no-header", "--null-text", "-"], "=1+1\t-\tx;y\n");
    check(&["--quote-all", "--no-header"], "\"=1+1\",,\"x;y\"\n");
    check(&["--neutralize-formulas", "--no-header"], "'=1+1,,x;y\n");
    for (options, told) in [
        (&["--delimiter", "ab"][..], "give one character"),
        (&["--delimiter", "\""], "the delimiter is the quote"),
        (&["--format", "json", "--crlf"], "`--crlf` is an option of `--format csv`"),
        (&["--format", "table", "--table", "t"], "`--table` is an option of `--format sql`"),
        (&["--table", "t"], "`--table` is an option of `--format sql`"),
    ] {
        let ran = house.run(["query", "shop", sql].iter().chain(options)).exits(2);
        assert!(ran.stdout.is_empty() && ran.stderr.contains(told), "{ran:?}");
    }
}

#[test]
fn one_result_of_several_in_any_format() {
    let house = House::new();
    let script = "select 1 as a; create temp table t (x); select 2 as b";
    let ran = house.run(["query", "shop", "--result", "2", script]).exits(0);
    assert_eq!(ran.stdout, "b\n2\n");
}

#[test]
fn values_are_bound_to_parameters() {
    let house = House::new();
    let check = |args: &[&str], code: i32, expected: expect_test::Expect| {
        let ran = house.run(["query", "shop", "--format", "ndjson"].iter().chain(args)).exits(code);
        expected.assert_eq(&format!("{}{}", ran.stdout, ran.stderr));
    };
    let hostile = "x=' or 1=1; drop table products; --";
    check(
        &["--bind", hostile, "select :x as x, count(*) as n from products where name = :x"],
        0,
        expect![[r#"
            {"x":"' or 1=1; drop table products; --","n":0}
            (1 row, T)
        "#]],
    );
    check(
        &["--bind", "a=", "--bind-null", "b", "select :a as a, :b as b"],
        0,
        expect![[r#"
        {"a":"","b":null}
        (1 row, T)
    "#]],
    );
    check(
        &["--bind", "1=one", "--bind", "2=a=b", "select ?1 as x, ?2 as y"],
        0,
        expect![[r#"
        {"x":"one","y":"a=b"}
        (1 row, T)
    "#]],
    );
    check(
        &["select :x"],
        2,
        expect![[r#"
        error: parameter "x" has no value
         hint: `querybox query --bind NAME=VALUE` gives the parameter :NAME a value, `--bind 1=VALUE` gives one to $1 or ?1
    "#]],
    );
    check(
        &["--bind", "y=1", "select 1"],
        2,
        expect![[r#"
        error: the statement has no parameter "y"
         hint: `querybox query --bind NAME=VALUE` gives the parameter :NAME a value, `--bind 1=VALUE` gives one to $1 or ?1
    "#]],
    );
    check(
        &["--bind", "x=1", "--bind", "x=2", "select :x"],
        2,
        expect![[r#"
        error: the value for parameter "x" is given twice
         hint: `querybox query --bind NAME=VALUE` gives the parameter :NAME a value, `--bind 1=VALUE` gives one to $1 or ?1
    "#]],
    );
    check(
        &["--bind", "x=1", "select 1; select :x"],
        2,
        expect![[r#"
        error: values for parameters go with a script of one statement
         hint: `querybox query --bind NAME=VALUE` gives the parameter :NAME a value, `--bind 1=VALUE` gives one to $1 or ?1
    "#]],
    );
    let ran = house.run(["query", "shop", "--bind", "canary", "select 1"]).exits(2);
    assert!(ran.stderr.contains("give NAME=VALUE"), "{ran:#?}");
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
    assert_eq!(json["schemas"][0]["relations"][0]["columns"][1]["name"], "name");
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

#[test]
fn a_statement_that_is_refused_before_its_first_row_leaves_nothing() {
    let house = House::new();
    let refused = "select abs(-9223372036854775808) as x";
    for format in ["table", "csv", "tsv", "json", "ndjson", "markdown", "arrow"] {
        let ran = house.run(["query", "shop", "--format", format, refused]).exits(1);
        assert_eq!(ran.stdout, "", "{format}");
    }
    let script = format!("{refused}; select 1 as a; {refused}; select 2 as b");
    let ran = house.run(["query", "shop", "--on-error", "continue", &script]).exits(1);
    assert_eq!(ran.stdout, "a\n1\n\nb\n2\n");
    let ran = house.run_with(script.as_bytes(), ["shell", "shop", "--on-error", "continue"]).exits(1);
    assert_eq!(ran.stdout, "a\n1\n\nb\n2\n");
    // Of an empty result the header is all there is.
    let ran = house.run(["query", "shop", "select 1 as a where false"]).exits(0);
    assert_eq!(ran.stdout, "a\n");
}
