//! What can be asked of the store about credentials and master keys.

use std::{collections::HashSet, ops::Range};

use jiff::Timestamp;

use crate::{
    Connection, ConnectionId, ConnectionName, ConnectionSettings, Credential, CredentialKey, EntryId, Error,
    Kept, Key, KeyId, KeyRecord, Owner, Registering, SecretPlace, Store, connection, credential, key,
};

/// Credentials. The secrets themselves come and go sealed, or not at all.
impl Store {
    /// A connection, and the credentials that count for a user, shared ones or their own, as they are at one moment: what
    /// was set for one host never meets another one.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub async fn connection_with_credentials(
        &self,
        id: ConnectionId,
        user: Owner,
    ) -> Result<(Connection, Vec<Credential>), Error> {
        self.read(move |db| with_credentials(db, connection::rows::by_id(db, id)?, user)).await
    }

    /// As [`connection_with_credentials`](Self::connection_with_credentials), by name in any case.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub async fn connection_named_with_credentials(
        &self,
        name: &ConnectionName,
        user: Owner,
    ) -> Result<(Connection, Vec<Credential>), Error> {
        let name = name.clone();
        self.read(move |db| with_credentials(db, connection::rows::by_name(db, &name)?, user)).await
    }

    /// The credentials of a connection, or of all, of all owners.
    pub async fn credentials(&self, connection: Option<ConnectionId>) -> Result<Vec<Credential>, Error> {
        self.read(move |db| credential::rows::of(db, connection)).await
    }

    /// One credential. `None`: there is none.
    pub async fn credential(&self, key: &CredentialKey) -> Result<Option<Credential>, Error> {
        let key = key.clone();
        self.read(move |db| credential::rows::one(db, &key)).await
    }

    /// Sets a secret, new or in place of what was `seen`, when the connection is still at `revision`: a secret is meant for
    /// the host that was seen. In the same moment the connection says that its secrets lie there; it is as before, with its
    /// revision, when it says so already.
    ///
    /// An entry of the keyring must have been planned. The one that the credential named before is to be removed.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::NoKey`], [`Error::KeyRetired`]; [`Error::Conflict`] also when the plan for the entry was
    /// given up.
    pub async fn set_credential(
        &self,
        key: CredentialKey,
        revision: u64,
        seen: Option<Kept>,
        kept: Kept,
        now: Timestamp,
    ) -> Result<(Connection, Credential), Error> {
        self.write(move |db| {
            let set = credential::rows::put(db, &key, revision, seen.as_ref(), &kept, now)?;
            let mut connection = connection::rows::by_id(db, key.connection)?;
            let place = SecretPlace::of(&kept);
            if connection.settings.secret_place != place {
                connection.settings.secret_place = place;
                connection =
                    connection::rows::update(db, connection.id, revision, &connection.settings, now)?;
            }
            Ok((connection, set))
        })
        .await
    }

    /// Adds a connection, under the id that the credential names, together with its first credential, whatever place the
    /// settings say.
    ///
    /// # Errors
    ///
    /// [`Error::NameTaken`], and those of [`set_credential`](Self::set_credential).
    pub async fn create_connection_with_credential(
        &self,
        key: CredentialKey,
        settings: ConnectionSettings,
        kept: Kept,
        now: Timestamp,
    ) -> Result<(Connection, Credential), Error> {
        self.write(move |db| {
            let settings = ConnectionSettings { secret_place: SecretPlace::of(&kept), ..settings };
            let connection = connection::rows::insert(db, key.connection, &settings, now)?;
            let set = credential::rows::put(db, &key, connection.revision, None, &kept, now)?;
            Ok((connection, set))
        })
        .await
    }

    /// Puts the same secret in another place, or under another key, when it is still kept as `expected` says. False: it
    /// was set, moved or removed meanwhile, or the plan for its entry of the keyring was given up; nothing was done.
    ///
    /// # Errors
    ///
    /// [`Error::NoKey`], [`Error::KeyRetired`].
    pub async fn swap_credential(
        &self,
        key: CredentialKey,
        expected: Kept,
        kept: Kept,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(move |db| credential::rows::swap(db, &key, &expected, &kept, now)).await
    }

    /// Forgets credentials, all of them or none.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] when one is not kept as it was seen.
    pub async fn delete_credentials(&self, seen: Vec<Credential>) -> Result<(), Error> {
        self.write(move |db| seen.iter().try_for_each(|seen| credential::rows::delete(db, seen))).await
    }

    /// Notes that an owner's credentials for a connection were used, some time after this returns.
    pub fn touch_credentials(&self, connection: ConnectionId, owner: Owner, used: Timestamp) {
        self.note(move |db| credential::rows::touch(db, connection, &owner, used));
    }
}

