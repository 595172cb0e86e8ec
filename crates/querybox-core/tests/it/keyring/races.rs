//! Two programs on one store and one keyring: whichever comes first, a credential names what was set for it.

use std::{env, process::Command, sync::Arc, time::Duration};

use querybox_core::{
    ConnectionError, Core, CredentialError, Forgotten, KeyringPort, MigrationOutcome, OsKeyring, StoredPlace,
    local_user,
};
use querybox_fixtures::Keyring;

use super::{
    double::{Added, Gate, Held, Moment, Plain, Scripted},
    site::{Site, migrate, named, set, settings},
};

const SHOP: &str = "shop";
/// While a secret is on its way to the keyring.
const KEEPING: [Moment; 3] = [Moment::BeforeAdd, Moment::AfterAdd, Moment::AfterGet];

/// Two programs, the first of which stops at a moment.
struct Race {
    site: Site,
    keyring: Arc<dyn KeyringPort>,
    added: Added,
    first: Core,
    second: Core,
}

impl Race {
    /// With a connection that was prepared by the second program.
    async fn prepare(keyring: Option<Arc<dyn KeyringPort>>, stop: Moment) -> (Race, Held) {
        let site = Site::new().await;
        let keyring = keyring.unwrap_or_else(|| Arc::new(site.keyring()));
        let added = Added::default();
        let (gate, held) = Gate::at(stop);
        let first = site.core(Scripted::new(Arc::clone(&keyring), &added, gate)).await;
        let second = site.core(Scripted::new(Arc::clone(&keyring), &added, Plain)).await;
        second.create_connection(settings(SHOP, "old")).await.unwrap();
        (Race { site, keyring, added, first, second }, held)
    }

    async fn delete(core: &Core) -> Result<Forgotten, CredentialError> {
        core.delete_credential(&named(SHOP), local_user(), None).await
    }

    /// The secret is this one, in this place, and nothing else is in the keyring or waits to be removed from it.
    async fn check(self, expected: Option<(StoredPlace, &str)>, context: &str) {
        let Race { site, keyring, added, first, second } = self;
        let kept = site.kept(&*keyring, SHOP).await;
        let place = |kept: &querybox_core::Kept| match kept.entry() {
            Some(_) => StoredPlace::Keyring,
            None => StoredPlace::Vault,
        };
        let found = kept.as_ref().map(|(kept, secret)| (place(kept), secret.as_str()));
        assert_eq!(found, expected, "{context}");
        let named: Vec<String> =
            kept.and_then(|(kept, _)| kept.entry()).map(|entry| entry.to_string()).into_iter().collect();
        assert_eq!(added.there(&*keyring), named, "{context}");
        assert_eq!(second.secret_places().await.unwrap().keyring_entries_left, 0, "{context}");
        for core in [first, second] {
            core.shutdown(Duration::ZERO).await;
        }
        let later = site.later_core(Arc::clone(&keyring)).await;
        later.secret_places().await.unwrap();
        assert_eq!(added.there(&*keyring), named, "{context}, a minute later");
        later.shutdown(Duration::ZERO).await;
    }
}

fn was_changed<T: std::fmt::Debug>(answer: &Result<T, CredentialError>) -> bool {
    matches!(answer, Err(CredentialError::Connection(ConnectionError::Changed(_))))
}

/// A secret set for one host, while the connection comes to lead to another one.
async fn set_against_edit(keyring: Option<&Arc<dyn KeyringPort>>) {
    for stop in KEEPING {
        let (race, held) = Race::prepare(keyring.cloned(), stop).await;
        let meanwhile = held.meanwhile(async {
            let before = race.second.connection(&named(SHOP)).await.unwrap();
            let elsewhere = settings(SHOP, "new");
            race.second.update_connection(before.id, before.revision, elsewhere).await.unwrap();
            set(&race.second, SHOP, "for the new host", StoredPlace::Keyring).await.unwrap();
        });
        let set = set(&race.first, SHOP, "for the old host", StoredPlace::Keyring);
        let (set, ()) = tokio::join!(set, meanwhile);
        assert!(was_changed(&set), "{stop:?}: {set:?}");
        race.check(Some((StoredPlace::Keyring, "for the new host")), &format!("set and edit at {stop:?}"))
            .await;
    }
}

async fn set_against_delete(keyring: Option<&Arc<dyn KeyringPort>>) {
    for stop in KEEPING {
        let (race, held) = Race::prepare(keyring.cloned(), stop).await;
        set(&race.second, SHOP, "first", StoredPlace::Keyring).await.unwrap();
        let deleted = held.meanwhile(Race::delete(&race.second));
        let set = set(&race.first, SHOP, "second", StoredPlace::Keyring);
        let (set, deleted) = tokio::join!(set, deleted);
        deleted.unwrap();
        assert!(was_changed(&set), "{stop:?}: {set:?}");
        race.check(None, &format!("set and delete at {stop:?}")).await;
    }
    for stop in [Moment::BeforeDelete, Moment::AfterDelete] {
        let (race, held) = Race::prepare(keyring.cloned(), stop).await;
        set(&race.second, SHOP, "first", StoredPlace::Keyring).await.unwrap();
        let set = held.meanwhile(set(&race.second, SHOP, "second", StoredPlace::Keyring));
        let (deleted, set) = tokio::join!(Race::delete(&race.first), set);
        deleted.unwrap();
        set.unwrap();
        race.check(Some((StoredPlace::Keyring, "second")), &format!("delete and set at {stop:?}")).await;
    }
}

