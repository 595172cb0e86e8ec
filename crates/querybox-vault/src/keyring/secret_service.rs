//! The Secret Service of Linux desktops (GNOME Keyring, KWallet, KeePassXC), over the session bus.
//!
//! What was connected is kept from call to call, as other programs do it: GNOME Keyring 42 sometimes ends when one client
//! comes just as another one goes, and its user has to unlock it again. A keyring that was started anew is connected anew, as
//! it does not know the sessions of the one before. Secrets are encrypted on the bus. The bus is the one that the process
//! was started with; the libraries look for it by themselves.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use keyring_core::{Entry, api::CredentialStoreApi};
use secret_service::{EncryptionType, blocking::SecretService};
use zbus::{
    blocking::{Connection, fdo::DBusProxy},
    fdo,
    names::{BusName, OwnedUniqueName, WellKnownName},
};
use zbus_secret_service_keyring_store::Store;

use super::{Item, KeyringError, SERVICE};

/// The keyring of this process's session bus, connected when it is first asked for something.
#[derive(Default)]
pub(super) struct System {
    /// Taken out while it is used.
    connected: Mutex<Option<Connected>>,
}

/// Under which name keyrings are on the bus.
const ON_THE_BUS: WellKnownName<'static> =
    WellKnownName::from_static_str_unchecked("org.freedesktop.secrets");

struct Connected {
    bus: DBusProxy<'static>,
    /// Who had the name then. It is never given to another one.
    owner: OwnedUniqueName,
    service: SecretService<'static>,
    /// With a connection of its own. Made when it is first needed.
    store: Option<Arc<Store>>,
}

impl System {
    /// Whether there is a keyring, unlocked. The store would have the user asked to unlock it, and wait.
    pub(super) fn probe(&self) -> Result<(), KeyringError> {
        self.call(|_| Ok(()))
    }

    /// Makes an entry, unless there is one, or nobody waits for it any more.
    pub(super) fn add(
        &self,
        item: &Item,
        label: &str,
        secret: &[u8],
        deadline: Instant,
    ) -> Result<(), KeyringError> {
        self.call(|keyring| {
            let entry = keyring.entry(item, HashMap::from([("label", label)]))?;
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
        })
    }

    pub(super) fn get(&self, item: &Item) -> Result<Option<Vec<u8>>, KeyringError> {
        self.call(|keyring| found(keyring.entry(item, HashMap::new())?.get_secret()))
    }

    pub(super) fn delete(&self, item: &Item) -> Result<bool, KeyringError> {
        self.call(|keyring| {
            found(keyring.entry(item, HashMap::new())?.delete_credential()).map(|found| found.is_some())
        })
    }

    /// Does something with the keyring, when it is unlocked.
    fn call<T>(
        &self,
        work: impl FnOnce(&mut Connected) -> Result<T, KeyringError>,
    ) -> Result<T, KeyringError> {
        let kept = self.lock().take().filter(Connected::is_current);
        let mut keyring = kept.map_or_else(Connected::connect, Ok)?;
        let done = keyring.check_unlocked().and_then(|()| work(&mut keyring));
        // After other errors, a new connection may do better.
        if matches!(done, Ok(_) | Err(KeyringError::Locked)) {
            *self.lock() = Some(keyring);
        }
        done
    }

    /// Nothing is called under this lock.
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Connected>> {
        self.connected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connected {
    fn connect() -> Result<Connected, KeyringError> {
        let connection = Connection::session().map_err(|error| of_bus(&error))?;
        let bus = DBusProxy::new(&connection).map_err(|error| of_bus(&error))?;
        // Nothing secret passes here, so nothing needs encryption.
        let service = SecretService::connect_with_existing(EncryptionType::Plain, connection)
            .map_err(|error| of_service(&error))?;
        let owner = owner(&bus).map_err(|error| of_standard(&error))?;
        Ok(Connected { bus, owner, service, store: None })
    }

    /// Whether the keyring is the one that was connected.
    fn is_current(&self) -> bool {
        owner(&self.bus).is_ok_and(|owner| owner == self.owner)
    }

    fn check_unlocked(&self) -> Result<(), KeyringError> {
        let keyring = self.service.get_default_collection().map_err(|error| of_service(&error))?;
        match keyring.is_locked() {
            Ok(false) => Ok(()),
            Ok(true) => Err(KeyringError::Locked),
            Err(error) => Err(of_service(&error)),
        }
    }

    fn entry(&mut self, item: &Item, modifiers: HashMap<&str, &str>) -> Result<Entry, KeyringError> {
        let store = match &mut self.store {
            Some(store) => store,
            none => none.insert(Store::new().map_err(of_store)?),
        };
        store.build(SERVICE, &item.user, Some(&modifiers)).map_err(of_store)
    }
}

fn owner(bus: &DBusProxy<'_>) -> fdo::Result<OwnedUniqueName> {
    bus.get_name_owner(BusName::WellKnown(ON_THE_BUS))
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
