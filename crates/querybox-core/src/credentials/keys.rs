//! Master keys, by their records.

use std::collections::HashSet;

use querybox_store::{Key, KeyId, KeyRecord};
use querybox_vault::{KeyRecord as VaultKeyRecord, KeysetError};

use super::{
    KeyError, VaultError,
    vault::{store_record, vault_record},
};
use crate::Core;

/// The keys that are registered, and whether the source gives them.
#[derive(Debug)]
pub struct KeyListing {
    /// The oldest first; with each whether the source gives it, as far as the source can be read.
    pub keys: Vec<(Key, Option<bool>)>,
    /// Why the vault cannot be used.
    pub vault: Result<(), VaultError>,
}

/// Master keys. No key comes in or goes out here but through the source that Core was given.
impl Core {
    /// Tells which keys are registered, and whether the source gives them.
    ///
    /// # Errors
    ///
    /// Only failures of the store.
    pub async fn keys(&self) -> Result<KeyListing, KeyError> {
        let store = self.store()?;
        let keys = store.keys().await?;
        let (vault, at_hand) = match self.vault.source_keys().await {
            Err(error) => (Err(error), None),
            Ok(source) => {
                let is_given = |key: &Key| source.iter().any(|given| vault_record(key).is_of(given));
                let at_hand: HashSet<KeyId> =
                    keys.iter().filter(|key| is_given(key)).map(|key| key.record.id).collect();
                (self.vault.assemble(source, &keys).map(drop), Some(at_hand))
            }
        };
        let is_at_hand = |key: &Key| at_hand.as_ref().map(|given| given.contains(&key.record.id));
        let keys = keys.into_iter().map(|key| (key.clone(), is_at_hand(&key))).collect();
        Ok(KeyListing { keys, vault })
    }

    /// Registers a key that the caller made.
    ///
    /// # Errors
    ///
    /// [`KeyError::Initialized`] when it must be the first and is not.
    pub async fn register_key(&self, record: KeyRecord, must_be_first: bool) -> Result<Key, KeyError> {
        Ok(self.store()?.register_key(record, must_be_first, self.now()).await?)
    }

    /// Registers the keys of the source that are not registered yet, and returns them.
    ///
    /// # Errors
    ///
    /// When keys are registered and the source gives none of them, it is the source of another store: a
    /// [`KeysetError::Unknown`]. [`KeyError::Initialized`] when they must be the first and are not.
    pub async fn register_source_keys(&self, must_be_first: bool) -> Result<Vec<Key>, KeyError> {
        let store = self.store()?;
        let known: Vec<VaultKeyRecord> = store.keys().await?.iter().map(vault_record).collect();
        if must_be_first && !known.is_empty() {
            return Err(KeyError::Initialized);
        }
        let source = self.vault.source_keys().await?;
        let is_known = |key| known.iter().any(|record| record.is_of(key));
        if !known.is_empty() && !source.iter().any(is_known) {
            let known = known.iter().map(|record| record.id).collect();
            return Err(VaultError::from(KeysetError::Unknown { position: 1, known }).into());
        }
        let mut registered = Vec::new();
        for key in source.iter().filter(|key| !is_known(key)) {
            let record = store_record(&VaultKeyRecord::make(key));
            let must_be_first = must_be_first && registered.is_empty();
            registered.push(store.register_key(record, must_be_first, self.now()).await?);
        }
        Ok(registered)
    }

    /// Sees to it that nothing is ever sealed under a key again.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotFound`], [`KeyError::InUse`].
    pub async fn retire_key(&self, id: KeyId) -> Result<Key, KeyError> {
        Ok(self.store()?.retire_key(id, self.now()).await?)
    }
}
