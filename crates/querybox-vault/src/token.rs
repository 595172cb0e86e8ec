//! A token: a secret of our own making, which whoever has it shows again.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::primitives::{are_equal, fill_random, sha256};

/// Random bytes of a token, so that guessing is hopeless.
const RANDOM_BYTES: usize = 32;

/// 256 random bits as text that needs no quoting in a header or a URL: 43 letters, digits, `-` and `_`. Wiped when dropped.
///
/// Like [`Secret`](crate::Secret) it cannot leave by accident.
pub struct Token(Zeroizing<String>);

impl Token {
    /// A new one.
    #[must_use]
    pub fn make() -> Self {
        let mut random = Zeroizing::new([0; RANDOM_BYTES]);
        fill_random(random.as_mut_slice());
        Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(random.as_slice())))
    }

    /// Lends the clear text. Each caller says in a comment why it needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether this is what somebody shows, in a time that depends on the length alone.
    #[must_use]
    pub fn is(&self, shown: &[u8]) -> bool {
        are_equal(self.0.as_bytes(), shown)
    }
}

/// What tells whether somebody shows a token, for whoever does not keep it: its hash. 256 random bits need no salt.
#[derive(Debug)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    #[must_use]
    pub fn of(token: &Token) -> Self {
        Self(sha256(token.0.as_bytes()))
    }

    /// Whether this is of what somebody shows, in a time that tells nothing of either.
    #[must_use]
    pub fn is_of(&self, shown: &[u8]) -> bool {
        are_equal(&self.0, &sha256(shown))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_is_another_one_and_is_known_again() {
        let (token, other) = (Token::make(), Token::make());
        assert_eq!(token.expose().len(), 43);
        assert!(token.expose().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        assert!(token.is(token.expose().as_bytes()));
        for shown in ["", other.expose(), &token.expose()[..42], &format!("{}=", token.expose())] {
            assert!(!token.is(shown.as_bytes()), "{shown}");
        }
        assert_eq!(format!("{token:?}"), "Token(..)");
    }

    #[test]
    fn a_hash_knows_its_token_alone() {
        let (token, other) = (Token::make(), Token::make());
        let hash = TokenHash::of(&token);
        assert!(hash.is_of(token.expose().as_bytes()));
        for shown in ["", other.expose(), &token.expose()[..42]] {
            assert!(!hash.is_of(shown.as_bytes()), "{shown}");
        }
    }
}
