//! Names of entries in the operating system's keyring.

use std::fmt;

/// The name of one entry of the operating system's keyring: random, made for one secret, and never used for another one.
///
/// The store alone makes them, so that each is written down before its entry is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId([u8; 16]);

impl EntryId {
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl From<[u8; 16]> for EntryId {
    fn from(bytes: [u8; 16]) -> EntryId {
        EntryId(bytes)
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}
