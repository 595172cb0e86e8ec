//! `querybox keys`: the master keys, by their ids. A key itself is shown once, when it is made, and nowhere else.

mod rotate;
mod texts;

use std::path::Path;

use querybox_contracts::core::v1::{self as core, key_service_client::KeyServiceClient};
use querybox_vault::{KeyRecord, MasterKey};
use serde_json::json;

use crate::{
    app::App,
    cli::keys::{InitArgs, Verb},
    composition::Channel,
    connections::{local_time, utc_time},
    credentials::status,
    exit::Exit,
    failure::Failure,
    keys::{disk::KeyFile, source::Source},
    master_key, stdout,
};

type Client = KeyServiceClient<Channel>;

/// Carries a verb out.
pub(crate) async fn run(verb: Verb, app: &App) -> Result<Exit, Failure> {
    // These read the sources of this command, which are not those of a server.
    if app.server.is_some() && matches!(verb, Verb::Init(_) | Verb::Add) {
        return Err(Failure::usage("keys are registered by a command that has the master key itself")
            .with_hint("run it on the server's home without `--server`"));
    }
    let mut client = KeyServiceClient::new(app.channel.clone());
    match verb {
        Verb::Init(args) => init(args, &mut client, app).await?,
        Verb::Status { json } => list(json.json, &mut client, app).await?,
        Verb::Add => add(&mut client, app).await?,
        Verb::ForgetTexts { yes } => texts::forget(yes, &mut client, app).await?,
        Verb::Rotate => return rotate::run(&mut client, app).await,
        Verb::Retire { key } => {
            client.retire_key(core::RetireKeyRequest { id: key.clone() }).await?;
            app.messages
                .note(&format!("key {key} is retired; take it out of the source, and out of its keeper"));
        }
    }
    Ok(Exit::Done)
}

async fn init(args: InitArgs, client: &mut Client, app: &App) -> Result<(), Failure> {
    let InitArgs { keep_on_disk, replace_unused } = args;
    // Programs that register keys wait for each other, and then see what was kept and registered meanwhile.
    let file = key_file(app).await?;
    let source = master_key::find(&app.home)?;
    let core::ListKeysResponse { keys: known, text_key, .. } =
        client.list_keys(core::ListKeysRequest {}).await?.into_inner();
    let secrets: u64 = known.iter().map(|key| key.credentials).sum();
    // The key of texts is one of them. It goes by itself when it seals nothing.
    let has_secrets = secrets > u64::from(text_key.is_some());
    let has_texts = text_key.is_some_and(|key| key.drafts + key.runs > 0);
    let is_used = has_secrets || has_texts;
    let terms = match (known.is_empty(), is_used, replace_unused) {
        (true, ..) => Terms::First,
        (false, false, true) => Terms::InPlaceOfUnused,
        (false, true, true) if !has_secrets => {
            return Err(Failure::usage(
                "drafts or statements of the history are sealed under a key that is registered",
            )
            .with_hint(texts::FORGET_HINT));
        }
        (false, true, true) => {
            return Err(Failure::usage("secrets are sealed under a key that is registered")
                .with_hint(ANOTHER_KEY_HINT));
        }
        (false, true, false) => {
            return Err(Failure::usage("keys are registered already").with_hint(ANOTHER_KEY_HINT));
        }
        (false, false, false) => {
            return Err(Failure::usage("keys are registered already").with_hint(
                "`querybox keys status` shows them, `querybox keys add` registers another one; nothing is sealed under them, so that \
                 `querybox keys init --replace-unused` can begin anew",
            ));
        }
    };
    if let Some(source) = source {
        if keep_on_disk && !matches!(source, Source::Disk(_)) {
            return Err(Failure::usage(format!("there is a {source}: none on the disk would be used"))
                .with_hint("leave `--keep-on-disk` out to register that key"));
        }
        let registered = register_source_keys(terms, client).await?;
        if let Source::Disk(path) = &source {
            warn_of_disk(path, app);
        }
        for key in registered {
            app.messages.note(&format!("registered key {}, the {source}", key.id));
        }
        return Ok(());
    }
    let key = MasterKey::make();
    let record = KeyRecord::make(&key);
    // Handed over before it is registered: a key that is registered and nobody has would be in the way.
    if keep_on_disk {
        let path = app.home.master_key();
        file.keep_first(&key).map_err(|error| Failure::keeping(&path, &error))?;
        warn_of_disk(&path, app);
    } else {
        print_key(&key)?;
    }
    if let Err(refused) = register(&record, terms, client).await {
        if keep_on_disk && is_unknown(&record, client).await {
            // Left there it would be the source of all verbs to come, which know another key.
            file.forget().map_err(|error| Failure::keeping(&app.home.master_key(), &error))?;
        }
        return Err(refused);
    }
    app.messages.note(&format!("registered key {}", record.id));
    if !keep_on_disk {
        app.messages.note(
            "the line on standard output is the master key, shown this once: give it to your secret manager, and name it by a \
             source (`querybox keys --help`). Without it what is sealed can never be opened",
        );
    }
    Ok(())
}

