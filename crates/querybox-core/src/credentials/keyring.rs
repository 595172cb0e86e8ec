//! The keyring of the operating system as Core uses it: off the runtime's threads, and hand in hand with the store.
//!
//! Each secret has an entry of its own, under a name that the store made for it. No entry is ever written over, so that
//! nothing in the keyring has to be one with what the store says: a credential names the entry that was made for it, whatever
//! others do meanwhile. Before an entry is made the store has it written down as left over, and again in the moment when no
//! credential names it any more. So a program may die anywhere: what nobody names is removed by the next one that looks.

use std::{ops::Range, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use querybox_store::{ConnectionName, CredentialKey, EntryId, Store};
use querybox_vault::{KeyringEntry, KeyringError, Secret};

use super::{CredentialError, KeyringPort, counted::Counted};
use crate::happening::Observers;

/// Entries that were planned so recently may be about to become a credential's: making and reading one takes ten seconds at
/// most, and the store may be busy for five before and after. They are looked at on both sides of now, for clocks are set.
const MAKING_MAX: SignedDuration = SignedDuration::from_secs(60);

/// Answers within five seconds, whatever the keyring does.
#[derive(Clone)]
pub(crate) struct Keyring(Arc<dyn KeyringPort>);

impl Keyring {
    pub(crate) fn new(keyring: Arc<dyn KeyringPort>, observers: Observers) -> Self {
        Self(Arc::new(Counted { keyring, observers }))
    }

    /// Whether it can be used.
    pub(crate) async fn probe(&self) -> Result<(), KeyringError> {
        self.call(|keyring| keyring.probe()).await
    }

    /// Keeps a secret in a new entry and reads it back: what is not there afterwards was not kept. The entry is left over until
    /// a credential names it.
    pub(super) async fn keep(
        &self,
        store: &Store,
        key: &CredentialKey,
        connection: &ConnectionName,
        secret: Secret,
        now: Timestamp,
    ) -> Result<EntryId, CredentialError> {
        let id = store.plan_keyring_entry(now).await?;
        let (entry, label) = (Entry::of(store, id), label(key, connection));
        let kept = self.call(move |keyring| {
            keyring.add(&entry.lend(), &label, &secret)?;
            match keyring.get(&entry.lend())? {
                Some(kept) if kept.is_same(&secret) => Ok(()),
                Some(_) | None => {
                    Err(KeyringError::Failed { why: "it did not keep what it was given".to_owned() })
                }
            }
        });
        // When it failed it may still come to be, so that it stays planned, and is removed in a while.
        kept.await?;
        Ok(id)
    }

    pub(super) async fn get(&self, store: &Store, id: EntryId) -> Result<Option<Secret>, KeyringError> {
        let entry = Entry::of(store, id);
        self.call(move |keyring| keyring.get(&entry.lend())).await
    }

    /// Removes an entry that was made and came to nothing, as far as that can be done now.
    pub(super) async fn give_up(&self, store: &Store, id: EntryId) -> Result<(), CredentialError> {
        // Whether it came to nothing the store knows best: its answer may have been lost.
        if store.give_up_keyring_entry(id).await? {
            self.remove(store, &[id]).await?;
        }
        Ok(())
    }

    /// Removes entries that no credential names any more, and answers how many are left: they are remembered.
    pub(super) async fn remove(&self, store: &Store, ids: &[EntryId]) -> Result<usize, CredentialError> {
        let mut left = ids.len();
        for &id in ids {
            let entry = Entry::of(store, id);
            match self.call(move |keyring| keyring.delete(&entry.lend())).await {
                Ok(_) => {
                    store.forget_keyring_entry(id).await?;
                    left -= 1;
                }
                Err(error) => {
                    tracing::debug!(entry = %id, %error, "an entry of the keyring is left");
                    // Silence costs five seconds each time.
                    if error == KeyringError::Silent {
                        break;
                    }
                }
            }
        }
        Ok(left)
    }

    /// Removes all that is left over, and answers how many still are.
    pub(super) async fn sweep(&self, store: &Store, now: Timestamp) -> Result<usize, CredentialError> {
        if self.left(store, now).await? == 0 {
            return Ok(0);
        }
        let claimed = store.claim_keyring_leftovers(spared(now)).await?;
        self.remove(store, &claimed).await
    }

    /// How many entries are left over.
    pub(super) async fn left(&self, store: &Store, now: Timestamp) -> Result<usize, CredentialError> {
        Ok(store.keyring_leftovers(spared(now)).await?)
    }

    async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn KeyringPort) -> Result<T, KeyringError> + Send + 'static,
    ) -> Result<T, KeyringError> {
        let keyring = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || work(&*keyring)).await;
        done.unwrap_or_else(|_| Err(KeyringError::Failed { why: "a mistake of ours".to_owned() }))
    }
}

fn spared(now: Timestamp) -> Range<Timestamp> {
    let at = |span| now.saturating_add(span).unwrap_or(now);
    at(-MAKING_MAX)..at(MAKING_MAX)
}

/// What people see in their password manager.
fn label(key: &CredentialKey, connection: &ConnectionName) -> String {
    let CredentialKey { owner, field, .. } = key;
    match owner.is_shared() {
        true => format!("QueryBox: {connection}, {field}"),
        false => format!("QueryBox: {connection}, {field} of {owner}"),
    }
}

/// The words of an entry.
struct Entry {
    store: String,
    id: String,
}

impl Entry {
    fn of(store: &Store, id: EntryId) -> Self {
        Self { store: store.id().to_string(), id: id.to_string() }
    }

    fn lend(&self) -> KeyringEntry<'_> {
        KeyringEntry { store: &self.store, id: &self.id }
    }
}
