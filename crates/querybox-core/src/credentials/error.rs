//! Why a secret could not be kept or had.

use querybox_store::{Error as StoreError, KeyId};
use querybox_vault::{KeyringError, KeysetError, OpenError};

use super::KeySourceError;
use crate::{ConnectionError, ShuttingDown};

/// Why a secret could not be kept or had. No variant holds one.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// Nothing is stored, or the keyring lost it.
    #[error("no {field} is stored for this connection")]
    Missing { field: String },
    #[error("the stored {field} of this connection cannot be opened")]
    DoesNotOpen { field: String, source: OpenError },
    #[error("a secret that is to be stored {0}")]
    Invalid(&'static str),
    /// Nothing says where to put it, and nothing is there to put it in.
    #[error("there is no place for a secret: {keyring}, and {vault}")]
    NoPlace { keyring: KeyringError, vault: VaultError },
}

/// Why the vault cannot be used. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("no source of a master key is configured")]
    NoSource,
    #[error(transparent)]
    Source(#[from] KeySourceError),
    #[error(transparent)]
    Keys(#[from] KeysetError),
    #[error("the store of connections does not work")]
    Store(#[source] StoreError),
}

/// Why something could not be done with a master key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Holds the id that was asked for.
    #[error("there is no key {0}")]
    NotFound(String),
    #[error("key {0} is retired")]
    Retired(KeyId),
    #[error("keys are registered already")]
    Initialized,
    /// They were to be replaced.
    #[error("registered keys are in use: {}", used(*credentials, *texts))]
    Used {
        credentials: u64,
        /// Drafts, or texts of the history, are sealed under them. [`Core::forget_texts`](crate::Core::forget_texts) forgets
        /// those that cannot be opened.
        texts: bool,
    },
    /// Also when it is the primary key, or no rotation has shown that nothing is sealed under it.
    #[error("key {id} cannot be retired: {}", in_use(*credentials))]
    InUse { id: KeyId, credentials: u64 },
    #[error(transparent)]
    ShuttingDown(#[from] ShuttingDown),
}

fn in_use(credentials: u64) -> String {
    match credentials {
        0 => "it is the primary key, or no rotation has shown that nothing is sealed under it".to_owned(),
        1 => "a secret is sealed under it".to_owned(),
        many => format!("{many} secrets are sealed under it"),
    }
}

fn used(credentials: u64, texts: bool) -> String {
    const TEXTS: &str = "drafts or statements of the history";
    match (credentials, texts) {
        (0, _) => format!("{TEXTS} are sealed under them; ForgetTexts forgets those that cannot be opened"),
        (1, false) => "a secret is sealed under them".to_owned(),
        (many, false) => format!("{many} secrets are sealed under them"),
        (1, true) => format!("a secret, and {TEXTS}, are sealed under them"),
        (many, true) => format!("{many} secrets, and {TEXTS}, are sealed under them"),
    }
}

impl From<ShuttingDown> for CredentialError {
    fn from(error: ShuttingDown) -> Self {
        ConnectionError::from(error).into()
    }
}

impl From<StoreError> for CredentialError {
    fn from(error: StoreError) -> Self {
        ConnectionError::from(error).into()
    }
}

impl From<StoreError> for KeyError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NoKey(id) => Self::NotFound(id.to_string()),
            StoreError::KeyRetired(id) => Self::Retired(id),
            StoreError::KeysPresent => Self::Initialized,
            StoreError::KeysUsed { credentials, texts } => Self::Used { credentials, texts },
            StoreError::KeyInUse { id, credentials } => Self::InUse { id, credentials },
            StoreError::NotFound(_)
            | StoreError::NameTaken(_)
            | StoreError::Conflict(_)
            | StoreError::Newer { .. }
            | StoreError::ChangedMigration { .. }
            | StoreError::Full
            | StoreError::Busy
            | StoreError::Storage(_) => Self::Vault(VaultError::Store(error)),
        }
    }
}
