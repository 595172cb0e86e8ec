//! A program that is killed around each call to the keyring: a secret is what it was or what it was to be, none is lost, and
//! nothing stays in the keyring that no credential names.

use std::{
    env,
    os::unix::process::ExitStatusExt as _,
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use querybox_core::{Clock, ConnectionKey, MigrationOutcome, NewSecret, Secret, StoredPlace, local_user};

use super::{
    double::{Added, Death, FolderKeyring, Scripted},
    site::{Site, migrate, open, set, settings},
};

const PATH: &str = "QUERYBOX_CORE_TEST_HOME";
const KEY: &str = "QUERYBOX_CORE_TEST_KEY";
const VERB: &str = "QUERYBOX_CORE_TEST_VERB";
const AT: &str = "QUERYBOX_CORE_TEST_AT";

const NAMES: [&str; 2] = ["one", "two"];

/// What a program that dies was about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    /// Secrets of both, in place of those in the keyring.
    Set,
    ToKeyring,
    ToVault,
    /// A third connection with a secret.
    Create,
}

impl Verb {
    const ALL: [Verb; 4] = [Verb::Set, Verb::ToKeyring, Verb::ToVault, Verb::Create];

    /// Where the secrets are before.
    fn before(self) -> StoredPlace {
        match self {
            Verb::ToKeyring => StoredPlace::Vault,
            Verb::Set | Verb::ToVault | Verb::Create => StoredPlace::Keyring,
        }
    }
}

/// Does it in another process that dies at a moment. False: it came to its end before.
fn died(site: &Site, verb: Verb, at: usize) -> bool {
    let status = Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "--test-threads=1", "keyring::kills::dying_child"])
        .env(PATH, site.path())
        .env(KEY, site.key())
        .env(VERB, format!("{verb:?}"))
        .env(AT, at.to_string())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    match status.signal() {
        Some(9) => true,
        _ => {
            assert!(status.success(), "{verb:?} at {at}: {status}");
            false
        }
    }
}

#[tokio::test]
#[ignore = "half of the test of this module, which starts it"]
async fn dying_child() {
    let told = |name| env::var(name).expect("this is half of another test, which starts it");
    let path = PathBuf::from(told(PATH));
    let death = Death::at(told(AT).parse().unwrap());
    let keyring = Arc::new(FolderKeyring::in_folder(&path.join("keyring")));
    let keyring = Scripted::new(keyring, &Added::default(), death);
    let core = open(&path, &told(KEY), keyring, Clock::new(Timestamp::now)).await;
    let verb = Verb::ALL.into_iter().find(|verb| format!("{verb:?}") == told(VERB)).unwrap();
    match verb {
        Verb::Set => {
            for name in NAMES {
                set(&core, name, "new", StoredPlace::Keyring).await.unwrap();
            }
        }
        Verb::ToKeyring => assert_eq!(migrate(&core, StoredPlace::Keyring).await.len(), NAMES.len()),
        Verb::ToVault => assert_eq!(migrate(&core, StoredPlace::Vault).await.len(), NAMES.len()),
        Verb::Create => {
            let secret = Secret::from("new".to_owned());
            let secret = NewSecret { field: None, secret, place: Some(StoredPlace::Keyring) };
            core.create_connection_with_secret(settings("three", "db"), local_user(), secret).await.unwrap();
        }
    }
    core.shutdown(Duration::ZERO).await;
}

async fn kill_at_each_moment(verb: Verb) {
    let mut at = 0;
    loop {
        at += 1;
        let context = format!("{verb:?} that dies at moment {at}");
        let site = Site::new().await;
        let keyring = site.keyring();
        let core = site.core(Arc::new(keyring.clone())).await;
        for name in NAMES {
            core.create_connection(settings(name, "db")).await.unwrap();
            set(&core, name, name, verb.before()).await.unwrap();
        }
        core.shutdown(Duration::ZERO).await;

        let has_died = died(&site, verb, at);
        let mut entries = 0;
        for name in NAMES {
            let (kept, secret) =
                site.kept(&keyring, name).await.unwrap_or_else(|| panic!("{context}: {name}"));
            let may_be_new = verb == Verb::Set && secret == "new";
            assert!(secret == name || may_be_new, "{context}: {name} is {secret}");
            entries += usize::from(kept.entry().is_some());
        }
        let core = site.later_core(Arc::new(keyring.clone())).await;
        let three = core.connection(&ConnectionKey::Name("three".parse().unwrap())).await;
        if three.is_ok() {
            // It is there with its secret, or not at all.
            let (kept, secret) = site.kept(&keyring, "three").await.unwrap();
            assert_eq!(secret, "new", "{context}");
            entries += usize::from(kept.entry().is_some());
        }
        assert_eq!(core.secret_places().await.unwrap().keyring_entries_left, 0, "{context}");
        assert_eq!(keyring.len(), entries, "{context}: entries that nobody names");
        // The next one goes on with the rest.
        if let Verb::ToKeyring | Verb::ToVault = verb {
            let to = if verb == Verb::ToVault { StoredPlace::Vault } else { StoredPlace::Keyring };
            for outcome in migrate(&core, to).await {
                let is_there = matches!(outcome, MigrationOutcome::Moved | MigrationOutcome::AlreadyThere);
                assert!(is_there, "{context}: {outcome:?}");
            }
            assert_eq!(keyring.len(), if to == StoredPlace::Vault { 0 } else { NAMES.len() }, "{context}");
        }
        core.shutdown(Duration::ZERO).await;
        for name in NAMES {
            site.kept(&keyring, name).await.unwrap_or_else(|| panic!("{context}: {name}"));
        }
        if !has_died {
            assert!(at > 4, "{verb:?} has only {at} moments");
            return;
        }
    }
}

#[tokio::test]
async fn a_set_that_is_killed_leaves_the_old_secret_or_the_new_one() {
    kill_at_each_moment(Verb::Set).await;
}

#[tokio::test]
async fn a_migration_to_the_keyring_that_is_killed_loses_nothing() {
    kill_at_each_moment(Verb::ToKeyring).await;
}

#[tokio::test]
async fn a_migration_to_the_vault_that_is_killed_loses_nothing() {
    kill_at_each_moment(Verb::ToVault).await;
}

#[tokio::test]
async fn a_connection_whose_saving_is_killed_has_its_secret_or_is_not_there() {
    kill_at_each_moment(Verb::Create).await;
}
