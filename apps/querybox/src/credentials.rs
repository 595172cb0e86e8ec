//! `querybox credentials`: the passwords that Core keeps, told of and never shown.

mod migrate;
pub(crate) mod status;

use querybox_contracts::{
    core::v1::{self as core, credential_service_client::CredentialServiceClient},
    plugin::v1::{FormField, FormFieldKind, FormFieldRole},
};
use querybox_vault::Secret;

use crate::{
    app::App,
    cli::credentials::{SetArgs, StoreArg, Verb},
    composition::Channel,
    connections::{self, named},
    exit::Exit,
    failure::Failure,
    form, secrets, words,
};

/// Core takes no larger one.
const SECRET_BYTES_MAX: u64 = 64 << 10;

pub(crate) type Client = CredentialServiceClient<Channel>;

/// Carries a verb out.
pub(crate) async fn run(verb: Verb, app: &App) -> Result<Exit, Failure> {
    let mut client = client(app);
    match verb {
        Verb::Status { connection, json } => status::run(connection.as_deref(), json, &mut client, app).await,
        Verb::Set(args) => set(args, &mut client, app).await,
        Verb::Delete { connection, field } => {
            let request = core::DeleteCredentialRequest {
                connection: Some(named(&connection)),
                field: field.unwrap_or_default(),
            };
            let deleted = client.delete_credential(request).await?.into_inner();
            match deleted.fields.as_slice() {
                [] => app.messages.note(&format!("nothing is stored for {connection}")),
                fields => {
                    app.messages.note(&format!("forgot the {} of {connection}", fields.join(" and the ")))
                }
            }
            tell_left(app, deleted.keyring_entries_left);
            Ok(Exit::Done)
        }
        Verb::Test { connection } => {
            // Nothing is given, so that what is stored is what is tried.
            connections::test_stored(&connection, app).await
        }
        Verb::Migrate(args) => migrate::run(args, &mut client, app).await,
    }
}

pub(crate) fn client(app: &App) -> Client {
    CredentialServiceClient::new(app.channel.clone())
}

async fn set(args: SetArgs, client: &mut Client, app: &App) -> Result<Exit, Failure> {
    let SetArgs { connection, field, keep, file, secret } = args;
    let driver_type = connections::driver_of(app, &connection).await?;
    let form = form::of_driver(app, &driver_type).await?;
    let field = chosen_field(&form, field.as_deref())?;
    let given = match &file {
        Some(path) => secrets::file::read(path, SECRET_BYTES_MAX, "a secret")?,
        None => secrets::ask_for(field, &secret, &connection).await?,
    };
    let stored = store(&connection, &field.name, given, keep, client).await?;
    app.messages.note(&format!(
        "the {} of {connection} is kept in the {}",
        stored.field,
        word(stored.place())
    ));
    Ok(Exit::Done)
}

/// Stores a secret.
pub(crate) async fn store(
    connection: &str,
    field: &str,
    secret: Secret,
    keep: Option<StoreArg>,
    client: &mut Client,
) -> Result<core::StoredCredential, Failure> {
    let request = core::SetCredentialRequest {
        connection: Some(named(connection)),
        field: field.to_owned(),
        // The clear text leaves this program's hands here: the request is what carries it to Core.
        secret: secret.expose().to_vec().into(),
        place: keep.map_or(core::SecretPlace::Unspecified, place).into(),
    };
    let stored = client.set_credential(request).await?.into_inner().credential;
    stored.ok_or_else(|| Failure::machinery("Core answered without the credential"))
}

/// A secret that is to be stored with a new connection.
pub(crate) fn new_secret(field: &str, secret: &Secret, keep: Option<StoreArg>) -> core::NewSecret {
    core::NewSecret {
        field: field.to_owned(),
        // As in `store`.
        secret: secret.expose().to_vec().into(),
        place: keep.map_or(core::SecretPlace::Unspecified, place).into(),
    }
}

/// Where the secret of a new connection lies, in words. `None`: none was given.
pub(crate) fn kept(saved: &core::CreateConnectionResponse) -> Option<String> {
    let place = saved.connection.as_ref()?.spec.as_ref()?.secret_place();
    let field = &saved.secret_field;
    (!field.is_empty()).then(|| format!("its {field} in the {}", word(place)))
}

/// The secret field of a form that is meant.
pub(crate) fn chosen_field<'a>(form: &'a [FormField], name: Option<&str>) -> Result<&'a FormField, Failure> {
    let mut secret = form.iter().filter(|field| field.secret);
    let found = match name {
        Some(name) => secret.find(|field| field.name == name),
        None => secret
            .find(|field| field.role() == FormFieldRole::Password || field.kind() == FormFieldKind::Password),
    };
    found.ok_or_else(|| match name {
        Some(name) => Failure::usage(format!("the driver has no secret {name}"))
            .with_hint("`querybox plugins info DRIVER` shows the parameters that there are"),
        None => Failure::usage("the driver has no password"),
    })
}

/// A place as the contract has it.
pub(crate) fn place(keep: StoreArg) -> core::SecretPlace {
    match keep {
        StoreArg::Keyring => core::SecretPlace::Keyring,
        StoreArg::Vault => core::SecretPlace::Vault,
    }
}

/// The word of the command line.
pub(crate) fn word(place: core::SecretPlace) -> &'static str {
    match place {
        core::SecretPlace::Keyring => "keyring",
        core::SecretPlace::Vault => "vault",
        core::SecretPlace::Ask | core::SecretPlace::Unspecified => "(unknown place)",
    }
}

/// Says that something is left in the keyring.
pub(crate) fn tell_left(app: &App, entries: u32) {
    if entries > 0 {
        app.messages.warn(&format!(
            "{} could not be removed now; nothing uses what is left, and it goes when the keyring is there again",
            entries_in_words(entries)
        ));
    }
}

fn entries_in_words(entries: u32) -> String {
    match entries {
        1 => "1 keyring entry".to_owned(),
        many => format!("{} keyring entries", words::grouped(many.into())),
    }
}
