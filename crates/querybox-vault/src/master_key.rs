//! One master key, and what is refused as one.

mod guessable;
mod weak;

use std::fmt;

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    primitives::{self, KEY_BYTES, are_equal},
    secret::Secret,
};

/// A master key: 32 random bytes, wiped when dropped.
///
/// Like [`Secret`] it has no `Clone`, `Display` or `PartialEq`. One that is weak cannot be had.
// On the heap, so that moving a key leaves no copies on stacks.
pub struct MasterKey(Box<Zeroizing<[u8; KEY_BYTES]>>);

impl MasterKey {
    /// Makes a new key from the system's random source.
    #[must_use]
    pub fn make() -> MasterKey {
        loop {
            let mut key = MasterKey::make_empty();
            primitives::fill_random(key.0.as_mut_slice());
            // What would be refused when it is read back is not given out. No random source ever made one.
            if weak::check(key.expose()).is_ok() {
                return key;
            }
        }
    }

    /// Reads a key as sources give it: 32 bytes as base64 (either alphabet, with or without padding) or as 64 hexadecimal
    /// digits. Space around it does not count.
    ///
    /// # Errors
    ///
    /// Why it is no key, or too weak for one.
    pub fn parse(text: &str) -> Result<MasterKey, MasterKeyError> {
        let text = text.trim();
        let key = decode(text.as_bytes())?;
        weak::check(key.expose())?;
        Ok(key)
    }

    /// The key as base64, as [`parse`](Self::parse) reads it: for the one time that a new key is handed to its keeper.
    #[must_use]
    pub fn to_text(&self) -> Secret {
        let mut text = Zeroizing::new(vec![0; BASE64_CHARACTERS]);
        BASE64.encode_slice(self.expose(), &mut text).expect("32 bytes are 44 characters");
        Secret::new(std::mem::take(&mut *text))
    }

    pub(crate) fn expose(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// A key that was made here before, and so is not weak.
    pub(crate) fn from_bytes(bytes: &[u8; KEY_BYTES]) -> MasterKey {
        let mut key = MasterKey::make_empty();
        key.0.copy_from_slice(bytes);
        key
    }

    pub(crate) fn is_same(&self, other: &MasterKey) -> bool {
        are_equal(self.expose(), other.expose())
    }

    fn make_empty() -> MasterKey {
        MasterKey(Box::new(Zeroizing::new([0; KEY_BYTES])))
    }

    /// A key for tests, whatever it is.
    #[cfg(test)]
    pub(crate) fn unchecked(bytes: [u8; KEY_BYTES]) -> MasterKey {
        MasterKey(Box::new(Zeroizing::new(bytes)))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

/// Why a text is not taken for a master key. It says nothing of the text but its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MasterKeyError {
    /// Neither base64 nor hexadecimal.
    #[error("a master key is 32 bytes as base64, or as 64 hexadecimal digits; this is neither")]
    NotEncoded,
    /// Fewer than 32 bytes.
    #[error("the master key has {bytes} bytes, and 32 are needed")]
    TooShort {
        /// What it has.
        bytes: usize,
    },
    /// More than 32 bytes.
    #[error("the master key has more than 32 bytes")]
    TooLong,
    /// All bytes are zero.
    #[error("the master key is all zeros")]
    Zero,
    /// A few bytes again and again, or nearly so.
    #[error("the master key repeats itself")]
    Repeats,
    /// Each byte is as far from the one before it, or nearly each.
    #[error("the master key counts up or down")]
    Counts,
    /// The 32 bytes are readable text, perhaps filled up with zeros: a passphrase, or digits that were encoded twice.
    #[error("the master key is readable text; it must be made by a random source")]
    ReadableText,
    /// Fewer different bytes than chance would give.
    #[error("the master key has only {distinct} different bytes; it must be made by a random source")]
    FewBytes {
        /// How many there are.
        distinct: usize,
    },
    /// The hash of a word.
    #[error("the master key is the hash of a word that anybody guesses; it must be made by a random source")]
    Guessable,
    /// A key that stands in documentation or in a standard.
    #[error("the master key is an example from documentation, which everybody has")]
    Example,
}

/// What `=` at the end says, the length says too.
const BASE64_CONFIG: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, BASE64_CONFIG);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, BASE64_CONFIG);
/// Characters of 32 bytes in base64, padded.
const BASE64_CHARACTERS: usize = 44;
/// Decoded at most, so that the length of a key that is somewhat too long is known without memory for any length.
const DECODED_MAX: usize = 48;
/// A text that is longer than any key is not looked at.
const TEXT_MAX: usize = 4 * DECODED_MAX / 3;

