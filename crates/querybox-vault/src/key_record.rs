//! What a store remembers of a master key, so that it knows it again.

use crate::{
    key_id::KeyId,
    master_key::MasterKey,
    primitives::{self, are_equal},
};

/// What a store remembers of a master key: its name, and what tells whether a key is this one.
///
/// Nothing in it is secret: a key has 256 random bits, so that its check value helps nobody to find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// The key's name.
    pub id: KeyId,
    /// Random, so that two stores with the same key do not show it.
    pub salt: [u8; 32],
    /// HKDF-SHA256 of the key with this salt; info "querybox key check v1" and the id.
    pub check: [u8; 32],
}

const INFO: &[u8] = b"querybox key check v1";

impl KeyRecord {
    /// Makes a record of a key under a new name.
    #[must_use]
    pub fn make(key: &MasterKey) -> KeyRecord {
        let id = KeyId::make();
        let mut salt = [0; 32];
        primitives::fill_random(&mut salt);
        KeyRecord { id, salt, check: derive_check(key, id, &salt) }
    }

    /// Whether this record is of that key; in constant time.
    #[must_use]
    pub fn is_of(&self, key: &MasterKey) -> bool {
        are_equal(&derive_check(key, self.id, &self.salt), &self.check)
    }
}

/// The id has a fixed length, so nothing else gives the same info.
fn derive_check(key: &MasterKey, id: KeyId, salt: &[u8; 32]) -> [u8; 32] {
    let mut check = [0; 32];
    primitives::derive(key.expose(), salt, &[INFO, id.as_bytes()], &mut check);
    check
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_knows_its_key_and_no_other() {
        let (key, other) = (MasterKey::make(), MasterKey::make());
        let record = KeyRecord::make(&key);
        assert!(record.is_of(&key));
        assert!(!record.is_of(&other));
        let renamed = KeyRecord { id: KeyRecord::make(&key).id, ..record };
        assert!(!renamed.is_of(&key));
    }

    #[test]
    fn two_records_of_one_key_share_nothing() {
        let key = MasterKey::make();
        let (one, two) = (KeyRecord::make(&key), KeyRecord::make(&key));
        assert_ne!(one.id, two.id);
        assert_ne!(one.salt, two.salt);
        assert_ne!(one.check, two.check);
    }
}
