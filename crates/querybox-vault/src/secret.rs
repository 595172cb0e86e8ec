//! A credential in the clear.

use std::fmt;

use zeroize::Zeroizing;

use crate::primitives::are_equal;

/// A password, token or private key in the clear. Lent, not copied; wiped when dropped.
///
/// It has no `Clone`, `Display`, `PartialEq` or serde, so that it cannot leave by accident; its `Debug` says only what it is.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over. The caller's buffer becomes the secret's; nothing is copied.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Lends the clear bytes. Each caller says in a comment why it needs them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Lends the clear text. Each caller says in a comment why it needs it.
    ///
    /// # Errors
    ///
    /// [`NotText`] when the bytes are not UTF-8.
    pub fn expose_text(&self) -> Result<&str, NotText> {
        std::str::from_utf8(&self.0).map_err(|_| NotText)
    }

    /// Whether both are the same, in a time that depends on their lengths alone: for a copy that is checked before its
    /// original goes.
    #[must_use]
    pub fn is_same(&self, other: &Secret) -> bool {
        are_equal(&self.0, &other.0)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A secret that was to be text is not UTF-8. It says nothing of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotText;

impl fmt::Display for NotText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the secret is not valid UTF-8 text")
    }
}

impl std::error::Error for NotText {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_says_nothing_of_the_secret() {
        assert_eq!(format!("{:?}", Secret::from("canary".to_owned())), "Secret(..)");
        assert_eq!(format!("{:#?}", Some(Secret::from("canary".to_owned()))), "Some(\n    Secret(..),\n)");
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_without_a_word_of_them() {
        assert_eq!(Secret::new(vec![0xff, b'c']).expose_text(), Err(NotText));
        assert_eq!(Secret::from("naïve".to_owned()).expose_text(), Ok("naïve"));
    }
}
