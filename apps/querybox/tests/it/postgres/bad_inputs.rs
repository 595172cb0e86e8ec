//! Each bad input has its clear message and its exit code.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
    time::Duration,
};

use expect_test::{Expect, expect};
use querybox_fixtures::{Certificate, Postgres, PostgresOptions};
use rustix::process::{Pid, Signal, kill_process};

use super::{PG, SLEEP, Site, without_port};
use crate::house::within;

#[test]
fn servers_that_are_out_of_reach_or_let_nobody_in() {
    let site = Site::start();
    site.run_with("wrong", &["query", PG, "select 1"]).says(
        1,
        expect![[r#"
        fatal: password authentication failed for user "postgres"
         code: SQLSTATE 28P01
    "#]],
    );
    site.run_with("", &["query", PG, "select 1"]).says(
        2,
        expect![[r#"
        error: parameter "password" is missing: the server asks for one
         hint: `querybox plugins info DRIVER` shows the parameters that there are
    "#]],
    );

    site.add("nowhere", &site.url("no-such-host.invalid", "postgres"), &[]);
    let ran = site.run(&["query", "nowhere", "select 1"]).exits(3);
    // The rest is the resolver's: it may know that there is no such name, or have nobody to ask.
    let said = "error: the name \"no-such-host.invalid\" cannot be resolved: ";
    assert!(ran.stderr.starts_with(said) && ran.stderr.lines().count() == 1, "{ran:#?}");

    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let check = |name: &str, url: &str, options: &[&str], code: i32, expected: Expect| {
        site.add(name, url, options);
        without_port(site.run(&["query", name, "select 1"]), closed).says(code, expected);
    };
    check(
        "closed",
        &format!("postgres://postgres@127.0.0.1:{closed}/postgres"),
        &[],
        3,
        expect![[r#"
        error: 127.0.0.1:<port> cannot be reached: connection refused
    "#]],
    );
    check(
        "plain",
        &site.url("127.0.0.1", "postgres?sslmode=require"),
        &[],
        3,
        expect![[r#"
        error: the server has no TLS
    "#]],
    );
    check(
        "no database",
        &site.url("127.0.0.1", "nope"),
        &[],
        1,
        expect![[r#"
        fatal: database "nope" does not exist
         code: SQLSTATE 3D000
    "#]],
    );
    let stranger = format!("postgres://nobody@127.0.0.1:{}/postgres", site.server.port());
    check(
        "stranger",
        &stranger,
        &[],
        1,
        expect![[r#"
        fatal: password authentication failed for user "nobody"
         code: SQLSTATE 28P01
    "#]],
    );
    check(
        "read-only",
        &site.url("127.0.0.1", "postgres"),
        &["--read-only"],
        1,
        expect![[r#"
            fatal: a read-only connection is refused for "postgres", a superuser
             code: SQLSTATE 0A000
             detail: COPY runs programs and writes files of the server for such users, in a read-only transaction as in any.
             hint: Connect as a user without these rights.
        "#]],
    );
    check(
        "start-up",
        &site.url("127.0.0.1", "postgres"),
        &["--startup-sql", "set nope = 1"],
        1,
        expect![[r#"
            error: unrecognized configuration parameter "nope"
             code: SQLSTATE 42704
             context: start-up SQL
        "#]],
    );
}

#[test]
fn urls_that_cannot_be_meant() {
    let site = Site::start();
    let check = |url: &str, expected: Expect| {
        site.house.run(["connections", "add", "new", url]).says(2, expected);
    };
    check(
        "postgres://ada:canary@127.0.0.1/shop",
        expect![[r#"
        error: a URL with a password is refused: leave it out, and give it when you are asked (an @ in another place is written %40)
         hint: what stands on a command line can be read by others and stays in the shell's history: change that password
    "#]],
    );
    check(
        "postgres://ada@127.0.0.1:70000/shop",
        expect![[r#"
            error: the URL is malformed: the port is not a number from 1 to 65535
        "#]],
    );
    check(
        "postgres://127.0.0.1/shop",
        expect![[r#"
        error: parameter "user" is missing
         hint: `querybox plugins info DRIVER` shows the parameters that there are
    "#]],
    );
    check(
        "postgres://ada@127.0.0.1/shop?sslmode=prefer",
        expect![[r#"
        error: the URL's option does not fit: parameter "sslmode" is not one of disable, require, verify-ca, verify-full
         hint: `querybox plugins info DRIVER` shows the parameters that there are
    "#]],
    );
    check(
        "postgres://ada@127.0.0.1/shop?options=-cfsync%3Doff",
        expect![[r#"
        error: the URL's option does not fit: parameter "options" is not one of this driver's
         hint: `querybox plugins info DRIVER` shows the parameters that there are
    "#]],
    );
}

#[test]
fn a_certificate_must_be_for_the_name_that_was_asked_for() {
    let certificate = Certificate::make(&["localhost"]);
    let options = PostgresOptions { certificate: Some(&certificate), ..PostgresOptions::default() };
    let site = Site::start_with(&options);
    std::fs::write(site.house.path("own.pem"), certificate.authority_pem()).unwrap();
    let add = |name: &str, host: &str, authority: &str| {
        let authority = format!("sslrootcert={}", site.house.path(authority).display());
        site.add(name, &site.url(host, "postgres?sslmode=verify-full"), &["-p", &authority]);
    };
    add("right", "localhost", "own.pem");
    let used = "select version from pg_stat_ssl where pid = pg_backend_pid()";
    site.run(&["query", "right", used]).exits(0).on_stdout(expect![[r#"
        version
        TLSv1.3
    "#]]);
    add("wrong name", "127.0.0.1", "own.pem");
    site.run(&["query", "wrong name", used]).says(3, expect![[r#"
        error: TLS with the server failed: invalid peer certificate: it is not valid for name "127.0.0.1", but for localhost
    "#]]);
    // Without an authority of its own, a server needs one that everybody knows.
    site.add("unknown", &site.url("localhost", "postgres?sslmode=verify-full"), &[]);
    site.run(&["query", "unknown", used]).says(
        3,
        expect![[r#"
        error: TLS with the server failed: invalid peer certificate: no authority that is believed has signed it
    "#]],
    );
}

#[test]
fn a_server_that_speaks_another_protocol() {
    let site = Site::start();
    let check = |name: &str, answer: &'static [u8], expected: Expect| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut heard = vec![0; 1000];
            let count = stream.read(&mut heard).unwrap();
            stream.write_all(answer).unwrap();
            // The rest of what it is told; it ends when the driver has gone.
            heard.truncate(count);
            let _ = stream.read_to_end(&mut heard);
            heard
        });
        site.add(name, &format!("postgres://ada@127.0.0.1:{port}/shop"), &[]);
        without_port(site.run_with("canary", &["query", name, "select 1"]), port).says(3, expected);
        assert!(!server.join().unwrap().windows(6).any(|part| part == b"canary"));
    };
    check(
        "web",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        expect![[r#"
            error: what answers there is no PostgreSQL server: it sent a message "H" of 1414811696 bytes
        "#]],
    );
    check(
        "zeros",
        &[0; 64],
        expect![[r#"
            error: what answers there is no PostgreSQL server: it sent a message of an impossible length
        "#]],
    );
    check(
        "login",
        b"R\0\0\0\x08\0\0\0\x03",
        expect![[r#"
        error: the server asks for the password in clear text, which is not sent without verified TLS
    "#]],
    );
}

#[test]
fn a_server_that_never_answers() {
    let site = Site::start();
    // The system takes the connection, and nobody ever reads it.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    site.add("mute", &format!("postgres://ada@127.0.0.1:{port}/shop"), &[]);
    site.run(&["query", "mute", "select 1"]).says(
        3,
        expect![[r#"
        error: the server did not finish the log-in within 10s
    "#]],
    );
}

#[test]
fn a_server_that_stops_while_it_works() {
    let mut site = Site::start();
    let running = site.running(SLEEP);
    within(Duration::from_secs(30), "the statement", || site.is_busy());
    site.server.stop();
    let (code, said) = running.end();
    let said = said.split_once("0 statements done").unwrap().0;
    expect![[r#"
        fatal: terminating connection due to administrator command
         code: SQLSTATE 57P01
    "#]]
    .assert_eq(said);
    assert_eq!(code, 1);
}

#[test]
fn a_server_that_crashes_while_it_works() {
    let mut site = Site::start();
    let running = site.running(SLEEP);
    within(Duration::from_secs(30), "the statement", || site.is_busy());
    site.server.crash();
    let (code, said) = running.end();
    expect![[r#"
        warning: terminating connection due to immediate shutdown command
        error: the server closed the connection
    "#]]
    .assert_eq(&said);
    assert_eq!(code, 3);
}

#[test]
fn a_server_process_that_dies_without_a_word() {
    let site = Site::start();
    let busy =
        "select pid from pg_stat_activity where application_name like 'querybox %' and state = 'active'";
    // Before its first row, and in the middle of them.
    for sql in [SLEEP, "select i, pg_sleep(0.001) from generate_series(1, 100000) i"] {
        let running = site.running(sql);
        within(Duration::from_secs(30), "the statement", || site.is_busy());
        kill_process(Pid::from_raw(site.ask(busy).parse().unwrap()).unwrap(), Signal::KILL).unwrap();
        let (code, said) = running.end();
        assert_eq!(said, "error: the server closed the connection\n", "{sql}");
        assert_eq!(code, 3);
        // The server starts anew after such a death.
        within(Duration::from_secs(60), "the server's return", || site.query("select 1").code == 0);
    }
}

#[test]
fn a_password_is_none_of_the_servers_that_trust_everybody() {
    let options = PostgresOptions {
        access: &["local all all trust", "host all all all trust"],
        ..PostgresOptions::default()
    };
    let site = Site::start_with(&options);
    assert_eq!(
        site.run_with("", &["query", PG, "select current_user"]).exits(0).stdout,
        format!("current_user\n{}\n", Postgres::USER)
    );
}
