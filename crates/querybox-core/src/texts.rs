//! How what people write is kept: sealed in the store, else in Core's memory; in the clear only where the operator wants that.

mod forget;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use querybox_store::{Error as StoreError, Owner, SealedTextKey, Store, Written};
use querybox_vault::{Keyset, OpenError, Place, Secret, TextKey};
use tokio::time::Instant;
use tracing::warn;
use uuid::Uuid;

use crate::{
    VaultError,
    clock::Clock,
    credentials::{Vault, derive_key_id},
};

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
    vault: Arc<Vault>,
    clock: Clock,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// The key, beside what it was opened from.
    key: Option<(SealedTextKey, Arc<TextKey>)>,
    /// When there was none.
    missed: Option<Instant>,
}

/// What the key of texts is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To read what is there: none is made.
    Read,
    /// To write: where there is none it is made.
    Write,
    /// To write, when that asks nobody for a master key.
    WriteUnasked,
}

/// What is had of it.
enum Access {
    Key(Uuid, Arc<TextKey>),
    /// There is none, and one can be made.
    Possible,
    None,
}

/// Writes and reads texts at one moment.
pub(crate) struct Keeper {
    pub(crate) how: TextKeeping,
    key: Option<(Uuid, Arc<TextKey>)>,
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
    pub(crate) fn new(storage: TextStorage, vault: Arc<Vault>, clock: Clock) -> Self {
        Self { storage, vault, clock, known: Mutex::default() }
    }

    /// How texts are kept now.
    pub(crate) async fn keeper(&self, store: &Store, purpose: Purpose) -> Result<Keeper, StoreError> {
        let access = self.access(store, purpose).await?;
        let how = match (self.storage, &access) {
            (TextStorage::Plain, _) => TextKeeping::Plain,
            (TextStorage::Sealed, Access::Key(..) | Access::Possible) => TextKeeping::Sealed,
            (TextStorage::Sealed, Access::None) => TextKeeping::Memory,
        };
        let key = match access {
            Access::Key(id, key) => Some((id, key)),
            Access::Possible | Access::None => None,
        };
        Ok(Keeper { how, key, store: store.id().to_string() })
    }

    /// Keys may have come: whoever asks next looks anew.
    pub(crate) fn look_again(&self) {
        self.known().missed = None;
    }

    async fn access(&self, store: &Store, purpose: Purpose) -> Result<Access, StoreError> {
        let kept = store.text_key().await?;
        if kept.is_none() && self.storage == TextStorage::Plain {
            return Ok(Access::None);
        }
        {
            let known = self.known();
            if let (Some(kept), Some((sealed, key))) = (&kept, &known.key)
                && kept == sealed
            {
                return Ok(Access::Key(kept.id, Arc::clone(key)));
            }
            if known.missed.is_some_and(|missed| missed.elapsed() < ASK_AGAIN) {
                return Ok(Access::None);
            }
        }
        let keyset = match purpose {
            Purpose::Read | Purpose::Write => self.vault.keyset(store).await,
            Purpose::WriteUnasked => match self.vault.at_hand(store).await? {
                Some(keyset) => Ok(keyset),
                // Nobody looked, so that nothing is known to be missing.
                None => return Ok(Access::None),
            },
        };
        let opened = match keyset {
            Ok(_) if kept.is_none() && purpose == Purpose::Read => return Ok(Access::Possible),
            Ok(keyset) => self.open(store, &keyset, kept).await?,
            Err(VaultError::Store(error)) => return Err(error),
            Err(VaultError::NoSource | VaultError::Source(_) | VaultError::Keys(_)) => None,
        };
        let mut known = self.known();
        known.missed = opened.is_none().then(Instant::now);
        known.key = opened;
        Ok(match &known.key {
            Some((kept, key)) => Access::Key(kept.id, Arc::clone(key)),
            None => Access::None,
        })
    }

    async fn open(
        &self,
        store: &Store,
        keyset: &Keyset,
        kept: Option<SealedTextKey>,
    ) -> Result<Option<(SealedTextKey, Arc<TextKey>)>, StoreError> {
        let kept = match kept {
            Some(kept) => kept,
            None => {
                let new = seal_text_key(store, keyset, Uuid::now_v7(), &TextKey::make().to_secret());
                match store.make_text_key(new, self.clock.now()).await {
                    Ok(kept) => kept,
                    // The key was retired or replaced at this very moment.
                    Err(StoreError::NoKey(_) | StoreError::KeyRetired(_)) => return Ok(None),
                    Err(error) => return Err(error),
                }
            }
        };
        let opened = open_text_key(store, keyset, &kept).ok();
        let key = opened.as_ref().and_then(TextKey::from_secret);
        if key.is_none() {
            warn!("what was written before cannot be opened: the key of texts does not open");
        }
        Ok(key.map(|key| (kept, Arc::new(key))))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Every change is whole before anything can panic.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Seals the key of texts under the primary master key.
pub(crate) fn seal_text_key(store: &Store, keyset: &Keyset, id: Uuid, key: &Secret) -> SealedTextKey {
    let store_id = store.id().to_string();
    let blob = keyset.seal(&place_of_key(&store_id), key).into_bytes();
    SealedTextKey { id, key: derive_key_id(keyset.primary()), blob }
}

/// Opens the key of texts.
pub(crate) fn open_text_key(
    store: &Store,
    keyset: &Keyset,
    kept: &SealedTextKey,
) -> Result<Secret, OpenError> {
    keyset.open(&place_of_key(&store.id().to_string()), &kept.blob)
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
            (TextKeeping::Sealed, Some((_, key))) => {
                Some(Written::Sealed(key.seal(&self.place(place), &Secret::new(text)).into_bytes()))
            }
            (TextKeeping::Sealed | TextKeeping::Memory, _) => None,
        }
    }

    /// The key of texts that is written with, as the store names it. `None`: nothing is sealed.
    pub(crate) fn sealing_key(&self) -> Option<Uuid> {
        match self.how {
            TextKeeping::Sealed => self.key.as_ref().map(|(id, _)| *id),
            TextKeeping::Memory | TextKeeping::Plain => None,
        }
    }

    /// What was written. `None`: it does not open.
    pub(crate) fn read(&self, place: TextPlace<'_>, written: Written) -> Option<Vec<u8>> {
        match written {
            Written::Plain(text) => Some(text),
            Written::Sealed(blob) => {
                let (_, key) = self.key.as_ref()?;
                let opened = key.open(&self.place(place), &blob).ok()?;
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