const ANOTHER_KEY_HINT: &str =
    "`querybox keys status` shows them, `querybox keys add` registers another one to rotate to";

/// What must be so of keys that are registered, for another one to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Terms {
    /// There is none.
    First,
    /// Nothing is sealed under any, and they go.
    InPlaceOfUnused,
    /// It comes beside them.
    Beside,
}

fn warn_of_disk(path: &Path, app: &App) {
    app.messages.warn(&format!(
        "the master key lies in {}, beside the store: whoever gets a copy of that folder, a backup too, can open every password",
        path.display()
    ));
}

/// The right to change the keys beside the store.
async fn key_file(app: &App) -> Result<KeyFile, Failure> {
    let path = app.home.master_key();
    KeyFile::take(&path).await.map_err(|error| Failure::keeping(&path, &error))
}

/// Whether the store says that no key of that id is registered.
async fn is_unknown(record: &KeyRecord, client: &mut Client) -> bool {
    let id = record.id.to_string();
    let listed = client.list_keys(core::ListKeysRequest {}).await;
    listed.is_ok_and(|listed| listed.into_inner().keys.iter().all(|key| key.id != id))
}

async fn add(client: &mut Client, app: &App) -> Result<(), Failure> {
    // Held until the new key is kept: what is read here would otherwise be kept over what another program keeps meanwhile.
    let file = key_file(app).await?;
    let known = client.list_keys(core::ListKeysRequest {}).await?.into_inner().keys;
    if known.is_empty() {
        return Err(Failure::usage("no master key is registered with this store")
            .with_hint("`querybox keys init` registers the first one"));
    }
    let Some(source) = master_key::find(&app.home)? else {
        return Err(Failure::usage("no source of a master key is configured")
            .with_hint("`querybox keys --help` lists the sources; it must give the present key"));
    };
    let registered = register_source_keys(Terms::Beside, client).await?;
    if !registered.is_empty() {
        for key in registered {
            app.messages.note(&format!("registered key {}, from the {source}", key.id));
        }
        app.messages
            .note("with the new key first in the source, `querybox keys rotate` seals everything under it");
        return Ok(());
    }
    let key = MasterKey::make();
    let record = KeyRecord::make(&key);
    if let Source::Disk(path) = &source {
        let old = source.read()?;
        // First registered: a key in the file that the store does not know would be in the way of everything.
        register(&record, Terms::Beside, client).await?;
        file.replace(std::iter::once(&key).chain(old.iter()))
            .map_err(|error| Failure::keeping(path, &error))?;
        app.messages.note(&format!("registered key {}, the first in {} now", record.id, path.display()));
        app.messages.note("`querybox keys rotate` seals everything under it");
        return Ok(());
    }
    print_key(&key)?;
    register(&record, Terms::Beside, client).await?;
    app.messages.note(&format!("registered key {}", record.id));
    app.messages.note(
        "the line on standard output is the new key, shown this once: put it into the source as the first line, before the \
         present key, then run `querybox keys rotate`",
    );
    Ok(())
}

