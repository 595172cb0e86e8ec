//! A keyring of which observers are told whatever is asked of it, and how it went.

use std::sync::Arc;

use querybox_vault::{KeyringEntry, KeyringError, Secret};

use super::KeyringPort;
use crate::happening::{Happening, KeyringOperation, KeyringOutcome, Observers};

/// A keyring that tells.
pub(super) struct Counted {
    pub(super) keyring: Arc<dyn KeyringPort>,
    pub(super) observers: Observers,
}

impl Counted {
    fn tell(&self, operation: KeyringOperation, outcome: KeyringOutcome) {
        self.observers.tell(&Happening::KeyringUsed(operation, outcome));
    }
}

impl KeyringPort for Counted {
    fn probe(&self) -> Result<(), KeyringError> {
        let answer = self.keyring.probe();
        self.tell(KeyringOperation::Probe, (&answer).into());
        answer
    }

    fn add(&self, entry: &KeyringEntry<'_>, label: &str, secret: &Secret) -> Result<(), KeyringError> {
        let answer = self.keyring.add(entry, label, secret);
        self.tell(KeyringOperation::Add, (&answer).into());
        answer
    }

    fn get(&self, entry: &KeyringEntry<'_>) -> Result<Option<Secret>, KeyringError> {
        let answer = self.keyring.get(entry);
        let outcome = match &answer {
            Ok(None) => KeyringOutcome::Missing,
            answer => answer.into(),
        };
        self.tell(KeyringOperation::Get, outcome);
        answer
    }

    fn delete(&self, entry: &KeyringEntry<'_>) -> Result<bool, KeyringError> {
        let answer = self.keyring.delete(entry);
        let outcome = match &answer {
            Ok(false) => KeyringOutcome::Missing,
            answer => answer.into(),
        };
        self.tell(KeyringOperation::Delete, outcome);
        answer
    }
}
