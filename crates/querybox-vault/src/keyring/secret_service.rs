//! The Secret Service of Linux desktops (GNOME Keyring, KWallet, KeePassXC), over the session bus.
//!
//! Each call makes its own connection and session: a session dies with the keyring that it was made with. Secrets are
//! encrypted on the bus. The bus is the one that the process was started with; the libraries look for it by themselves.

use std::{collections::HashMap, io, time::Instant};

use keyring_core::{Entry, api::CredentialStoreApi};
use secret_service::{EncryptionType, blocking::SecretService};
use zbus::fdo;
use zbus_secret_service_keyring_store::Store;

use super::{Item, KeyringError, SERVICE};

/// Whether there is a keyring, unlocked. The store below would have the user asked to unlock it, and wait.
pub(super) fn probe() -> Result<(), KeyringError> {
    // Nothing secret passes here, so nothing needs encryption.
    let service = SecretService::connect(EncryptionType::Plain).map_err(|error| of_service(&error))?;
    let keyring = service.get_default_collection().map_err(|error| of_service(&error))?;
    match keyring.is_locked() {
        Ok(false) => Ok(()),
        Ok(true) => Err(KeyringError::Locked),
        Err(error) => Err(of_service(&error)),
    }
}

/// Makes an entry, unless there is one, or nobody waits for it any more.
pub(super) fn add(item: &Item, label: &str, secret: &[u8], deadline: Instant) -> Result<(), KeyringError> {
    let entry = entry(item, HashMap::from([("label", label)]))?;
    if found(entry.get_credential())?.is_some() {
        return Err(failed("there is an entry of this name already"));
    }
    // Whoever gave it up counts on it: what comes to be much later, nobody would remove.
    if Instant::now() >= deadline {
        return Err(KeyringError::Silent);
    }
    entry.set_secret(secret).map_err(of_store)?;
    // By these people find what QueryBox keeps, and of which store.
    let attributes = HashMap::from([("application", "querybox"), ("store", item.store.as_str())]);
    entry.update_attributes(&attributes).map_err(of_store)
}

pub(super) fn get(item: &Item) -> Result<Option<Vec<u8>>, KeyringError> {
    found(entry(item, HashMap::new())?.get_secret())
}

pub(super) fn delete(item: &Item) -> Result<bool, KeyringError> {
    found(entry(item, HashMap::new())?.delete_credential()).map(|found| found.is_some())
}

fn entry(item: &Item, modifiers: HashMap<&str, &str>) -> Result<Entry, KeyringError> {
    probe()?;
    let store = Store::new().map_err(of_store)?;
    store.build(SERVICE, &item.user, Some(&modifiers)).map_err(of_store)
}

fn found<T>(result: keyring_core::Result<T>) -> Result<Option<T>, KeyringError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(keyring_core::Error::NoEntry) => Ok(None),
        Err(error) => Err(of_store(error)),
    }
}

/// Errors are told apart by their variants, and never printed: some have the secret in them.
fn of_store(error: keyring_core::Error) -> KeyringError {
    use keyring_core::Error;
    match error {
        Error::PlatformFailure(cause) | Error::NoStorageAccess(cause) => {
            match cause.downcast_ref::<secret_service::Error>() {
                Some(error) => of_service(error),
                None => failed("an error of unknown kind"),
            }
        }
        Error::NoEntry => failed("the entry went away meanwhile"),
        Error::Ambiguous(_) => failed("there are several entries where one belongs"),
        Error::BadEncoding(_) | Error::BadDataFormat(..) | Error::BadStoreFormat(_) => {
            failed("what it keeps cannot be read")
        }
        Error::TooLong(..) => failed("the secret or its name is too long for it"),
        Error::Invalid(..) | Error::NoDefaultStore | Error::NotSupportedByStore(_) => {
            failed("it does not take such entries")
        }
        _ => failed("an error of unknown kind"),
    }
}

fn of_service(error: &secret_service::Error) -> KeyringError {
    use secret_service::Error;
    match error {
        Error::Locked => KeyringError::Locked,
        // Somebody locked it since it was looked at, and the user did not unlock it.
        Error::Prompt => KeyringError::Denied,
        Error::PromptDisconnected => KeyringError::Silent,
        // The service is there, but has no keyring: none was ever made.
        Error::Unavailable | Error::NoResult => KeyringError::Absent,
        Error::Zbus(error) => of_bus(error),
        Error::ZbusFdo(error) => of_standard(error),
        Error::Crypto(_) => failed("the secret could not be decrypted on its way"),
        Error::Zvariant(_) => failed("its answer makes no sense"),
        _ => failed("an error of unknown kind"),
    }
}