fn with_credentials(
    db: &rusqlite::Connection,
    connection: Connection,
    user: Owner,
) -> Result<(Connection, Vec<Credential>), Error> {
    let owner = connection.settings.secret_scope.owner(user);
    let credentials = credential::rows::of_owner(db, connection.id, &owner)?;
    Ok((connection, credentials))
}

/// Entries of the operating system's keyring that no credential names. Whoever makes one plans it first; setting a credential
/// settles the plan, and what a credential named before is to be removed. So a program may die anywhere: an entry is named by
/// a credential, or is here.
impl Store {
    /// Makes the name of an entry that is about to be made.
    pub async fn plan_keyring_entry(&self, now: Timestamp) -> Result<EntryId, Error> {
        self.write(move |db| credential::leftovers::plan(db, now)).await
    }

    /// An entry that was planned is not to be used. False: a credential names it.
    pub async fn give_up_keyring_entry(&self, entry: EntryId) -> Result<bool, Error> {
        self.write(move |db| credential::leftovers::give_up(db, entry)).await
    }

    /// How many entries [`claim_keyring_leftovers`](Self::claim_keyring_leftovers) would answer with.
    pub async fn keyring_leftovers(&self, spared: Range<Timestamp>) -> Result<usize, Error> {
        self.read(move |db| credential::leftovers::count_due(db, &spared)).await
    }

    /// Entries to be removed: those that no credential names any more, and those that were planned at a time that is not
    /// `spared`. From now on no credential will ever name one of them.
    pub async fn claim_keyring_leftovers(&self, spared: Range<Timestamp>) -> Result<Vec<EntryId>, Error> {
        self.write(move |db| credential::leftovers::claim(db, &spared)).await
    }

    /// Notes that an entry that was to be removed is gone.
    pub async fn forget_keyring_entry(&self, entry: EntryId) -> Result<(), Error> {
        self.write(move |db| credential::leftovers::remove(db, entry)).await
    }
}

/// Master keys, as far as the store knows them: by their records.
impl Store {
    /// All registered keys, the oldest first.
    pub async fn keys(&self) -> Result<Vec<Key>, Error> {
        self.read(key::rows::all).await
    }

    /// Registers a key: the first one as the primary one, any other decrypt-only.
    ///
    /// # Errors
    ///
    /// [`Error::KeysPresent`], [`Error::KeysUsed`]: see [`Registering`].
    pub async fn register_key(
        &self,
        record: KeyRecord,
        registering: Registering,
        now: Timestamp,
    ) -> Result<Key, Error> {
        self.write(move |db| {
            key::rows::make_room(db, registering)?;
            key::rows::insert(db, &record, now)
        })
        .await
    }

    /// As [`register_key`](Self::register_key), of several keys, when those registered are still the ones that were `seen`:
    /// a record does not show which key it is of. `None`: they are not, and nothing was done.
    ///
    /// # Errors
    ///
    /// As [`register_key`](Self::register_key).
    pub async fn register_keys(
        &self,
        records: Vec<KeyRecord>,
        registering: Registering,
        seen: HashSet<KeyId>,
        now: Timestamp,
    ) -> Result<Option<Vec<Key>>, Error> {
        self.write(move |db| {
            let present: HashSet<KeyId> = key::rows::all(db)?.iter().map(|key| key.record.id).collect();
            if present != seen {
                return Ok(None);
            }
            key::rows::make_room(db, registering)?;
            records
                .iter()
                .map(|record| key::rows::insert(db, record, now))
                .collect::<Result<_, _>>()
                .map(Some)
        })
        .await
    }

    /// Makes a key the primary one, and the present one decrypt-only.
    ///
    /// # Errors
    ///
    /// [`Error::NoKey`], [`Error::KeyRetired`].
    pub async fn promote_key(&self, id: KeyId) -> Result<(), Error> {
        self.write(move |db| key::rows::promote(db, id)).await
    }

    /// At most `limit` credentials that are sealed under another key than `key`, after `after` in the order of their names.
    pub async fn sealed_otherwise(
        &self,
        key: KeyId,
        after: Option<CredentialKey>,
        limit: u32,
    ) -> Result<Vec<Credential>, Error> {
        self.read(move |db| credential::rows::sealed_otherwise(db, key, after.as_ref(), limit)).await
    }

    /// Notes which keys nothing is sealed under, for the caller has seen each credential open under another one.
    pub async fn mark_emptied_keys(&self, now: Timestamp) -> Result<(), Error> {
        self.write(move |db| key::rows::mark_emptied(db, now)).await
    }

    /// Sees to it that nothing is ever sealed under a key again.
    ///
    /// # Errors
    ///
    /// [`Error::NoKey`]; [`Error::KeyInUse`] when it is the primary one, something is sealed under it, or no rotation has
    /// shown that nothing is.
    pub async fn retire_key(&self, id: KeyId, now: Timestamp) -> Result<Key, Error> {
        self.write(move |db| key::rows::retire(db, id, now)).await
    }
}
