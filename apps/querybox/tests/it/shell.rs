//! The shell without a terminal: scripts, their ends, and their exit codes.

use std::{fs, time::Duration};

use expect_test::expect;
use rustix::process::{Signal, kill_process};

use crate::house::{ENDLESS, ENDLESS_SILENT, House, Ran, Running, lives, within};

fn run(house: &House, script: &str, flags: &[&str]) -> Ran {
    house.run_with(script.as_bytes(), ["shell", "shop"].iter().chain(flags))
}

#[test]
fn a_session_lasts_from_statement_to_statement() {
    let house = House::new();
    let script = "
        create temp table kept (x);
        begin;
        insert into kept values (1), (2);
        rollback;
        insert into kept
            values (3); insert into kept values (4);
        select x from kept;
        select 'no semicolon' as last";
    run(&house, script, &[])
        .exits(0)
        .on_stdout(expect![[r#"
            x
            3
            4

            last
            no semicolon
        "#]])
        .on_stderr(expect![[r#"
            (CREATE TABLE, T)
            (BEGIN, T, transaction open)
            (INSERT 2, T, transaction open)
            (ROLLBACK, T)
            (INSERT 1, T)
            (INSERT 1, T)
            (2 rows, T)
            (1 row, T)
        "#]]);
}

#[test]
fn a_rejection_stops_the_script_and_tells_its_line() {
    let house = House::new();
    run(&house, "select 1 as a;\n\nselect *\nform products;\nselect 2 as b;\n", &[])
        .exits(1)
        .on_stdout(expect![[r#"
            a
            1
        "#]])
        .on_stderr(expect![[r#"
            (1 row, T)
            error: near "form": syntax error
               --> standard input:4:1
              |
            4 | form products;
              | ^^^^
             code: SQLSTATE 42601, SQLITE_ERROR
        "#]]);
    let ran =
        run(&house, "select 1 as a;\nselect nope;\nselect 2 as b;", &["--on-error", "continue"]).exits(1);
    assert_eq!(ran.stdout, "a\n1\n\nb\n2\n", "{ran:#?}");
}

#[test]
fn a_script_that_ends_inside_a_transaction_is_rolled_back() {
    let house = House::new();
    run(&house, "begin; delete from products;\nselect count(*) as n from products;", &[])
        .exits(1)
        .on_stdout(expect![[r#"
            n
            0
        "#]])
        .on_stderr(expect![[r#"
            (BEGIN, T, transaction open)
            (DELETE 3, T, transaction open)
            (1 row, T, transaction open)
            error: rolled back: the script ended inside a transaction
        "#]]);
    let ran = house.run(["query", "shop", "select count(*) as n from products"]).exits(0);
    assert_eq!(ran.stdout, "n\n3\n");
}

#[test]
fn commands_work_in_scripts() {
    let house = House::new();
    fs::write(house.path("more.sql"), "select 7 as seven;\n\\i deep.sql\n").unwrap();
    fs::write(house.path("deep.sql"), "select 8 as eight").unwrap();
    let script = "\\dt\n\\d products\n\\x\nselect id, note from products limit 2;\n\\x off\n\\timing off\n\\i more.sql\n\\q\nselect nope;";
    run(&house, script, &["--format", "table"])
        .exits(0)
        .on_stdout(expect![[r#"
            SCHEMA  NAME      KIND   ROWS (ABOUT)  COMMENT
            main    products  table
            main (default)
            └── products (table)
                ├── id     INTEGER        primary key, not null
                ├── name   TEXT
                ├── price  decimal(10,2)
                └── note   TEXT
            -[ RECORD 1 ]---------------------------
             id   │ 1
             note │ ∅
            -[ RECORD 2 ]---------------------------
             id   │ 2
             note │ 

             seven
            ──────
                 7

             eight
            ──────
                 8
        "#]])
        .on_stderr(expect![[r#"
            rows are shown one column a line
            (2 rows, T)
            rows are shown as a table
            times are not shown
            (1 row)
            (1 row)
        "#]]);
}

#[test]
fn what_is_wrong_with_a_command_ends_the_script() {
    let house = House::new();
    let check = |script: &str, code: i32, expected: expect_test::Expect| {
        run(&house, script, &[]).says(code, expected)
    };
    check(
        "\\foo\n",
        2,
        expect![[r#"
            error: there is no command \foo; \? shows those that there are
        "#]],
    );
    check(
        "\\d nope\n",
        2,
        expect![[r#"
            error: there is no table or view nope
        "#]],
    );
    check(
        "\\i nowhere.sql\n",
        2,
        expect![[r#"
            error: cannot read nowhere.sql: no such file or directory
        "#]],
    );
    check(
        "\\e\n",
        2,
        expect![[r#"
            error: \e has no place in a script
        "#]],
    );
    fs::write(house.path("circle.sql"), "\\i circle.sql\n").unwrap();
    check(
        "\\i circle.sql\n",
        2,
        expect![[r#"
            error: files include one another more than 16 deep
        "#]],
    );
}

#[test]
fn bad_input_has_its_exit_code() {
    let house = House::new();
    house.run(["shell", "nope"]).exits(2);
    house.run(["shell", "shop", "-f", "nowhere.sql"]).says(
        2,
        expect![[r#"
            error: cannot read nowhere.sql: no such file or directory
        "#]],
    );
    house.run_with(b"select 1;\nselect '\xfc'", ["shell", "shop"]).exits(2).on_stderr(expect![[r#"
        (1 row, T)
        error: standard input is not UTF-8: byte 0xfc at line 2, column 9
         hint: convert it, for instance with `iconv -f latin1 -t utf-8`
    "#]]);
    house.run(["shell", "shop", "--format", "arrow"]).exits(2);
    let file = format!("file={}", house.file("gone.db").display());
    house.run(["connections", "add", "gone", "--driver", "sqlite", "-p", &file]).exits(0);
    house.run_with(b"select 1", ["shell", "gone"]).exits(3);
}

#[test]
fn a_file_is_run_as_a_script() {
    let house = House::new();
    fs::write(house.path("a.sql"), "\u{feff}select 1 as a;\nselect nope;\n").unwrap();
    let ran = house.run(["shell", "shop", "-f", "a.sql"]).exits(1);
    assert_eq!(ran.stdout, "a\n1\n");
    assert!(ran.stderr.contains("--> a.sql:2:8"), "{ran:#?}");
}

#[test]
fn a_deadline_counts_for_each_entry() {
    let house = House::new();
    let script = format!("select 1 as a;\n{ENDLESS_SILENT};\nselect 2 as b;");
    let ran = run(&house, &script, &["--deadline", "500ms"]).exits(4);
    assert_eq!(ran.stdout, "a\n1\n", "{ran:#?}");
    assert!(ran.stderr.contains("deadline"), "{ran:#?}");
}

#[test]
fn rows_can_be_limited() {
    let ran = run(&House::new(), &format!("{ENDLESS};"), &["--max-rows", "2"]).exits(0);
    assert_eq!(ran.stdout, "n\n1\n2\n");
}

fn running(house: &House, script: &str) -> Running {
    fs::write(house.path("script.sql"), script).unwrap();
    Running::start(house.command(["shell", "shop", "-v", "-f", "script.sql"]))
}

#[test]
fn ctrl_c_ends_a_script() {
    let house = House::new();
    for signal in [Signal::INT, Signal::TERM] {
        let running = running(&house, &format!("{ENDLESS_SILENT};\nselect 2 as b;"));
        std::thread::sleep(Duration::from_millis(300));
        running.signal(signal);
        let driver = running.driver;
        let (code, said) = running.end();
        assert_eq!((code, said.as_str()), (130, "cancelled: confirmed by the database after T\n"));
        within(Duration::from_secs(2), "the driver's end", || !lives(driver));
    }
}

#[test]
fn a_lost_driver_ends_a_script_and_tells_of_the_transaction() {
    let house = House::new();
    let running =
        running(&house, &format!("begin; delete from products;\n{ENDLESS_SILENT};\nselect 2 as b;"));
    std::thread::sleep(Duration::from_millis(300));
    kill_process(running.driver, Signal::KILL).unwrap();
    let (code, said) = running.end();
    assert_eq!(code, 3, "{said}");
    expect![[r#"
        (BEGIN, T, transaction open)
        (DELETE 3, T, transaction open)
        error: the driver ended: it was ended by signal 9 (SIGKILL)
         hint: the open transaction is lost
    "#]]
    .assert_eq(&said);
}

#[test]
fn a_closed_pipe_ends_in_silence() {
    use std::io::{BufRead, BufReader};

    let house = House::new();
    let mut running = running(&house, &format!("{ENDLESS};"));
    let mut stdout = BufReader::new(running.child.stdout.take().unwrap());
    stdout.read_line(&mut String::new()).unwrap();
    drop(stdout);
    let driver = running.driver;
    assert_eq!(running.end(), (141, String::new()));
    within(Duration::from_secs(2), "the driver's end", || !lives(driver));
}
