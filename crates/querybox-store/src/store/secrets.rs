//! What can be asked of the store about credentials and master keys.

use jiff::Timestamp;

use crate::{
    Connection, ConnectionId, ConnectionName, Credential, CredentialKey, Error, Kept, Key, KeyId, KeyRecord,
    Owner, SecretPlace, Store, connection, credential, key,
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

    /// Sets a secret, new or in place of another one, when the connection is still at `revision`: a secret is meant for
    /// the host that was seen.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Conflict`], [`Error::NoKey`], [`Error::KeyRetired`].
    pub async fn put_credential(
        &self,
        key: CredentialKey,
        revision: u64,
        kept: Kept,
        now: Timestamp,
    ) -> Result<Credential, Error> {
        self.write(move |db| credential::rows::put(db, &key, revision, &kept, now)).await
    }

    /// As [`put_credential`](Self::put_credential), and in the same moment the connection says that its secrets lie there.
    /// The connection is as before, with its revision, when it says so already.
    ///
    /// # Errors
    ///
    /// As [`put_credential`](Self::put_credential).
    pub async fn set_credential(
        &self,
        key: CredentialKey,
        revision: u64,
        kept: Kept,
        now: Timestamp,
    ) -> Result<(Connection, Credential), Error> {
        self.write(move |db| {
            let set = credential::rows::put(db, &key, revision, &kept, now)?;
            let mut connection = connection::rows::by_id(db, key.connection)?;
            let place = match kept {
                Kept::Sealed { .. } => SecretPlace::Vault,
                Kept::Keyring => SecretPlace::Keyring,
            };
            if connection.settings.secret_place != place {
                connection.settings.secret_place = place;
                connection =
                    connection::rows::update(db, connection.id, revision, &connection.settings, now)?;
            }
            Ok((connection, set))
        })
        .await
    }

    /// Puts the same secret in another place, or under another key, when it is still kept as `expected` says. False: it
    /// was set, moved or removed meanwhile, and nothing was done.
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

    /// Forgets a credential. False: there is none.
    pub async fn delete_credential(&self, key: CredentialKey, now: Timestamp) -> Result<bool, Error> {
        self.write(move |db| credential::rows::delete(db, &key, now)).await
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

/// Entries of the operating system's keyring that no credential stands for. Whoever makes an entry plans it first; setting
/// the credential settles the plan, and removing one makes a new one.
impl Store {
    /// Notes that an entry is about to be made. Nothing is noted when a credential stands for it already.
    pub async fn plan_keyring_entry(&self, key: CredentialKey, now: Timestamp) -> Result<(), Error> {
        self.write(move |db| credential::leftovers::plan(db, &key, now)).await
    }

    /// Entries to be removed: those noted before a time, oldest first. Younger ones may be about to become credentials.
    pub async fn keyring_leftovers(&self, before: Timestamp) -> Result<Vec<CredentialKey>, Error> {
        self.read(move |db| credential::leftovers::before(db, before)).await
    }

    /// Notes that an entry is gone.
    pub async fn forget_keyring_leftover(&self, key: CredentialKey) -> Result<(), Error> {
        self.write(move |db| credential::leftovers::remove(db, &key)).await
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
    /// [`Error::KeysPresent`] when it must be the first and is not.
    pub async fn register_key(
        &self,
        record: KeyRecord,
        must_be_first: bool,
        now: Timestamp,
    ) -> Result<Key, Error> {
        self.write(move |db| key::rows::insert(db, &record, must_be_first, now)).await
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
