//! The shell on a real PostgreSQL: passwords, failed transactions, cancels.

use std::{fs, io::Write, time::Duration};

use querybox_fixtures::Postgres;

use crate::{
    house::{House, within},
    shell_terminal::person::Person,
};

const CTRL_C: &str = "\x03";
const CTRL_D: &str = "\x04";

/// A server, and a house with the connection `pg` to it.
fn site() -> (Postgres, House) {
    let server = Postgres::start();
    let house = House::empty();
    fs::create_dir(house.home()).unwrap();
    fs::write(house.home().join("sample.made"), "removed by a test\n").unwrap();
    house.add_driver("postgres");
    // As people copy it from elsewhere.
    let keywords = format!(
        "host={} port={} user={} dbname={}",
        Postgres::HOST,
        server.port(),
        Postgres::USER,
        Postgres::DATABASE
    );
    house.run(["connections", "add", "pg", &keywords]).exits(0);
    (server, house)
}

fn logged_in(house: &House) -> Person {
    let mut person = Person::at(house, &["pg"]);
    person.sees("Password for pg: ");
    person.types(Postgres::PASSWORD).types("\r");
    person.sees("PostgreSQL ");
    person.sees("pg=> ");
    person
}

#[test]
fn a_failed_transaction_shows_until_it_is_rolled_back() {
    let (_server, house) = site();
    let mut person = logged_in(&house);
    person.types("begin;\r").sees("pg=*> ");
    person.types("select nope;\r").sees("SQLSTATE 42703");
    person.sees("pg=!> ");
    person.types("select 1;\r").sees("SQLSTATE 25P02");
    person.sees("pg=!> ");
    person.types("rollback;\r").sees("pg=> ");
    person.types("select 40 + 2 as answer;\r").sees("     42\n");
    person.sees("pg=> ");
    person.types(CTRL_D);
    assert_eq!(person.leaves(), 0);
}

#[test]
fn ctrl_c_reaches_the_server_and_leaves_the_session() {
    let (server, house) = site();
    let mut person = logged_in(&house);
    person.types("create temp table kept as select 42 as answer;\r").sees("pg=> ");
    person.types("begin; select pg_sleep(60);\r");
    let active = || {
        let sql = "select count(*) from pg_stat_activity where application_name like 'querybox %' and state = 'active' and query like '%pg_sleep%'";
        String::from_utf8(server.psql(sql)).unwrap().trim_end() != "0"
    };
    within(Duration::from_secs(30), "the statement's start", active);
    person.types(CTRL_C).sees("cancelled: confirmed by the database after ");
    // The server ended the statement, and its transaction is to be rolled back.
    person.sees("pg=!> ");
    person.types("rollback;\r").sees("pg=> ");
    person.types("select answer from kept;\r").sees("     42\n");
    assert!(!active());
    person.sees("pg=> ");
    person.types(CTRL_D);
    assert_eq!(person.leaves(), 0);
}

#[test]
fn psqls_own_commands_are_refused_or_ours() {
    let (server, house) = site();
    server.psql("create table \"Big\" (\"Id\" int primary key, note text); create schema app; create table app.small (x int)");
    let mut person = logged_in(&house);
    person.types("\\d \"Big\"\r").sees("── Id ");
    person.types("\\d APP.Small\r").sees("── x ");
    person.types("select 1 \\g\r").sees("psql's \\g");
    person.sees("pg=> ");
    std::thread::sleep(Duration::from_secs(1));
    person.types("select \"I\t from \"Big\";\r").sees("select \"Id\" from \"Big\";");
    person.sees("(0 rows, ");
    person.sees("pg=> ");
    person.types("select * from app.\t;\r").sees("from app.small;");
    person.sees("(0 rows, ");
    person.sees("pg=> ");
    person.types(CTRL_D);
    assert_eq!(person.leaves(), 0);
}

#[test]
fn a_lost_server_is_told_with_the_transaction() {
    let (mut server, house) = site();
    let mut person = logged_in(&house);
    person.types("begin;\r").sees("pg=*> ");
    server.crash();
    person
        .types("select 1;\r")
        .sees("connection lost, transaction lost; the next statement opens a new session");
    person.sees("pg=> ");
    person.types(CTRL_C).sees("pg=> ");
    // A new session needs the password again, because nobody has kept it.
    person.types("select 2;\r").sees("Password for pg: ");
    person.types("x\r").sees("error: ");
    // It was not sent, and stands there again.
    person.sees("pg=> select 2;");
    person.types(CTRL_C).sees("pg=> ");
    person.types(CTRL_D);
    assert_eq!(person.leaves(), 0);
}