fn decode(text: &[u8]) -> Result<MasterKey, MasterKeyError> {
    if text.is_empty() {
        return Err(MasterKeyError::TooShort { bytes: 0 });
    }
    // Whatever the text says, what is decoded of it is wiped.
    let mut decoded = Zeroizing::new([0; DECODED_MAX]);
    // A text of hexadecimal digits only is base64 too, but meant as one when it has the length of a key.
    let is_hex = text.iter().all(u8::is_ascii_hexdigit) && !matches!(text.len(), 43 | 44);
    if text.len() > TEXT_MAX {
        let alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(byte);
        return Err(match text.iter().all(alphabet) {
            true => MasterKeyError::TooLong,
            false => MasterKeyError::NotEncoded,
        });
    }
    let length = match is_hex {
        true => decode_hex(text, decoded.as_mut_slice()),
        false => {
            let engine = if text.iter().any(|byte| b"-_".contains(byte)) { &BASE64_URL } else { &BASE64 };
            // The error would carry a character of the key.
            engine.decode_slice(text, decoded.as_mut_slice()).ok()
        }
    };
    match length.ok_or(MasterKeyError::NotEncoded)? {
        bytes @ 0..KEY_BYTES => Err(MasterKeyError::TooShort { bytes }),
        KEY_BYTES => {
            let mut key = MasterKey::make_empty();
            key.0.copy_from_slice(&decoded[..KEY_BYTES]);
            decoded.zeroize();
            Ok(key)
        }
        _ => Err(MasterKeyError::TooLong),
    }
}

/// The number of bytes; `None` when a digit is left over.
fn decode_hex(text: &[u8], decoded: &mut [u8]) -> Option<usize> {
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    for (byte, [high, low]) in decoded.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(pairs.len())
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        b'A'..=b'F' => Some(character - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "8f1d2c7be04a55936ac01f8e3d72b9465cf0a81be7349d60fb2285d4c96e1370";
    const BASE64_TEXT: &str = "jx0se+BKVZNqwB+OPXK5RlzwqBvnNJ1g+yKF1MluE3A=";

    fn refusal(text: &str) -> MasterKeyError {
        MasterKey::parse(text).unwrap_err()
    }

    #[test]
    fn a_key_is_read_in_all_its_forms() {
        let key = MasterKey::parse(HEX).unwrap();
        for text in [
            HEX.to_uppercase().as_str(),
            &format!("  {HEX}\r\n"),
            BASE64_TEXT,
            BASE64_TEXT.trim_end_matches('='),
            &BASE64_TEXT.replace('+', "-").replace('/', "_"),
        ] {
            assert!(MasterKey::parse(text).unwrap().is_same(&key), "{text}");
        }
        assert_eq!(key.to_text().expose_text(), Ok(BASE64_TEXT));
    }

    #[test]
    fn a_new_key_is_read_back_and_differs_from_others() {
        let (one, two) = (MasterKey::make(), MasterKey::make());
        assert!(!one.is_same(&two));
        assert!(MasterKey::parse(one.to_text().expose_text().unwrap()).unwrap().is_same(&one));
    }

    #[test]
    fn a_text_of_the_wrong_length_is_refused() {
        assert_eq!(refusal(""), MasterKeyError::TooShort { bytes: 0 });
        assert_eq!(refusal(&HEX[..32]), MasterKeyError::TooShort { bytes: 16 });
        assert_eq!(refusal(&HEX[..62]), MasterKeyError::TooShort { bytes: 31 });
        assert_eq!(refusal("jx0se+BKVZNqwB+OPXK5Rg=="), MasterKeyError::TooShort { bytes: 16 });
        assert_eq!(refusal(&format!("{HEX}00")), MasterKeyError::TooLong);
        assert_eq!(refusal(&HEX.repeat(1000)), MasterKeyError::TooLong);
        assert_eq!(refusal("jx0se+BKVZNqwB+OPXK5RlzwqBvnNJ1g+yKF1MluE3Cq"), MasterKeyError::TooLong);
    }

    #[test]
    fn a_text_that_is_no_encoding_is_refused() {
        for text in [
            "correct horse battery staple",
            &HEX[..63],
            "jx0se+BKVZNqwB+OPXK5RlzwqBvnNJ1g-yKF1MluE3A=",
            "jx0se+BKVZNqwB+OPXK5RlzwqBvnNJ1g+yKF1MluE3B=",
            &"\u{e4}".repeat(500),
        ] {
            assert_eq!(refusal(text), MasterKeyError::NotEncoded, "{text}");
        }
    }

    #[test]
    fn nothing_that_is_printed_shows_a_key() {
        let key = MasterKey::parse(HEX).unwrap();
        assert_eq!(format!("{key:?} {:?}", Some(&key)), "MasterKey(..) Some(MasterKey(..))");
        // Errors name lengths and counts, and never what was given.
        let error = refusal(&HEX[..62]);
        assert_eq!(error.to_string(), "the master key has 31 bytes, and 32 are needed");
    }
}
