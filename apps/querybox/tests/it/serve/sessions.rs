//! `querybox sessions`, beside what a server runs.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use super::server::{PATIENCE, Server};
use crate::house::House;

const ENDLESS: &str = "with recursive c(n) as (select 1 union all select n + 1 from c) select sum(n) from c";

/// The sessions of a server, when there are as many.
fn sessions(house: &House, server: &Server, count: usize) -> Vec<serde_json::Value> {
    let end = Instant::now() + PATIENCE;
    loop {
        let listed = server.verb(house, &["sessions", "list", "--json"]).exits(0);
        let sessions: Vec<serde_json::Value> = serde_json::from_str(&listed.stdout).unwrap();
        // Until its connection is found, a session has none.
        if sessions.len() == count && sessions.iter().all(|one| one["connection"].is_string()) {
            return sessions;
        }
        assert!(Instant::now() < end, "{listed:?}");
        sleep(Duration::from_millis(50));
    }
}

#[test]
fn sessions_of_a_server_are_listed_extended_and_cancelled() {
    let house = House::new();
    let server = Server::start(&house);
    let none = server.verb(&house, &["sessions", "list"]).exits(0);
    assert!(none.stdout.is_empty() && none.stderr.contains("no session runs"), "{none:?}");

    let url = server.url();
    let mut command =
        house.command(["query", "shop", ENDLESS, "--deadline", "10m", "--server", url.as_str()]);
    let running = command.spawn().unwrap();
    let [session]: [_; 1] = sessions(&house, &server, 1).try_into().unwrap();
    assert_eq!((&session["connection"], &session["driver"]), (&"shop".into(), &"sqlite".into()));
    let left = session["left_ms"].as_u64().unwrap();
    assert!((1..=600_000).contains(&left), "{session}");
    let id = session["session_id"].as_str().unwrap();
    let end = &id[id.len() - 8..];
    let listed = server.verb(&house, &["sessions", "list"]).exits(0);
    assert!(listed.stdout.contains(end) && listed.stdout.contains("one request"), "{listed:?}");

    let extended = server.verb(&house, &["sessions", "extend", end, "20m"]).exits(0);
    assert!(extended.stderr.contains("min") && extended.stderr.contains("left"), "{extended:?}");
    let [session]: [_; 1] = sessions(&house, &server, 1).try_into().unwrap();
    assert!(session["left_ms"].as_u64().unwrap() > 600_000, "{session}");
    server.verb(&house, &["sessions", "extend", end, "none"]).exits(0);
    let [session]: [_; 1] = sessions(&house, &server, 1).try_into().unwrap();
    assert!(session["left_ms"].is_null(), "{session}");

    // One that cannot be stopped keeps nobody from the others.
    let cancelled = server.verb(&house, &["sessions", "cancel", "ffffffff", end]).exits(2);
    assert!(cancelled.stderr.contains("ffffffff: there is no session"), "{cancelled:?}");
    assert!(cancelled.stderr.contains("stopped after"), "{cancelled:?}");
    let ran = house.ran(running.wait_with_output().unwrap());
    assert_ne!(ran.code, 0, "{ran:?}");
    sessions(&house, &server, 0);
    let again = server.verb(&house, &["sessions", "cancel", id]).exits(0);
    assert!(again.stderr.contains("nothing ran any more"), "{again:?}");
    let unknown = server.verb(&house, &["sessions", "cancel", "ffffffff"]).exits(2);
    assert!(unknown.stderr.contains("there is no session whose id ends with ffffffff"), "{unknown:?}");
    server.signal(Signal::TERM);
    server.end(&house);
}

#[test]
fn without_a_server_there_are_no_sessions_to_tell_of() {
    let house = House::new();
    let ran = house.run(["sessions", "list"]).exits(2);
    assert!(ran.stderr.contains("no server of this home runs"), "{ran:?}");
    assert!(ran.stderr.contains("querybox serve"), "{ran:?}");
}
