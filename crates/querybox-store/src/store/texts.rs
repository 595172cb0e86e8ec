//! What can be asked of the store about what people wrote.

use jiff::Timestamp;

use crate::{
    DraftKey, DraftLimits, DraftRow, DraftWrite, Error, NewDraft, Owner, SealedTextKey, Store, Written,
    text::{drafts, key},
};

/// Drafts.
impl Store {
    /// The drafts of an owner, the oldest first, without their bodies.
    pub async fn drafts(&self, owner: Owner) -> Result<Vec<DraftRow>, Error> {
        self.read(move |db| drafts::all(db, &owner)).await
    }

    /// One draft with its body. `None`: there is none.
    pub async fn draft(&self, key: &DraftKey) -> Result<Option<(DraftRow, Written)>, Error> {
        let key = key.clone();
        self.read(move |db| drafts::one(db, &key)).await
    }

    /// Keeps a draft, when its revision is still the one that was `seen`; 0: there was none. `None`: whatever is there.
    ///
    /// # Errors
    ///
    /// Only failures of the store.
    pub async fn put_draft(
        &self,
        key: DraftKey,
        seen: Option<u64>,
        draft: NewDraft,
        limits: DraftLimits,
    ) -> Result<DraftWrite, Error> {
        self.write(move |db| drafts::put(db, &key, seen, &draft, limits)).await
    }

    /// Removes a draft, when its revision is still the one that was `seen`. `None`: whatever it is.
    pub async fn delete_draft(&self, key: DraftKey, seen: Option<u64>) -> Result<DraftWrite, Error> {
        self.write(move |db| drafts::delete(db, &key, seen)).await
    }
}

/// The key of texts.
impl Store {
    /// The key. `None`: there is none yet.
    pub async fn text_key(&self) -> Result<Option<SealedTextKey>, Error> {
        self.read(key::get).await
    }

    /// Keeps a new key, unless there is one, and answers with the one that is kept.
    ///
    /// # Errors
    ///
    /// [`Error::NoKey`], [`Error::KeyRetired`].
    pub async fn make_text_key(&self, key: SealedTextKey, now: Timestamp) -> Result<SealedTextKey, Error> {
        self.write(move |db| key::make(db, key, now)).await
    }

    /// Puts the same key sealed anew in the place of `expected`. False: it is not kept like that any more.
    ///
    /// # Errors
    ///
    /// [`Error::NoKey`], [`Error::KeyRetired`].
    pub async fn swap_text_key(&self, expected: SealedTextKey, key: SealedTextKey) -> Result<bool, Error> {
        self.write(move |db| key::swap(db, &expected, &key)).await
    }
}
