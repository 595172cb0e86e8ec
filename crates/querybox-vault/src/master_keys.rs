//! The master keys that a source gives.

use crate::{
    master_key::{MasterKey, MasterKeyError},
    secret::Secret,
};

/// The master keys that a source gives, in its order: at least one, none twice. The first is the primary.
#[derive(Debug)]
pub struct MasterKeys(Vec<MasterKey>);

/// Keys that one source may give. A rotation needs two; more is for stores that were put together.
const KEYS_MAX: usize = 16;

impl MasterKeys {
    /// Reads what a source says: a key on each line, the primary first. Empty lines and lines that begin with `#` do not count.
    ///
    /// # Errors
    ///
    /// Why one of the lines is no key, or the whole no list of keys. Nothing is left out in silence.
    pub fn parse(text: &Secret) -> Result<MasterKeys, MasterKeysError> {
        // Read into keys at once; the text is wiped with the caller's secret.
        let text = text.expose_text().map_err(|_| MasterKeysError::NotText)?;
        let mut keys: Vec<(usize, MasterKey)> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if keys.len() == KEYS_MAX {
                return Err(MasterKeysError::TooMany { max: KEYS_MAX });
            }
            let key =
                MasterKey::parse(line).map_err(|source| MasterKeysError::Key { line: number, source })?;
            if let Some((first, _)) = keys.iter().find(|(_, other)| other.is_same(&key)) {
                return Err(MasterKeysError::Twice { first: *first, line: number });
            }
            keys.push((number, key));
        }
        if keys.is_empty() {
            return Err(MasterKeysError::Empty);
        }
        Ok(MasterKeys(keys.into_iter().map(|(_, key)| key).collect()))
    }

    /// The key to seal with.
    #[must_use]
    pub fn primary(&self) -> &MasterKey {
        &self.0[0]
    }

    /// All keys, the primary first.
    pub fn iter(&self) -> impl Iterator<Item = &MasterKey> {
        self.0.iter()
    }

    pub(crate) fn into_keys(self) -> Vec<MasterKey> {
        self.0
    }
}

/// A single key, as one that was just made.
impl From<MasterKey> for MasterKeys {
    fn from(key: MasterKey) -> Self {
        MasterKeys(vec![key])
    }
}

/// Why what a source says is no list of master keys. It says nothing of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MasterKeysError {
    /// It is not UTF-8: for instance the 32 bytes themselves.
    #[error(
        "what should be a master key is not text; write its 32 bytes as base64 or as 64 hexadecimal digits"
    )]
    NotText,
    /// There is no key in it.
    #[error("there is no master key")]
    Empty,
    /// More keys than anybody needs.
    #[error("there are more than {max} master keys")]
    TooMany {
        /// What is allowed.
        max: usize,
    },
    /// One line is no key.
    #[error("line {line} is no master key")]
    Key {
        /// Counted from one.
        line: usize,
        /// Why.
        source: MasterKeyError,
    },
    /// A key is given twice.
    #[error("lines {first} and {line} are the same master key")]
    Twice {
        /// Where it is first, counted from one.
        first: usize,
        /// Where it is again.
        line: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "8f1d2c7be04a55936ac01f8e3d72b9465cf0a81be7349d60fb2285d4c96e1370";
    const ONE_AS_BASE64: &str = "jx0se+BKVZNqwB+OPXK5RlzwqBvnNJ1g+yKF1MluE3A=";
    const TWO: &str = "b7e4016c92d83fa5507e1bc94420f68d13ab5e7098c2d6344f8a61fd0593e7b2";

    fn parse(text: &str) -> Result<MasterKeys, MasterKeysError> {
        MasterKeys::parse(&Secret::from(text.to_owned()))
    }

    #[test]
    fn the_first_line_is_the_primary() {
        let keys = parse(&format!("# made in May\n\n{ONE}\r\n  {TWO}\n")).unwrap();
        assert_eq!(keys.iter().count(), 2);
        assert!(keys.primary().is_same(&MasterKey::parse(ONE_AS_BASE64).unwrap()));
    }

    #[test]
    fn one_bad_line_refuses_all() {
        let error = parse(&format!("{ONE}\n\n{}\n", "0".repeat(64))).unwrap_err();
        assert_eq!(error, MasterKeysError::Key { line: 3, source: MasterKeyError::Zero });
    }

    #[test]
    fn a_key_in_two_forms_is_still_the_same() {
        let error = parse(&format!("{ONE}\n{TWO}\n{ONE_AS_BASE64}")).unwrap_err();
        assert_eq!(error, MasterKeysError::Twice { first: 1, line: 3 });
    }

    #[test]
    fn nothing_too_much_and_what_is_no_text_are_refused() {
        assert_eq!(parse("").unwrap_err(), MasterKeysError::Empty);
        assert_eq!(parse("\n# none yet\n").unwrap_err(), MasterKeysError::Empty);
        let many: String =
            (0..17).map(|_| MasterKey::make().to_text().expose_text().unwrap().to_owned() + "\n").collect();
        assert_eq!(parse(&many).unwrap_err(), MasterKeysError::TooMany { max: 16 });
        assert_eq!(MasterKeys::parse(&Secret::new(vec![0xfe; 32])).unwrap_err(), MasterKeysError::NotText);
    }
}
