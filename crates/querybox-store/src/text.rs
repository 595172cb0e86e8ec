//! What people wrote: in bytes that the store does not read, sealed or in the clear.

pub(crate) mod drafts;
pub(crate) mod key;

use std::fmt;

use jiff::Timestamp;
use uuid::Uuid;

use crate::{KeyId, Owner};

/// The key that texts are sealed with, itself sealed under a master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedTextKey {
    /// Random, made with the key. It is the same when the key is sealed anew.
    pub id: Uuid,
    /// The master key.
    pub key: KeyId,
    pub blob: Vec<u8>,
}

/// The key of texts, and how much is sealed with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextKeyUse {
    pub key: SealedTextKey,
    pub drafts: u64,
    /// Runs of the history whose text is.
    pub runs: u64,
}

/// How much was forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ForgottenTexts {
    pub drafts: u64,
    /// Runs of the history that have lost their text.
    pub runs: u64,
}

/// Bytes of a text. `Debug` tells how many.
#[derive(Clone, PartialEq, Eq)]
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

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Written::Sealed(_) => "Sealed",
            Written::Plain(_) => "Plain",
        };
        write!(f, "{name}({} bytes)", self.as_bytes().len())
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
    /// Grows with each change.
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
    /// The key of texts that they are sealed with. `None`: they are not.
    pub text_key: Option<Uuid>,
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
    /// It is sealed with a key of texts that is not kept any more.
    KeyGone,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_not_printed() {
        let text = || Written::Plain(b"canary".to_vec());
        let draft = NewDraft {
            revision: 1,
            head: text(),
            body: text(),
            text_key: None,
            updated: Timestamp::UNIX_EPOCH,
        };
        let printed = format!("{draft:?}");
        assert!(printed.contains("Plain(6 bytes)"), "{printed}");
        assert!(!printed.contains("canary") && !printed.contains("99, 97"), "{printed}");
    }
}
