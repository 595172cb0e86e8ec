//! Verbs that go to a server.

use std::{fs, io::Write as _, net::TcpListener, thread};

use expect_test::expect;

use super::server::Server;
use crate::house::House;

#[test]
fn verbs_work_on_a_server_as_they_do_without_one() {
    let house = House::new();
    let server = Server::start(&house);
    server
        .verb(&house, &["query", "shop", "select id, name from products", "--format", "csv"])
        .exits(0)
        .on_stdout(expect![[r#"
            id,name
            1,Lamp
            2,Täble
            3,"Chair, red"
        "#]]);
    let ran = server.verb(&house, &["query", "shop", "select * form products"]).exits(1);
    assert!(ran.stderr.contains("syntax error"), "{ran:?}");
    server.verb(&house, &["connections", "add", "second", "--driver", "sqlite", "-p", "file=x.db"]).exits(0);
    let listed = server.verb(&house, &["connections", "list"]).exits(0);
    assert!(listed.stdout.contains("second") && listed.stdout.contains("shop"), "{listed:?}");
    server.verb(&house, &["schema", "shop"]).exits(0);
    server.verb(&house, &["plugins", "list"]).exits(0);
    let fed = house.run_with(
        b"create temp table kept (a int);\ninsert into kept values (7);\nselect a from kept;\n",
        ["shell", "shop", "--server", &server.url()],
    );
    assert!(fed.exits(0).stdout.contains('7'));
}

#[test]
fn a_large_result_comes_whole() {
    let house = House::new();
    let server = Server::start(&house);
    let sql = "with recursive c(n) as (select 1 union all select n + 1 from c where n < 300000) select n, 'padding padding padding' as text from c";
    let ran = server.verb(&house, &["query", "shop", sql, "--format", "csv"]).exits(0);
    assert_eq!(ran.stdout.lines().count(), 300_001);
    assert!(ran.stdout.ends_with("300000,padding padding padding\n"));
}

#[test]
fn the_environment_names_server_and_token() {
    let house = House::new();
    let server = Server::start(&house);
    let mut command = house.command(["query", "shop", "select 1"]);
    command
        .env("QUERYBOX_SERVER", server.url())
        .env("QUERYBOX_TOKEN", &server.token)
        .env("QUERYBOX_HOME", house.path("elsewhere"));
    house.ran(command.output().unwrap()).exits(0);
}

#[test]
fn a_server_that_is_not_there_is_told() {
    let house = House::new();
    fs::write(house.home().join("token"), "left by a server that was killed").unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let ran = house.run(["query", "shop", "select 1", "--server", &format!("http://{address}")]).exits(3);
    assert!(
        ran.stderr.contains(&format!("there is no server at http://{address}: connection refused")),
        "{ran:?}"
    );
    assert!(ran.stderr.contains("querybox serve"), "{ran:?}");
}

#[test]
fn a_home_that_is_not_served_has_no_token() {
    let house = House::new();
    let ran = house.run(["query", "shop", "select 1", "--server", "http://127.0.0.1:8210"]).exits(2);
    assert!(ran.stderr.contains("there is no token for the server"), "{ran:?}");
}

#[test]
fn a_wrong_token_is_told() {
    let house = House::new();
    let server = Server::start(&house);
    let mut command = house.command(["query", "shop", "select 1", "--server", &server.url()]);
    command.env("QUERYBOX_TOKEN", "wrong");
    let ran = house.ran(command.output().unwrap()).exits(2);
    assert!(ran.stderr.contains("does not know the token"), "{ran:?}");
    assert!(!ran.stderr.contains("wrong\n"), "{ran:?}");
}

#[test]
fn something_else_that_listens_is_no_server() {
    let house = House::new();
    fs::write(house.home().join("token"), "of no account").unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", other.local_addr().unwrap());
    // It is the test's process that ends the thread.
    thread::spawn(move || {
        for stream in other.incoming() {
            let _ = stream.unwrap().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi");
        }
    });
    let ran = house.run(["query", "shop", "select 1", "--server", &url]).exits(3);
    assert!(ran.stderr.contains(&format!("what answers at {url} is no QueryBox")), "{ran:?}");
}

#[test]
fn another_machine_is_never_shown_the_token() {
    let house = House::new();
    for url in ["http://box.example:8210", "https://me@127.0.0.1:8210", "127.0.0.1:8210"] {
        let ran = house.run(["query", "shop", "select 1", "--server", url]).exits(2);
        assert!(ran.stderr.contains("--server"), "{ran:?}");
    }
}

#[test]
fn a_new_link_is_printed_for_the_server_of_the_home() {
    let house = House::new();
    let ran = house.run(["link"]).exits(2);
    assert!(ran.stderr.contains("no server of this home runs"), "{ran:?}");
    let server = Server::start(&house);
    let ran = house.run(["link"]).exits(0);
    let code = ran.stdout.trim_end().strip_prefix(&format!("{}/#code=", server.url())).unwrap();
    assert!(code.len() == 43 && code != server.code, "{ran:?}");
}

#[test]
fn keys_are_registered_where_the_master_key_is() {
    let house = House::new();
    let server = Server::start(&house);
    let ran = server.verb(&house, &["keys", "init"]).exits(2);
    assert!(ran.stderr.contains("without `--server`"), "{ran:?}");
    server.verb(&house, &["keys", "status"]).exits(0);
}
