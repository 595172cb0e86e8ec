//! Descriptors that a server takes.

use std::{fs, process::Command};

use rustix::process::Signal;

use super::server::Server;
use crate::house::House;

/// A server that starts with these limits of open files.
fn start(house: &House, limits: &str) -> Server {
    let script = format!("ulimit -n {limits} && exec \"$0\" serve --listen 127.0.0.1:0");
    let mut command = Command::new("sh");
    house.furnish(&mut command);
    command.args(["-c", &script, env!("CARGO_BIN_EXE_querybox")]);
    Server::run(command, house)
}

/// The soft limit and the hard one.
fn limits(server: &Server) -> [String; 2] {
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.pid().as_raw_nonzero())).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let mut words = line.split_whitespace().map(str::to_owned);
    [words.next().unwrap(), words.next().unwrap()]
}

#[test]
fn a_server_takes_as_many_descriptors_as_it_may() {
    let house = House::new();
    let server = start(&house, "-S 300");
    let [soft, hard] = limits(&server);
    assert_eq!(soft, hard);
    // Drivers have their own limit, and work.
    let ran = server.verb(&house, &["query", "shop", "select 1 as one", "--format", "csv"]).exits(0);
    assert_eq!(ran.stdout, "one\n1\n");
    server.signal(Signal::TERM);
    let ended = server.end(&house).exits(0);
    assert_eq!(ended.stderr.contains("few descriptors"), hard.parse().is_ok_and(|hard: u64| hard < 2912));
}

#[test]
fn a_server_with_few_descriptors_says_so_and_serves() {
    let house = House::new();
    // Both limits.
    let server = start(&house, "500");
    assert_eq!(limits(&server), ["500", "500"]);
    server.verb(&house, &["query", "shop", "select 1"]).exits(0);
    server.signal(Signal::TERM);
    let ended = server.end(&house).exits(0);
    assert!(ended.stderr.contains("few descriptors") && ended.stderr.contains("available=500"), "{ended:?}");
}
