//! What a server's log holds at its most talkative.

use querybox_contracts::core::v1::TradeCodeRequest;
use rustix::process::Signal;

use super::server::Server;
use crate::house::House;

#[test]
fn the_log_has_sessions_and_neither_token_nor_code_nor_anything_of_a_query() {
    let house = House::new();
    let mut command = house.command(["serve", "--listen", "127.0.0.1:0", "--log-format", "json"]);
    command.env("QUERYBOX_LOG", "trace");
    let server = Server::run(command, &house);
    server.verb(&house, &["query", "shop", "select 'canary-1' as \"canary-2\""]).exits(0);
    server.verb(&house, &["query", "shop", "select 'canary-3' form canary"]).exits(1);
    server.verb(&house, &["query", "shop", "select :v", "--bind", "v=canary-4"]).exits(0);
    let message = prost::Message::encode_to_vec(&TradeCodeRequest { code: server.code.clone() });
    let (head, _) = server.call_with("/querybox.core.v1.AccessService/TradeCode", &message).answer();
    assert_eq!(head.grpc_status(), None, "{head:?}");
    server.ask("/metrics").with("authorization", "Bearer canary-5").head();
    let (token, code) = (server.token.clone(), server.code.clone());
    server.signal(Signal::TERM);
    let ran = server.end(&house).exits(0);
    for secret in [token.as_str(), code.as_str(), "canary"] {
        let found = ran.stderr.lines().find(|line| line.contains(secret));
        assert_eq!(found, None, "{secret}");
    }
    for line in ran.stderr.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(event["level"].is_string(), "{line}");
    }
    // The positive twin: it does say what runs.
    let begun = ran.stderr.lines().filter(|line| line.contains("\"message\":\"session begins\"")).count();
    assert_eq!(begun, 3, "{}", ran.stderr);
}

/// What the log shows of three scripts, one of which is broken.
fn logged(query_text: Option<&str>) -> String {
    let house = House::new();
    let mut command = house.command(["serve", "--listen", "127.0.0.1:0"]);
    if let Some(query_text) = query_text {
        command.args(["--query-text", query_text]);
    }
    let server = Server::run(command, &house);
    server.verb(&house, &["query", "shop", "select name from products where name = 'Lamp-canary'"]).exits(0);
    server.verb(&house, &["query", "shop", "select 'it's canary' from broken"]).exits(1);
    let fed = ["shell", "shop", "--server", &server.url()];
    house.run_with(b"select 'canary' as leased;\n", fed).exits(0);
    server.signal(Signal::TERM);
    server.end(&house).exits(0).stderr
}

#[test]
fn statements_are_in_the_log_as_far_as_the_operator_says() {
    for nothing in [logged(None), logged(Some("off"))] {
        assert!(!nothing.contains("canary") && !nothing.contains("products"), "{nothing}");
    }
    let redacted = logged(Some("redacted"));
    assert!(redacted.contains("select name from products where name = ?"), "{redacted}");
    assert!(redacted.contains("select ? as leased"), "{redacted}");
    assert!(redacted.contains("literals cannot be told from the rest"), "{redacted}");
    assert!(!redacted.contains("canary") && !redacted.contains("broken"), "{redacted}");
    let full = logged(Some("full"));
    assert!(full.contains("'Lamp-canary'") && full.contains("'it's canary' from broken"), "{full}");
    assert!(full.contains("'canary' as leased"), "{full}");
}
