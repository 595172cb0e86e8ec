//! Forgetting texts that nobody can open: their master key is lost, and would have to be kept registered for ever.

use std::sync::Arc;

use querybox_store::{
    DraftWrite, Error as StoreError, ForgottenTexts, Key, KeyId, SealedRun, SealedTextKey, Written,
};
use querybox_vault::{OpenError, TextKey, sealed_key_id};

use super::{Keeper, TextKeeping, TextPlace, open_text_key};
use crate::{
    Core, KeyError, VaultError,
    core::StoreLease,
    credentials::{derive_key_id, is_record_of},
    drafts, history,
};

/// Texts that are looked at together. Each is 64 KiB at most.
const BATCH: u32 = 32;

/// What those who look for the key of texts come to know.
enum Found {
    /// It opens.
    Opens(Arc<TextKey>),
    /// The source was asked, and does not give its master key; or it gives it, and the key of texts is damaged.
    Lost,
}

impl Core {
    /// Forgets drafts, and texts of the history, that cannot be opened. When the key of texts itself does not open, these are all,
    /// and the key goes too; but only when the source of master keys was asked, answered, and does not give its master key. Runs
    /// stay in the history, without their texts.
    ///
    /// # Errors
    ///
    /// [`VaultError::NoSource`], [`VaultError::Source`], and [`VaultError::Keys`] when the master key is there and cannot be used:
    /// nobody knows then that anything is lost, and nothing is forgotten.
    pub async fn forget_texts(&self) -> Result<ForgottenTexts, KeyError> {
        let store = self.store()?;
        let mut forgotten = ForgottenTexts::default();
        loop {
            let kept = store.text_key().await?;
            if let Some(kept) = &kept
                && let Found::Opens(key) = self.find_text_key(&store, kept).await?
            {
                let store_id = store.id().to_string();
                let keeper = Keeper { how: TextKeeping::Sealed, key: Some((kept.id, key)), store: store_id };
                if forget_single(&store, &keeper, kept, &mut forgotten).await? {
                    return Ok(forgotten);
                }
                continue;
            }
            // `None`: it was made, replaced or sealed anew at this very moment.
            if let Some(ForgottenTexts { drafts, runs }) = store.forget_text_key(kept).await? {
                self.texts.look_again();
                forgotten.drafts += drafts;
                forgotten.runs += runs;
                return Ok(forgotten);
            }
        }
    }

    /// Looks for the key of texts where it may be: at hand, else with what the source gives now. That there was none a moment ago
    /// counts for nothing here.
    async fn find_text_key(&self, store: &StoreLease, kept: &SealedTextKey) -> Result<Found, KeyError> {
        if let Some(keyset) = self.vault.at_hand(store).await?
            && let Ok(key) = open_with(open_text_key(store, &keyset, kept))
        {
            return Ok(Found::Opens(key));
        }
        let source = self.vault.source_keys().await?;
        let keys = store.keys().await?;
        // The blob has its own word for it; should the two differ, either is looked for.
        let names = [Some(kept.key), sealed_key_id(&kept.blob).map(derive_key_id)];
        let is_named = |id: KeyId| names.contains(&Some(id));
        let is_given = |key: &Key| source.iter().any(|given| is_record_of(key, given));
        if !keys.iter().any(|key| is_named(key.record.id) && is_given(key)) {
            return Ok(Found::Lost);
        }
        let keyset = self.vault.assemble(source, &keys)?;
        match open_with(open_text_key(store, &keyset, kept)) {
            Ok(key) => Ok(Found::Opens(key)),
            Err(OpenError::UnknownVersion { .. }) => {
                let why = "a newer QueryBox has sealed the key of texts";
                Err(VaultError::Store(StoreError::Storage(why.into())).into())
            }
            Err(OpenError::UnknownKey { .. } | OpenError::DidNotOpen) => Ok(Found::Lost),
        }
    }
}

fn open_with(opened: Result<querybox_vault::Secret, OpenError>) -> Result<Arc<TextKey>, OpenError> {
    let key = TextKey::from_secret(&opened?).ok_or(OpenError::DidNotOpen)?;
    Ok(Arc::new(key))
}

/// Forgets what does not open though the key of texts does. False: that is not the key any more, and what was sealed meanwhile
/// would not open either.
async fn forget_single(
    store: &StoreLease,
    keeper: &Keeper,
    kept: &SealedTextKey,
    forgotten: &mut ForgottenTexts,
) -> Result<bool, StoreError> {
    // Asked after the text was read: a text of another key lies there only after that key.
    let is_still_it =
        async || Ok::<_, StoreError>(store.text_key().await?.is_some_and(|key| key.id == kept.id));
    for key in store.sealed_drafts().await? {
        let Some((row, body)) = store.draft(&key).await? else { continue };
        let (revision, is_sealed) = (row.revision, matches!(body, Written::Sealed(_)));
        if !is_sealed || drafts::open(keeper, &key, row, body).is_some() {
            continue;
        }
        if !is_still_it().await? {
            return Ok(false);
        }
        if store.delete_draft(key, revision).await? == DraftWrite::Done {
            forgotten.drafts += 1;
        }
    }
    let mut after = 0;
    loop {
        let batch = store.sealed_runs(after, BATCH).await?;
        let Some(last) = batch.last() else { return Ok(true) };
        after = last.number;
        let mut lost = Vec::new();
        for SealedRun { owner, id, blob, .. } in batch {
            let name = id.to_string();
            let place = TextPlace { owner: &owner, kind: history::RUN_TEXT, id: &name };
            if keeper.read(place, Written::Sealed(blob)).is_none() {
                lost.push(id);
            }
        }
        if lost.is_empty() {
            continue;
        }
        if !is_still_it().await? {
            return Ok(false);
        }
        forgotten.runs += store.forget_run_texts(lost).await?;
    }
}
