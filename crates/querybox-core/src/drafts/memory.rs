//! Drafts where nothing can be sealed: in memory, until Core ends or a key comes.
//!
//! A draft may lie here and in the store: the one of the higher revision counts, for revisions only grow. So nothing is taken
//! out of here before the store has it, and a call that is given up halfway loses nothing. Whoever changes a draft, or brings it
//! from here to the store, looks at both and writes one: that is done in turn.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use querybox_store::{DraftKey, DraftLimits, DraftWrite, Owner};
use tokio::sync::MutexGuard as Turn;

use super::{Draft, DraftHead};

/// The drafts of all owners that are in no store.
#[derive(Default)]
pub(crate) struct MemoryDrafts {
    drafts: Mutex<HashMap<DraftKey, Draft>>,
    /// Held over a look at both places and one write, never while a key is asked for. The store writes one at a time anyway.
    turn: tokio::sync::Mutex<()>,
}

impl MemoryDrafts {
    /// Waits until nobody else changes drafts.
    pub(super) async fn turn(&self) -> Turn<'_, ()> {
        self.turn.lock().await
    }

    pub(super) fn heads(&self, owner: &Owner) -> Vec<DraftHead> {
        let drafts = self.drafts();
        let mine = drafts.iter().filter(|(key, _)| key.owner == *owner);
        mine.map(|(_, draft)| DraftHead::new(draft.id, draft.revision, draft.content.head(), draft.updated))
            .collect()
    }

    /// The names of all.
    pub(super) fn keys(&self) -> Vec<DraftKey> {
        self.drafts().keys().cloned().collect()
    }

    pub(super) fn get(&self, key: &DraftKey) -> Option<Draft> {
        self.drafts().get(key).cloned()
    }

    /// The revision of a draft. `None`: it is not here.
    pub(super) fn revision(&self, key: &DraftKey) -> Option<u64> {
        self.drafts().get(key).map(|draft| draft.revision)
    }

    /// Keeps a draft over what was `seen`. `stored`: the revision of what lies in the store under its name; 0: nothing.
    pub(super) fn put(
        &self,
        key: &DraftKey,
        seen: u64,
        stored: u64,
        draft: Draft,
        limits: DraftLimits,
    ) -> DraftWrite {
        let mut drafts = self.drafts();
        if drafts.get(key).map_or(stored, |draft| draft.revision.max(stored)) != seen {
            return DraftWrite::Changed;
        }
        let others = || drafts.iter().filter(|(other, _)| other.owner == key.owner && other.id != key.id);
        let bytes: u64 = others().map(|(_, draft)| bytes_of(draft)).sum();
        if others().count() as u64 >= limits.drafts_max || bytes + bytes_of(&draft) > limits.bytes_max {
            return DraftWrite::Full;
        }
        drafts.insert(key.clone(), draft);
        DraftWrite::Done
    }

    /// Removes a draft that was `seen`. False: it is another one by now.
    pub(super) fn remove(&self, key: &DraftKey, seen: u64) -> bool {
        let mut drafts = self.drafts();
        let is_it = drafts.get(key).is_some_and(|draft| draft.revision == seen);
        if is_it {
            drafts.remove(key);
        }
        is_it
    }

    /// Removes a draft when what lies in the store under its name is no older.
    pub(super) fn settle(&self, key: &DraftKey, stored: u64) {
        let mut drafts = self.drafts();
        if drafts.get(key).is_some_and(|draft| draft.revision <= stored) {
            drafts.remove(key);
        }
    }

    fn drafts(&self) -> MutexGuard<'_, HashMap<DraftKey, Draft>> {
        // Every change is whole before anything can panic.
        self.drafts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bytes_of(draft: &Draft) -> u64 {
    (draft.content.text.len() + draft.content.state.len()) as u64
}
