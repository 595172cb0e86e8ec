//! Mistakes of ours while a secret or a key is at hand: an answer, no word of either in the panic's report, and nothing held
//! up.

use std::{env, path::PathBuf, process::Command, sync::Arc, time::Duration};

use jiff::Timestamp;
use querybox_core::{
    Clock, CredentialError, KeyringEntry, KeyringError, KeyringPort, Secret, StoredPlace, VaultError,
};

use super::site::{Site, open, set, settings};

const PATH: &str = "QUERYBOX_CORE_TEST_HOME";
const KEY: &str = "QUERYBOX_CORE_TEST_KEY";
const CANARY: &str = "canary-5f0e-battery-staple";

/// A keyring that fails by mistakes, each with all that is at hand in its message.
struct Mistaken;

impl KeyringPort for Mistaken {
    fn probe(&self) -> Result<(), KeyringError> {
        Ok(())
    }

    fn add(&self, entry: &KeyringEntry<'_>, label: &str, secret: &Secret) -> Result<(), KeyringError> {
        panic!("mistaken about {entry:?}, {label} and {secret:?}");
    }

    fn get(&self, entry: &KeyringEntry<'_>) -> Result<Option<Secret>, KeyringError> {
        panic!("mistaken about {entry:?}");
    }

    fn delete(&self, entry: &KeyringEntry<'_>) -> Result<bool, KeyringError> {
        panic!("mistaken about {entry:?}");
    }
}

#[tokio::test]
#[ignore = "half of the test of this module, which starts it"]
async fn mistaken_child() {
    let told = |name| env::var(name).expect("this is half of another test, which starts it");
    let path = PathBuf::from(told(PATH));
    let core = open(&path, &told(KEY), Arc::new(Mistaken), Clock::new(Timestamp::now)).await;
    core.create_connection(settings("shop", "db")).await.unwrap();
    for _ in 0..2 {
        let failed = set(&core, "shop", CANARY, StoredPlace::Keyring).await;
        assert!(matches!(failed, Err(CredentialError::Keyring(KeyringError::Failed { .. }))), "{failed:?}");
    }
    set(&core, "shop", CANARY, StoredPlace::Vault).await.unwrap();
    core.shutdown(Duration::ZERO).await;
    // The keys were at hand when the source made its mistake.
    let core = open(&path, "no key at all", Arc::new(Mistaken), Clock::new(Timestamp::now)).await;
    for _ in 0..2 {
        let failed = set(&core, "shop", CANARY, StoredPlace::Vault).await;
        assert!(matches!(failed, Err(CredentialError::Vault(VaultError::Source(_)))), "{failed:?}");
    }
    core.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn a_panic_says_nothing_of_a_secret_and_is_answered() {
    let site = Site::new().await;
    let ran = Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "--test-threads=1", "keyring::panics::mistaken_child"])
        .env(PATH, site.path())
        .env(KEY, site.key())
        .env("RUST_BACKTRACE", "full")
        .output()
        .unwrap();
    let said = [ran.stdout, ran.stderr].concat();
    let said = String::from_utf8_lossy(&said).to_lowercase();
    assert!(ran.status.success(), "{said}");
    assert_eq!(said.matches("mistaken about").count(), 2, "{said}");
    assert!(said.contains("panicked at"), "{said}");
    let numbers = |text: &str| format!("{:?}", &text.as_bytes()[..8]).trim_matches(['[', ']']).to_owned();
    for canary in [CANARY, &CANARY[..12], &site.key().to_lowercase(), &numbers(CANARY), &numbers(site.key())]
    {
        assert!(!said.contains(canary), "a panic shows a secret: {said}");
    }
}
