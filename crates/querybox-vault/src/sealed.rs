//! The blob: a secret as it may lie on a disk.
//!
//! | Part | Bytes | |
//! |---|---|---|
//! | magic `QBX` and version | 4 | version 1 |
//! | key id | 8 | random, made with the key's record |
//! | salt | 32 | random for each seal |
//! | nonce | 12 | random for each seal |
//! | commitment | 32 | from HKDF, compared in constant time before anything is decrypted |
//! | ciphertext | n | |
//! | tag | 16 | |
//!
//! HKDF-SHA256 (input: the master key; this salt; info "querybox seal v1") gives 64 bytes: a key for AES-256-GCM that is used
//! once, and the commitment, without which a blob could be made to open under two keys. [`Place`] says what is authenticated.
//! The length of a secret can be told from its blob.

use std::fmt;

use zeroize::Zeroizing;

use crate::{
    key_id::{KEY_ID_BYTES, KeyId},
    master_key::MasterKey,
    place::Place,
    primitives::{self, KEY_BYTES, NONCE_BYTES, TAG_BYTES},
    secret::Secret,
};

/// A sealed secret, as the store keeps it.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// The bytes to keep.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes to keep.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

/// The key that a blob says it is sealed with, for planning a rotation. `None`: the bytes are no blob of a version known here.
///
/// This is the blob's word, proven only by opening it.
#[must_use]
pub fn sealed_key_id(blob: &[u8]) -> Option<KeyId> {
    match Header::read(blob).ok()? {
        Header::V1 { key } => Some(key),
    }
}

/// The beginning that all versions share, and the version's key id.
pub(crate) enum Header {
    V1 { key: KeyId },
}

/// The beginning of these bytes is not that of a blob known here.
pub(crate) enum NoHeader {
    /// A blob of a version that is unknown here.
    Version(u8),
    /// No blob at all, or one cut short.
    NoBlob,
}

const MAGIC: &[u8] = b"QBX";
const V1: u8 = 1;

impl Header {
    pub(crate) fn read(blob: &[u8]) -> Result<Header, NoHeader> {
        let rest = blob.strip_prefix(MAGIC).ok_or(NoHeader::NoBlob)?;
        let (version, rest) = rest.split_first().ok_or(NoHeader::NoBlob)?;
        match *version {
            V1 => {
                let key = rest.first_chunk::<KEY_ID_BYTES>().ok_or(NoHeader::NoBlob)?;
                Ok(Header::V1 { key: KeyId::from_bytes(*key) })
            }
            unknown => Err(NoHeader::Version(unknown)),
        }
    }

    /// Whether new blobs are made in this version.
    pub(crate) fn is_newest(&self) -> bool {
        match self {
            Header::V1 { .. } => true,
        }
    }

    pub(crate) fn key(&self) -> KeyId {
        match self {
            Header::V1 { key } => *key,
        }
    }
}

/// What is random in a seal.
pub(crate) struct Randomness {
    pub(crate) salt: [u8; SALT_BYTES],
    pub(crate) nonce: [u8; NONCE_BYTES],
}

impl Randomness {
    pub(crate) fn make() -> Randomness {
        let mut made = Randomness { salt: [0; SALT_BYTES], nonce: [0; NONCE_BYTES] };
        primitives::fill_random(&mut made.salt);
        primitives::fill_random(&mut made.nonce);
        made
    }
}

const SALT_BYTES: usize = 32;
const COMMITMENT_BYTES: usize = 32;
const SALT_AT: usize = MAGIC.len() + 1 + KEY_ID_BYTES;
const NONCE_AT: usize = SALT_AT + SALT_BYTES;
const COMMITMENT_AT: usize = NONCE_AT + NONCE_BYTES;
const TEXT_AT: usize = COMMITMENT_AT + COMMITMENT_BYTES;
const INFO: &[u8] = b"querybox seal v1";

/// Seals in the newest version.
pub(crate) fn seal(
    key: &MasterKey,
    id: KeyId,
    place: &Place<'_>,
    secret: &Secret,
    randomness: &Randomness,
) -> Sealed {
    let Randomness { salt, nonce } = randomness;
    let one_use = OneUse::derive(key, salt);
    // The clear text goes to where the blob will be and is encrypted there. The room is made first: a buffer that
    // grew would leave a copy behind.
    let clear = secret.expose();
    let mut blob = Vec::with_capacity(TEXT_AT + clear.len() + TAG_BYTES);
    blob.extend_from_slice(MAGIC);
    blob.push(V1);
    blob.extend_from_slice(id.as_bytes());
    blob.extend_from_slice(salt);
    blob.extend_from_slice(nonce);
    blob.extend_from_slice(one_use.commitment());
    blob.extend_from_slice(clear);
    let authenticated = place.derive_authenticated(V1, id.as_bytes());
    let tag = primitives::encrypt(one_use.key(), *nonce, &authenticated, &mut blob[TEXT_AT..]);
    blob.extend_from_slice(&tag);
    Sealed(blob)
}

/// Opens a blob of version 1. `None`: it did not open, and nothing more is told.
pub(crate) fn open_v1(key: &MasterKey, id: KeyId, place: &Place<'_>, blob: &[u8]) -> Option<Secret> {
    let salt = part::<SALT_BYTES>(blob, SALT_AT)?;
    let nonce = part::<NONCE_BYTES>(blob, NONCE_AT)?;
    let commitment = part::<COMMITMENT_BYTES>(blob, COMMITMENT_AT)?;
    let one_use = OneUse::derive(key, salt);
    if !primitives::are_equal(one_use.commitment(), commitment) {
        return None;
    }
    let mut text = Zeroizing::new(blob[TEXT_AT..].to_vec());
    let authenticated = place.derive_authenticated(V1, id.as_bytes());
    let length = primitives::decrypt(one_use.key(), *nonce, &authenticated, &mut text)?;
    text.truncate(length);
    Some(Secret::new(std::mem::take(&mut *text)))
}

fn part<const N: usize>(blob: &[u8], at: usize) -> Option<&[u8; N]> {
    blob.get(at..)?.first_chunk()
}

/// What a master key and a salt give: the key for one seal, and its commitment.
struct OneUse(Zeroizing<[u8; KEY_BYTES + COMMITMENT_BYTES]>);

impl OneUse {
    fn derive(key: &MasterKey, salt: &[u8; SALT_BYTES]) -> OneUse {
        let mut both = Zeroizing::new([0; KEY_BYTES + COMMITMENT_BYTES]);
        primitives::derive(key.expose(), salt, &[INFO], both.as_mut_slice());
        OneUse(both)
    }

    fn key(&self) -> &[u8; KEY_BYTES] {
        self.0.first_chunk().expect("the key is the first part")
    }

    fn commitment(&self) -> &[u8; COMMITMENT_BYTES] {
        self.0.last_chunk().expect("the commitment is the last part")
    }
}

#[cfg(test)]
mod tests;
