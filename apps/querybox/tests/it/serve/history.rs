//! The history of a server, also when it is killed.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use super::server::{PATIENCE, Server};
use crate::{
    history::Keyed,
    house::{ENDLESS_SILENT, House},
};

#[test]
fn what_ran_when_a_server_was_killed_is_found_again_and_lies_sealed() {
    let keyed = Keyed::new();
    let house = &keyed.house;
    keyed.run(&["history", "delete", "--all"]).exits(0);
    let mut command = house.command(["serve", "--listen", "127.0.0.1:0"]);
    command.env("QUERYBOX_MASTER_KEY_FILE", &keyed.key);
    let server = Server::run(command, house);
    server.verb(house, &["query", "shop", "select 'canary_79'"]).exits(0);
    let url = server.url();
    let sql = format!("{ENDLESS_SILENT} -- canary_80");
    let mut query = house
        .command(["query", "shop", &sql, "--deadline", "10m", "--server", url.as_str()])
        .spawn()
        .unwrap();
    let end = Instant::now() + PATIENCE;
    loop {
        let listed = server.verb(house, &["history", "list", "--json"]).exits(0);
        let runs: Vec<serde_json::Value> = serde_json::from_str(&listed.stdout).unwrap();
        if runs.len() == 2 && runs[0]["outcome"] == "running" {
            break;
        }
        assert!(Instant::now() < end, "{listed:?}");
        sleep(Duration::from_millis(50));
    }
    server.signal(Signal::KILL);
    server.end(house);
    query.wait().unwrap();

    for canary in ["canary_79", "canary_80"] {
        assert!(keyed.showing(canary).is_empty(), "{:?}", keyed.showing(canary));
    }
    let runs = keyed.runs(&["list"]);
    assert_eq!((&runs[0]["outcome"], &runs[0]["text"]), (&"unfinished".into(), &sql.into()));
    assert_eq!((&runs[1]["outcome"], &runs[1]["text"]), (&"done".into(), &"select 'canary_79'".into()));
    assert_eq!(keyed.runs(&["search", "canary_80"]), runs[..1]);
}

#[test]
fn a_server_without_a_key_says_that_statements_end_with_it() {
    let house = House::new();
    let server = Server::start(&house);
    server.verb(&house, &["query", "shop", "select 'canary_81'"]).exits(0);
    let listed = server.verb(&house, &["history", "search", "canary_81"]).exits(0);
    assert!(listed.stdout.contains("canary_81"), "{listed:?}");
    assert!(listed.stderr.contains("in memory, until it ends"), "{listed:?}");
    server.signal(Signal::TERM);
    server.end(&house);
    let listed = house.run(["history", "search", "canary_81"]).exits(0);
    assert!(listed.stdout.is_empty(), "{listed:?}");
}
