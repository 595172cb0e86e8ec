//! `querybox credentials status`: what is stored, and which places there are.

use querybox_contracts::core::v1 as core;
use serde_json::json;

use super::{Client, entries_in_words, word};
use crate::{
    app::App,
    cli::JsonArg,
    connections::{local_time, named, utc_time},
    exit::Exit,
    failure::Failure,
    sanitize, stdout,
};

pub(super) async fn run(
    connection: Option<&str>,
    json: JsonArg,
    client: &mut Client,
    app: &App,
) -> Result<Exit, Failure> {
    let request = core::ListCredentialsRequest { connection: connection.map(named) };
    let core::ListCredentialsResponse { credentials, places } =
        client.list_credentials(request).await?.into_inner();
    let places = places.unwrap_or_default();
    if json.json {
        let credentials: Vec<_> = credentials.iter().map(document).collect();
        stdout::print_json(&json!({
            "credentials": credentials,
            "keyring": place_document(places.keyring),
            "vault": place_document(places.vault),
            "keyring_entries_left": places.keyring_entries_left,
        }))?;
        return Ok(Exit::Done);
    }
    let paint = app.messages.screen().stdout_paint;
    let mut text = String::new();
    if credentials.is_empty() {
        text.push_str("no passwords are stored\n");
    } else {
        let rows: Vec<_> = credentials.iter().map(row).collect();
        let head = ["CONNECTION", "OWNER", "SECRET", "PLACE", "SET", "LAST USED", "LAST ROTATED"];
        text.push_str(&stdout::columns(head, &rows, paint));
    }
    text.push_str(&format!("\nkeyring: {}\n", place(places.keyring)));
    text.push_str(&format!("vault: {}\n", place(places.vault)));
    if places.keyring_entries_left > 0 {
        let left = entries_in_words(places.keyring_entries_left);
        text.push_str(&format!("{left} that nothing uses, to be removed when the keyring is there again\n"));
    }
    stdout::print(&text)?;
    Ok(Exit::Done)
}

fn row(stored: &core::StoredCredential) -> [String; 7] {
    let never = || "never".to_owned();
    let place = match stored.key_id.as_str() {
        "" => word(stored.place()).to_owned(),
        key => format!("{} (key {key})", word(stored.place())),
    };
    [
        stored.connection_name.clone(),
        if stored.owner.is_empty() { "shared".to_owned() } else { stored.owner.clone() },
        stored.field.clone(),
        place,
        local_time(stored.updated.as_ref()).unwrap_or_default(),
        local_time(stored.last_access.as_ref()).unwrap_or_else(never),
        local_time(stored.last_rotated.as_ref()).unwrap_or_else(never),
    ]
}

pub(super) fn document(stored: &core::StoredCredential) -> serde_json::Value {
    json!({
        "connection": stored.connection_name,
        "connection_id": stored.connection_id,
        "owner": stored.owner,
        "field": stored.field,
        "place": word(stored.place()),
        "key": Some(&stored.key_id).filter(|key| !key.is_empty()),
        "created": utc_time(stored.created.as_ref()),
        "updated": utc_time(stored.updated.as_ref()),
        "last_access": utc_time(stored.last_access.as_ref()),
        "last_rotated": utc_time(stored.last_rotated.as_ref()),
    })
}

/// A place in words.
pub(crate) fn place(state: Option<core::PlaceState>) -> String {
    let state = state.unwrap_or_default();
    match state.is_usable {
        true => "ready".to_owned(),
        false => format!("not usable: {}", sanitize::line(&state.message)),
    }
}

pub(crate) fn place_document(state: Option<core::PlaceState>) -> serde_json::Value {
    let core::PlaceState { is_usable, reason, message } = state.unwrap_or_default();
    let told = |text: String| Some(text).filter(|text| !text.is_empty());
    json!({ "usable": is_usable, "reason": told(reason), "message": told(message) })
}
