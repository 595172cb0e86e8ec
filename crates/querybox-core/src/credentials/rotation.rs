//! Rotation: every sealed secret is sealed anew under the source's first key, and seen to open.
//!
//! Each secret is done by itself, in a transaction that changes nothing when somebody set or removed the secret meanwhile.
//! So it can end anywhere, by a kill too, and the next rotation goes on with the rest; what is done is not done again. A
//! program that still seals under the old key only makes work for the next rotation: a key in use cannot be retired.

use std::{collections::VecDeque, sync::Arc};

use futures::{Stream, stream};
use querybox_store::{Connection, Credential, CredentialKey, Error as StoreError, Kept, KeyId};
use querybox_vault::{OpenError, TextKey, sealed_key_id};
use tokio_util::sync::CancellationToken;

use super::{
    KeyError,
    vault::{WatchedKeyset, open, seal, store_id},
};
use crate::{
    Core, ShuttingDown,
    clock::Clock,
    core::StoreLease,
    texts::{open_text_key, seal_text_key},
};

/// Secrets that are read at once. Each is sealed and written by itself.
const BATCH: u32 = 32;

/// How often what others sealed meanwhile is looked for. A program that goes on sealing under the old key is not waited for.
const PASSES_MAX: u32 = 3;

/// What a rotation tells.
#[derive(Debug)]
pub enum RotationStep {
    /// Secrets are sealed anew.
    Sealed { done: u64, total: u64 },
    /// Secrets are seen to open.
    Verified { done: u64, total: u64 },
    /// All is done that can be. Last, and once.
    Ended(RotationReport),
}

/// How a rotation ended.
#[derive(Debug)]
pub struct RotationReport {
    /// The key that every secret is sealed under now, but those that failed.
    pub key: KeyId,
    /// Secrets that this rotation sealed anew.
    pub sealed: u64,
    /// Secrets that were seen to open under the key.
    pub verified: u64,
    /// Secrets that do not open, which are as they were. When there is one, no key becomes free to be retired.
    pub failures: Vec<RotationFailure>,
    /// Why the key of texts does not open. It is as it was, and no key becomes free to be retired. `None`: it opens, or there
    /// is none.
    pub text_key_failure: Option<OpenError>,
}

/// A secret that does not open.
#[derive(Debug)]
pub struct RotationFailure {
    pub connection: Connection,
    pub credential: Credential,
    pub error: OpenError,
}

impl Core {
    /// Makes the source's first key the primary one, seals every secret anew under it, and sees that each opens. Dropping
    /// the stream ends the rotation after the secret at hand.
    ///
    /// # Errors
    ///
    /// That the keys are not those of the store, before anything is written. The stream has failures of the store.
    pub async fn rotate_keys(
        &self,
    ) -> Result<impl Stream<Item = Result<RotationStep, KeyError>> + Send + use<>, KeyError> {
        let store = self.store()?;
        let keyset = self.vault.read_again(&store).await?;
        let key = store_id(keyset.primary());
        store.promote_key(key).await?;
        let total = store
            .keys()
            .await?
            .iter()
            .filter(|other| other.record.id != key)
            .map(|other| other.credentials)
            .sum();
        let rotation = Rotation {
            store,
            keyset,
            key,
            clock: self.clock.clone(),
            closing: self.closing.clone(),
            phase: Phase::Seal { pass: 1, after: None },
            total,
            sealed: 0,
            verified: 0,
            failures: Vec::new(),
            text_key_failure: None,
        };
        Ok(stream::try_unfold(rotation, Rotation::next))
    }
}

struct Rotation {
    store: StoreLease,
    keyset: Arc<WatchedKeyset>,
    /// The keyset's primary.
    key: KeyId,
    clock: Clock,
    closing: CancellationToken,
    phase: Phase,
    total: u64,
    sealed: u64,
    verified: u64,
    failures: Vec<RotationFailure>,
    text_key_failure: Option<OpenError>,
}

enum Phase {
    Seal { pass: u32, after: Option<CredentialKey> },
    Verify { left: VecDeque<Credential>, total: u64 },
    Ended,
}

impl Rotation {
    async fn next(mut self) -> Result<Option<(RotationStep, Self)>, KeyError> {
        if self.closing.is_cancelled() {
            return Err(ShuttingDown.into());
        }
        let step = match std::mem::replace(&mut self.phase, Phase::Ended) {
            Phase::Seal { pass, after } => self.seal_batch(pass, after).await?,
            Phase::Verify { left, total } => self.verify_batch(left, total).await?,
            Phase::Ended => return Ok(None),
        };
        Ok(Some((step, self)))
    }

