//! Keeping secrets: set, replaced, forgotten and told of; never shown.
//!
//! Store and vault never meet: here they are introduced. What is stored lies in the keyring of the operating system or,
//! sealed under a master key, in the store; a credential says which, and nothing falls back from one to the other.

mod error;
mod keyring;
mod keys;
mod migration;
mod rotation;
mod source;
mod stored;
mod vault;

use jiff::SignedDuration;
use querybox_launcher::{FieldRole, FormField};
use querybox_store::{Connection, Credential, CredentialKey, Kept, Owner, SecretPlace};
use querybox_vault::{KeyringError, Secret};

pub use error::{CredentialError, KeyError, VaultError};
pub(crate) use keyring::Keyring;
pub use keys::KeyListing;
pub use migration::{Migrated, MigrationOutcome};
pub use rotation::{RotationFailure, RotationReport, RotationStep};
pub use source::{KeySource, KeySourceError, Secrets};
pub(crate) use vault::Vault;

use crate::{
    ConnectionError, ConnectionKey, Core, ParameterError, ParameterProblem, connections::NoPlugin,
    core::StoreLease,
};

/// Longer secrets are none: a private key is a few kilobytes.
const SECRET_BYTES_MAX: usize = 64 << 10;

/// Younger entries of the keyring may be about to become credentials: a call takes five seconds at most.
const LEFTOVER_AGE: SignedDuration = SignedDuration::from_mins(5);

/// The user of a Core that has none: whoever can reach it.
#[must_use]
pub fn local_user() -> Owner {
    "local".parse().expect("a plain word is an owner")
}

/// A place where secrets are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredPlace {
    /// The keyring of the operating system.
    Keyring,
    /// The store, sealed under a master key.
    Vault,
}

impl From<StoredPlace> for SecretPlace {
    fn from(place: StoredPlace) -> Self {
        match place {
            StoredPlace::Keyring => Self::Keyring,
            StoredPlace::Vault => Self::Vault,
        }
    }
}

/// Where a secret lies.
pub(crate) fn kept_place(kept: &Kept) -> StoredPlace {
    match kept {
        Kept::Sealed { .. } => StoredPlace::Vault,
        Kept::Keyring => StoredPlace::Keyring,
    }
}

