//! What a driver says of itself, in a form that cannot be wrong.

mod dialect;
mod form;

use std::collections::BTreeSet;

use querybox_contracts::plugin::v1 as pb;
use querybox_sql::Dialect;

pub use dialect::read_dialect;
pub use form::{FieldKind, FieldOption, FieldRole, FormField};

/// A driver's own words, checked: names are names, fields are unique, defaults fit, and what it needs fits its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriverInfo {
    /// The name that people read.
    pub name: String,
    /// The kind of database in one word.
    pub driver_type: String,
    /// The driver's own version.
    pub version: String,
    /// A sentence or two.
    pub description: String,
    /// SPDX expression. Empty: not said.
    pub license: String,
    /// Name of an icon. Empty: a plain one.
    pub icon_name: String,
    /// What it can do beyond Open and Execute.
    pub capabilities: BTreeSet<Capability>,
    /// The fields of a connection, in order.
    pub form: Vec<FormField>,
    /// Whether it needs a network.
    pub network: NetworkNeed,
    /// Whether it needs a file.
    pub file: FileNeed,
    /// Schemes of its URLs, without "://".
    pub url_schemes: Vec<String>,
    /// How its SQL is read. `None`: the database speaks none.
    pub dialect: Option<Dialect>,
}

/// Something that a driver may be able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// A running statement can be stopped and the session stays usable.
    Cancel,
    /// It tells what the database holds.
    Schema,
    /// Transactions mean something.
    Transactions,
    /// Read-only is enforced by the database.
    ReadOnly,
    /// Values for parameters are taken.
    Bindings,
    /// A process that was never opened can stop what another one left running.
    DetachedCancel,
    /// It tells how objects are made again.
    Ddl,
    /// Statements may ask for data.
    CopyIn,
    /// It tells of notifications.
    Notifications,
    /// It reads a table over several connections.
    ParallelRead,
}

/// Whether a driver reaches a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkNeed {
    /// It opens no socket.
    None,
    /// It reaches what it is told to reach, by these kinds of socket, of which there is at least one.
    Dialed {
        /// TCP.
        tcp: bool,
        /// Unix sockets with a path.
        unix: bool,
    },
}

/// Whether a driver reads or writes a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileNeed {
    /// None.
    None,
    /// That of the one field of role FILE.
    Database,
}

/// What a driver said that cannot be. For people who write drivers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct InfoFault {
    what: String,
}

impl InfoFault {
    fn new(what: impl Into<String>) -> Self {
        Self { what: what.into() }
    }
}

const NAME_CHARACTERS_MAX: usize = 60;
const WORD_BYTES_MAX: usize = 64;
const SENTENCE_CHARACTERS_MAX: usize = 1000;

impl TryFrom<&pb::PluginInfo> for DriverInfo {
    type Error = InfoFault;

    fn try_from(wire: &pb::PluginInfo) -> Result<Self, InfoFault> {
        if wire.name.is_empty() {
            return Err(InfoFault::new("the name is empty"));
        }
        if !is_word(&wire.driver_type, |byte| byte == b'-') {
            return Err(InfoFault::new(format!(
                "the driver type {:?} is not lower case letters, digits and hyphens, first a letter",
                wire.driver_type
            )));
        }
        let form = form::check(&wire.connection_form)?;
        let has_file = form.iter().any(|field| field.role == FieldRole::File);
        let file = match wire.file_need() {
            pb::FileNeed::Unspecified => return Err(InfoFault::new("the file need is not said")),
            pb::FileNeed::None if has_file => {
                return Err(InfoFault::new(
                    "the form has a field of role FILE, but the driver needs no file",
                ));
            }
            pb::FileNeed::None => FileNeed::None,
            pb::FileNeed::Database if has_file => FileNeed::Database,
            pb::FileNeed::Database => {
                return Err(InfoFault::new(
                    "the driver needs the database's file, but the form has no field of role FILE",
                ));
            }
        };
        Ok(Self {
            name: line("name", &wire.name, NAME_CHARACTERS_MAX)?,
            driver_type: wire.driver_type.clone(),
            version: line("version", &wire.version, NAME_CHARACTERS_MAX)?,
            description: line("description", &wire.description, SENTENCE_CHARACTERS_MAX)?,
            license: line("license", &wire.license, SENTENCE_CHARACTERS_MAX)?,
            icon_name: line("icon name", &wire.icon_name, NAME_CHARACTERS_MAX)?,
            capabilities: wire.capabilities().map(capability).collect::<Result<_, _>>()?,
            form,
            network: network(wire)?,
            file,
            url_schemes: wire
                .url_schemes
                .iter()
                .map(|scheme| url_scheme(scheme))
                .collect::<Result<_, _>>()?,
            dialect: wire.dialect.as_ref().map(read_dialect),
        })
    }
}

