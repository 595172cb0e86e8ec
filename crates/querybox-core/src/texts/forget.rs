//! Forgetting texts that nobody can open: their master key is lost, and would have to be kept registered for ever.

use querybox_store::{DraftWrite, Error as StoreError, ForgottenTexts, SealedRun, Written};

use super::{Keeper, Purpose, TextPlace};
use crate::{Core, KeyError, core::StoreLease, drafts, history};

/// Texts that are looked at together. Each is 64 KiB at most.
const BATCH: u32 = 32;

impl Core {
    /// Forgets drafts, and texts of the history, that cannot be opened with the master keys that the source gives now. When the
    /// key of texts itself does not open, these are all, and the key goes too. Runs stay in the history, without their texts.
    ///
    /// # Errors
    ///
    /// Only failures of the store.
    pub async fn forget_texts(&self) -> Result<ForgottenTexts, KeyError> {
        let store = self.store()?;
        loop {
            self.texts.look_again();
            let kept = store.text_key().await?;
            let keeper = self.texts.keeper(&store, Purpose::Read).await?;
            let opened = keeper.key.as_ref().map(|(id, _)| *id);
            match (kept.map(|kept| kept.id), opened) {
                // It opens.
                (Some(kept), Some(opened)) if kept == opened => {
                    return Ok(forget_single(&store, &keeper).await?);
                }
                // It was made or replaced at this very moment.
                (_, Some(_)) => {}
                (kept, None) => {
                    if let Some(forgotten) = store.forget_text_key(kept).await? {
                        return Ok(forgotten);
                    }
                }
            }
        }
    }
}

async fn forget_single(store: &StoreLease, keeper: &Keeper) -> Result<ForgottenTexts, StoreError> {
    let mut forgotten = ForgottenTexts::default();
    for key in store.sealed_drafts().await? {
        let Some((row, body)) = store.draft(&key).await? else { continue };
        let (revision, is_sealed) = (row.revision, matches!(body, Written::Sealed(_)));
        if is_sealed
            && drafts::open(keeper, &key, row, body).is_none()
            && store.delete_draft(key, revision).await? == DraftWrite::Done
        {
            forgotten.drafts += 1;
        }
    }
    let mut after = 0;
    loop {
        let batch = store.sealed_runs(after, BATCH).await?;
        let Some(last) = batch.last() else { return Ok(forgotten) };
        after = last.number;
        let mut lost = Vec::new();
        for SealedRun { owner, id, blob, .. } in batch {
            let name = id.to_string();
            let place = TextPlace { owner: &owner, kind: history::RUN_TEXT, id: &name };
            if keeper.read(place, Written::Sealed(blob)).is_none() {
                lost.push(id);
            }
        }
        if !lost.is_empty() {
            forgotten.runs += store.forget_run_texts(lost).await?;
        }
    }
}
