//! The master keys of a store, under their names.

use crate::{
    key_id::KeyId,
    key_record::KeyRecord,
    master_key::MasterKey,
    master_keys::MasterKeys,
    place::Place,
    sealed::{self, Header, NoHeader, Randomness, Sealed},
    secret::Secret,
};

/// The master keys that a store's secrets are sealed with: one primary, which seals, and others, which only open.
///
/// It holds only keys that the store knows, and every key that the store needs: a wrong key never gets so far as to seal.
#[derive(Debug)]
pub struct Keyset {
    /// The first is the primary.
    held: Vec<Held>,
}

#[derive(Debug)]
struct Held {
    id: KeyId,
    key: MasterKey,
}

/// What a store has to do with a key that it has a record of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUse {
    /// Something is sealed with it: it must be there.
    Needed,
    /// Nothing is sealed with it, or nothing yet: it may be there.
    Free,
    /// Nothing may be sealed with it any more: it may still be in the source, and is not used.
    Retired,
}

impl Keyset {
    /// Puts the keys of a source together with the records of a store.
    ///
    /// # Errors
    ///
    /// A key that the store does not know, or one that is missing. Nothing has been sealed or opened then.
    pub fn assemble(keys: MasterKeys, records: &[(KeyRecord, KeyUse)]) -> Result<Keyset, KeysetError> {
        if records.is_empty() {
            return Err(KeysetError::NothingRegistered);
        }
        let mut held = Vec::new();
        for (position, key) in (1..).zip(keys.into_keys()) {
            // Of several records of one key, which a store never makes, the first that is not retired counts.
            let known = || records.iter().filter(|(record, _)| record.is_of(&key));
            let used = known().find(|(_, key_use)| *key_use != KeyUse::Retired);
            match (used, known().next()) {
                (Some((record, _)), _) => held.push(Held { id: record.id, key }),
                (None, Some((record, _))) if position == 1 => {
                    return Err(KeysetError::PrimaryRetired { id: record.id });
                }
                (None, Some(_)) => {}
                (None, None) => {
                    let known = records.iter().filter(|(_, key_use)| *key_use != KeyUse::Retired);
                    let known = known.map(|(record, _)| record.id).collect();
                    return Err(KeysetError::Unknown { position, known });
                }
            }
        }
        let keyset = Keyset { held };
        let missing: Vec<KeyId> = records
            .iter()
            .filter(|(record, key_use)| *key_use == KeyUse::Needed && keyset.key(record.id).is_none())
            .map(|(record, _)| record.id)
            .collect();
        if !missing.is_empty() {
            return Err(KeysetError::Missing { ids: missing });
        }
        Ok(keyset)
    }

    /// The key that seals.
    #[must_use]
    pub fn primary(&self) -> KeyId {
        self.first().id
    }

    /// All keys, the primary first.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> {
        self.held.iter().map(|held| held.id)
    }

    /// Seals a secret for a place with the primary key. Two seals of one secret have nothing in common.
    #[must_use]
    pub fn seal(&self, place: &Place<'_>, secret: &Secret) -> Sealed {
        let Held { id, key } = self.first();
        sealed::seal(key, *id, place, secret, &Randomness::make())
    }

    /// Opens what was sealed for this place, with whichever key it was.
    ///
    /// # Errors
    ///
    /// It does not open; why is told as far as it helps nobody to guess.
    pub fn open(&self, place: &Place<'_>, blob: &[u8]) -> Result<Secret, OpenError> {
        let header = Header::read(blob).map_err(|why| match why {
            NoHeader::Version(version) => OpenError::UnknownVersion { version },
            NoHeader::NoBlob => OpenError::DidNotOpen,
        })?;
        let id = header.key();
        let key = self.key(id).ok_or(OpenError::UnknownKey { id })?;
        let secret = match header {
            Header::V1 { .. } => sealed::open_v1(key, id, place, blob),
        };
        secret.ok_or(OpenError::DidNotOpen)
    }

    /// Opens a blob and seals what is in it again, with the primary key and in the newest version.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn reseal(&self, place: &Place<'_>, blob: &[u8]) -> Result<Sealed, OpenError> {
        Ok(self.seal(place, &self.open(place, blob)?))
    }

    /// Whether a blob says that it is sealed with the primary key and in the newest version, so that a rotation passes it by.
    #[must_use]
    pub fn is_current(&self, blob: &[u8]) -> bool {
        Header::read(blob).is_ok_and(|header| header.is_newest() && header.key() == self.primary())
    }

    fn first(&self) -> &Held {
        self.held.first().expect("a keyset is assembled around its primary")
    }

    fn key(&self, id: KeyId) -> Option<&MasterKey> {
        self.held.iter().find(|held| held.id == id).map(|held| &held.key)
    }
}

/// Why keys and records do not fit. It names keys by their ids, and never shows one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysetError {
    /// The store has no record of any key.
    #[error("no master key is registered with this store")]
    NothingRegistered,
    /// A key of the source is not one that the store knows: a wrong key, or a new one that was not added.
    #[error("master key {position} of the source is not known to this store, which knows {}", list(known))]
    Unknown {
        /// Which key of the source, counted from one.
        position: usize,
        /// The keys that the store knows and may use.
        known: Vec<KeyId>,
    },
    /// Secrets of the store are sealed with keys that the source does not give.
    #[error("master key {} is needed, and the source does not give it", list(ids))]
    Missing {
        /// The keys.
        ids: Vec<KeyId>,
    },
    /// The first key of the source, which would seal, is retired.
    #[error("the first master key of the source, {id}, is retired")]
    PrimaryRetired {
        /// The key.
        id: KeyId,
    },
}

/// Why a blob does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Its version is not known: a newer QueryBox wrote it.
    #[error("it is sealed in version {version}, which this version of QueryBox does not know")]
    UnknownVersion {
        /// What it says.
        version: u8,
    },
    /// The key that it says it is sealed with is not at hand.
    #[error("it is sealed with master key {id}, which is not at hand")]
    UnknownKey {
        /// What it says.
        id: KeyId,
    },
    /// It is damaged, was changed, or belongs to another place; which of these is not told.
    #[error("it did not open")]
    DidNotOpen,
}

fn list(ids: &[KeyId]) -> String {
    if ids.is_empty() {
        return "none".to_owned();
    }
    ids.iter().map(KeyId::to_string).collect::<Vec<_>>().join(", ")
}
