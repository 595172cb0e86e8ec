//! The vault as Core uses it: master keys are read when they are first needed, and kept.

use std::{
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
};

use querybox_store::{CredentialKey, Error as StoreError, Kept, Key, KeyState, Store};
use querybox_vault::{
    KeyId as VaultKeyId, KeyRecord as VaultKeyRecord, KeyUse, Keyset, MasterKey, MasterKeys, OpenError,
    Place, Secret,
};

use super::{KeySource, KeySourceError, VaultError};
use crate::happening::{Happening, Observers, VaultOperation, VaultOutcome};

/// Introduces master keys to the store's records of them.
pub(crate) struct Vault(Arc<Inner>);

/// Master keys of which observers are told whatever is done with them to credentials.
pub(crate) struct WatchedKeyset {
    keyset: Keyset,
    observers: Observers,
}

impl Deref for WatchedKeyset {
    type Target = Keyset;

    fn deref(&self) -> &Keyset {
        &self.keyset
    }
}

struct Inner {
    source: KeySource,
    observers: Observers,
    loaded: Mutex<Option<Arc<WatchedKeyset>>>,
    /// Held while the source is asked, so that it is asked once; by threads that may block alone.
    asking: Mutex<()>,
}

impl Vault {
    pub(crate) fn new(source: KeySource, observers: Observers) -> Self {
        Self(Arc::new(Inner { source, observers, loaded: Mutex::new(None), asking: Mutex::new(()) }))
    }

    /// The keys, as they were read first, unless the store needs others by now.
    pub(crate) async fn keyset(&self, store: &Store) -> Result<Arc<WatchedKeyset>, VaultError> {
        let keys = store.keys().await.map_err(VaultError::Store)?;
        match self.0.loaded().filter(|keyset| fits(keyset, &keys)) {
            Some(keyset) => Ok(keyset),
            None => self.load(keys, Reading::UnlessDone).await,
        }
    }

    /// The keys, when they were read before. The source is not asked.
    pub(crate) async fn at_hand(&self, store: &Store) -> Result<Option<Arc<WatchedKeyset>>, StoreError> {
        let Some(keyset) = self.0.loaded() else { return Ok(None) };
        let keys = store.keys().await?;
        Ok(fits(&keyset, &keys).then_some(keyset))
    }

    /// The keys, read again.
    pub(crate) async fn read_again(&self, store: &Store) -> Result<Arc<WatchedKeyset>, VaultError> {
        let keys = store.keys().await.map_err(VaultError::Store)?;
        self.load(keys, Reading::Always).await
    }

    /// The keys as the source gives them, whether the store knows them or not.
    pub(crate) async fn source_keys(&self) -> Result<MasterKeys, VaultError> {
        let inner = Arc::clone(&self.0);
        blocking(move || {
            let _asking = inner.asking.lock().unwrap_or_else(PoisonError::into_inner);
            inner.source.read()?.ok_or(VaultError::NoSource)
        })
        .await
    }

    /// Puts keys that were read together with the store's records.
    pub(crate) fn assemble(
        &self,
        source: MasterKeys,
        keys: &[Key],
    ) -> Result<Arc<WatchedKeyset>, VaultError> {
        self.0.assemble(source, keys)
    }

    async fn load(&self, keys: Vec<Key>, reading: Reading) -> Result<Arc<WatchedKeyset>, VaultError> {
        let inner = Arc::clone(&self.0);
        blocking(move || {
            let _asking = inner.asking.lock().unwrap_or_else(PoisonError::into_inner);
            if let (Reading::UnlessDone, Some(keyset)) = (reading, inner.loaded())
                && fits(&keyset, &keys)
            {
                return Ok(keyset);
            }
            // What comes first matters to people: a missing source is told before missing records.
            let loaded = match inner.source.read() {
                Ok(Some(source)) => inner.assemble(source, &keys),
                Ok(None) => Err(VaultError::NoSource),
                Err(error) => Err(error.into()),
            };
            inner.tell_loaded(&loaded);
            loaded
        })
        .await
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    UnlessDone,
    Always,
}

impl Inner {
    fn assemble(&self, source: MasterKeys, keys: &[Key]) -> Result<Arc<WatchedKeyset>, VaultError> {
        let records: Vec<_> = keys.iter().map(|key| (vault_record(key), key_use(key))).collect();
        let keyset = Keyset::assemble(source, &records)?;
        let keyset = Arc::new(WatchedKeyset { keyset, observers: self.observers.clone() });
        *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&keyset));
        Ok(keyset)
    }

    fn tell_loaded(&self, loaded: &Result<Arc<WatchedKeyset>, VaultError>) {
        let outcome = match loaded {
            Ok(_) => VaultOutcome::Done,
            Err(VaultError::NoSource) => VaultOutcome::NoSource,
            Err(VaultError::Source(_) | VaultError::Keys(_) | VaultError::Store(_)) => {
                VaultOutcome::KeysUnusable
            }
        };
        self.observers.tell(&Happening::VaultUsed(VaultOperation::Load, outcome));
    }

    fn loaded(&self) -> Option<Arc<WatchedKeyset>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Whether keys that were read before are still all that the store needs, and may still seal.