fn print_key(key: &MasterKey) -> Result<(), Failure> {
    let text = key.to_text();
    // Exposed to whoever made the key, as was asked.
    let line = text.expose_text().map_err(|_| Failure::machinery("a key that was just made is no text"))?;
    stdout::print(&format!("{line}\n"))
}

async fn register(record: &KeyRecord, terms: Terms, client: &mut Client) -> Result<(), Failure> {
    let KeyRecord { id, salt, check } = record;
    let record = core::KeyRecord {
        id: id.as_bytes().to_vec().into(),
        salt: salt.to_vec().into(),
        check: check.to_vec().into(),
    };
    let request = core::RegisterKeyRequest {
        record: Some(record),
        must_be_first: terms == Terms::First,
        replace_unused: terms == Terms::InPlaceOfUnused,
    };
    client.register_key(request).await?;
    Ok(())
}

async fn register_source_keys(terms: Terms, client: &mut Client) -> Result<Vec<core::Key>, Failure> {
    let request = core::RegisterSourceKeysRequest {
        must_be_first: terms == Terms::First,
        replace_unused: terms == Terms::InPlaceOfUnused,
    };
    Ok(client.register_source_keys(request).await?.into_inner().registered)
}

async fn list(is_json: bool, client: &mut Client, app: &App) -> Result<(), Failure> {
    let core::ListKeysResponse { keys, vault, text_key } =
        client.list_keys(core::ListKeysRequest {}).await?.into_inner();
    let source = match master_key::find(&app.home) {
        Ok(Some(source)) => source.to_string(),
        Ok(None) => "none is configured".to_owned(),
        Err(unusable) => unusable.message,
    };
    if is_json {
        let keys: Vec<_> = keys.iter().map(document).collect();
        let vault = status::place_document(vault);
        let texts = text_key.as_ref().map(texts::document);
        return stdout::print_json(
            &json!({ "keys": keys, "source": source, "vault": vault, "texts": texts }),
        );
    }
    let mut text = String::new();
    if keys.is_empty() {
        text.push_str("no keys are registered\n");
    } else {
        let rows: Vec<_> = keys.iter().map(row).collect();
        let head = ["KEY", "STATE", "SECRETS", "IN THE SOURCE", "REGISTERED"];
        text.push_str(&stdout::columns(head, &rows, app.messages.screen().stdout_paint));
    }
    text.push_str(&format!("\nsource: {source}\nvault: {}\n", status::place(vault)));
    text.push_str(&text_key.as_ref().map(texts::line).unwrap_or_default());
    stdout::print(&text)
}

fn row(key: &core::Key) -> [String; 5] {
    let state = match (key.state(), key.emptied.is_some()) {
        (core::KeyState::DecryptOnly, true) => "decrypt-only, can be retired".to_owned(),
        (state, _) => state_word(state).to_owned(),
    };
    let at_hand = match key.is_at_hand {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    };
    let created = local_time(key.created.as_ref()).unwrap_or_default();
    [key.id.clone(), state, key.credentials.to_string(), at_hand.to_owned(), created]
}

fn document(key: &core::Key) -> serde_json::Value {
    json!({
        "id": key.id,
        "state": state_word(key.state()),
        "credentials": key.credentials,
        "at_hand": key.is_at_hand,
        "created": utc_time(key.created.as_ref()),
        "emptied": utc_time(key.emptied.as_ref()),
        "retired": utc_time(key.retired.as_ref()),
    })
}

fn state_word(state: core::KeyState) -> &'static str {
    match state {
        core::KeyState::Primary => "primary",
        core::KeyState::DecryptOnly => "decrypt-only",
        core::KeyState::Retired => "retired",
        core::KeyState::Unspecified => "(unknown)",
    }
}
