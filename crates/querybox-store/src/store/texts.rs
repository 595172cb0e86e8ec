//! What can be asked of the store about what people wrote.

use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    DraftKey, DraftLimits, DraftRow, DraftWrite, Error, ForgottenTexts, NewDraft, Owner, SealedRun,
    SealedTextKey, Store, TextKeyUse, Written,
    history::rows,
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

    /// The revision of a draft. 0: there is none.
    pub async fn draft_revision(&self, key: &DraftKey) -> Result<u64, Error> {
        let key = key.clone();
        self.read(move |db| drafts::revision(db, &key)).await
    }

    /// Keeps a draft, when its revision is still the one that was `seen`; 0: there was none.
    ///
    /// # Errors
    ///
    /// Only failures of the store.
    pub async fn put_draft(
        &self,
        key: DraftKey,
        seen: u64,
        draft: NewDraft,
        limits: DraftLimits,
    ) -> Result<DraftWrite, Error> {
        self.write(move |db| drafts::put(db, &key, seen, &draft, limits)).await
    }

    /// Removes a draft, when its revision is still the one that was `seen`.
    pub async fn delete_draft(&self, key: DraftKey, seen: u64) -> Result<DraftWrite, Error> {
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

    /// The key, and how much is sealed with it.
    pub async fn text_key_use(&self) -> Result<Option<TextKeyUse>, Error> {
        self.read(key::usage).await
    }
}

/// Texts that nobody can open.
impl Store {
    /// Forgets the key of texts and all that is sealed with it, when it is still `expected`, and sealed like that. `None`: what
    /// lies there though there is no key. Answers `None` when another key is there by now, or another seal.
    pub async fn forget_text_key(
        &self,
        expected: Option<SealedTextKey>,
    ) -> Result<Option<ForgottenTexts>, Error> {
        self.write(move |db| {
            if key::get(db)? != expected {
                return Ok(None);
            }
            let forgotten =
                ForgottenTexts { drafts: drafts::delete_sealed(db)?, runs: rows::forget_sealed(db, None)? };
            key::forget(db)?;
            Ok(Some(forgotten))
        })
        .await
    }

    /// The names of all sealed drafts, of all owners.
    pub async fn sealed_drafts(&self) -> Result<Vec<DraftKey>, Error> {
        self.read(drafts::sealed).await
    }

    /// Sealed texts of runs of all owners, at most `limit`, in the order of their numbers from behind `after` on.
    pub async fn sealed_runs(&self, after: i64, limit: u32) -> Result<Vec<SealedRun>, Error> {
        self.read(move |db| rows::sealed(db, after, limit)).await
    }

    /// Forgets the sealed texts of these runs, which stay. Answers how many there were.
    pub async fn forget_run_texts(&self, ids: Vec<Uuid>) -> Result<u64, Error> {
        self.write(move |db| rows::forget_sealed(db, Some(&ids))).await
    }
}
