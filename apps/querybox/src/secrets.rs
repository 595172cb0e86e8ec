//! Passwords that people give: asked for on the terminal, or read from standard input. Never from the command line or the
//! environment.

mod terminal;

use std::io::{self, BufRead, Read};

use querybox_contracts::{
    core::v1::{self as core, connection_service_client::ConnectionServiceClient},
    plugin::v1::{self as plugin, FormField, FormFieldKind},
};
use querybox_vault::Secret;

use crate::{
    app::App,
    cli::query::SecretArgs,
    exit::Exit,
    failure::{Failure, describe},
    form, sanitize,
};

/// What to do where nobody can be asked.
const ANSWER_HINT: &str = "run it from a terminal to be asked, or give the password to `--password-stdin`";

/// A line of standard input that is longer is no password.
const PASSWORD_BYTES_MAX: u64 = 64 * 1024;

/// The secrets that a saved connection asks for, or that are given in place of the stored ones. `None`: there are none.
pub(crate) async fn of_connection(
    app: &App,
    connection: &core::ConnectionRef,
    args: &SecretArgs,
) -> Result<Option<plugin::Credential>, Failure> {
    let request = core::GetConnectionRequest { connection: Some(connection.clone()) };
    let mut client = ConnectionServiceClient::new(app.channel.clone());
    let found = client.get_connection(request).await?.into_inner();
    let spec = found.connection.and_then(|connection| connection.spec).unwrap_or_default();
    match spec.secret_place() {
        core::SecretPlace::Ask => {
            // A driver that is missing or broken is Core's to tell: the connection is what was asked for.
            let Ok(form) = form::of_driver(app, &spec.driver_type).await else { return Ok(None) };
            let given = for_form(&form, args, &spec.name).await;
            given.map_err(|failure| match failure.hint == ANSWER_HINT {
                true => {
                    let name = sanitize::line(&spec.name).into_owned();
                    failure.with_hint(format!("{ANSWER_HINT}; `querybox credentials set {name}` keeps it"))
                }
                false => failure,
            })
        }
        // Core has it; what is given here stands in its place for this session.
        core::SecretPlace::Keyring | core::SecretPlace::Vault if args.password_stdin => {
            let Ok(form) = form::of_driver(app, &spec.driver_type).await else { return Ok(None) };
            for_form(&form, args, &spec.name).await
        }
        core::SecretPlace::Keyring | core::SecretPlace::Vault | core::SecretPlace::Unspecified => Ok(None),
    }
}

/// The secrets of a form, asked for in the name of `whom`. `None`: it has no password.
pub(crate) async fn for_form(
    form: &[FormField],
    args: &SecretArgs,
    whom: &str,
) -> Result<Option<plugin::Credential>, Failure> {
    let Some(field) = form.iter().find(|field| field.secret && field.kind() == FormFieldKind::Password)
    else {
        return match args.password_stdin {
            true => Err(Failure::usage("`--password-stdin` was given, but there is no password to give")),
            false => Ok(None),
        };
    };
    let secret = ask_for(field, args, whom).await?;
    // The clear text leaves this program's hands here: the request is what carries it to Core.
    let value = secret.expose().to_vec().into();
    Ok(Some(plugin::Credential { fields: vec![plugin::SecretField { name: field.name.clone(), value }] }))
}

/// The secret of one field, asked for in the name of `whom`.
pub(crate) async fn ask_for(field: &FormField, args: &SecretArgs, whom: &str) -> Result<Secret, Failure> {
    let reads_stdin = args.password_stdin;
    let prompt = format!("{} for {}: ", sanitize::line(&field.label), sanitize::line(whom));
    let entered = tokio::task::spawn_blocking(move || match reads_stdin {
        true => read_line(),
        false => terminal::ask(&prompt),
    })
    .await
    .unwrap_or_else(|_| Err(Failure::machinery("asking for the password ended by a mistake of ours")));
    match entered {
        Err(failure) if failure.exit == Exit::Usage && failure.hint.is_empty() => {
            let message = format!("{} asks for a password: {failure}", sanitize::line(whom));
            Err(Failure::usage(message).with_hint(ANSWER_HINT))
        }
        entered => entered,
    }
}

/// The first line of standard input, without its end.
fn read_line() -> Result<Secret, Failure> {
    let mut line = Vec::new();
    let read = io::stdin().lock().take(PASSWORD_BYTES_MAX + 1).read_until(b'\n', &mut line);
    let mut secret = match read {
        Ok(_) => line,
        Err(error) => {
            return Err(Failure::usage(format!("cannot read standard input: {}", describe(&error))));
        }
    };
    if secret.len() as u64 > PASSWORD_BYTES_MAX {
        drop(Secret::new(secret));
        return Err(Failure::usage("the first line of standard input is too long for a password"));
    }
    while let Some(b'\n' | b'\r') = secret.last() {
        secret.pop();
    }
    Ok(Secret::new(secret))
}
