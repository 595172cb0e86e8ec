//! The name of a master key.

use std::{fmt, str::FromStr};

use crate::primitives;

/// Bytes of a key id.
pub(crate) const KEY_ID_BYTES: usize = 8;

/// The name of a master key in a store: random, made with the key's record, and no secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; KEY_ID_BYTES]);

impl KeyId {
    /// Takes an id from where [`as_bytes`](Self::as_bytes) was kept.
    #[must_use]
    pub fn from_bytes(bytes: [u8; KEY_ID_BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes to keep.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; KEY_ID_BYTES] {
        &self.0
    }

    pub(crate) fn make() -> Self {
        let mut bytes = [0; KEY_ID_BYTES];
        primitives::fill_random(&mut bytes);
        Self(bytes)
    }
}

/// Sixteen hexadecimal digits.
impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl FromStr for KeyId {
    type Err = NotAKeyId;

    fn from_str(text: &str) -> Result<Self, NotAKeyId> {
        if text.len() != 2 * KEY_ID_BYTES || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(NotAKeyId);
        }
        u64::from_str_radix(text, 16).map(|number| Self(number.to_be_bytes())).map_err(|_| NotAKeyId)
    }
}

/// The text is not the id of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key id has 16 hexadecimal digits")]
pub struct NotAKeyId;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_an_id_is_read_back() {
        let id = KeyId::from_bytes([0, 1, 2, 3, 0xab, 0xcd, 0xef, 0xff]);
        assert_eq!(id.to_string(), "00010203abcdefff");
        assert_eq!("00010203ABCDEFFF".parse(), Ok(id));
        for wrong in ["", "0001", "00010203abcdeffff", "+0010203abcdefff", "00010203abcdefg0"] {
            assert_eq!(wrong.parse::<KeyId>(), Err(NotAKeyId), "{wrong}");
        }
    }
}
