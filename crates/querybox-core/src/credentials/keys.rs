//! Master keys, by their records.

use std::collections::HashSet;

use querybox_store::{Key, KeyId, KeyRecord, KeyState, Registering, TextKeyUse};
use querybox_vault::{KeyRecord as VaultKeyRecord, KeysetError, MasterKeys, TextKey};

use super::{
    KeyError, VaultError,
    vault::{store_id, store_record, vault_record},
};
use crate::{Core, core::StoreLease, texts::open_text_key};

/// The keys that are registered, and whether the source gives them.
#[derive(Debug)]
pub struct KeyListing {
    /// The oldest first; with each whether the source gives it, as far as the source can be read.
    pub keys: Vec<(Key, Option<bool>)>,
    /// Why the vault cannot be used.
    pub vault: Result<(), VaultError>,
    /// The key that texts are sealed with, and whether it opens. `None`: there is none.
    pub text_key: Option<(TextKeyUse, bool)>,
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
        let text_key = store.text_key_use().await?;
        let (vault, at_hand) = match self.vault.source_keys().await {
            Err(error) => (Err(error), None),
            Ok(source) => {
                let is_given = |key: &Key| source.iter().any(|given| vault_record(key).is_of(given));
                let at_hand: HashSet<KeyId> =
                    keys.iter().filter(|key| is_given(key)).map(|key| key.record.id).collect();
                (self.vault.assemble(source, &keys), Some(at_hand))
            }
        };
        let text_key = text_key.map(|usage| {
            let opened =
                vault.as_ref().ok().and_then(|keyset| open_text_key(&store, keyset, &usage.key).ok());
            (usage, opened.as_ref().and_then(TextKey::from_secret).is_some())
        });
        self.keys_may_have_come(&store).await?;
        let is_at_hand = |key: &Key| at_hand.as_ref().map(|given| given.contains(&key.record.id));
        let keys = keys.into_iter().map(|key| (key.clone(), is_at_hand(&key))).collect();
        Ok(KeyListing { keys, vault: vault.map(drop), text_key })
    }

    /// What waits in memory for a key need not wait longer.
    async fn keys_may_have_come(&self, store: &StoreLease) -> Result<(), KeyError> {
        self.texts.look_again();
        Ok(self.sweep_drafts(store).await?)
    }

    /// Registers a key that the caller made.
    ///
    /// # Errors
    ///
    /// [`KeyError::Initialized`], [`KeyError::Used`]: see [`Registering`].
    pub async fn register_key(&self, record: KeyRecord, registering: Registering) -> Result<Key, KeyError> {
        let store = self.store()?;
        let key = store.register_key(record, registering, self.now()).await?;
        self.keys_may_have_come(&store).await?;
        Ok(key)
    }

    /// Registers the keys of the source that are not registered yet, and returns them. Those that are registered and may be
    /// replaced count as not registered.
    ///
    /// # Errors
    ///
    /// When keys are registered beside which it is to be, and the source gives none of them, it is the source of another
    /// store: a [`KeysetError::Unknown`]. [`KeyError::Initialized`], [`KeyError::Used`]: see [`Registering`].
    /// [`KeyError::Retired`] when a key that is to replace others was retired.
    pub async fn register_source_keys(&self, registering: Registering) -> Result<Vec<Key>, KeyError> {
        let store = self.store()?;
        let source = self.vault.source_keys().await?;
        loop {
            let present = store.keys().await?;
            let records = unregistered(&source, &present, registering)?;
            if records.is_empty() {
                return Ok(Vec::new());
            }
            let seen: HashSet<KeyId> = present.iter().map(|key| key.record.id).collect();
            if let Some(registered) = store.register_keys(records, registering, seen, self.now()).await? {
                self.keys_may_have_come(&store).await?;
                return Ok(registered);
            }
            // Somebody else registered keys meanwhile, perhaps these.
        }
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

/// Records of the source's keys that are not registered.
fn unregistered(
    source: &MasterKeys,
    present: &[Key],
    registering: Registering,
) -> Result<Vec<KeyRecord>, KeyError> {
    let stays = |key: &&Key| match registering {
        Registering::Beside | Registering::First => true,
        Registering::ReplacingUnused => key.state == KeyState::Retired,
    };
    let staying: Vec<(VaultKeyRecord, KeyState)> =
        present.iter().filter(stays).map(|key| (vault_record(key), key.state)).collect();
    let known = |key| staying.iter().find(|(record, _)| record.is_of(key));
    match registering {
        Registering::First if !staying.is_empty() => return Err(KeyError::Initialized),
        Registering::Beside if !staying.is_empty() && !source.iter().any(|key| known(key).is_some()) => {
            let known = staying.into_iter().map(|(record, _)| record.id).collect();
            return Err(VaultError::from(KeysetError::Unknown { position: 1, known }).into());
        }
        Registering::ReplacingUnused => {
            if let Some((record, _)) = source.iter().find_map(known) {
                return Err(KeyError::Retired(store_id(record.id)));
            }
        }
        Registering::First | Registering::Beside => {}
    }
    let new = source.iter().filter(|key| known(key).is_none());
    Ok(new.map(|key| store_record(&VaultKeyRecord::make(key))).collect())
}
