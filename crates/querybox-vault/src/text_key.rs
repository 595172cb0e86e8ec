//! A key for what people wrote, and what a store keeps of it.

use std::fmt;

use zeroize::Zeroizing;

use crate::{
    key_id::{KEY_ID_BYTES, KeyId},
    keyset::OpenError,
    master_key::MasterKey,
    place::Place,
    primitives::KEY_BYTES,
    sealed::{self, Header, NoHeader, Randomness, Sealed},
    secret::Secret,
};

/// A key that a store seals texts with, which are no credentials: drafts, the history's statements.
///
/// It is random, and lies in the store as one more secret, sealed under a master key. So a new master key costs the sealing of
/// one secret, and not of every text that there is. What it seals has the form of [`Sealed`], and is bound to a [`Place`] too.
///
/// ```
/// use querybox_vault::{Place, Secret, TextKey};
///
/// let key = TextKey::make();
/// let place = Place { store: "s1", owner: "me", connection: "draft", field: "d1" };
/// let blob = key.seal(&place, &Secret::from("select 1".to_owned())).into_bytes();
/// let again = TextKey::from_secret(&key.to_secret()).expect("it is a key");
/// assert_eq!(again.open(&place, &blob)?.expose(), b"select 1");
/// # Ok::<(), querybox_vault::OpenError>(())
/// ```
pub struct TextKey {
    id: KeyId,
    key: MasterKey,
}

impl TextKey {
    /// Makes a new key from the system's random source.
    #[must_use]
    pub fn make() -> TextKey {
        TextKey { id: KeyId::make(), key: MasterKey::make() }
    }

    /// The key as a secret, to be sealed under a master key.
    #[must_use]
    pub fn to_secret(&self) -> Secret {
        // In a buffer of its last length, so that nothing of it is left behind by growing.
        let mut bytes = Vec::with_capacity(KEY_ID_BYTES + KEY_BYTES);
        bytes.extend_from_slice(self.id.as_bytes());
        bytes.extend_from_slice(self.key.expose());
        Secret::new(bytes)
    }

    /// The key of such a secret. `None`: it is none.
    #[must_use]
    pub fn from_secret(secret: &Secret) -> Option<TextKey> {
        // The clear bytes are what the key is made of.
        let (id, key) = secret.expose().split_first_chunk::<KEY_ID_BYTES>()?;
        let key = Zeroizing::new(<[u8; KEY_BYTES]>::try_from(key).ok()?);
        Some(TextKey { id: KeyId::from_bytes(*id), key: MasterKey::from_bytes(&key) })
    }

    /// Seals a text for a place. Two seals of one text have nothing in common but their length.
    #[must_use]
    pub fn seal(&self, place: &Place<'_>, text: &Secret) -> Sealed {
        sealed::seal(&self.key, self.id, place, text, &Randomness::make())
    }

    /// Opens what was sealed for this place.
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
        if id != self.id {
            return Err(OpenError::UnknownKey { id });
        }
        match header {
            Header::V1 { .. } => sealed::open_v1(&self.key, id, place, blob).ok_or(OpenError::DidNotOpen),
        }
    }
}

impl fmt::Debug for TextKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TextKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'static> = Place { store: "s", owner: "me", connection: "draft", field: "d" };

    fn sealed(key: &TextKey) -> Vec<u8> {
        key.seal(&PLACE, &Secret::from("select 'canary'".to_owned())).into_bytes()
    }

    #[test]
    fn a_text_opens_in_its_place_with_its_key_alone() {
        let key = TextKey::make();
        let blob = sealed(&key);
        assert!(!blob.windows(6).any(|part| part == b"canary"));
        assert_eq!(key.open(&PLACE, &blob).unwrap().expose(), b"select 'canary'");
        for elsewhere in [
            Place { store: "t", ..PLACE },
            Place { owner: "you", ..PLACE },
            Place { connection: "run", ..PLACE },
            Place { field: "e", ..PLACE },
        ] {
            assert_eq!(key.open(&elsewhere, &blob).unwrap_err(), OpenError::DidNotOpen);
        }
        assert_eq!(TextKey::make().open(&PLACE, &blob).unwrap_err(), OpenError::UnknownKey { id: key.id });
        let other = TextKey { id: key.id, ..TextKey::make() };
        assert_eq!(other.open(&PLACE, &blob).unwrap_err(), OpenError::DidNotOpen);
    }

    #[test]
    fn a_changed_or_shortened_text_does_not_open() {
        let key = TextKey::make();
        let blob = sealed(&key);
        for at in 0..blob.len() {
            let mut changed = blob.clone();
            changed[at] ^= 1;
            assert!(key.open(&PLACE, &changed).is_err(), "byte {at}");
            assert!(key.open(&PLACE, &blob[..at]).is_err(), "{at} bytes");
        }
    }

    #[test]
    fn a_key_comes_back_from_its_secret_and_from_nothing_else() {
        let key = TextKey::make();
        let blob = sealed(&key);
        let again = TextKey::from_secret(&key.to_secret()).unwrap();
        assert!(again.open(&PLACE, &blob).is_ok());
        for length in [0, 8, 39, 41] {
            assert!(TextKey::from_secret(&Secret::new(vec![7; length])).is_none());
        }
        assert_eq!(format!("{key:?}"), "TextKey(..)");
    }
}
