//! `querybox connections`: save, show, change and try connections.

mod document;
mod import;
mod show;
mod spec;
mod trial;

use querybox_contracts::core::v1::{
    self as core, connection_ref, connection_service_client::ConnectionServiceClient,
};

use crate::{
    app::App,
    cli::{
        connections::{AddArgs, EditArgs, ExportFormat, KeepArg, Verb},
        credentials::StoreArg,
        query::SecretArgs,
    },
    composition::Channel,
    credentials,
    exit::Exit,
    failure::Failure,
    form, secrets, stdout,
};

pub(crate) use document::time as utc_time;
pub(crate) use show::local_time;

use document::Document;

type Client = ConnectionServiceClient<Channel>;

/// Carries a verb out.
pub(crate) async fn run(verb: Verb, app: &App) -> Result<Exit, Failure> {
    let mut client = ConnectionServiceClient::new(app.channel.clone());
    match verb {
        Verb::Add(args) => add(*args, &mut client, app).await?,
        Verb::List { json } => {
            let all = all(&mut client).await?;
            if json.json {
                stdout::print_json(&all.iter().map(Document::full).collect::<Vec<_>>())?;
            } else {
                stdout::print(&show::list(&all, app.messages.screen().stdout_paint))?;
            }
        }
        Verb::Show { name, json } => {
            let connection = find(&mut client, &name).await?;
            if json.json {
                stdout::print_json(&Document::full(&connection))?;
            } else {
                stdout::print(&show::one(&connection, app.messages.screen().stdout_paint))?;
            }
        }
        Verb::Edit(args) => edit(*args, &mut client, app).await?,
        Verb::Duplicate { name, copy } => {
            let request =
                core::DuplicateConnectionRequest { connection: Some(named(&name)), name: copy.clone() };
            client.duplicate_connection(request).await?;
            app.messages.note(&format!("saved {copy}, a copy of {name}"));
        }
        Verb::Remove { names } => {
            for name in names {
                let request = core::DeleteConnectionRequest { connection: Some(named(&name)) };
                let removed = client.delete_connection(request).await?.into_inner();
                app.messages.note(&format!("removed {name}"));
                credentials::tell_left(app, removed.keyring_entries_left);
            }
        }
        Verb::Test { name, secret } => return trial::run(&name, Some(&secret), &mut client, app).await,
        Verb::Import(args) => return import::run(args, &mut client, app).await,
        Verb::Export { names, format } => export(&names, format, &mut client).await?,
    }
    Ok(Exit::Done)
}

async fn add(args: AddArgs, client: &mut Client, app: &App) -> Result<(), Failure> {
    let (driver_type, from_url) = match (&args.url, &args.driver) {
        (Some(url), _) => {
            let parsed = client.parse_url(core::ParseUrlRequest { url: url.clone() }).await;
            let parsed = parsed.map_err(Failure::of_named_driver)?.into_inner();
            (parsed.driver_type, parsed.parameters)
        }
        (None, Some(driver)) => (driver.clone(), Vec::new()),
        (None, None) => return Err(Failure::usage("give a URL, or a driver with `--driver`")),
    };
    let form = form::of_driver(app, &driver_type).await?;
    let password = Password::of(args.keep, args.password_stdin)?;
    let spec = spec::new(args, driver_type, from_url, &form)?;
    let name = spec.name.clone();
    // What cannot be kept is refused before anything is asked or saved.
    let secret = match &password {
        None => None,
        Some(Password { keep, secret }) => {
            let field = credentials::chosen_field(&form, None)?;
            let secret = secrets::ask_for(field, secret, &name).await?;
            Some(credentials::new_secret(&field.name, &secret, *keep))
        }
    };
    // With it in one go, so that nothing half saved is left when this program is killed.
    let request = core::CreateConnectionRequest { spec: Some(spec), secret };
    let saved = client.create_connection(request).await.map_err(Failure::of_named_driver)?.into_inner();
    let kept = credentials::kept(&saved).map(|kept| format!(", {kept}")).unwrap_or_default();
    app.messages
        .note(&format!("saved {name}{kept}; try it with `querybox connections test {}`", quoted(&name)));
    Ok(())
}

/// A password that is to be kept.
struct Password {
    /// `None`: where Core finds best.
    keep: Option<StoreArg>,
    secret: SecretArgs,
}

impl Password {
    /// `None`: none is given. One is asked for when a place for it is named.
    fn of(keep: Option<KeepArg>, password_stdin: bool) -> Result<Option<Password>, Failure> {
        let store = keep.and_then(KeepArg::store);
        match (keep, store) {
            (Some(_), None) if password_stdin => {
                Err(Failure::usage("a password is given, and `--keep` says to keep none")
                    .with_hint("leave `--password-stdin` out, or keep it in the keyring or the vault"))
            }
            (_, Some(_)) => Ok(Some(Password { keep: store, secret: SecretArgs { password_stdin } })),
            (None, None) if password_stdin => {
                Ok(Some(Password { keep: None, secret: SecretArgs { password_stdin } }))
            }
            (Some(_) | None, None) => Ok(None),
        }
    }
}

