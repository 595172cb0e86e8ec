//! Each path by each caller.

use querybox_contracts::core::v1::{POLICIES, Policy, TradeCodeRequest, TradeCodeResponse};

use super::server::{Head, Request, Server};
use crate::house::House;

/// `UNAUTHENTICATED`, `PERMISSION_DENIED`, `UNIMPLEMENTED` of gRPC.
const UNAUTHENTICATED: u16 = 16;
const DENIED: u16 = 7;
const UNIMPLEMENTED: u16 = 12;

/// Services of others that the server has too.
const OTHER_RPCS: [(&str, Policy); 3] = [
    ("/grpc.health.v1.Health/Check", Policy::Anyone),
    ("/grpc.health.v1.Health/Watch", Policy::Owner),
    ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Policy::Owner),
];

const PATHS: [(&str, Policy); 4] = [
    ("/", Policy::Anyone),
    ("/healthz", Policy::Anyone),
    ("/readyz", Policy::Anyone),
    ("/metrics", Policy::Owner),
];

type Caller = (&'static str, fn(Request<'_>) -> Request<'_>);

/// Callers that are refused whatever they ask for.
const FOREIGN: [Caller; 5] = [
    ("a page of another origin", |request| request.with("origin", "http://evil.example")),
    ("a page of another port", |request| request.with("origin", "http://127.0.0.1:3000")),
    ("a page of no origin", |request| request.with("origin", "null")),
    ("by another name", |request| request.with("host", "evil.example")),
    ("by a name of another port", |request| request.with("host", "127.0.0.1:1")),
];

/// Callers without the right token.
const STRANGERS: [Caller; 4] = [
    ("no token", |request| request.without("authorization")),
    ("a wrong token", |request| request.with("authorization", "Bearer wrong")),
    ("an empty token", |request| request.with("authorization", "Bearer ")),
    ("another scheme", |request| request.with("authorization", "Basic wrong")),
];

#[test]
fn each_rpc_answers_each_caller_as_it_declares() {
    let house = House::new();
    let server = Server::start(&house);
    for (path, policy) in POLICIES.iter().copied().chain(OTHER_RPCS) {
        let answered = |caller: &str, head: &Head, refused: Option<u16>| {
            // In gRPC a refusal too is an answer of HTTP.
            assert_eq!(head.status(), 200, "{path} by {caller}: {head:?}");
            match refused {
                Some(code) => assert_eq!(head.grpc_status(), Some(code), "{path} by {caller}: {head:?}"),
                None => {
                    // The empty message may be no sense; that is for the service to say.
                    let is_let_in = ![Some(UNAUTHENTICATED), Some(DENIED), Some(UNIMPLEMENTED)]
                        .contains(&head.grpc_status());
                    let is_of_no_code =
                        path.ends_with("/TradeCode") && head.grpc_status() == Some(UNAUTHENTICATED);
                    assert!(is_let_in || is_of_no_code, "{path} by {caller}: {head:?}");
                }
            }
        };
        answered("the owner", &server.call(path).head(), None);
        let own = format!("http://{}", server.address);
        answered("a page of its own", &server.call(path).with("origin", &own).head(), None);
        for (caller, change) in FOREIGN {
            answered(caller, &change(server.call(path)).head(), Some(DENIED));
        }
        for (caller, change) in STRANGERS {
            let refused = (policy == Policy::Owner).then_some(UNAUTHENTICATED);
            answered(caller, &change(server.call(path)).head(), refused);
        }
    }
}

#[test]
fn each_other_path_answers_each_caller_as_it_declares() {
    let house = House::new();
    let server = Server::start(&house);
    for (path, policy) in PATHS {
        let answered = |caller: &str, head: &Head, status: u16| {
            assert_eq!(head.status(), status, "{path} by {caller}: {head:?}");
            assert!(head.header("access-control-allow-origin").is_none(), "{head:?}");
        };
        answered("the owner", &server.ask(path).head(), 200);
        for (caller, change) in FOREIGN {
            answered(caller, &change(server.ask(path)).head(), 403);
        }
        for (caller, change) in STRANGERS {
            let status = if policy == Policy::Owner { 401 } else { 200 };
            answered(caller, &change(server.ask(path)).head(), status);
        }
    }
    // What is not there is told to the owner alone.
    assert_eq!(server.ask("/nothing").without("authorization").head().status(), 401);
}

