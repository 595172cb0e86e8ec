//! The keyring of the user's desktop.

mod calls;
mod secret_service;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::secret::Secret;

use self::{calls::Calls, secret_service::System};

/// The operating system's keyring: on Linux whatever answers as the Secret Service on the session bus.
///
/// Each call blocks, and comes back within five seconds. A keyring that does not answer keeps at most one thread; until
/// that comes back, further calls fail at once. Where there is no keyring, nothing else takes its place.
///
/// Share one within a process: it stays connected to the keyring. One that was ended and started again is simply there
/// again.
pub struct OsKeyring {
    calls: Calls,
    system: Arc<System>,
}

/// With what runs before and after it, a call is over within five seconds.
const CALL_MAX: Duration = Duration::from_millis(4500);

/// The name of one secret in the keyring. It is made for one secret alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyringEntry<'a> {
    /// The id of the store whose secret it is.
    pub store: &'a str,
    /// The id that the store made for it.
    pub id: &'a str,
}

impl OsKeyring {
    /// The keyring of the user that this process runs as. Nothing is asked of it yet.
    #[must_use]
    pub fn new() -> OsKeyring {
        OsKeyring { calls: Calls::new(CALL_MAX), system: Arc::default() }
    }

    /// Asks whether there is a keyring, and whether it is unlocked. It never makes the desktop ask for a password.
    ///
    /// # Errors
    ///
    /// Why no secret can be kept there now.
    pub fn probe(&self) -> Result<(), KeyringError> {
        self.call(System::probe)
    }

    /// Keeps a secret under a new name, with a label that people see in their password manager. What is there already is never
    /// written over.
    ///
    /// # Errors
    ///
    /// Why it is not kept. After [`KeyringError::Silent`] it may still come to be, when the keyring answers at last.
    pub fn add(&self, entry: &KeyringEntry<'_>, label: &str, secret: &Secret) -> Result<(), KeyringError> {
        let item = Item::of(entry);
        // An empty label is refused.
        let label = if label.is_empty() { SERVICE } else { label }.to_owned();
        // The thread may outlive this call and needs a copy of its own, which is wiped there.
        let secret = Secret::new(secret.expose().to_vec());
        let deadline = Instant::now() + CALL_MAX;
        // Exposed to the keyring itself, which is where it is to go.
        self.call(move |system| system.add(&item, &label, secret.expose(), deadline))
    }

    /// Reads a secret. `None`: there is no entry of this name.
    ///
    /// # Errors
    ///
    /// Why nothing can be read now.
    pub fn get(&self, entry: &KeyringEntry<'_>) -> Result<Option<Secret>, KeyringError> {
        let item = Item::of(entry);
        self.call(move |system| system.get(&item).map(|found| found.map(Secret::new)))
    }

    /// Removes a secret, and answers whether there was one.
    ///
    /// # Errors
    ///
    /// Why it may still be there.
    pub fn delete(&self, entry: &KeyringEntry<'_>) -> Result<bool, KeyringError> {
        let item = Item::of(entry);
        self.call(move |system| system.delete(&item))
    }

    fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&System) -> Result<T, KeyringError> + Send + 'static,
    ) -> Result<T, KeyringError> {
        let system = Arc::clone(&self.system);
        self.calls.run(move || work(&system)).unwrap_or(Err(KeyringError::Silent))
    }
}

impl fmt::Debug for OsKeyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OsKeyring").finish_non_exhaustive()
    }
}

impl Default for OsKeyring {
    fn default() -> Self {
        OsKeyring::new()
    }
}

/// Why the keyring did not do what it was asked. None of these has a secret in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// There is no session bus, nobody on it keeps secrets, or who does has no keyring to put them in.
    #[error("there is no keyring")]
    Absent,
    /// It is there, and its user has to unlock it first.
    #[error("the keyring is locked")]
    Locked,
    /// The user or the system does not let this program at it.
    #[error("the keyring refused access")]
    Denied,
    /// No answer came within five seconds, or the keyring ended in the middle of the call.
    #[error("the keyring does not answer")]
    Silent,
    /// Something else went wrong.
    #[error("the keyring failed: {why}")]
    Failed {
        /// The system's name for it, or ours.
        why: String,
    },
}

/// An entry as the keyring has it, on its way to another thread.
struct Item {
    store: String,
    /// What tells it from all others, in the keyring's words.
    user: String,
}

/// Under which name all entries are.
const SERVICE: &str = "QueryBox";

impl Item {
    fn of(entry: &KeyringEntry<'_>) -> Item {
        let KeyringEntry { store, id } = *entry;
        Item { store: store.to_owned(), user: format!("{}/{}", escape(store), escape(id)) }
    }
}

/// No part has the sign that parts them.
fn escape(part: &str) -> String {
    part.replace('%', "%25").replace('/', "%2F")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_entries_have_different_names() {
        let user = |store, id| Item::of(&KeyringEntry { store, id }).user;
        assert_eq!(user("s1", "e1"), "s1/e1");
        assert_eq!(user("s1/e", "1%2F"), "s1%2Fe/1%252F");
        assert_ne!(user("s1", "e/1"), user("s1/e", "1"));
    }

    #[test]
    fn errors_hold_nothing_but_words() {
        let said: Vec<String> =
            [KeyringError::Absent, KeyringError::Locked, KeyringError::Denied, KeyringError::Silent]
                .iter()
                .map(ToString::to_string)
                .collect();
        assert_eq!(
            said,
            [
                "there is no keyring",
                "the keyring is locked",
                "the keyring refused access",
                "the keyring does not answer"
            ]
        );
    }
}
