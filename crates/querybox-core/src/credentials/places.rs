//! Places for secrets: which one a secret goes to, and how it gets there.

use querybox_store::{ConnectionName, CredentialKey, Kept, SecretPlace};
use querybox_vault::{KeyringError, KeysetError, Secret};

use super::{CredentialError, VaultError, vault};
use crate::{Core, core::StoreLease};

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

impl StoredPlace {
    /// Where a secret lies.
    pub(super) fn of(kept: &Kept) -> Self {
        match kept {
            Kept::Sealed { .. } => Self::Vault,
            Kept::Keyring(_) => Self::Keyring,
        }
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

impl Core {
    /// Tells which places for secrets can be used. What waits to be removed from the keyring is removed on the way.
    ///
    /// # Errors
    ///
    /// Only failures of the store.
    pub async fn secret_places(&self) -> Result<SecretPlaces, CredentialError> {
        let store = self.store()?;
        let keyring = self.keyring.probe().await;
        let vault = self.vault.keyset(&store).await.map(drop);
        let keyring_entries_left = match &keyring {
            Ok(()) => self.keyring.sweep(&store, self.now()).await?,
            Err(_) => self.keyring.left(&store, self.now()).await?,
        };
        Ok(SecretPlaces { keyring, vault, keyring_entries_left })
    }

    /// Where a secret goes: where it is asked for, else where the connection says, else the usual place.
    pub(super) async fn place_for_secret(
        &self,
        store: &StoreLease,
        asked: Option<StoredPlace>,
        said: SecretPlace,
    ) -> Result<StoredPlace, CredentialError> {
        match (asked, said) {
            (Some(place), _) => Ok(place),
            (None, SecretPlace::Keyring) => Ok(StoredPlace::Keyring),
            (None, SecretPlace::Vault) => Ok(StoredPlace::Vault),
            (None, SecretPlace::Ask | SecretPlace::NotNeeded) => self.usual_place(store).await,
        }
    }

    /// Where a secret is put when nothing says where.
    async fn usual_place(&self, store: &StoreLease) -> Result<StoredPlace, CredentialError> {
        let Err(keyring) = self.keyring.probe().await else { return Ok(StoredPlace::Keyring) };
        match (self.vault.keyset(store).await, keyring) {
            (Ok(_), KeyringError::Absent) => Ok(StoredPlace::Vault),
            (
                Err(vault @ (VaultError::NoSource | VaultError::Keys(KeysetError::NothingRegistered))),
                KeyringError::Absent,
            ) => Err(CredentialError::NoPlace { keyring: KeyringError::Absent, vault }),
            // A vault that somebody set up is the place, and what is wrong with it is what there is to tell.
            (Err(vault), KeyringError::Absent) => Err(vault.into()),
            // A keyring that is there and fails is not passed over in silence.
            (_, keyring) => Err(keyring.into()),
        }
    }

    /// Puts a secret into a place, before a credential says that it lies there.
    pub(super) async fn keep(
        &self,
        store: &StoreLease,
        place: StoredPlace,
        key: &CredentialKey,
        connection: &ConnectionName,
        secret: Secret,
    ) -> Result<Kept, CredentialError> {
        match place {
            StoredPlace::Vault => Ok(vault::seal(store, &*self.vault.keyset(store).await?, key, &secret)),
            StoredPlace::Keyring => {
                self.keyring.probe().await?;
                let entry = self.keyring.keep(store, key, connection, secret, self.now()).await?;
                Ok(Kept::Keyring(entry))
            }
        }
    }

    /// What becomes of a kept secret with the answer of the store: when no credential says that it lies there it goes, and when
    /// one does, what lay there before, with all that was left over earlier.
    pub(super) async fn settle<T>(
        &self,
        store: &StoreLease,
        kept: &Kept,
        before: Option<&Kept>,
        answer: Result<T, querybox_store::Error>,
    ) -> Result<T, CredentialError> {
        match answer {
            Ok(done) => {
                // What cannot be removed now is remembered, and changes nothing about what was done.
                if (before.and_then(Kept::entry).is_some() || kept.entry().is_some())
                    && let Err(error) = self.keyring.sweep(store, self.now()).await
                {
                    tracing::debug!(%error, "entries of the keyring are left");
                }
                Ok(done)
            }
            Err(error) => {
                if let Some(entry) = kept.entry()
                    && let Err(failed) = self.keyring.give_up(store, entry).await
                {
                    // It is planned still, so that it goes later.
                    tracing::debug!(%entry, error = %failed, "an entry of the keyring is left");
                }
                Err(match error {
                    // The record of a key that was read before is gone: the store was set back, or keys were replaced.
                    querybox_store::Error::NoKey(_) => VaultError::Store(error).into(),
                    error => error.into(),
                })
            }
        }
    }
}
