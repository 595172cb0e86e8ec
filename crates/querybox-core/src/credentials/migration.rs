//! Migration: secrets are moved between the keyring and the vault.
//!
//! One by one: the copy is made, read back and compared before the credential says that it lies there, in a transaction
//! that changes nothing when somebody set or removed the secret meanwhile. Only then does the old copy go. So it can end
//! anywhere, and the next migration goes on with the rest.

use std::{collections::VecDeque, sync::Arc};

use futures::{Stream, stream};
use querybox_store::{Connection, Credential, CredentialKey, EntryId, Kept, SecretPlace};
use tokio_util::sync::CancellationToken;

use super::{
    CredentialError, StoredPlace,
    keyring::Keyring,
    vault::{Vault, WatchedKeyset, open, seal},
};
use crate::{
    ConnectionKey, Core, ShuttingDown,
    clock::Clock,
    core::StoreLease,
    events::{FrontEndEvent, KeptId, Watchers},
};

/// What became of one secret that was to be moved.
#[derive(Debug)]
pub struct Migrated {
    pub connection: Connection,
    /// As it is kept now.
    pub credential: Credential,
    pub outcome: MigrationOutcome,
}

/// What became of it.
#[derive(Debug)]
pub enum MigrationOutcome {
    Moved,
    AlreadyThere,
    /// Nothing was done, as was asked.
    WouldMove,
    /// Somebody set or removed it meanwhile; nothing was done.
    Changed,
    /// It is where it was.
    Failed(CredentialError),
}

impl Core {
    /// Moves the secrets of connections, or of all. Dropping the stream ends it after the secret at hand.
    ///
    /// # Errors
    ///
    /// That the place to move to cannot be used, or a connection is not there. The stream has failures of the store.
    pub async fn migrate_credentials(
        &self,
        to: StoredPlace,
        connections: Vec<ConnectionKey>,
        is_dry_run: bool,
    ) -> Result<impl Stream<Item = Result<Migrated, CredentialError>> + Send + use<>, CredentialError> {
        let store = self.store()?;
        match to {
            StoredPlace::Keyring => self.keyring.probe().await?,
            StoredPlace::Vault => {
                self.vault.keyset(&store).await?;
            }
        }
        let mut chosen = Vec::new();
        if connections.is_empty() {
            chosen = store.connections().await?;
        }
        for key in &connections {
            chosen.push(self.connection(key).await?);
        }
        let migration = Migration {
            store,
            vault: Arc::clone(&self.vault),
            keyring: self.keyring.clone(),
            clock: self.clock.clone(),
            closing: self.closing.clone(),
            watchers: Arc::clone(&self.watchers),
            to,
            is_dry_run,
            connections: chosen.into(),
            left: VecDeque::new(),
            at: None,
        };
        Ok(stream::try_unfold(migration, Migration::next))
    }
}

struct Migration {
    store: StoreLease,
    vault: Arc<Vault>,
    keyring: Keyring,
    clock: Clock,
    closing: CancellationToken,
    watchers: Arc<Watchers>,
    to: StoredPlace,
    is_dry_run: bool,
    connections: VecDeque<Connection>,
    /// Of the connection at hand.
    left: VecDeque<Credential>,
    at: Option<At>,
}

/// The connection at hand.
struct At {
    connection: Connection,
    all_moved: bool,
}

impl Migration {
    async fn next(mut self) -> Result<Option<(Migrated, Self)>, CredentialError> {
        loop {
            if self.closing.is_cancelled() {
                return Err(ShuttingDown.into());
            }
            if let (Some(at), Some(credential)) = (&mut self.at, self.left.pop_front()) {
                let connection = at.connection.clone();
                let migrated = self.migrate(connection, credential).await?;
                if let Some(at) = &mut self.at {
                    at.all_moved &=
                        matches!(migrated.outcome, MigrationOutcome::Moved | MigrationOutcome::AlreadyThere);
                }
                return Ok(Some((migrated, self)));
            }
            if let Some(done) = self.at.take() {
                self.settle(done).await?;
            }
            let Some(connection) = self.connections.pop_front() else { return Ok(None) };
            self.left = self.store.credentials(Some(connection.id)).await?.into();
            self.at = Some(At { connection, all_moved: true });
        }
    }

