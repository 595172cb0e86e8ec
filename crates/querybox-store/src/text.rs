//! What people wrote: in bytes that the store does not read, sealed or in the clear.

pub(crate) mod drafts;
pub(crate) mod key;

use jiff::Timestamp;
use uuid::Uuid;

use crate::{KeyId, Owner};

/// The key that texts are sealed with, itself sealed under a master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedTextKey {
    /// The master key.
    pub key: KeyId,
    pub blob: Vec<u8>,
}

/// Bytes of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// Sealed with the text key.
    Sealed(Vec<u8>),
    /// In the clear, as the operator wants it.
    Plain(Vec<u8>),
}

impl Written {
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Written::Sealed(bytes) | Written::Plain(bytes) => bytes,
        }
    }
}

/// Names a draft.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DraftKey {
    pub owner: Owner,
    /// Made by the front end.
    pub id: Uuid,
}

/// What a list shows of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftRow {
    pub id: Uuid,
    /// Starts at 1 and grows with each change.
    pub revision: u64,
    pub head: Written,
    /// Bytes of the body, as it lies there.
    pub body_bytes: u64,
    /// Kept in whole microseconds.
    pub updated: Timestamp,
}

/// A draft that is to be kept. Head and body are of one kind, sealed both or in the clear both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDraft {
    pub revision: u64,
    pub head: Written,
    pub body: Written,
    pub updated: Timestamp,
}

/// How much one owner may keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DraftLimits {
    pub drafts_max: u64,
    /// Of all bodies together.
    pub bytes_max: u64,
}

/// What became of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftWrite {
    Done,
    /// Somebody else changed it, made it or removed it since it was seen.
    Changed,
    /// As much is kept as may be.
    Full,
}
