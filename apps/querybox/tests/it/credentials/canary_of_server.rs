//! The sweep over a server at its most talkative: its log, its audit file, its numbers, its home, and, when its sessions have
//! ended, its memory.

use std::fs;

use querybox_fixtures::is_root;
use rustix::process::Signal;

use super::{
    Site,
    canary::{Canaries, assert_not_in_memory},
};
use crate::{
    house::{Ran, within},
    serve::server::{PATIENCE, Server},
};

#[test]
fn a_server_tells_nothing_of_what_it_was_given_and_forgets_it_with_its_sessions() {
    let site = Site::with_vault();
    let port = site.server.port();
    let canary = |what: &str| format!("canary-{what}-{port}-7f3a9c");
    let (right, wrong, literal, bound) =
        (canary("right"), canary("wrong"), canary("literal"), canary("bound"));
    // A cell that stands in no statement.
    let (head, tail) = (format!("canary-cell-{port}"), "-51d0e8");
    let cell = format!("{head}{tail}");
    let key = fs::read_to_string(site.key_file()).unwrap();
    site.server.psql(&format!("create role eve login password '{right}'"));
    let audit = site.house.path("audit");
    let mut command =
        site.command(&["serve", "--listen", "127.0.0.1:0", "--query-text", "redacted", "--audit"]);
    command.arg(&audit).env("QUERYBOX_LOG", "trace");
    let server = Server::run(command, &site.house);
    let url = server.url();
    let run =
        |line: &str, args: &[&str]| -> Ran { site.run_with(line, &[args, &["--server", &url]].concat()) };
    let eve = format!("postgres://eve@127.0.0.1:{port}/postgres");
    run(&right, &["connections", "add", "eve", &eve, "--password-stdin", "--keep", "vault"]).exits(0);
    run("", &["query", "eve", &format!("select '{literal}' as a, '{head}' || '{tail}' as b")]).exits(0);
    run("", &["query", "eve", "select :v", "--bind", &format!("v={bound}")]).exits(0);
    run("", &["query", "eve", &format!("select nope where '{literal}' <> ''")]).exits(1);
    run("", &["query", "eve", &format!("select '{literal} is not closed")]).exits(1);
    run(&wrong, &["query", "eve", "--password-stdin", "select 1"]).exits(1);
    run("", &["query", "eve", "--deadline", "300ms", "select pg_sleep(60)"]).exits(4);
    run(&format!("select '{literal}' || '{head}' || '{tail}';"), &["shell", "eve"]).exits(0);
    run("", &["credentials", "test", "eve"]).exits(0);
    let kept = run("", &["query", "eve", &format!("select '{head}' || '{tail}' as b"), "--keep"]).exits(0);
    let id = kept.stdout.trim().to_owned();
    run("", &["results", "drop", &id]).exits(0);
    run("", &["connections", "edit", "eve", "-p", "host=localhost"]).exits(0);
    run("", &["query", "eve", "select 1"]).exits(2);

    let numbers = || {
        let (_, body) = server.ask("/metrics").answer();
        String::from_utf8_lossy(&body).into_owned()
    };
    within(PATIENCE, "no session runs", || numbers().contains("\nquerybox_sessions_running 0\n"));
    let shown = Canaries::of(&[&right, &wrong, &literal, &bound, &cell, &key, &server.token]);
    shown.assert_not_in(numbers().as_bytes(), "the numbers");
    let home = site.house.home();
    shown.assert_not_below(&home, &[&home.join("token")]);
    if is_root() {
        let held = Canaries::of(&[&right, &wrong]);
        let read = assert_not_in_memory(&held, server.pid());
        assert!(read > 1 << 20, "{read} bytes of memory were read");
        // The positive twin: what it has to know is found by the same look.
        let known = Canaries::of(&[&server.token]);
        let found = std::panic::catch_unwind(|| assert_not_in_memory(&known, server.pid()));
        assert!(found.is_err(), "a server knows its token");
    } else {
        assert!(std::env::var_os("CI").is_none(), "CI promises root, who can read the memory of the program");
        eprintln!("NOT TESTED: only root can read the memory of the program");
    }
    server.signal(Signal::TERM);
    let log = server.end(&site.house).exits(0).stderr;
    assert!(log.contains("TRACE") && log.contains("select ? as a"), "at this level it logs much");
    shown.assert_not_in(log.as_bytes(), "the log");
    let audit = fs::read(&audit).unwrap();
    assert!(String::from_utf8_lossy(&audit).contains("\"verb\":\"execute\""));
    shown.assert_not_in(&audit, "the audit file");
}
