//! How a server ends, and what runs with it.

use rustix::process::Signal;

use super::server::{PATIENCE, Server};
use crate::house::{ENDLESS_SILENT, House, Running, lives, within};

/// A query on the server that has no end of its own.
fn endless(house: &House, server: &Server) -> Running {
    let url = server.url();
    let args = ["query", "shop", ENDLESS_SILENT, "--deadline", "none", "--verbose", "--server", &url];
    Running::start(house.command(args))
}

#[test]
fn told_to_end_it_cancels_what_does_not_finish_and_leaves_a_whole_store() {
    let house = House::new();
    let server = Server::run(house.command(["serve", "--listen", "127.0.0.1:0", "--drain", "1s"]), &house);
    let query = endless(&house, &server);
    server.signal(Signal::TERM);
    let driver = query.driver;
    let (code, said) = query.end();
    assert_ne!(code, 0, "{said}");
    server.end(&house).exits(0);
    assert!(!lives(driver));
    // The store is whole, and its next user finds it so.
    house.run(["connections", "list"]).exits(0);
}

#[test]
fn what_runs_finishes_when_it_can() {
    let house = House::new();
    let server = Server::run(house.command(["serve", "--listen", "127.0.0.1:0", "--drain", "10m"]), &house);
    let sql = "with recursive c(n) as (select 1 union all select n + 1 from c where n < 3000000) select count(*) as many from c";
    let args = ["query", "shop", sql, "--deadline", "none", "--verbose", "--format", "csv", "--server"];
    let mut command = house.command(args);
    command.arg(server.url());
    let query = Running::start(command);
    server.signal(Signal::TERM);
    let (code, said) = query.end();
    assert_eq!(code, 0, "{said}");
    server.end(&house).exits(0);
}

#[test]
fn told_twice_it_ends_at_once_with_its_drivers() {
    let house = House::new();
    let server = Server::run(house.command(["serve", "--listen", "127.0.0.1:0", "--drain", "10m"]), &house);
    let query = endless(&house, &server);
    let driver = query.driver;
    server.signal(Signal::INT);
    within(PATIENCE, "the server drains", || server.ask("/readyz").head().status() == 503);
    let refused = server.verb(&house, &["query", "shop", "select 1"]).exits(3);
    assert!(refused.stderr.contains("shutting down"), "{refused:?}");
    server.signal(Signal::INT);
    server.end(&house).exits(130);
    let (code, said) = query.end();
    assert_ne!(code, 0, "{said}");
    within(PATIENCE, "the driver is gone", || !lives(driver));
    assert!(!house.home().join("token").exists());
}

#[test]
fn a_query_whose_command_is_killed_ends_on_the_server() {
    let house = House::new();
    let server = Server::start(&house);
    let query = endless(&house, &server);
    let driver = query.driver;
    query.signal(Signal::KILL);
    within(PATIENCE, "the driver is gone", || !lives(driver));
    query.end();
    within(PATIENCE, "no session runs", || {
        let (_, body) = server.ask("/metrics").answer();
        String::from_utf8(body).unwrap().contains("\nquerybox_sessions_running 0\n")
    });
    server.signal(Signal::TERM);
    server.end(&house).exits(0);
}

#[test]
fn a_connection_that_says_nothing_keeps_nobody_out() {
    let house = House::new();
    let server = Server::start(&house);
    let silent: Vec<_> = (0..20).map(|_| std::net::TcpStream::connect(&server.address).unwrap()).collect();
    assert_eq!(server.ask("/healthz").head().status(), 200);
    server.signal(Signal::TERM);
    server.end(&house).exits(0);
    drop(silent);
}
