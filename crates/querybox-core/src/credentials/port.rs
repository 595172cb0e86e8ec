//! What Core asks of a keyring.

use querybox_vault::{KeyringEntry, KeyringError, OsKeyring, Secret};

/// A keyring as Core uses it, by [`OsKeyring`]'s rules: each call blocks, and comes back within five seconds.
///
/// It is a trait because what may happen between two calls has to happen in tests, at that moment and no other.
pub trait KeyringPort: Send + Sync {
    /// Whether a secret can be kept there now.
    ///
    /// # Errors
    ///
    /// Why not.
    fn probe(&self) -> Result<(), KeyringError>;

    /// Keeps a secret under a name that nothing has.
    ///
    /// # Errors
    ///
    /// Why it is not kept, or may not be.
    fn add(&self, entry: &KeyringEntry<'_>, label: &str, secret: &Secret) -> Result<(), KeyringError>;

    /// Reads a secret. `None`: there is none of this name.
    ///
    /// # Errors
    ///
    /// Why nothing can be read now.
    fn get(&self, entry: &KeyringEntry<'_>) -> Result<Option<Secret>, KeyringError>;

    /// Removes a secret, and answers whether there was one.
    ///
    /// # Errors
    ///
    /// Why it may still be there.
    fn delete(&self, entry: &KeyringEntry<'_>) -> Result<bool, KeyringError>;
}

impl KeyringPort for OsKeyring {
    fn probe(&self) -> Result<(), KeyringError> {
        self.probe()
    }

    fn add(&self, entry: &KeyringEntry<'_>, label: &str, secret: &Secret) -> Result<(), KeyringError> {
        self.add(entry, label, secret)
    }

    fn get(&self, entry: &KeyringEntry<'_>) -> Result<Option<Secret>, KeyringError> {
        self.get(entry)
    }

    fn delete(&self, entry: &KeyringEntry<'_>) -> Result<bool, KeyringError> {
        self.delete(entry)
    }
}
