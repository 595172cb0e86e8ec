//! How what people write is kept: sealed in the store, else in Core's memory; in the clear only where the operator wants that.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use querybox_store::{Error as StoreError, Owner, SealedTextKey, Store, Written};
use querybox_vault::{Keyset, Place, Secret, TextKey};
use tokio::time::Instant;
use tracing::warn;

use crate::{Core, VaultError, core::StoreLease, credentials::derive_key_id};

/// How the operator wants texts to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextStorage {
    /// Sealed in the store under the master key, or in memory where there is none.
    Sealed,
    /// In the store, where whoever reads its file reads them.
    Plain,
}

/// How texts are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKeeping {
    /// In the store, sealed.
    Sealed,
    /// In Core's memory, until it ends: there is no master key.
    Memory,
    /// In the store, in the clear.
    Plain,
}

/// A source that gives no key is not asked at every key press.
const ASK_AGAIN: Duration = Duration::from_secs(30);

/// The key of texts, as Core has it.
pub(crate) struct Texts {
    storage: TextStorage,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// The key, beside what it was opened from.
    key: Option<(SealedTextKey, Arc<TextKey>)>,
    /// When there was none.
    missed: Option<Instant>,
}

/// Writes and reads texts at one moment.
pub(crate) struct Keeper {
    pub(crate) how: TextKeeping,
    key: Option<Arc<TextKey>>,
    store: String,
}

/// What a text is, in the words that its seal is bound to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextPlace<'a> {
    pub(crate) owner: &'a Owner,
    /// What kind of text.
    pub(crate) kind: &'static str,
    pub(crate) id: &'a str,
}

impl Texts {
    pub(crate) fn new(storage: TextStorage) -> Self {
        Self { storage, known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Every change is whole before anything can panic.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Core {
    /// How texts are kept now.
    pub(crate) async fn text_keeper(&self, store: &StoreLease) -> Result<Keeper, StoreError> {
        let key = self.text_key(store).await?;
        let how = match (self.texts.storage, &key) {
            (TextStorage::Plain, _) => TextKeeping::Plain,
            (TextStorage::Sealed, Some(_)) => TextKeeping::Sealed,
            (TextStorage::Sealed, None) => TextKeeping::Memory,
        };
        Ok(Keeper { how, key, store: store.id().to_string() })
    }

    /// The key of texts, made when there is none and texts are to be sealed. `None`: it cannot be had.
    async fn text_key(&self, store: &StoreLease) -> Result<Option<Arc<TextKey>>, StoreError> {
        let kept = store.text_key().await?;
        if kept.is_none() && self.texts.storage == TextStorage::Plain {
            return Ok(None);
        }
        {
            let known = self.texts.known();
            if let (Some(kept), Some((sealed, key))) = (&kept, &known.key)
                && kept == sealed
            {
                return Ok(Some(Arc::clone(key)));
            }
            if known.missed.is_some_and(|missed| missed.elapsed() < ASK_AGAIN) {
                return Ok(None);
            }
        }
        let opened = match self.vault.keyset(store).await {
            Ok(keyset) => self.open_text_key(store, &keyset, kept).await?,
            Err(VaultError::Store(error)) => return Err(error),
            Err(VaultError::NoSource | VaultError::Source(_) | VaultError::Keys(_)) => None,
        };
        let mut known = self.texts.known();
        known.missed = opened.is_none().then(Instant::now);
        known.key = opened;
        Ok(known.key.as_ref().map(|(_, key)| Arc::clone(key)))
    }

    async fn open_text_key(
        &self,
        store: &Store,
        keyset: &Keyset,
        kept: Option<SealedTextKey>,
    ) -> Result<Option<(SealedTextKey, Arc<TextKey>)>, StoreError> {
        let kept = match kept {
            Some(kept) => kept,
            None => {
                let new = seal_text_key(store, keyset, &TextKey::make().to_secret());
                match store.make_text_key(new, self.now()).await {
                    Ok(kept) => kept,
                    // The key was retired or replaced at this very moment.
                    Err(StoreError::NoKey(_) | StoreError::KeyRetired(_)) => return Ok(None),
                    Err(error) => return Err(error),
                }
            }
        };
        let store_id = store.id().to_string();
        let opened = keyset.open(&place_of_key(&store_id), &kept.blob).ok();
        let key = opened.as_ref().and_then(TextKey::from_secret);
        if key.is_none() {
            warn!("what was written before cannot be opened: the key of texts does not open");
        }
        Ok(key.map(|key| (kept, Arc::new(key))))
    }
}

/// Seals the key of texts under the primary master key.
pub(crate) fn seal_text_key(store: &Store, keyset: &Keyset, key: &Secret) -> SealedTextKey {
    let store_id = store.id().to_string();
    let blob = keyset.seal(&place_of_key(&store_id), key).into_bytes();
    SealedTextKey { key: derive_key_id(keyset.primary()), blob }
}

/// Opens the key of texts. `None`: it does not open.
pub(crate) fn open_text_key(store: &Store, keyset: &Keyset, kept: &SealedTextKey) -> Option<Secret> {
    keyset.open(&place_of_key(&store.id().to_string()), &kept.blob).ok()
}

/// No credential has this place: connections are UUIDs.
fn place_of_key(store: &str) -> Place<'_> {
    Place { store, owner: "", connection: "texts", field: "key" }
}

impl Keeper {
    /// A text as it is to be written to the store. `None`: it is to stay in memory.
    pub(crate) fn write(&self, place: TextPlace<'_>, text: Vec<u8>) -> Option<Written> {
        match (self.how, &self.key) {
            (TextKeeping::Plain, _) => Some(Written::Plain(text)),
            (TextKeeping::Sealed, Some(key)) => {
                Some(Written::Sealed(key.seal(&self.place(place), &Secret::new(text)).into_bytes()))
            }
            (TextKeeping::Sealed | TextKeeping::Memory, _) => None,
        }
    }

    /// What was written. `None`: it does not open.
    pub(crate) fn read(&self, place: TextPlace<'_>, written: Written) -> Option<Vec<u8>> {
        match written {
            Written::Plain(text) => Some(text),
            Written::Sealed(blob) => {
                let opened = self.key.as_ref()?.open(&self.place(place), &blob).ok()?;
                // It goes to who wrote it.
                Some(opened.expose().to_vec())
            }
        }
    }

    fn place<'a>(&'a self, place: TextPlace<'a>) -> Place<'a> {
        let TextPlace { owner, kind, id } = place;
        Place { store: &self.store, owner: owner.as_str(), connection: kind, field: id }
    }
}
