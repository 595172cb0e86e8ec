//! A connection: what a person set up to reach one database.

use std::{fmt, str::FromStr, time::Duration};

use jiff::Timestamp;
use uuid::{NoContext, Uuid};

use crate::{HistoryLevel, Kept, Owner};

mod names;
pub(crate) mod rows;

pub use names::{ConnectionName, DriverType, DriverTypeError, Folder, FolderError, NameError};

/// A connection as the store keeps it. Only the store makes changes to what lies outside `settings`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    pub id: ConnectionId,
    /// Starts at 1 and grows by one with each update of the settings; an update names the revision it was made from.
    pub revision: u64,
    pub settings: ConnectionSettings,
    /// Times are kept in whole microseconds.
    pub created: Timestamp,
    /// When the settings changed last; equals `created` until then.
    pub updated: Timestamp,
    /// When the connection was used last. Written after the answer: may lag, and may be lost in a power cut.
    pub last_access: Option<Timestamp>,
}

/// What a person sets: everything about a connection except its identity and its times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionSettings {
    pub name: ConnectionName,
    pub driver_type: DriverType,
    /// In the order given. What the names mean, and which are allowed, only the driver's form knows.
    pub parameters: Vec<Parameter>,
    pub folder: Folder,
    pub environment: Environment,
    pub read_only: bool,
    pub deadline: Deadline,
    /// A result stops after so many rows. `None`: no limit.
    pub rows_max: Option<u64>,
    /// A result stops after so many bytes. `None`: no limit.
    pub bytes_max: Option<u64>,
    /// Runs at the start of each session.
    pub startup_sql: Option<String>,
    /// The schema unqualified names are looked up in. `None`: the database decides.
    pub default_schema: Option<String>,
    /// Where secrets are put when they are set. One that is stored already may lie elsewhere until it is moved.
    pub secret_place: SecretPlace,
    pub secret_scope: SecretScope,
    /// How much of its runs the history has, where the operator does not want less.
    pub history: HistoryLevel,
}

/// One field of a driver's connection form that is not a secret, such as `host`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    pub name: String,
    pub value: String,
}

/// The color that warns of what a connection leads to. Colors, not roles: a team decides what red is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    None,
    Green,
    Amber,
    Red,
}

/// How long a query of a connection may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// Whatever the program's default is when the query runs.
    Default,
    None,
    /// Kept exactly up to 292 years, which is also what is kept for anything longer.
    After(Duration),
}

/// Whose the secret of a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretScope {
    /// One for all who may use the connection.
    Shared,
    /// Each user has their own.
    EachUser,
}

impl SecretScope {
    /// Whose credentials count when `user` uses the connection.
    #[must_use]
    pub fn owner(self, user: Owner) -> Owner {
        match self {
            SecretScope::Shared => Owner::shared(),
            SecretScope::EachUser => user,
        }
    }
}

/// Where the secret of a connection lies. The store never holds it in the clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretPlace {
    /// The database asks for none.
    NotNeeded,
    /// Asked for at each connect, kept nowhere.
    Ask,
    /// The keyring of the operating system.
    Keyring,
    /// Sealed under the master key.
    Vault,
}

impl SecretPlace {
    /// The place that a secret lies in.
    pub(crate) fn of(kept: &Kept) -> SecretPlace {
        match kept {
            Kept::Sealed { .. } => SecretPlace::Vault,
            Kept::Keyring(_) => SecretPlace::Keyring,
        }
    }
}

/// The identity of a connection: it stays when the name changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(Uuid);

impl ConnectionId {
    /// Makes a new id (UUIDv7), so that ids sort by the time they were made at. Times before 1970 count as 1970.
    pub fn make(now: Timestamp) -> ConnectionId {
        let seconds = u64::try_from(now.as_second()).unwrap_or(0);
        let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
        ConnectionId(Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanoseconds)))
    }

    pub fn as_uuid(&self) -> &Uuid {
        &self.0
    }
}

impl From<Uuid> for ConnectionId {
    fn from(uuid: Uuid) -> ConnectionId {
        ConnectionId(uuid)
    }
}

impl FromStr for ConnectionId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<ConnectionId, uuid::Error> {
        Uuid::parse_str(text).map(ConnectionId)
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
