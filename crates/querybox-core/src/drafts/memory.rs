//! Drafts where nothing can be sealed: in memory, until Core ends.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use querybox_store::{DraftKey, DraftLimits, DraftWrite, Owner};

use super::{Draft, DraftHead};

/// The drafts of all owners that are in no store.
#[derive(Default)]
pub(crate) struct MemoryDrafts(Mutex<HashMap<DraftKey, Draft>>);

impl MemoryDrafts {
    pub(super) fn heads(&self, owner: &Owner) -> Vec<DraftHead> {
        let drafts = self.drafts();
        let mine = drafts.iter().filter(|(key, _)| key.owner == *owner);
        mine.map(|(_, draft)| DraftHead::new(draft.id, draft.revision, draft.content.head(), draft.updated))
            .collect()
    }

    pub(super) fn get(&self, key: &DraftKey) -> Option<Draft> {
        self.drafts().get(key).cloned()
    }

    pub(super) fn has(&self, key: &DraftKey) -> bool {
        self.drafts().contains_key(key)
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
        if drafts.get(key).map_or(stored, |draft| draft.revision) != seen {
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

    /// Takes a draft out, when its revision is the one that was `seen`.
    pub(super) fn take(&self, key: &DraftKey, seen: u64) -> Option<Draft> {
        let mut drafts = self.drafts();
        drafts.get(key).is_some_and(|draft| draft.revision == seen).then(|| drafts.remove(key))?
    }

    /// Puts back what was taken out, unless there is something by now.
    pub(super) fn give_back(&self, key: DraftKey, draft: Draft) {
        self.drafts().entry(key).or_insert(draft);
    }

    fn drafts(&self) -> MutexGuard<'_, HashMap<DraftKey, Draft>> {
        // Every change is whole before anything can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bytes_of(draft: &Draft) -> u64 {
    (draft.content.text.len() + draft.content.state.len()) as u64
}
