//! Keeping secrets: set, replaced, forgotten and told of; never shown.
//!
//! Store and vault never meet: here they are introduced. What is stored lies in the keyring of the operating system or,
//! sealed under a master key, in the store; a credential says which, and nothing falls back from one to the other.

mod counted;
mod error;
mod first;
mod keyring;
mod keys;
mod migration;
mod places;
mod port;
mod rotation;
mod source;
mod stored;
mod vault;

use querybox_launcher::{FieldRole, FormField};
use querybox_store::{Connection, Credential, CredentialKey, Owner};
use querybox_vault::Secret;

pub use error::{CredentialError, KeyError, VaultError};
pub use first::NewSecret;
pub(crate) use keyring::Keyring;
pub use keys::KeyListing;
pub use migration::{Migrated, MigrationOutcome};
pub use places::{SecretPlaces, StoredPlace};
pub use port::KeyringPort;
pub use rotation::{RotationFailure, RotationReport, RotationStep};
pub use source::{KeySource, KeySourceError, Secrets};
pub(crate) use vault::{Vault, derive_key_id, is_record_of};

use crate::{
    ConnectionError, ConnectionKey, Core, ParameterError, ParameterProblem, connections::NoPlugin,
    core::StoreLease,
};

/// Longer secrets are none: a private key is a few kilobytes.
const SECRET_BYTES_MAX: usize = 64 << 10;

/// The user of a Core that has none: whoever can reach it.
#[must_use]
pub fn local_user() -> Owner {
    "local".parse().expect("a plain word is an owner")
}

/// What became of secrets that are forgotten.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// The fields whose secrets there were.
    pub fields: Vec<String>,
    /// Entries of the keyring that could not be removed now. They are used no more.
    pub keyring_entries_left: usize,
}

/// Secrets of connections.
impl Core {
    /// Stores a secret, new or in place of another one. `field`: `None` is the form's password. `place`: `None` is where
    /// the connection says; when it says neither, the keyring where there is one, else the vault where there is a master
    /// key. The connection says this place from then on.
    ///
    /// # Errors
    ///
    /// See [`CredentialError`]; [`ConnectionError::Changed`] also when somebody else set, moved or removed the secret
    /// meanwhile. What was stored before still is.
    pub async fn set_credential(
        &self,
        connection: &ConnectionKey,
        user: Owner,
        field: Option<String>,
        secret: Secret,
        place: Option<StoredPlace>,
    ) -> Result<(Connection, Credential), CredentialError> {
        check_secret(&secret)?;
        let store = self.store()?;
        let id = self.connection(connection).await?.id;
        // What is set below is set in place of this, or not at all.
        let (connection, stored) = store.connection_with_credentials(id, user.clone()).await?;
        let driver_type = &connection.settings.driver_type;
        let driver = self.plugins.find(driver_type).await;
        let driver = driver.ok_or_else(|| ConnectionError::from(NoPlugin(driver_type.clone())))?;
        let field = secret_field(&driver.info.form, field).map_err(ConnectionError::from)?;
        let place = self.place_for_secret(&store, place, connection.settings.secret_place).await?;
        let owner = connection.settings.secret_scope.owner(user);
        let before = stored.into_iter().find(|credential| credential.key.field == field);
        let before = before.map(|credential| credential.kept);
        let key = CredentialKey { connection: id, owner, field };
        let kept = self.keep(&store, place, &key, &connection.settings.name, secret).await?;
        let set =
            store.set_credential(key, connection.revision, before.clone(), kept.clone(), self.now()).await;
        let settled = self.settle(&store, &kept, before.as_ref(), set).await?;
        self.tell_connection(id);
        Ok(settled)
    }

    /// Forgets the secret of one field of a connection, or of all, for a user.
    ///
    /// # Errors
    ///
    /// [`ConnectionError::NotFound`]; [`CredentialError::Missing`] when there is none of that field;
    /// [`ConnectionError::Changed`] when somebody else set, moved or removed one meanwhile: then all are kept.
    pub async fn delete_credential(
        &self,
        connection: &ConnectionKey,
        user: Owner,
        field: Option<String>,
    ) -> Result<Forgotten, CredentialError> {
        let store = self.store()?;
        let id = self.connection(connection).await?.id;
        let (_, stored) = store.connection_with_credentials(id, user).await?;
        let chosen: Vec<Credential> = stored
            .into_iter()
            .filter(|credential| field.as_ref().is_none_or(|field| credential.key.field == *field))
            .collect();
        if let (true, Some(field)) = (chosen.is_empty(), field) {
            return Err(CredentialError::Missing { field });
        }
        store.delete_credentials(chosen.clone()).await?;
        self.tell_connection(id);
        let keyring_entries_left = self.remove_forgotten(&store, &chosen).await?;
        Ok(Forgotten {
            fields: chosen.into_iter().map(|credential| credential.key.field).collect(),
            keyring_entries_left,
        })
    }

    /// Tells what is stored for a user: of one connection, or of all.
    ///
    /// # Errors
    ///
    /// [`ConnectionError::NotFound`].
    pub async fn credentials(
        &self,
        connection: Option<&ConnectionKey>,
        user: &Owner,
    ) -> Result<Vec<(Connection, Credential)>, CredentialError> {
        let store = self.store()?;
        let connections = match connection {
            Some(key) => vec![self.connection(key).await?],
            None => store.connections().await?,
        };
        let only = connection.and(connections.first()).map(|connection| connection.id);
        let stored = store.credentials(only).await?;
        let mut told = Vec::new();
        for connection in connections {
            let mine = stored.iter().filter(|credential| {
                let key = &credential.key;
                key.connection == connection.id && (key.owner.is_shared() || key.owner == *user)
            });
            told.extend(mine.map(|credential| (connection.clone(), credential.clone())));
        }
        Ok(told)
    }

    /// Removes the entries of what was just forgotten from the keyring, and answers how many are left.
    pub(crate) async fn remove_forgotten(
        &self,
        store: &StoreLease,
        forgotten: &[Credential],
    ) -> Result<usize, CredentialError> {
        let entries: Vec<_> = forgotten.iter().filter_map(|credential| credential.kept.entry()).collect();
        self.keyring.remove(store, &entries).await
    }
}

fn check_secret(secret: &Secret) -> Result<(), CredentialError> {
    // Only its length is looked at.
    match secret.expose().len() {
        0 => Err(CredentialError::Invalid("is not empty")),
        length if length > SECRET_BYTES_MAX => Err(CredentialError::Invalid("has at most 64 KiB")),
        _ => Ok(()),
    }
}

/// The secret field that is meant.
fn secret_field(form: &[FormField], field: Option<String>) -> Result<String, ParameterError> {
    let Some(name) = field else {
        let password = form.iter().find(|field| field.role == FieldRole::Password && field.secret);
        let found = password.or_else(|| form.iter().find(|field| field.secret));
        return found
            .map(|field| field.name.clone())
            .ok_or_else(|| ParameterError::new("password", ParameterProblem::NotSecret));
    };
    crate::form::check_secrets(form, [name.as_str()])?;
    Ok(name)
}
