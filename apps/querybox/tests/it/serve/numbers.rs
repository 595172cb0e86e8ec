//! The numbers, as Prometheus' own linter reads them.

use std::{
    env,
    io::{ErrorKind, Write as _},
    process::{Command, Stdio},
};

use super::server::Server;
use crate::house::House;

#[test]
fn the_linter_of_prometheus_finds_nothing_to_say() {
    let house = House::new();
    let server = Server::start(&house);
    // So that each family has something to show.
    server.verb(&house, &["query", "shop", "select 1"]).exits(0);
    server.verb(&house, &["query", "shop", "selec 1"]).exits(1);
    let (_, text) = server.ask("/metrics").answer();

    let started = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut linter = match started {
        Ok(linter) => linter,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("not run: there is no promtool, which Debian's package prometheus has");
            assert!(env::var_os("CI").is_none(), "CI promises promtool");
            return;
        }
        Err(error) => panic!("promtool could not be started: {error}"),
    };
    // The last numbers of a chunked answer stand between lengths, which are no metrics.
    linter.stdin.take().unwrap().write_all(&without_chunks(&text)).unwrap();
    let said = linter.wait_with_output().unwrap();
    let words = [said.stdout, said.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(said.status.success() && words.concat().is_empty(), "{words:?}");
}

/// A body without the lengths of its chunks, where it has them.
fn without_chunks(body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    let mut rest = body;
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let length = std::str::from_utf8(&rest[..end]).ok();
        let Some(length) = length.and_then(|length| usize::from_str_radix(length, 16).ok()) else { break };
        let chunk = &rest[end + 2..];
        whole.extend_from_slice(&chunk[..length]);
        rest = &chunk[length + 2..];
    }
    if whole.is_empty() { body.to_vec() } else { whole }
}
