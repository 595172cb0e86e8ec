//! What Core is given to keep secrets with.

use std::{fmt, sync::Arc};

use querybox_vault::MasterKeys;

use super::KeyringPort;

/// What Core keeps secrets with.
pub struct Secrets {
    /// Where master keys come from.
    pub keys: KeySource,
    /// The keyring of the operating system, there or not: [`OsKeyring`](crate::OsKeyring).
    pub keyring: Arc<dyn KeyringPort>,
}

/// Where master keys come from. It is asked when a key is first needed, on a thread that may block, and not again unless
/// keys are registered or rotated meanwhile.
#[derive(Clone)]
pub struct KeySource(Arc<dyn Fn() -> Result<Option<MasterKeys>, KeySourceError> + Send + Sync>);

impl KeySource {
    /// A source that calls `read`, which answers `None` when no source is configured.
    pub fn new(
        read: impl Fn() -> Result<Option<MasterKeys>, KeySourceError> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(read))
    }

    /// No source is configured.
    #[must_use]
    pub fn none() -> Self {
        Self::new(|| Ok(None))
    }

    pub(super) fn read(&self) -> Result<Option<MasterKeys>, KeySourceError> {
        (self.0)()
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySource(..)")
    }
}

/// A source that is configured does not give master keys.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct KeySourceError {
    /// Which source it is, and why. Nothing of a key is in it.
    pub message: String,
}
