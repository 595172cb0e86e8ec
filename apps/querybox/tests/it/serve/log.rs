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
