//! The keyring of the user's desktop.

mod calls;
mod secret_service;

use std::time::Duration;

use crate::secret::Secret;

use self::{calls::Calls, secret_service as system};

/// The operating system's keyring: on Linux whatever answers as the Secret Service on the session bus.
///
/// Each call blocks, and comes back within five seconds. A keyring that does not answer keeps at most one thread; until
/// that comes back, further calls fail at once. Where there is no keyring, nothing else takes its place.
///
/// Share one within a process. It keeps no connection: a keyring that was ended and started again is simply there again.
#[derive(Debug)]
pub struct OsKeyring {
    calls: Calls,
}

/// With what runs before and after it, a call is over within five seconds.
const CALL_MAX: Duration = Duration::from_millis(4500);

/// One secret of the keyring: which, and how people see it there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyringEntry<'a> {
    /// The connection's id.
    pub connection: &'a str,
    /// Whose it is; empty for one that all users of the connection share.
    pub owner: &'a str,
    /// The name of the field of the connection's form.
    pub field: &'a str,
    /// What the desktop's password manager shows; it is set when an entry is made, and does not tell entries apart.
    pub label: &'a str,
}

impl OsKeyring {
    /// The keyring of the user that this process runs as. Nothing is asked of it yet.
    #[must_use]
    pub fn new() -> OsKeyring {
        OsKeyring { calls: Calls::new(CALL_MAX) }
    }

    /// Asks whether there is a keyring, and whether it is unlocked. It never makes the desktop ask for a password.
    ///
    /// # Errors
    ///
    /// Why no secret can be kept there now.
    pub fn probe(&self) -> Result<(), KeyringError> {
        self.call(system::probe)
    }

    /// Keeps a secret, in place of the one that is there.
    ///
    /// # Errors
    ///
    /// Why it is not kept. After [`KeyringError::Silent`] it may still come to be, when the keyring answers at last.
    pub fn set(&self, entry: &KeyringEntry<'_>, secret: &Secret) -> Result<(), KeyringError> {
        let item = Item::of(entry);
        // The thread may outlive this call and needs a copy of its own, which is wiped there.
        let secret = Secret::new(secret.expose().to_vec());
        // Exposed to the keyring itself, which is where it is to go.
        self.call(move || system::set(&item, secret.expose()))
    }

    /// Reads a secret. `None`: there is no such entry.
    ///
    /// # Errors
    ///
    /// Why nothing can be read now.
    pub fn get(&self, entry: &KeyringEntry<'_>) -> Result<Option<Secret>, KeyringError> {
        let item = Item::of(entry);
        self.call(move || system::get(&item).map(|found| found.map(Secret::new)))
    }

    /// Removes a secret, and answers whether there was one.
    ///
    /// # Errors
    ///
    /// Why it may still be there.
    pub fn delete(&self, entry: &KeyringEntry<'_>) -> Result<bool, KeyringError> {
        let item = Item::of(entry);
        self.call(move || system::delete(&item))
    }

    fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, KeyringError> + Send + 'static,
    ) -> Result<T, KeyringError> {
        self.calls.run(work).unwrap_or(Err(KeyringError::Silent))
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
    /// Who it is for, in the keyring's words: the connection, the field, and the owner where there is one.
    user: String,
    label: String,
}

/// Under which name all entries are.
const SERVICE: &str = "QueryBox";

impl Item {
    fn of(entry: &KeyringEntry<'_>) -> Item {
        let KeyringEntry { connection, owner, field, label } = *entry;
        let mut user = format!("{}/{}", escape(connection), escape(field));
        if !owner.is_empty() {
            user.push('/');
            user.push_str(&escape(owner));
        }
        // An empty label is refused.
        let label = if label.is_empty() { SERVICE } else { label };
        Item { user, label: label.to_owned() }
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
        let user = |connection, owner, field| {
            Item::of(&KeyringEntry { connection, owner, field, label: "shop" }).user
        };
        assert_eq!(user("c1", "", "password"), "c1/password");
        assert_eq!(user("c1", "ada", "password"), "c1/password/ada");
        assert_eq!(user("c1", "a/b%2F", "password"), "c1/password/a%2Fb%252F");
        assert_ne!(user("c1", "", "f/ada"), user("c1", "ada", "f"));
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
