//! Processes that work in one home at the same time: a server, and commands with a Core of their own.

use std::process::Child;

use rustix::process::Signal;

use super::server::Server;
use crate::house::House;

#[test]
fn a_server_and_commands_beside_it_lose_nothing_of_each_other() {
    let house = House::new();
    let server = Server::start(&house);
    let url = server.url();
    let file = format!("file={}", house.file("shop.db").display());
    let mut wanted = vec!["shop".to_owned()];
    for round in 0..3 {
        let mut running: Vec<(String, Child)> = Vec::new();
        for (place, beside) in [("server", false), ("beside", true)] {
            for number in 0..2 {
                let name = format!("{place}-{round}-{number}");
                let mut add = house.command(["connections", "add", &name, "--driver", "sqlite", "-p", &file]);
                let mut query =
                    house.command(["query", "shop", "select count(*) from products", "--format", "csv"]);
                if !beside {
                    add.args(["--server", &url]);
                    query.args(["--server", &url]);
                }
                running.push((name.clone(), add.spawn().unwrap()));
                running.push((format!("a query of {name}"), query.spawn().unwrap()));
                wanted.push(name);
            }
        }
        for (name, child) in running {
            let ran = house.ran(child.wait_with_output().unwrap());
            assert_eq!(ran.code, 0, "{name}: {ran:?}");
            assert!(!name.starts_with("a query") || ran.stdout == "count(*)\n3\n", "{name}: {ran:?}");
        }
    }
    wanted.sort();
    let names = |listed: String| {
        let listed: Vec<serde_json::Value> = serde_json::from_str(&listed).unwrap();
        let mut names: Vec<String> =
            listed.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    // Each sees what the other one wrote.
    assert_eq!(names(server.verb(&house, &["connections", "list", "--json"]).exits(0).stdout), wanted);
    assert_eq!(names(house.run(["connections", "list", "--json"]).exits(0).stdout), wanted);
    house.run(["connections", "remove", "server-0-0"]).exits(0);
    let gone = server.verb(&house, &["query", "server-0-0", "select 1"]).exits(2);
    assert!(gone.stderr.contains("server-0-0"), "{gone:?}");
    server.signal(Signal::TERM);
    server.end(&house).exits(0);
}