async fn migration_to_the_keyring_against_set(keyring: Option<&Arc<dyn KeyringPort>>) {
    for stop in KEEPING {
        let (race, held) = Race::prepare(keyring.cloned(), stop).await;
        set(&race.second, SHOP, "first", StoredPlace::Vault).await.unwrap();
        let set = held.meanwhile(set(&race.second, SHOP, "second", StoredPlace::Keyring));
        let (moved, set) = tokio::join!(migrate(&race.first, StoredPlace::Keyring), set);
        set.unwrap();
        assert!(matches!(moved[..], [MigrationOutcome::Changed]), "{stop:?}: {moved:?}");
        race.check(Some((StoredPlace::Keyring, "second")), &format!("to the keyring and set at {stop:?}"))
            .await;
    }
}

async fn migration_to_the_vault_against_set(keyring: Option<&Arc<dyn KeyringPort>>) {
    for stop in [Moment::BeforeGet, Moment::AfterGet, Moment::BeforeDelete, Moment::AfterDelete] {
        let (race, held) = Race::prepare(keyring.cloned(), stop).await;
        set(&race.second, SHOP, "first", StoredPlace::Keyring).await.unwrap();
        let set = held.meanwhile(set(&race.second, SHOP, "second", StoredPlace::Keyring));
        let (moved, set) = tokio::join!(migrate(&race.first, StoredPlace::Vault), set);
        set.unwrap();
        let is_so = match stop {
            Moment::BeforeGet | Moment::AfterGet => matches!(moved[..], [MigrationOutcome::Changed]),
            _ => matches!(moved[..], [MigrationOutcome::Moved]),
        };
        assert!(is_so, "{stop:?}: {moved:?}");
        race.check(Some((StoredPlace::Keyring, "second")), &format!("to the vault and set at {stop:?}"))
            .await;
    }
}

#[tokio::test]
async fn a_secret_that_was_set_for_another_host_is_not_kept() {
    set_against_edit(None).await;
}

#[tokio::test]
async fn a_secret_is_set_or_deleted_and_never_half_of_both() {
    set_against_delete(None).await;
}

#[tokio::test]
async fn a_secret_that_is_set_while_it_moves_to_the_keyring_is_the_one_that_counts() {
    migration_to_the_keyring_against_set(None).await;
}

#[tokio::test]
async fn a_secret_that_is_set_while_it_moves_to_the_vault_is_the_one_that_counts() {
    migration_to_the_vault_against_set(None).await;
}

#[tokio::test]
async fn a_secret_that_takes_longer_than_any_may_is_given_up() {
    for stop in KEEPING {
        let (race, held) = Race::prepare(None, stop).await;
        let swept = held.meanwhile(async {
            // Just now it may be about to become a credential's.
            assert_eq!(race.second.secret_places().await.unwrap().keyring_entries_left, 0);
            let later = race.site.later_core(Arc::clone(&race.keyring)).await;
            later.secret_places().await.unwrap();
            later.shutdown(Duration::ZERO).await;
        });
        let (set, ()) = tokio::join!(set(&race.first, SHOP, "late", StoredPlace::Keyring), swept);
        assert!(set.is_err(), "{stop:?}");
        race.check(None, &format!("swept at {stop:?}")).await;
    }
}

/// The bus is found in the environment of a process.
#[test]
fn no_race_is_lost_in_a_real_keyring() {
    let keyring = Keyring::start();
    let raced = Command::new(env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "--nocapture",
            "--test-threads=1",
            "keyring::races::real_keyring_child",
        ])
        .envs(keyring.environment())
        .output()
        .unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&raced.stdout), String::from_utf8_lossy(&raced.stderr));
    assert!(raced.status.success() && said.contains("1 passed"), "{said}");
    assert!(!keyring.search(&["application", "querybox"]).is_empty());
}

#[tokio::test]
#[ignore = "half of no_race_is_lost_in_a_real_keyring, which starts it"]
async fn real_keyring_child() {
    let keyring: Arc<dyn KeyringPort> = Arc::new(OsKeyring::new());
    set_against_edit(Some(&keyring)).await;
    set_against_delete(Some(&keyring)).await;
    migration_to_the_keyring_against_set(Some(&keyring)).await;
    migration_to_the_vault_against_set(Some(&keyring)).await;
}
