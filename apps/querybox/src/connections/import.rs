//! `querybox connections import`: connections from files of other programs. Passwords in them go straight to where they
//! are kept.

mod pgpass;
mod service;
mod urls;

use std::path::Path;

use querybox_contracts::{
    core::v1 as core,
    plugin::v1::{self as plugin, FormField},
};
use querybox_vault::Secret;

use super::Client;
use crate::{
    app::App,
    cli::connections::{ImportArgs, ImportFormat, KeepArg},
    credentials,
    exit::Exit,
    failure::Failure,
    form,
    reason::Reason,
    sanitize, secrets, stdout, words,
};

/// More is no file of connections.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// How often another name is tried for a connection whose name is taken.
const NAMES_MAX: u32 = 1000;

/// A connection that a file tells of.
#[derive(Debug)]
struct Found {
    /// Counted from one.
    line: usize,
    name: String,
    leads_to: LeadsTo,
    password: Option<Secret>,
}

/// What it leads to.
#[derive(Debug, PartialEq, Eq)]
enum LeadsTo {
    /// A URL without its password, or keywords.
    Url(String),
    /// A driver, and parameters of its form by their roles or names.
    Parameters { driver_type: &'static str, parameters: Vec<(String, String)> },
}

/// A line that tells of no connection that can be imported.
#[derive(Debug, PartialEq, Eq)]
struct Skipped {
    line: usize,
    why: String,
}

type Line = Result<Found, Skipped>;

/// What came of it all.
#[derive(Default)]
struct Tally {
    imported: u64,
    /// Connections that were there without their password, and have it now.
    completed: u64,
    skipped: u64,
    failed: u64,
}

pub(super) async fn run(args: ImportArgs, client: &mut Client, app: &App) -> Result<Exit, Failure> {
    let mut tally = Tally::default();
    for path in &args.files {
        let text = secrets::file::read(path, FILE_BYTES_MAX, "a file of connections")?;
        let format = args.format.unwrap_or_else(|| format_of(path));
        // Exposed to the reader of its format, which keeps nothing but what it finds.
        let text =
            text.expose_text().map_err(|_| Failure::usage(format!("{} is not UTF-8", path.display())))?;
        let text = without_mark(text);
        let lines = match format {
            ImportFormat::Pgpass => pgpass::read(text),
            ImportFormat::Service => service::read(text),
            ImportFormat::Urls => urls::read(text),
        };
        for line in lines {
            match line {
                Err(Skipped { line, why }) => {
                    tally.skipped += 1;
                    report(path, line, &format!("skipped: {why}"))?;
                }
                Ok(found) => import(path, found, &args, &mut tally, client, app).await?,
            }
        }
    }
    if tally.completed > 0 {
        let verb = if args.dry_run { "would be stored" } else { "stored" };
        let passwords = words::count(tally.completed, "password");
        app.messages.note(&format!("{passwords} {verb} for connections that were there without"));
    }
    let verb = if args.dry_run { "would be imported" } else { "imported" };
    app.messages.note(&format!(
        "{} {verb}, {} skipped, {} failed",
        words::count(tally.imported, "connection"),
        words::grouped(tally.skipped),
        words::grouped(tally.failed)
    ));
    match tally.failed {
        0 => Ok(Exit::Done),
        _ => Err(Failure::machinery("not everything could be imported")
            .with_hint("what was imported is there; run it again to go on with the rest")),
    }
}

async fn import(
    path: &Path,
    found: Found,
    args: &ImportArgs,
    tally: &mut Tally,
    client: &mut Client,
    app: &App,
) -> Result<(), Failure> {
    let line = found.line;
    match save(found, args, client, app).await {
        Ok(Saved::As(what)) => {
            tally.imported += 1;
            report(path, line, &what)
        }
        Ok(Saved::Completed(what)) => {
            tally.completed += 1;
            report(path, line, &what)
        }
        Ok(Saved::IsThere(name)) => {
            tally.skipped += 1;
            report(path, line, &format!("skipped: {name} leads there already"))
        }
        // Without a place for passwords, or a store, no other line fares better.
        Err(failure) if is_final(&failure) => Err(failure),
        Err(failure) => {
            tally.failed += 1;
            report(path, line, &format!("failed: {failure}"))
        }
    }
}

enum Saved {
    As(String),
    /// The connection was there, and now it has its password.
    Completed(String),
    IsThere(String),
}

async fn save(found: Found, args: &ImportArgs, client: &mut Client, app: &App) -> Result<Saved, Failure> {
    let (driver_type, parameters) = resolve(found.leads_to, client, app).await?;
    let form = form::of_driver(app, &driver_type).await?;
    let parameters = known(parameters, &form)?;
    let all = super::all(client).await?;
    let keeps = found.password.is_some() && args.keep.is_none_or(|keep| keep.store().is_some());
    let there: Vec<_> = all.iter().filter(|there| leads_to(there, &driver_type, &parameters)).collect();
    if let Some(first) = there.first() {
        let name = name_of(first);
        let Some(secret) = found.password.filter(|_| keeps) else { return Ok(Saved::IsThere(name)) };
        let field = credentials::chosen_field(&form, None)?.name.clone();
        for connection in there {
            if has_secret(connection, &field, app).await? {
                return Ok(Saved::IsThere(name_of(connection)));
            }
        }
        if args.dry_run {
            return Ok(Saved::Completed(format!("{name} is there: its {field} would be stored")));
        }
        let keep = args.keep.and_then(KeepArg::store);
        let stored = credentials::store(&name, &field, secret, keep, &mut credentials::client(app)).await?;
        let place = credentials::word(stored.place());
        return Ok(Saved::Completed(format!("{name} was there: its {field} is in the {place} now")));
    }
    let specs = || all.iter().filter_map(|connection| connection.spec.as_ref());
    let is_taken = |name: &str| specs().any(|spec| spec.name.to_lowercase() == name.to_lowercase());
    let name = free_name(&found.name, is_taken)
        .ok_or_else(|| Failure::usage(format!("every name like {} is taken", found.name)))?;
    let has_password = form.iter().any(|field| field.secret);
    let place = match args.keep {
        Some(KeepArg::None) => core::SecretPlace::Unspecified,
        _ if has_password => core::SecretPlace::Ask,
        _ => core::SecretPlace::Unspecified,
    };
    let mut said = match args.dry_run {
        true => format!("{name}: would be imported"),
        false => format!("{name}: imported"),
    };
    if args.dry_run {
        if keeps {
            said.push_str(", with its password");
        }
        return Ok(Saved::As(said));
    }
    let spec = core::ConnectionSpec {
        name: name.clone(),
        driver_type,
        parameters,
        folder: args.folder.clone().unwrap_or_default(),
        secret_place: place.into(),
        ..core::ConnectionSpec::default()
    };
    let secret = match found.password.filter(|_| keeps) {
        None => None,
        Some(secret) => {
            let field = &credentials::chosen_field(&form, None)?.name;
            Some(credentials::new_secret(field, &secret, args.keep.and_then(KeepArg::store)))
        }
    };
    // With it in one go: the next run would take a connection without it for one that is to be asked for.
    let request = core::CreateConnectionRequest { spec: Some(spec), secret };
    let saved = client.create_connection(request).await?.into_inner();
    if let Some(kept) = credentials::kept(&saved) {
        said.push_str(&format!(", {kept}"));
    }
    Ok(Saved::As(said))
}

/// The driver and the parameters.
async fn resolve(
    leads_to: LeadsTo,
    client: &mut Client,
    app: &App,
) -> Result<(String, Vec<plugin::Parameter>), Failure> {
    match leads_to {
        LeadsTo::Url(url) => {
            let parsed = client.parse_url(core::ParseUrlRequest { url }).await?.into_inner();
            Ok((parsed.driver_type, parsed.parameters))
        }
        LeadsTo::Parameters { driver_type, parameters } => {
            let form = form::of_driver(app, driver_type).await?;
            let parameters = parameters
                .iter()
                .map(|(name, value)| form::parameter(name, value, &form))
                .collect::<Result<_, _>>()?;
            Ok((driver_type.to_owned(), parameters))
        }
    }
}

/// Paths become absolute, as on the command line.
fn known(parameters: Vec<plugin::Parameter>, form: &[FormField]) -> Result<Vec<plugin::Parameter>, Failure> {
    parameters
        .into_iter()
        .map(|parameter| form::parameter(&parameter.name, form::text_of(&parameter), form))
        .collect()
}

/// Whether a connection leads where the file does: the order of parameters does not count.
fn leads_to(connection: &core::Connection, driver_type: &str, parameters: &[plugin::Parameter]) -> bool {
    connection.spec.as_ref().is_some_and(|spec| {
        spec.driver_type == driver_type
            && spec.parameters.len() == parameters.len()
            && spec.parameters.iter().all(|parameter| parameters.contains(parameter))
    })
}

/// Whether there is nothing to store for a connection: it has the secret, or says that it needs none.
async fn has_secret(connection: &core::Connection, field: &str, app: &App) -> Result<bool, Failure> {
    let place = connection.spec.as_ref().map_or(core::SecretPlace::Unspecified, |spec| spec.secret_place());
    match place {
        core::SecretPlace::Unspecified => Ok(true),
        core::SecretPlace::Ask => Ok(false),
        core::SecretPlace::Keyring | core::SecretPlace::Vault => {
            let stored = super::stored(&connection.id, app).await?;
            Ok(stored.iter().any(|stored| stored.field == field))
        }
    }
}

fn name_of(connection: &core::Connection) -> String {
    connection.spec.as_ref().map(|spec| spec.name.clone()).unwrap_or_default()
}

/// The name, or that name with a number behind it.
fn free_name(wanted: &str, is_taken: impl Fn(&str) -> bool) -> Option<String> {
    let plain = std::iter::once(wanted.to_owned());
    let numbered = (2..NAMES_MAX).map(|number| format!("{wanted} {number}"));
    plain.chain(numbered).find(|name| !is_taken(name))
}

fn is_final(failure: &Failure) -> bool {
    matches!(
        failure.reason,
        Some(
            Reason::SecretPlaceMissing
                | Reason::KeyringAbsent
                | Reason::KeyringLocked
                | Reason::KeyringDenied
                | Reason::KeyringSilent
                | Reason::KeyringFailed
                | Reason::MasterKeyMissing
                | Reason::MasterKeyWrong
                | Reason::MasterKeyUnreadable
                | Reason::KeysNotInitialized
                | Reason::StoreFailed
                | Reason::ShuttingDown
        )
    )
}

fn report(path: &Path, line: usize, what: &str) -> Result<(), Failure> {
    stdout::print(&format!("{}:{line}: {}\n", sanitize::line(&path.to_string_lossy()), sanitize::line(what)))
}

/// Programs of other systems begin a file with a byte order mark, which is part of no host's name.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn format_of(path: &Path) -> ImportFormat {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    match name {
        name if name.contains("pgpass") => ImportFormat::Pgpass,
        name if name.contains("service") => ImportFormat::Service,
        _ => ImportFormat::Urls,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_name_gets_a_number() {
        let taken = ["shop", "shop 2"];
        let free = |wanted: &str| free_name(wanted, |name| taken.contains(&name));
        assert_eq!(free("shop").as_deref(), Some("shop 3"));
        assert_eq!(free("other").as_deref(), Some("other"));
        assert_eq!(free_name("x", |_| true), None);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_host() {
        assert_eq!(without_mark("\u{feff}db:5432"), "db:5432");
        assert_eq!(without_mark("db\u{feff}"), "db\u{feff}");
    }

    #[test]
    fn the_name_of_a_file_says_what_it_is() {
        let check = |path: &str, format| assert_eq!(format_of(Path::new(path)), format, "{path}");
        check("/home/ada/.pgpass", ImportFormat::Pgpass);
        check("/home/ada/.pg_service.conf", ImportFormat::Service);
        check("connections.txt", ImportFormat::Urls);
    }
}