fn capability(wire: pb::Capability) -> Result<Capability, InfoFault> {
    Ok(match wire {
        pb::Capability::Unspecified => return Err(InfoFault::new("a capability is not said")),
        pb::Capability::Cancel => Capability::Cancel,
        pb::Capability::Schema => Capability::Schema,
        pb::Capability::Transactions => Capability::Transactions,
        pb::Capability::ReadOnly => Capability::ReadOnly,
        pb::Capability::Bindings => Capability::Bindings,
        pb::Capability::DetachedCancel => Capability::DetachedCancel,
        pb::Capability::Ddl => Capability::Ddl,
        pb::Capability::CopyIn => Capability::CopyIn,
        pb::Capability::Notifications => Capability::Notifications,
        pb::Capability::ParallelRead => Capability::ParallelRead,
    })
}

fn network(wire: &pb::PluginInfo) -> Result<NetworkNeed, InfoFault> {
    let sockets = wire.socket_kinds().collect::<Vec<_>>();
    if sockets.contains(&pb::SocketKind::Unspecified) {
        return Err(InfoFault::new("a kind of socket is not said"));
    }
    match (wire.network_need(), sockets.is_empty()) {
        (pb::NetworkNeed::Unspecified, _) => Err(InfoFault::new("the network need is not said")),
        (pb::NetworkNeed::None, true) => Ok(NetworkNeed::None),
        (pb::NetworkNeed::None, false) => {
            Err(InfoFault::new("kinds of socket are said, but no network is needed"))
        }
        (pb::NetworkNeed::Dialed, true) => {
            Err(InfoFault::new("a network is needed, but no kind of socket is said"))
        }
        (pb::NetworkNeed::Dialed, false) => Ok(NetworkNeed::Dialed {
            tcp: sockets.contains(&pb::SocketKind::Tcp),
            unix: sockets.contains(&pb::SocketKind::Unix),
        }),
    }
}

fn url_scheme(scheme: &str) -> Result<String, InfoFault> {
    if is_word(scheme, |byte| matches!(byte, b'+' | b'.' | b'-')) {
        Ok(scheme.to_owned())
    } else {
        Err(InfoFault::new(format!("{scheme:?} is no scheme of URLs")))
    }
}

/// Lower case letters, digits and what `also` allows, first a letter.
fn is_word(text: &str, also: impl Fn(u8) -> bool) -> bool {
    text.len() <= WORD_BYTES_MAX
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || also(byte))
}

/// Text for people, who read it in terminals too.
fn line(what: &str, text: &str, characters_max: usize) -> Result<String, InfoFault> {
    if text.chars().count() > characters_max {
        return Err(InfoFault::new(format!("the {what} is longer than {characters_max} characters")));
    }
    if crate::printable::printable(text.as_bytes()) != text {
        return Err(InfoFault::new(format!("the {what} has control characters in it")));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqlite() -> pb::PluginInfo {
        pb::PluginInfo {
            name: "SQLite".to_owned(),
            driver_type: "sqlite".to_owned(),
            version: "0.1.0".to_owned(),
            contract_version: 1,
            capabilities: vec![pb::Capability::Cancel.into(), pb::Capability::Schema.into()],
            connection_form: vec![pb::FormField {
                name: "file".to_owned(),
                label: "File".to_owned(),
                kind: pb::FormFieldKind::FilePath.into(),
                role: pb::FormFieldRole::File.into(),
                required: true,
                ..pb::FormField::default()
            }],
            network_need: pb::NetworkNeed::None.into(),
            file_need: pb::FileNeed::Database.into(),
            url_schemes: vec!["sqlite".to_owned()],
            ..pb::PluginInfo::default()
        }
    }

    #[track_caller]
    fn check_fault(change: impl FnOnce(&mut pb::PluginInfo), what: &str) {
        let mut wire = sqlite();
        change(&mut wire);
        let fault = DriverInfo::try_from(&wire).unwrap_err().to_string();
        assert!(fault.contains(what), "{fault}");
    }

    #[test]
    fn an_info_that_fits_itself_is_taken() {
        let info = DriverInfo::try_from(&sqlite()).unwrap();
        assert_eq!(info.driver_type, "sqlite");
        assert_eq!((info.network, info.file), (NetworkNeed::None, FileNeed::Database));
        assert_eq!(info.capabilities, [Capability::Cancel, Capability::Schema].into());
    }

    #[test]
    fn names_are_names() {
        check_fault(|wire| wire.name.clear(), "the name is empty");
        check_fault(|wire| wire.name = "x".repeat(61), "the name is longer than 60");
        check_fault(|wire| wire.name = "SQ\u{1b}[2JLite".to_owned(), "control characters");
        for driver_type in ["", "SQLite", "1st", "sq lite", "../sqlite"] {
            check_fault(|wire| wire.driver_type = driver_type.to_owned(), "the driver type");
        }
        check_fault(|wire| wire.url_schemes = vec!["sqlite://".to_owned()], "no scheme");
    }

    #[test]
    fn what_it_needs_is_said_and_fits() {
        check_fault(|wire| wire.network_need = 0, "the network need is not said");
        check_fault(|wire| wire.network_need = pb::NetworkNeed::Dialed.into(), "no kind of socket");
        check_fault(|wire| wire.socket_kinds = vec![pb::SocketKind::Tcp.into()], "no network is needed");
        check_fault(|wire| wire.file_need = 0, "the file need is not said");
        check_fault(|wire| wire.file_need = pb::FileNeed::None.into(), "needs no file");
        check_fault(|wire| wire.connection_form.clear(), "no field of role FILE");
    }
}
