//! The keyring of the operating system as Core uses it: off the runtime's threads.

use std::sync::Arc;

use querybox_store::{Connection, CredentialKey};
use querybox_vault::{KeyringEntry, KeyringError, OsKeyring, Secret};

/// Answers within five seconds, whatever the keyring does.
#[derive(Clone)]
pub(crate) struct Keyring(Arc<OsKeyring>);

impl Keyring {
    pub(crate) fn new(keyring: OsKeyring) -> Self {
        Self(Arc::new(keyring))
    }

    /// Whether it can be used.
    pub(crate) async fn probe(&self) -> Result<(), KeyringError> {
        self.call(OsKeyring::probe).await
    }

    /// Keeps a secret and reads it back: what is not there afterwards was not kept.
    pub(super) async fn keep(
        &self,
        key: &CredentialKey,
        connection: &Connection,
        secret: Secret,
    ) -> Result<(), KeyringError> {
        let entry = Entry::of(key, Some(connection));
        self.call(move |keyring| {
            keyring.set(&entry.lend(), &secret)?;
            match keyring.get(&entry.lend())? {
                Some(kept) if kept.is_same(&secret) => Ok(()),
                Some(_) | None => {
                    Err(KeyringError::Failed { why: "it did not keep what it was given".to_owned() })
                }
            }
        })
        .await
    }

    pub(super) async fn get(&self, key: &CredentialKey) -> Result<Option<Secret>, KeyringError> {
        let entry = Entry::of(key, None);
        self.call(move |keyring| keyring.get(&entry.lend())).await
    }

    pub(super) async fn delete(&self, key: &CredentialKey) -> Result<(), KeyringError> {
        let entry = Entry::of(key, None);
        self.call(move |keyring| keyring.delete(&entry.lend()).map(drop)).await
    }

    async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&OsKeyring) -> Result<T, KeyringError> + Send + 'static,
    ) -> Result<T, KeyringError> {
        let keyring = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || work(&keyring)).await;
        done.unwrap_or_else(|_| Err(KeyringError::Failed { why: "a mistake of ours".to_owned() }))
    }
}

/// The words of an entry.
struct Entry {
    connection: String,
    owner: String,
    field: String,
    label: String,
}

impl Entry {
    fn of(key: &CredentialKey, connection: Option<&Connection>) -> Self {
        let label =
            connection.map(|connection| format!("QueryBox: {}, {}", connection.settings.name, key.field));
        Self {
            connection: key.connection.to_string(),
            owner: key.owner.to_string(),
            field: key.field.clone(),
            label: label.unwrap_or_default(),
        }
    }

    fn lend(&self) -> KeyringEntry<'_> {
        let Self { connection, owner, field, label } = self;
        KeyringEntry { connection, owner, field, label }
    }
}
