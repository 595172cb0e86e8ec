//! What a server refuses to start with, and what it leaves on the disk.

use std::{fs, net::TcpListener, os::unix::fs::MetadataExt};

use expect_test::expect;
use rustix::process::Signal;

use super::server::Server;
use crate::house::House;

#[test]
fn an_address_that_others_reach_is_refused_and_nothing_is_made() {
    let house = House::empty();
    let ran = house.run(["serve", "--listen", "0.0.0.0:8210"]).exits(2);
    assert!(ran.stderr.contains("will not listen on 0.0.0.0:8210"), "{ran:?}");
    assert!(ran.stderr.contains("ssh -L"), "{ran:?}");
    assert!(!house.home().exists());
}

#[test]
fn an_address_in_use_is_told() {
    let house = House::new();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let ran = house.run(["serve", "--listen", &address]).exits(3);
    assert!(ran.stderr.contains(&format!("{address} is in use by another program")), "{ran:?}");
    assert!(!house.home().join("token").exists());
}

#[test]
fn a_home_has_one_server_and_commands_beside_it() {
    let house = House::new();
    let server = Server::start(&house);
    let ran = house.run(["serve", "--listen", "127.0.0.1:0"]).exits(3);
    assert!(
        ran.stderr.contains(&format!("a server of this home runs already at {}", server.url())),
        "{ran:?}"
    );
    house.run(["query", "shop", "select 1 as one", "--format", "csv"]).exits(0).on_stdout(expect![[r#"
        one
        1
    "#]]);
    assert_eq!(fs::read_to_string(house.home().join("token")).unwrap(), server.token);
}

#[test]
fn the_token_is_its_owners_and_another_one_at_each_start() {
    let house = House::new();
    let server = Server::start(&house);
    let path = house.home().join("token");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    let first = server.token.clone();
    server.signal(Signal::KILL);
    server.end(&house);
    // What a server leaves that was killed opens nothing.
    assert_eq!(fs::read_to_string(&path).unwrap(), first);
    let second = Server::start(&house);
    assert_ne!(second.token, first);
    let old = second.ask("/metrics").with("authorization", &format!("Bearer {first}"));
    assert_eq!(old.head().status(), 401);
    second.signal(Signal::TERM);
    second.end(&house).exits(0);
    assert!(!path.exists());
}

#[test]
fn the_file_says_how_to_serve_and_may_say_nothing_else() {
    let house = House::new();
    let config = house.home().join("config.toml");
    fs::write(&config, "[serve]\nlisten = '127.0.0.1:0'\nhosts = ['box.example']\nlog_format = 'json'\n")
        .unwrap();
    let server = Server::run(house.command(["serve"]), &house);
    assert_eq!(server.ask("/metrics").with("host", "box.example").head().status(), 200);
    server.signal(Signal::TERM);
    let ran = server.end(&house).exits(0);
    let lines: Vec<serde_json::Value> =
        ran.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["message"] == "serving"), "{ran:?}");
    fs::write(&config, "[serve]\nlisten = '127.0.0.1:0'\nport = 1\n").unwrap();
    let ran = house.run(["serve"]).exits(2);
    assert!(ran.stderr.contains("port"), "{ran:?}");
}