/// Which places can be used, and why not.
#[derive(Debug)]
pub struct SecretPlaces {
    pub keyring: Result<(), KeyringError>,
    pub vault: Result<(), VaultError>,
    /// Entries of the keyring that belong to nothing any more, and wait for it to be there again.
    pub keyring_entries_left: usize,
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
    /// See [`CredentialError`]. What was stored before still is, but when the keyring fails in the middle.
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
        let connection = self.connection(connection).await?;
        let driver_type = &connection.settings.driver_type;
        let driver = self.plugins.find(driver_type).await;
        let driver = driver.ok_or_else(|| ConnectionError::from(NoPlugin(driver_type.clone())))?;
        let field = secret_field(&driver.info.form, field).map_err(ConnectionError::from)?;
        let place = match (place, connection.settings.secret_place) {
            (Some(place), _) => place,
            (None, SecretPlace::Keyring) => StoredPlace::Keyring,
            (None, SecretPlace::Vault) => StoredPlace::Vault,
            (None, SecretPlace::Ask | SecretPlace::NotNeeded) => self.usual_place(&store).await?,
        };
        let owner = connection.settings.secret_scope.owner(user);
        let key = CredentialKey { connection: connection.id, owner, field };
        let kept = match place {
            StoredPlace::Vault => vault::seal(&store, &*self.vault.keyset(&store).await?, &key, &secret),
            StoredPlace::Keyring => {
                self.keyring.probe().await?;
                store.plan_keyring_entry(key.clone(), self.now()).await?;
                self.keyring.keep(&key, &connection, secret).await?;
                Kept::Keyring
            }
        };
        let set = store.set_credential(key.clone(), connection.revision, kept, self.now()).await;
        if let Err(error @ querybox_store::Error::NoKey(_)) = set {
            // The record of a key that was read before is gone: the store was set back.
            return Err(VaultError::Store(error).into());
        }
        let (connection, set) = set?;
        self.sweep_keyring(&store, &[key]).await?;
        Ok((connection, set))
    }

    /// Forgets the secret of one field of a connection, or of all, for a user.
    ///
    /// # Errors
    ///
    /// [`ConnectionError::NotFound`]; [`CredentialError::Missing`] when there is none of that field.
    pub async fn delete_credential(
        &self,
        connection: &ConnectionKey,
        user: Owner,
        field: Option<String>,
    ) -> Result<Forgotten, CredentialError> {
        let store = self.store()?;
        let id = self.connection(connection).await?.id;
        let (_, stored) = store.connection_with_credentials(id, user).await?;
        let chosen: Vec<CredentialKey> = stored
            .into_iter()
            .map(|credential| credential.key)
            .filter(|key| field.as_ref().is_none_or(|field| key.field == *field))
            .collect();
        if let (true, Some(field)) = (chosen.is_empty(), field) {
            return Err(CredentialError::Missing { field });
        }
        for key in &chosen {
            store.delete_credential(key.clone(), self.now()).await?;
        }
        let keyring_entries_left = self.sweep_keyring(&store, &chosen).await?;
        Ok(Forgotten { fields: chosen.into_iter().map(|key| key.field).collect(), keyring_entries_left })
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

    /// Tells which places for secrets can be used. What waits to be removed from the keyring is removed on the way.
    ///
    /// # Errors
    ///
    /// Only failures of the store.
    pub async fn secret_places(&self) -> Result<SecretPlaces, CredentialError> {
        let store = self.store()?;
        let keyring = self.keyring.probe().await;
        let vault = self.vault.keyset(&store).await.map(drop);
        if keyring.is_ok() {
            self.sweep_keyring(&store, &[]).await?;
        }
        let left = store.keyring_leftovers(jiff::Timestamp::MAX).await?.len();
        Ok(SecretPlaces { keyring, vault, keyring_entries_left: left })
    }

    /// Where a secret is put when nothing says where.
    async fn usual_place(&self, store: &StoreLease) -> Result<StoredPlace, CredentialError> {
        let Err(keyring) = self.keyring.probe().await else { return Ok(StoredPlace::Keyring) };
        match (self.vault.keyset(store).await, keyring) {
            (Ok(_), KeyringError::Absent) => Ok(StoredPlace::Vault),
            (Err(vault), KeyringError::Absent) => {
                Err(CredentialError::NoPlace { keyring: KeyringError::Absent, vault })
            }
            // A keyring that is there and fails is not passed over in silence.
            (_, keyring) => Err(keyring.into()),
        }
    }

    /// Removes entries of the keyring that belong to nothing any more: those named, and old ones. Answers how many of those
    /// named are left.
    pub(crate) async fn sweep_keyring(
        &self,
        store: &StoreLease,
        named: &[CredentialKey],
    ) -> Result<usize, CredentialError> {
        let now = self.now();
        let old = store.keyring_leftovers(now - LEFTOVER_AGE).await?;
        let all = store.keyring_leftovers(jiff::Timestamp::MAX).await?;
        let mut left = all.iter().filter(|key| named.contains(key)).count();
        for key in all.into_iter().filter(|key| named.contains(key) || old.contains(key)) {
            match self.keyring.delete(&key).await {
                Ok(()) => {
                    left -= usize::from(named.contains(&key));
                    store.forget_keyring_leftover(key).await?;
                }
                Err(error) => {
                    tracing::debug!(connection = %key.connection, %error, "an entry of the keyring is left");
                    // Silence costs five seconds each time.
                    if error == KeyringError::Silent {
                        break;
                    }
                }
            }
        }
        Ok(left)
    }

    /// As [`sweep_keyring`](Self::sweep_keyring), of all that was just forgotten with a connection.
    pub(crate) async fn sweep_forgotten(
        &self,
        store: &StoreLease,
        forgotten: &[Credential],
    ) -> Result<usize, CredentialError> {
        let in_keyring: Vec<CredentialKey> = forgotten
            .iter()
            .filter(|credential| credential.kept == Kept::Keyring)
            .map(|credential| credential.key.clone())
            .collect();
        match in_keyring.is_empty() {
            true => Ok(0),
            false => self.sweep_keyring(store, &in_keyring).await,
        }
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
