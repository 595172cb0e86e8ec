//! Drafts, when the server is killed.

use std::{fs::OpenOptions, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path, process::Command};

use prost::Message as _;
use querybox_contracts::core::v1::{DraftContent, DraftKind, GetDraftRequest, SaveDraftRequest};
use querybox_vault::MasterKey;
use rustix::process::Signal;

use super::server::Server;
use crate::house::House;

const ID: &str = "0197a3c2-7c00-7abc-8def-0123456789ab";
const TEXT: &str = "select 'typed a moment ago'";

fn start(house: &House, key: &Path) -> Server {
    let mut command = house.command(["serve", "--listen", "127.0.0.1:0"]);
    command.env("QUERYBOX_MASTER_KEY_FILE", key);
    Server::run(command, house)
}

fn shows(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

/// What a call is answered with, which is no refusal.
fn call(server: &Server, method: &str, message: &[u8]) -> Vec<u8> {
    let path = format!("/querybox.core.v1.DraftService/{method}");
    let (head, body) = server.call_with(&path, message).answer();
    assert_eq!((head.status(), head.grpc_status()), (200, None), "{head:?}");
    assert!(shows(&body, "grpc-status:0"), "{}", String::from_utf8_lossy(&body));
    body
}

#[test]
fn what_was_typed_is_there_after_the_server_was_killed_and_lies_sealed() {
    let house = House::new();
    let key = house.path("key");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&key).unwrap();
    file.write_all(MasterKey::make().to_text().expose()).unwrap();
    let mut init: Command = house.command(["keys", "init"]);
    init.env("QUERYBOX_MASTER_KEY_FILE", &key);
    house.ran(init.output().unwrap()).exits(0);

    let server = start(&house, &key);
    let content = DraftContent {
        kind: DraftKind::Editor.into(),
        title: "Typed".to_owned(),
        text: TEXT.to_owned(),
        ..DraftContent::default()
    };
    let save = SaveDraftRequest { draft_id: ID.to_owned(), revision: 0, content: Some(content) };
    call(&server, "SaveDraft", &save.encode_to_vec());
    server.signal(Signal::KILL);
    server.end(&house);

    for entry in std::fs::read_dir(house.home()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            assert!(!shows(&std::fs::read(&path).unwrap(), "typed a moment"), "{}", path.display());
        }
    }
    let server = start(&house, &key);
    let body = call(&server, "GetDraft", &GetDraftRequest { draft_id: ID.to_owned() }.encode_to_vec());
    assert!(shows(&body, TEXT), "{}", String::from_utf8_lossy(&body));
}
