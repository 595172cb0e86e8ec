//! The record of a master key: what tells the right key from a wrong one. Never the key itself.

use std::{fmt, str::FromStr};

use jiff::Timestamp;

pub(crate) mod rows;

/// The identity of a master key, random, made with its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 8]);

/// A text that cannot be the id of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the id of a key is 16 hexadecimal digits")]
pub struct KeyIdError;

impl KeyId {
    pub fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl From<[u8; 8]> for KeyId {
    fn from(bytes: [u8; 8]) -> KeyId {
        KeyId(bytes)
    }
}

impl FromStr for KeyId {
    type Err = KeyIdError;

    fn from_str(text: &str) -> Result<KeyId, KeyIdError> {
        if text.len() != 16 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(KeyIdError);
        }
        let bits = u64::from_str_radix(text, 16).map_err(|_| KeyIdError)?;
        Ok(KeyId(bits.to_be_bytes()))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

/// What is known of a key when it is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRecord {
    pub id: KeyId,
    pub salt: [u8; 32],
    /// Derived from the key and the salt.
    pub check: [u8; 32],
}

/// A registered key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub record: KeyRecord,
    pub state: KeyState,
    pub created: Timestamp,
    /// When a rotation had seen each credential open without this key. `None` again with the next one sealed under it.
    pub emptied: Option<Timestamp>,
    pub retired: Option<Timestamp>,
    /// Credentials that are sealed under it.
    pub credentials: u64,
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// The one that rotation leads to. At most one key is.
    Primary,
    /// It opens what was sealed under it.
    DecryptOnly,
    /// Nothing is sealed under it, and nothing ever will be.
    Retired,
}

/// How a key is registered when others may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registering {
    /// Beside them.
    Beside,
    /// As the first one; refused when any is registered.
    First,
    /// In place of all that are not retired; refused when anything is sealed under one of them.
    ReplacingUnused,
}
