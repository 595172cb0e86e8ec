//! What is sealed besides passwords: drafts, and statements of the history, with a key of their own under a master key.

use querybox_contracts::core::v1 as core;
use serde_json::json;

use super::Client;
use crate::{app::App, failure::Failure, words};

pub(super) const FORGET_HINT: &str =
    "if that key is lost, `querybox keys forget-texts` forgets what cannot be opened";

/// Forgets what cannot be opened.
pub(super) async fn forget(yes: bool, client: &mut Client, app: &App) -> Result<(), Failure> {
    if !yes {
        let text_key = client.list_keys(core::ListKeysRequest {}).await?.into_inner().text_key;
        let what = match &text_key {
            Some(key) if !key.opens => format!("{} cannot be opened now", amount(key)),
            Some(_) | None => "the key of drafts and statements opens, or there is none".to_owned(),
        };
        let hint = "with `--yes` all that cannot be opened is forgotten, for ever";
        return Err(Failure::usage(what).with_hint(hint));
    }
    let forgotten = client.forget_texts(core::ForgetTextsRequest {}).await?.into_inner();
    app.messages.note(&format!(
        "forgot {} and {} of the history that could not be opened",
        words::count(forgotten.drafts, "draft"),
        words::count(forgotten.runs, "statement")
    ));
    Ok(())
}

fn amount(key: &core::TextKey) -> String {
    let (drafts, runs) = (words::count(key.drafts, "draft"), words::count(key.runs, "statement"));
    format!("{drafts} and {runs} of the history")
}

/// A line of the status.
pub(super) fn line(key: &core::TextKey) -> String {
    let rest = match key.opens {
        true => "",
        false => "; they cannot be opened now (`querybox keys forget-texts` forgets them)",
    };
    format!("texts: {}, under key {}{rest}\n", amount(key), key.key_id)
}

pub(super) fn document(key: &core::TextKey) -> serde_json::Value {
    json!({ "key": key.key_id, "opens": key.opens, "drafts": key.drafts, "statements": key.runs })
}
