//! `querybox connections`: save, show, change and try connections.

mod document;
mod show;
mod spec;
mod trial;

use querybox_contracts::core::v1::{
    self as core, connection_ref, connection_service_client::ConnectionServiceClient,
};

use crate::{
    app::App,
    cli::connections::{AddArgs, EditArgs, ExportFormat, Verb},
    composition::Channel,
    exit::Exit,
    failure::Failure,
    form, stdout,
};

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
                client.delete_connection(request).await?;
                app.messages.note(&format!("removed {name}"));
            }
        }
        Verb::Test { name, secret } => return trial::run(&name, &secret, &mut client, app).await,
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
    let spec = spec::new(args, driver_type, from_url, &form)?;
    let name = spec.name.clone();
    let request = core::CreateConnectionRequest { spec: Some(spec) };
    client.create_connection(request).await.map_err(Failure::of_named_driver)?;
    app.messages.note(&format!("saved {name}; try it with `querybox connections test {}`", quoted(&name)));
    Ok(())
}

async fn edit(args: EditArgs, client: &mut Client, app: &App) -> Result<(), Failure> {
    let connection = find(client, &args.connection).await?;
    let old = connection.spec.unwrap_or_default();
    // A connection without its driver can be edited, as long as its parameters are left alone.
    let form = match args.params.is_empty() {
        true => Vec::new(),
        false => form::of_driver(app, &old.driver_type).await?,
    };
    let spec = spec::edited(old, args, &form)?;
    let name = spec.name.clone();
    let request =
        core::UpdateConnectionRequest { id: connection.id, revision: connection.revision, spec: Some(spec) };
    client.update_connection(request).await?;
    app.messages.note(&format!("changed {name}"));
    Ok(())
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
