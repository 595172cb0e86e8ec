//! A credential: where the secret of one field of a connection lies, and what became of it. Never the secret itself.

use std::{fmt, str::FromStr};

use jiff::Timestamp;

use crate::{ConnectionId, KeyId};

mod entry;
pub(crate) mod leftovers;
pub(crate) mod rows;

pub use entry::EntryId;

/// Longer names of users are none.
const OWNER_CHARS_MAX: usize = 200;

/// Names a credential. It is part of what a sealed secret is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CredentialKey {
    pub connection: ConnectionId,
    pub owner: Owner,
    /// The name of the secret field in the driver's form.
    pub field: String,
}

/// Whose a credential is: at most 200 characters, none a control character. Empty: shared by all who may use the
/// connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Owner(String);

/// A text that cannot be an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an owner has at most {OWNER_CHARS_MAX} characters, none of them a control character")]
pub struct OwnerError;

impl Owner {
    /// All who may use the connection.
    #[must_use]
    pub fn shared() -> Owner {
        Owner::default()
    }

    pub fn is_shared(&self) -> bool {
        self.0.is_empty()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Owner {
    type Err = OwnerError;

    fn from_str(text: &str) -> Result<Owner, OwnerError> {
        match text.chars().count() > OWNER_CHARS_MAX || text.chars().any(char::is_control) {
            true => Err(OwnerError),
            false => Ok(Owner(text.to_owned())),
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A credential as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    pub key: CredentialKey,
    pub kept: Kept,
    /// Times are kept in whole microseconds.
    pub created: Timestamp,
    /// When the secret was set last.
    pub updated: Timestamp,
    /// When it was opened for a session last. Written after the answer: may lag, and may be lost in a power cut.
    pub last_access: Option<Timestamp>,
    /// When it was sealed under another key, or moved to another place, last.
    pub last_rotated: Option<Timestamp>,
}

/// Where a secret lies. No two seals are alike, and no entry of the keyring is used twice, so that comparing two tells
/// whether the secret was set or moved in between.
#[derive(Clone, PartialEq, Eq)]
pub enum Kept {
    /// Here, sealed.
    Sealed {
        /// The master key that opens it.
        key: KeyId,
        blob: Vec<u8>,
    },
    /// In this entry of the operating system's keyring.
    Keyring(EntryId),
}

impl Kept {
    /// The entry of the keyring that it lies in.
    pub fn entry(&self) -> Option<EntryId> {
        match self {
            Kept::Keyring(entry) => Some(*entry),
            Kept::Sealed { .. } => None,
        }
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kept::Sealed { key, blob } => write!(f, "Sealed({} bytes under {key})", blob.len()),
            Kept::Keyring(entry) => write!(f, "Keyring({entry})"),
        }
    }
}