    /// From now on secrets of this connection are put in the new place.
    async fn settle(&self, at: At) -> Result<(), CredentialError> {
        let At { connection, all_moved } = at;
        let mut settings = connection.settings;
        let is_stored = matches!(settings.secret_place, SecretPlace::Keyring | SecretPlace::Vault);
        if self.is_dry_run || !all_moved || !is_stored || settings.secret_place == self.to.into() {
            return Ok(());
        }
        settings.secret_place = self.to.into();
        let updated = self
            .store
            .update_connection(connection.id, connection.revision, settings, self.clock.now())
            .await;
        match updated {
            // Whoever changed or removed it meanwhile knows better.
            Ok(_) => {
                let kept = KeptId::Connection(connection.id);
                self.watchers.tell_all(&FrontEndEvent::KeptChanged { kept, is_removed: false });
                Ok(())
            }
            Err(querybox_store::Error::Conflict(_) | querybox_store::Error::NotFound(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn migrate(
        &self,
        connection: Connection,
        credential: Credential,
    ) -> Result<Migrated, CredentialError> {
        let outcome = if StoredPlace::of(&credential.kept) == self.to {
            MigrationOutcome::AlreadyThere
        } else if self.is_dry_run {
            MigrationOutcome::WouldMove
        } else {
            match self.copy(&connection, &credential).await {
                Ok(true) => MigrationOutcome::Moved,
                Ok(false) => MigrationOutcome::Changed,
                // The store itself fails: so would all others.
                Err(error @ CredentialError::Connection(_)) => return Err(error),
                Err(error) => MigrationOutcome::Failed(error),
            }
        };
        let now = self.store.credential(&credential.key).await?;
        Ok(Migrated { connection, credential: now.unwrap_or(credential), outcome })
    }

    /// Copies, reads back, compares, switches, and removes the old one. False: it was changed meanwhile.
    async fn copy(&self, connection: &Connection, credential: &Credential) -> Result<bool, CredentialError> {
        let Credential { key, kept: old, .. } = credential;
        let keyset = self.vault.keyset(&self.store).await?;
        let new = match old {
            Kept::Sealed { blob, .. } => {
                let secret = open(&self.store, &keyset, key, blob)
                    .map_err(|source| CredentialError::DoesNotOpen { field: key.field.clone(), source })?;
                let name = &connection.settings.name;
                let now = self.clock.now();
                Kept::Keyring(self.keyring.keep(&self.store, key, name, secret, now).await?)
            }
            Kept::Keyring(entry) => match self.sealed_copy(&keyset, key, *entry).await {
                // Whoever set or removed it meanwhile took the entry away.
                Err(CredentialError::Missing { .. }) if !self.is_kept(credential).await? => return Ok(false),
                sealed => sealed?,
            },
        };
        let now = self.clock.now();
        let moved = self.store.swap_credential(key.clone(), old.clone(), new.clone(), now).await?;
        match (moved, old, new) {
            // What cannot be removed now is remembered, and removed later.
            (true, Kept::Keyring(entry), _) => {
                self.keyring.remove(&self.store, &[*entry]).await?;
            }
            (false, _, Kept::Keyring(entry)) => self.keyring.give_up(&self.store, entry).await?,
            (true, Kept::Sealed { .. }, _) | (false, _, Kept::Sealed { .. }) => {}
        }
        Ok(moved)
    }

    /// Whether it is still kept as it was seen.
    async fn is_kept(&self, seen: &Credential) -> Result<bool, CredentialError> {
        let now = self.store.credential(&seen.key).await?;
        Ok(now.is_some_and(|now| now.kept == seen.kept))
    }

    async fn sealed_copy(
        &self,
        keyset: &WatchedKeyset,
        key: &CredentialKey,
        entry: EntryId,
    ) -> Result<Kept, CredentialError> {
        let missing = || CredentialError::Missing { field: key.field.clone() };
        let secret = self.keyring.get(&self.store, entry).await?.ok_or_else(missing)?;
        let kept = seal(&self.store, keyset, key, &secret);
        let Kept::Sealed { blob, .. } = &kept else { return Err(missing()) };
        match open(&self.store, keyset, key, blob) {
            Ok(again) if again.is_same(&secret) => Ok(kept),
            // Cannot be: it was sealed a moment ago. If it is, the old copy stays.
            Ok(_) => Err(missing()),
            Err(source) => Err(CredentialError::DoesNotOpen { field: key.field.clone(), source }),
        }
    }
}
