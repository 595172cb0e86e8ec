//! Passwords that people give: asked for on the terminal, or read from standard input. Never from the command line or the
//! environment.

pub(crate) mod file;
mod terminal;

use std::{io, os::fd::AsFd};

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
const PASSWORD_BYTES_MAX: usize = 64 * 1024;

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

/// The first line of standard input, without its one end: LF, or CR and LF.
fn read_line() -> Result<Secret, Failure> {
    first_line(io::stdin())
}

/// Read without the buffer of the standard library, which would keep the password for as long as the program runs; and byte
/// by byte, since what stands behind the line may be SQL for a shell.
fn first_line(from: impl AsFd) -> Result<Secret, Failure> {
    // As long as it may ever become: a buffer that grew would leave copies behind.
    let mut line = zeroize::Zeroizing::new(Vec::with_capacity(PASSWORD_BYTES_MAX));
    let mut byte = [0];
    let mut has_end = false;
    loop {
        match rustix::io::read(&from, &mut byte) {
            Ok(0) => break,
            Ok(_) if byte == *b"\n" => {
                has_end = true;
                break;
            }
            Ok(_) if byte == [0] => {
                return Err(Failure::usage(
                    "the first line of standard input has a zero byte, which no password has",
                ));
            }
            Ok(_) if line.len() == PASSWORD_BYTES_MAX => {
                return Err(Failure::usage("the first line of standard input is too long for a password"));
            }
            Ok(_) => line.push(byte[0]),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => {
                let why = describe(&io::Error::from(error));
                return Err(Failure::usage(format!("cannot read standard input: {why}")));
            }
        }
    }
    if has_end && line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(Secret::new(line.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_password() {
        for (given, expected) in [
            ("secret\nmore\n", "secret"),
            ("secret", "secret"),
            ("secret\r\n", "secret"),
            ("secret\r\r\n", "secret\r"),
            ("secret\r", "secret\r"),
            (" secret \t\n", " secret \t"),
            ("", ""),
            ("\nx", ""),
        ] {
            let (reader, writer) = rustix::pipe::pipe().unwrap();
            rustix::io::write(&writer, given.as_bytes()).unwrap();
            drop(writer);
            assert_eq!(first_line(&reader).unwrap().expose(), expected.as_bytes(), "{given:?}");
            let mut rest = [0; 8];
            let length = rustix::io::read(&reader, &mut rest).unwrap();
            let behind = given.split_once('\n').map_or("", |(_, behind)| behind);
            assert_eq!(&rest[..length], behind.as_bytes(), "{given:?}");
        }
    }

    #[test]
    fn a_zero_byte_is_refused() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        rustix::io::write(&writer, b"sec\0ret\n").unwrap();
        let error = first_line(&reader).unwrap_err();
        assert!(error.to_string().contains("zero byte"), "{error}");
    }

    #[test]
    fn a_line_longer_than_a_password_is_refused() {
        for (length, is_read) in [(PASSWORD_BYTES_MAX, true), (PASSWORD_BYTES_MAX + 1, false)] {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), vec![b'x'; length]).unwrap();
            assert_eq!(first_line(std::fs::File::open(file.path()).unwrap()).is_ok(), is_read);
        }
    }
}