async fn edit(args: EditArgs, client: &mut Client, app: &App) -> Result<(), Failure> {
    let connection = find(client, &args.connection).await?;
    let old = connection.spec.unwrap_or_default();
    let mut password = Password::of(args.keep, args.password_stdin)?;
    if let (Some(Password { keep: Some(to), .. }), false) = (&password, args.password_stdin)
        && is_stored(&old)
    {
        let stored = stored(&connection.id, app).await?;
        if stored.iter().any(|stored| stored.place() != credentials::place(*to)) {
            let to = credentials::word(credentials::place(*to));
            return Err(Failure::usage("its password is kept in another place").with_hint(format!(
                "`querybox credentials migrate --to {to} {}` moves it",
                quoted(&args.connection)
            )));
        }
        if !stored.is_empty() {
            // It is there already.
            password = None;
        }
    }
    // A connection without its driver can be edited, as long as its parameters are left alone.
    let form = match args.params.is_empty() && password.is_none() {
        true => Vec::new(),
        false => form::of_driver(app, &old.driver_type).await?,
    };
    let spec = spec::edited(old, args, &form)?;
    let name = spec.name.clone();
    let secret = match &password {
        None => None,
        Some(Password { secret, .. }) => {
            let field = credentials::chosen_field(&form, None)?;
            Some((field.name.clone(), secrets::ask_for(field, secret, &name).await?))
        }
    };
    let request =
        core::UpdateConnectionRequest { id: connection.id, revision: connection.revision, spec: Some(spec) };
    let updated = client.update_connection(request).await?.into_inner();
    app.messages.note(&format!("changed {name}"));
    credentials::tell_left(app, updated.keyring_entries_left);
    let dropped = || {
        if !updated.credentials_dropped.is_empty() {
            app.messages.warn(&format!(
                "its stored {} was dropped, for it leads elsewhere now ({}); `querybox credentials set {}` stores a new one",
                updated.credentials_dropped.join(" and "),
                updated.credentials_dropped_for.join(", "),
                quoted(&name)
            ));
        }
    };
    match (password, secret) {
        (Some(Password { keep, .. }), Some((field, secret))) => {
            let stored = credentials::store(&name, &field, secret, keep, &mut credentials::client(app)).await;
            // Nothing is in the place of what was dropped.
            let stored = stored.inspect_err(|_| dropped())?;
            let place = credentials::word(stored.place());
            app.messages.note(&format!("its {} is kept in the {place}", stored.field));
        }
        _ => dropped(),
    }
    Ok(())
}

fn is_stored(spec: &core::ConnectionSpec) -> bool {
    matches!(spec.secret_place(), core::SecretPlace::Keyring | core::SecretPlace::Vault)
}

/// The secrets of a connection that are stored.
async fn stored(id: &str, app: &App) -> Result<Vec<core::StoredCredential>, Failure> {
    let connection = Some(core::ConnectionRef { key: Some(connection_ref::Key::Id(id.to_owned())) });
    let listed =
        credentials::client(app).list_credentials(core::ListCredentialsRequest { connection }).await?;
    Ok(listed.into_inner().credentials)
}

/// Tries a connection with what is stored for it.
pub(crate) async fn test_stored(name: &str, app: &App) -> Result<Exit, Failure> {
    trial::run(name, None, &mut ConnectionServiceClient::new(app.channel.clone()), app).await
}

/// The type of a connection's driver.
pub(crate) async fn driver_of(app: &App, name: &str) -> Result<String, Failure> {
    let mut client = ConnectionServiceClient::new(app.channel.clone());
    Ok(find(&mut client, name).await?.spec.unwrap_or_default().driver_type)
}

async fn export(names: &[String], format: ExportFormat, client: &mut Client) -> Result<(), Failure> {
    let mut connections = all(client).await?;
    if !names.is_empty() {
        let mut chosen = Vec::new();
        for name in names {
            chosen.push(find(client, name).await?);
        }
        connections = chosen;
    }
    let documents = document::Export { connection: connections.iter().map(Document::exported).collect() };
    match format {
        ExportFormat::Json => stdout::print_json(&documents),
        ExportFormat::Toml => {
            let text = toml::to_string_pretty(&documents)
                .map_err(|error| Failure::machinery(format!("cannot write TOML: {error}")))?;
            stdout::print(&text)
        }
    }
}

async fn all(client: &mut Client) -> Result<Vec<core::Connection>, Failure> {
    Ok(client.list_connections(core::ListConnectionsRequest {}).await?.into_inner().connections)
}

async fn find(client: &mut Client, name: &str) -> Result<core::Connection, Failure> {
    let request = core::GetConnectionRequest { connection: Some(named(name)) };
    let found = client.get_connection(request).await?.into_inner();
    found.connection.ok_or_else(|| Failure::machinery("Core answered without the connection"))
}

/// The driver of the connection with a name.
pub(crate) async fn driver_type(app: &App, name: &str) -> Result<String, Failure> {
    let found = find(&mut ConnectionServiceClient::new(app.channel.clone()), name).await?;
    Ok(found.spec.unwrap_or_default().driver_type)
}

/// The connection with a name.
pub(crate) fn named(name: &str) -> core::ConnectionRef {
    core::ConnectionRef { key: Some(connection_ref::Key::Name(name.to_owned())) }
}

/// A name as a shell, and then this program, takes it for an argument.
fn quoted(name: &str) -> String {
    let is_plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
    let quoted = if is_plain { name.to_owned() } else { format!("'{}'", name.replace('\'', "'\\''")) };
    if name.starts_with('-') { format!("-- {quoted}") } else { quoted }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suggested_command_can_be_pasted() {
        let check = |name: &str, expected: &str| assert_eq!(quoted(name), expected);
        check("shop", "shop");
        check("it's", r"'it'\''s'");
        check("-x", "-- -x");
        check("--all of it", "-- '--all of it'");
    }
}