fn fits(keyset: &Keyset, keys: &[Key]) -> bool {
    let holds = |key: &Key| keyset.ids().any(|id| id.as_bytes() == key.record.id.as_bytes());
    let is_primary = |key: &Key| keyset.primary().as_bytes() == key.record.id.as_bytes();
    // The one that seals may have been replaced.
    keys.iter().any(is_primary)
        && keys.iter().all(|key| match key_use(key) {
            KeyUse::Needed => holds(key),
            KeyUse::Free => true,
            KeyUse::Retired => !is_primary(key),
        })
}

fn key_use(key: &Key) -> KeyUse {
    match key.state {
        KeyState::Retired => KeyUse::Retired,
        KeyState::Primary | KeyState::DecryptOnly if key.credentials > 0 => KeyUse::Needed,
        KeyState::Primary | KeyState::DecryptOnly => KeyUse::Free,
    }
}

/// Whether this is the store's record of that key.
pub(crate) fn is_record_of(key: &Key, given: &MasterKey) -> bool {
    vault_record(key).is_of(given)
}

pub(super) fn vault_record(key: &Key) -> VaultKeyRecord {
    let record = &key.record;
    VaultKeyRecord {
        id: VaultKeyId::from_bytes(*record.id.as_bytes()),
        salt: record.salt,
        check: record.check,
    }
}

pub(super) fn store_record(record: &VaultKeyRecord) -> querybox_store::KeyRecord {
    querybox_store::KeyRecord { id: store_id(record.id), salt: record.salt, check: record.check }
}

/// The same id, as the store has it.
pub(crate) fn derive_key_id(id: VaultKeyId) -> querybox_store::KeyId {
    store_id(id)
}

pub(super) fn store_id(id: VaultKeyId) -> querybox_store::KeyId {
    querybox_store::KeyId::from(*id.as_bytes())
}

/// The place of a credential, in the words that a seal is bound to.
pub(super) struct PlaceText {
    store: String,
    connection: String,
}

impl PlaceText {
    pub(super) fn of(store: &Store, key: &CredentialKey) -> Self {
        Self { store: store.id().to_string(), connection: key.connection.to_string() }
    }

    fn place<'a>(&'a self, key: &'a CredentialKey) -> Place<'a> {
        let Self { store, connection } = self;
        Place { store, owner: key.owner.as_str(), connection, field: &key.field }
    }
}

/// Seals a secret for its place.
pub(super) fn seal(store: &Store, keyset: &WatchedKeyset, key: &CredentialKey, secret: &Secret) -> Kept {
    let text = PlaceText::of(store, key);
    let blob = keyset.seal(&text.place(key), secret).into_bytes();
    keyset.observers.tell(&Happening::VaultUsed(VaultOperation::Seal, VaultOutcome::Done));
    Kept::Sealed { key: store_id(keyset.primary()), blob }
}

/// Opens what is sealed for its place.
pub(super) fn open(
    store: &Store,
    keyset: &WatchedKeyset,
    key: &CredentialKey,
    blob: &[u8],
) -> Result<Secret, OpenError> {
    let opened = keyset.open(&PlaceText::of(store, key).place(key), blob);
    let outcome = if opened.is_ok() { VaultOutcome::Done } else { VaultOutcome::DoesNotOpen };
    keyset.observers.tell(&Happening::VaultUsed(VaultOperation::Open, outcome));
    opened
}

/// Keys may be behind a command that takes its time.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, VaultError> + Send + 'static,
) -> Result<T, VaultError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| {
        Err(KeySourceError { message: "reading the master key ended by a mistake of ours".to_owned() }.into())
    })
}