fn of_bus(error: &zbus::Error) -> KeyringError {
    use zbus::Error;
    match error {
        Error::Connection(error, _) | Error::InputOutput(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => KeyringError::Absent,
            io::ErrorKind::PermissionDenied => KeyringError::Denied,
            io::ErrorKind::TimedOut
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::UnexpectedEof => KeyringError::Silent,
            kind => failed(&kind.to_string()),
        },
        // An address that leads nowhere.
        Error::Address(_) | Error::Unsupported => KeyringError::Absent,
        // The bus does not talk to this user.
        Error::Handshake(_) => KeyringError::Denied,
        Error::InterfaceNotFound => KeyringError::Absent,
        Error::FDO(error) => of_standard(error),
        Error::MethodError(name, ..) => of_name(name.as_str()),
        _ => failed("its answer makes no sense"),
    }
}

fn of_standard(error: &fdo::Error) -> KeyringError {
    match error {
        fdo::Error::ZBus(error) => of_bus(error),
        error => of_name(zbus::DBusError::name(error).as_str()),
    }
}

/// By the name that an error has on the bus.
fn of_name(name: &str) -> KeyringError {
    match name {
        "org.freedesktop.DBus.Error.ServiceUnknown"
        | "org.freedesktop.DBus.Error.NameHasNoOwner"
        | "org.freedesktop.DBus.Error.UnknownInterface"
        | "org.freedesktop.DBus.Error.UnknownMethod" => KeyringError::Absent,
        "org.freedesktop.DBus.Error.AccessDenied" | "org.freedesktop.DBus.Error.AuthFailed" => {
            KeyringError::Denied
        }
        "org.freedesktop.DBus.Error.NoReply"
        | "org.freedesktop.DBus.Error.Timeout"
        | "org.freedesktop.DBus.Error.TimedOut"
        | "org.freedesktop.DBus.Error.Disconnected"
        | "org.freedesktop.Secret.Error.NoSession" => KeyringError::Silent,
        "org.freedesktop.Secret.Error.IsLocked" => KeyringError::Locked,
        // Somebody was to be started to answer, and could not.
        name if name.starts_with("org.freedesktop.DBus.Error.Spawn.") => KeyringError::Absent,
        name => failed(name),
    }
}

fn failed(why: &str) -> KeyringError {
    KeyringError::Failed { why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_bus_are_told_apart_by_their_names() {
        for (name, expected) in [
            ("org.freedesktop.DBus.Error.ServiceUnknown", KeyringError::Absent),
            ("org.freedesktop.DBus.Error.Spawn.ChildExited", KeyringError::Absent),
            ("org.freedesktop.DBus.Error.AccessDenied", KeyringError::Denied),
            ("org.freedesktop.DBus.Error.NoReply", KeyringError::Silent),
            ("org.freedesktop.Secret.Error.IsLocked", KeyringError::Locked),
            ("org.example.Other", failed("org.example.Other")),
        ] {
            assert_eq!(of_name(name), expected, "{name}");
        }
    }

    #[test]
    fn errors_that_hold_a_secret_say_nothing_of_it() {
        let cause = || Box::new(io::Error::other("canary"));
        for error in [
            keyring_core::Error::BadEncoding(b"canary".to_vec()),
            keyring_core::Error::BadDataFormat(b"canary".to_vec(), cause()),
            keyring_core::Error::PlatformFailure(cause()),
            keyring_core::Error::Invalid("canary".to_owned(), "canary".to_owned()),
        ] {
            let told = of_store(error);
            assert!(!format!("{told} {told:?}").contains("canary"), "{told:?}");
            assert!(matches!(told, KeyringError::Failed { .. }));
        }
    }

    #[test]
    fn endings_of_a_connection_are_told_apart() {
        let of = |kind: io::ErrorKind| of_bus(&zbus::Error::from(io::Error::from(kind)));
        assert_eq!(of(io::ErrorKind::NotFound), KeyringError::Absent);
        assert_eq!(of(io::ErrorKind::ConnectionRefused), KeyringError::Absent);
        assert_eq!(of(io::ErrorKind::PermissionDenied), KeyringError::Denied);
        assert_eq!(of(io::ErrorKind::BrokenPipe), KeyringError::Silent);
    }
}