#[test]
fn a_wrong_password_ends_the_shell() {
    let (_server, house) = site();
    let mut person = Person::at(&house, &["pg"]);
    person.sees("Password for pg: ");
    person.types("canary\r").sees("SQLSTATE 28P01");
    assert_eq!(person.leaves(), 1);
}

#[test]
fn a_password_can_be_the_first_line_of_a_script() {
    let (_server, house) = site();
    let mut script = Vec::new();
    writeln!(script, "{}", Postgres::PASSWORD).unwrap();
    script.extend(
        b"create temp table kept (x int);\ninsert into kept values (1), (2);\nselect sum(x) from kept;\n",
    );
    let ran = house.run_with(&script, ["shell", "pg", "--password-stdin"]).exits(0);
    assert_eq!(ran.stdout, "sum\n3\n", "{ran:#?}");
}

#[test]
fn ctrl_c_on_a_description_leaves_the_transaction() {
    let (server, house) = site();
    server.psql("create table kept (x int); create sequence released");
    let count = |sql: &str| String::from_utf8(server.psql(sql)).unwrap().trim_end().to_owned();
    let mut person = logged_in(&house);
    person.types("begin; insert into kept values (42);\r").sees("pg=*> ");
    std::thread::scope(|threads| {
        // Held until the sequence is used, which is seen without a commit.
        let holds = "do $$ begin lock pg_catalog.pg_constraint; for turn in 1..1200 loop \
                     exit when (select is_called from released); perform pg_sleep(0.05); end loop; end $$";
        threads.spawn(|| server.psql(holds));
        let is_held = "select count(*) from pg_locks where granted and mode = 'AccessExclusiveLock' and relation = 'pg_constraint'::regclass";
        within(Duration::from_secs(30), "the lock", || count(is_held) == "1");
        person.types("\\d kept\r");
        let waits = "select count(*) from pg_locks where not granted";
        within(Duration::from_secs(30), "the reading", || count(waits) == "1");
        person.types(CTRL_C).sees("cancelled");
        person.sees("pg=*> ");
        server.psql("select nextval('released')");
        person.types("select x + 1 as next from kept;\r").sees("   43\n");
    });
    person.types("commit;\r").sees("(COMMIT, ");
    person.sees("pg=> ");
    assert_eq!(count("select x from kept"), "42");
    person.types(CTRL_D);
    assert_eq!(person.leaves(), 0);
}

#[test]
fn a_session_that_the_server_ends_is_lost_at_once_and_the_next_statement_opens_another() {
    let (server, house) = site();
    let end = || {
        server.psql(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'querybox %'",
        );
    };
    let mut person = logged_in(&house);
    person.types("begin;\r").sees("pg=*> ");
    end();
    person.types("select 1;\r").sees("terminating connection");
    person.sees("connection lost, transaction lost; the next statement opens a new session");
    person.sees("pg=> ");
    person.types("select pg_sleep(60);\r").sees("Password for pg: ");
    person.types(Postgres::PASSWORD).types("\r");
    let active = "select count(*) from pg_stat_activity where state = 'active' and query like '%pg_sleep(60)%' and pid <> pg_backend_pid()";
    within(Duration::from_secs(30), "the statement", || server.psql(active) != b"0\n");
    end();
    person.sees("terminating connection");
    person.sees("connection lost; the next statement opens a new session");
    person.sees("pg=> ");
    person.types("select 40 + 2 as answer;\r").sees("Password for pg: ");
    // It is not sent yet, and stands there again.
    person.types("wrong\r").sees("SQLSTATE 28P01");
    person.sees("pg=> select 40 + 2 as answer;");
    person.types("\r").sees("Password for pg: ");
    person.types(Postgres::PASSWORD).types("\r");
    person.sees("     42\n");
    person.sees("pg=> ");
    person.types(CTRL_D);
    assert_eq!(person.leaves(), 0);
}