    /// The key of texts is one more secret. One that does not open keeps the key that it says it is sealed under in use.
    async fn seal_text_key(&mut self) -> Result<(), StoreError> {
        let Some(kept) = self.store.text_key().await? else { return Ok(()) };
        let opened = open_text_key(&self.store, &self.keyset, &kept);
        let secret = match opened.and_then(|secret| match TextKey::from_secret(&secret) {
            Some(_) => Ok(secret),
            None => Err(OpenError::DidNotOpen),
        }) {
            Ok(secret) => secret,
            Err(error) => {
                self.text_key_failure = Some(error);
                return Ok(());
            }
        };
        if kept.key != self.key {
            let new = seal_text_key(&self.store, &self.keyset, kept.id, &secret);
            // False: another rotation has done it.
            if self.store.swap_text_key(kept, new).await? {
                self.sealed += 1;
            }
        }
        Ok(())
    }

    async fn verify_text_key(&mut self) -> Result<(), StoreError> {
        // Made or sealed meanwhile, it is looked at as it is now.
        let Some(kept) = self.store.text_key().await? else { return Ok(()) };
        match open_text_key(&self.store, &self.keyset, &kept) {
            Ok(_) if kept.key == self.key => self.verified += 1,
            // Made under the old key behind all passes: it opens, and the old key stays in use.
            Ok(_) => {}
            Err(error) => self.text_key_failure = Some(error),
        }
        Ok(())
    }

    async fn seal_batch(
        &mut self,
        pass: u32,
        after: Option<CredentialKey>,
    ) -> Result<RotationStep, KeyError> {
        if pass == 1 && after.is_none() {
            self.seal_text_key().await?;
        }
        let batch = self.store.sealed_otherwise(self.key, after.clone(), BATCH).await?;
        let Some(last) = batch.last() else {
            self.phase = match after {
                // Something was done in this pass; others may have sealed behind it.
                Some(_) if pass < PASSES_MAX => Phase::Seal { pass: pass + 1, after: None },
                Some(_) | None => self.verification().await?,
            };
            return Ok(RotationStep::Sealed { done: self.sealed, total: self.total.max(self.sealed) });
        };
        self.phase = Phase::Seal { pass, after: Some(last.key.clone()) };
        for credential in batch {
            self.seal_one(credential).await?;
        }
        Ok(RotationStep::Sealed { done: self.sealed, total: self.total.max(self.sealed) })
    }

    async fn seal_one(&mut self, credential: Credential) -> Result<(), StoreError> {
        let Kept::Sealed { blob, .. } = &credential.kept else { return Ok(()) };
        // One that does not open is met again when all are verified, and told there.
        let Ok(secret) = open(&self.store, &self.keyset, &credential.key, blob) else { return Ok(()) };
        let kept = seal(&self.store, &self.keyset, &credential.key, &secret);
        let Credential { key, kept: expected, .. } = credential;
        if self.store.swap_credential(key, expected, kept, self.clock.now()).await? {
            self.sealed += 1;
        }
        Ok(())
    }

    async fn verification(&self) -> Result<Phase, StoreError> {
        let mut left: VecDeque<Credential> = self.store.credentials(None).await?.into();
        left.retain(|credential| credential.kept.entry().is_none());
        Ok(Phase::Verify { total: left.len() as u64, left })
    }

    async fn fail(&mut self, credential: Credential, error: OpenError) -> Result<(), StoreError> {
        match self.store.connection(credential.key.connection).await {
            Ok(connection) => self.failures.push(RotationFailure { connection, credential, error }),
            // It is gone, and its secret with it.
            Err(StoreError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn verify_batch(
        &mut self,
        mut left: VecDeque<Credential>,
        total: u64,
    ) -> Result<RotationStep, KeyError> {
        let rest = left.split_off(left.len().min(BATCH as usize));
        for credential in std::mem::replace(&mut left, rest) {
            let Kept::Sealed { key, blob } = &credential.kept else { continue };
            match open(&self.store, &self.keyset, &credential.key, blob) {
                // The key that opened it is the one that the blob names, whatever the store says beside it: what the store
                // says is counted when a key is to be retired, so that the two are brought together.
                Ok(_) if sealed_key_id(blob).map(store_id) != Some(*key) => {
                    let name = credential.key.clone();
                    self.seal_one(credential).await?;
                    left.extend(self.store.credential(&name).await?.filter(|one| one.kept.entry().is_none()));
                }
                Ok(_) if *key == self.key => self.verified += 1,
                // Sealed under the old key behind all passes: it opens, and the old key stays in use.
                Ok(_) => {}
                Err(error) => self.fail(credential, error).await?,
            }
        }
        if !left.is_empty() {
            let done = total - left.len() as u64;
            self.phase = Phase::Verify { left, total };
            return Ok(RotationStep::Verified { done, total });
        }
        self.verify_text_key().await?;
        if self.failures.is_empty() && self.text_key_failure.is_none() {
            self.store.mark_emptied_keys(self.clock.now()).await?;
        }
        Ok(RotationStep::Ended(RotationReport {
            key: self.key,
            sealed: self.sealed,
            verified: self.verified,
            failures: std::mem::take(&mut self.failures),
            text_key_failure: self.text_key_failure.take(),
        }))
    }
}