#[test]
fn a_browser_may_not_ask_beforehand_for_another_page() {
    let house = House::new();
    let server = Server::start(&house);
    let mut preflight = server
        .ask("/querybox.core.v1.QueryService/Execute")
        .without("authorization")
        .with("origin", "http://evil.example")
        .with("access-control-request-method", "POST")
        .with("access-control-request-headers", "authorization,content-type");
    preflight.method = "OPTIONS";
    let head = preflight.head();
    assert_eq!(head.status(), 403, "{head:?}");
    assert!(!format!("{head:?}").to_lowercase().contains("access-control-allow"), "{head:?}");
}

#[test]
fn the_code_of_the_link_is_traded_for_the_token_once() {
    let house = House::new();
    let server = Server::start(&house);
    let trade = |code: &str| {
        let message = prost::Message::encode_to_vec(&TradeCodeRequest { code: code.to_owned() });
        let request = server.call_with("/querybox.core.v1.AccessService/TradeCode", &message);
        let own = format!("http://{}", server.address);
        request.without("authorization").with("origin", &own).answer()
    };
    let (head, body) = trade(&server.code);
    assert_eq!((head.status(), head.grpc_status()), (200, None), "{head:?}");
    // Chunks of HTTP and frames of gRPC-web stand around the message.
    let answer = TradeCodeResponse { token: server.token.clone() };
    let message = prost::Message::encode_to_vec(&answer);
    assert!(body.windows(message.len()).any(|part| part == message), "{body:?}");
    assert_eq!(trade(&server.code).0.grpc_status(), Some(UNAUTHENTICATED));
    assert_eq!(trade("").0.grpc_status(), Some(UNAUTHENTICATED));
}

#[test]
fn the_page_runs_only_what_is_its_own_and_is_framed_by_nobody() {
    let house = House::new();
    let server = Server::start(&house);
    let (head, body) = server.ask("/").without("authorization").answer();
    let policy = head.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    assert_eq!(head.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(head.header("cross-origin-opener-policy"), Some("same-origin"));
    let page = String::from_utf8(body).unwrap();
    assert!(!page.contains("<style") && !page.contains(" style=") && !page.contains(" on"), "{page}");
    // A program that was built without the interface says so, and runs nothing at all.
    let scripts: Vec<&str> = page.split("<script").skip(1).collect();
    assert!(scripts.is_empty() == page.contains("without the web interface"), "{page}");
    for script in scripts {
        let source = script.split("src=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let (head, _) = server.ask(source).without("authorization").answer();
        assert_eq!(head.status(), 200, "{source}");
        assert_eq!(head.header("content-type"), Some("text/javascript; charset=utf-8"), "{source}");
        assert!(head.header("cache-control").unwrap().contains("immutable"), "{source}");
    }
}

#[test]
fn the_numbers_are_of_closed_sets_and_tell_of_no_content() {
    let house = House::new();
    let server = Server::start(&house);
    server.verb(&house, &["query", "shop", "select 'canary-4d1e'"]).exits(0);
    server.call("/querybox.core.v1.QueryService/NotThere").head();
    let (head, body) = server.ask("/metrics").answer();
    assert_eq!(head.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = String::from_utf8(body).unwrap();
    assert!(
        text.contains("querybox_api_calls_total{rpc=\"QueryService/Execute\",code=\"OK\"} 1\n"),
        "{text}"
    );
    assert!(text.contains("# TYPE querybox_api_calls_total counter\n"), "{text}");
    assert!(text.contains("\nquerybox_sessions_running 0\n"), "{text}");
    assert!(text.contains("querybox_runs_total{driver=\"sqlite\",outcome=\"done\"} 1\n"), "{text}");
    assert!(text.contains("querybox_run_rows_total{driver=\"sqlite\"} 1\n"), "{text}");
    for foreign in ["canary", "shop", "NotThere", &server.token] {
        assert!(!text.contains(foreign), "{foreign}: {text}");
    }
}
