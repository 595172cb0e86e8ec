//! Credentials: set, replaced, moved, dropped; and entries of the keyring that nobody stands for.

use querybox_store::{
    ConnectionSettings, CredentialKey, Error, Kept, KeyId, KeyRecord, Owner, SecretPlace, SecretScope, Store,
};

use crate::{Site, at, settings};

pub(crate) fn record(number: u8) -> KeyRecord {
    KeyRecord { id: KeyId::from([number; 8]), salt: [number; 32], check: [number; 32] }
}

/// A blob under a key.
pub(crate) fn sealed(key: u8, blob: &str) -> Kept {
    Kept::Sealed { key: record(key).id, blob: blob.as_bytes().to_vec() }
}

async fn add(store: &Store, name: &str) -> CredentialKey {
    let connection = store.create_connection(settings(name), at(0)).await.unwrap().id;
    CredentialKey { connection, owner: Owner::shared(), field: "password".to_owned() }
}

#[tokio::test]
async fn a_credential_lives_with_its_connection() {
    let site = Site::new();
    let store = site.open().await;
    store.register_key(record(1), false, at(0)).await.unwrap();
    let key = add(&store, "orders").await;
    let other = add(&store, "other").await;

    let set = store.put_credential(key.clone(), 1, sealed(1, "a"), at(1)).await.unwrap();
    assert_eq!((set.created, set.updated, set.last_access, set.last_rotated), (at(1), at(1), None, None));
    let replaced = store.put_credential(key.clone(), 1, sealed(1, "b"), at(2)).await.unwrap();
    assert_eq!((replaced.created, replaced.updated), (at(1), at(2)));
    assert_eq!(replaced.kept, sealed(1, "b"));
    store.touch_credentials(key.connection, Owner::shared(), at(9));
    store.touch_credentials(key.connection, Owner::shared(), at(8));
    store.close().await;

    let store = site.open().await;
    let (connection, found) =
        store.connection_with_credentials(key.connection, "ada".parse().unwrap()).await.unwrap();
    assert_eq!((connection.id, found.len()), (key.connection, 1));
    assert_eq!((found[0].last_access, &found[0].kept), (Some(at(9)), &sealed(1, "b")));
    assert_eq!(store.credentials(Some(other.connection)).await.unwrap(), []);

    store.delete_connection(key.connection, at(10)).await.unwrap();
    assert_eq!(store.credentials(None).await.unwrap(), []);
    store.close().await;
    // What was sealed is written over, in the file that the last one to close has made of it.
    let file = std::fs::read(site.path()).unwrap();
    assert!(
        !file
            .windows(21)
            .any(|window| window == b"password\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01")
    );
}

#[tokio::test]
async fn each_user_has_their_own_where_the_connection_says_so() {
    let site = Site::new();
    let store = site.open().await;
    let shared = add(&store, "orders").await;
    let ada: Owner = "ada".parse().unwrap();
    let of_ada = CredentialKey { owner: ada.clone(), ..shared.clone() };
    store.put_credential(shared.clone(), 1, Kept::Keyring, at(1)).await.unwrap();
    store.put_credential(of_ada.clone(), 1, Kept::Keyring, at(1)).await.unwrap();

    let keys = async |user: &str| {
        let name = "ORDERS".parse().unwrap();
        let found = store.connection_named_with_credentials(&name, user.parse().unwrap()).await.unwrap().1;
        found.into_iter().map(|credential| credential.key).collect::<Vec<_>>()
    };
    assert_eq!(keys("ada").await, std::slice::from_ref(&shared));
    let each = ConnectionSettings { secret_scope: SecretScope::EachUser, ..settings("orders") };
    store.update_connection(shared.connection, 1, each, at(2)).await.unwrap();
    assert_eq!(keys("ada").await, [of_ada]);
    assert_eq!(keys("grace").await, []);
}

#[tokio::test]
async fn a_secret_meant_for_another_host_is_not_taken() {
    let site = Site::new();
    let store = site.open().await;
    let key = add(&store, "orders").await;
    store.update_connection(key.connection, 1, settings("orders"), at(1)).await.unwrap();
    let refused = store.put_credential(key.clone(), 1, Kept::Keyring, at(2)).await;
    assert!(matches!(refused, Err(Error::Conflict(id)) if id == key.connection));
    store.put_credential(key.clone(), 2, Kept::Keyring, at(2)).await.unwrap();

    // Dropped with the change, in one transaction; a change that is refused drops nothing.
    let change = |revision| {
        store.update_connection_and_drop_credentials(key.connection, revision, settings("orders"), at(3))
    };
    assert!(matches!(change(1).await, Err(Error::Conflict(_))));
    assert!(store.credential(&key).await.unwrap().is_some());
    let (connection, dropped) = change(2).await.unwrap();
    assert_eq!((connection.revision, dropped.len()), (3, 1));
    assert_eq!(store.credential(&key).await.unwrap(), None);
    assert_eq!(store.keyring_leftovers(at(4)).await.unwrap(), [key]);
}

#[tokio::test]
async fn a_secret_and_its_place_are_set_together_or_not_at_all() {
    let site = Site::new();
    let store = site.open().await;
    store.register_key(record(1), false, at(0)).await.unwrap();
    let key = add(&store, "orders").await;
    let set = |revision, kept| store.set_credential(key.clone(), revision, kept, at(1));
    let place = async || store.connection(key.connection).await.unwrap().settings.secret_place;

    // Refused for the key or the revision, or struck between the two.
    assert!(matches!(set(1, sealed(7, "x")).await, Err(Error::NoKey(_))));
    assert!(matches!(set(2, sealed(1, "x")).await, Err(Error::Conflict(_))));
    let raw = site.raw();
    let strike = "CREATE TRIGGER strike BEFORE UPDATE ON connection BEGIN SELECT RAISE(FAIL, 'struck'); END";
    raw.execute_batch(strike).unwrap();
    assert!(matches!(set(1, sealed(1, "x")).await, Err(Error::Storage(_))));
    raw.execute_batch("DROP TRIGGER strike").unwrap();
    assert_eq!(store.credential(&key).await.unwrap(), None);
    assert_eq!(place().await, SecretPlace::NotNeeded);

    let (connection, credential) = set(1, sealed(1, "a")).await.unwrap();
    assert_eq!((connection.revision, connection.settings.secret_place), (2, SecretPlace::Vault));
    assert_eq!(credential.kept, sealed(1, "a"));
    // It says so already.
    assert_eq!(set(2, sealed(1, "b")).await.unwrap().0.revision, 2);
    assert_eq!(set(2, Kept::Keyring).await.unwrap().0.revision, 3);
    assert_eq!(place().await, SecretPlace::Keyring);
    assert_eq!(store.credential(&key).await.unwrap().unwrap().kept, Kept::Keyring);
}

#[tokio::test]
async fn what_was_changed_meanwhile_is_not_swapped() {
    let site = Site::new();
    let store = site.open().await;
    for number in [1, 2] {
        store.register_key(record(number), false, at(0)).await.unwrap();
    }
    let key = add(&store, "orders").await;
    let swap = |from: Kept, to: Kept| store.swap_credential(key.clone(), from, to, at(5));
    assert!(!swap(Kept::Keyring, sealed(1, "a")).await.unwrap(), "there is none");
    store.put_credential(key.clone(), 1, sealed(1, "a"), at(1)).await.unwrap();
    assert!(!swap(sealed(1, "b"), sealed(2, "c")).await.unwrap());
    assert!(!swap(Kept::Keyring, sealed(2, "c")).await.unwrap());
    assert!(swap(sealed(1, "a"), sealed(2, "c")).await.unwrap());
    let found = store.credential(&key).await.unwrap().unwrap();
    assert_eq!((found.updated, found.last_rotated, found.kept), (at(1), Some(at(5)), sealed(2, "c")));
}

#[tokio::test]
async fn no_entry_of_the_keyring_is_forgotten() {
    let site = Site::new();
    let store = site.open().await;
    store.register_key(record(1), false, at(0)).await.unwrap();
    let key = add(&store, "orders").await;
    let leftovers = async |before: i64| store.keyring_leftovers(at(before)).await.unwrap();
    let mine = std::slice::from_ref(&key);

    // Planned, and then the program died: it is a leftover when it is old enough.
    store.plan_keyring_entry(key.clone(), at(1)).await.unwrap();
    assert_eq!(leftovers(1).await, []);
    assert_eq!(leftovers(2).await, mine);
    // Planned and made.
    store.plan_keyring_entry(key.clone(), at(2)).await.unwrap();
    store.put_credential(key.clone(), 1, Kept::Keyring, at(2)).await.unwrap();
    assert_eq!(leftovers(100).await, []);
    // A new secret in the same entry needs no plan.
    store.plan_keyring_entry(key.clone(), at(3)).await.unwrap();
    assert_eq!(leftovers(100).await, []);
    // Moved to the vault, by a swap or by a new secret.
    assert!(store.swap_credential(key.clone(), Kept::Keyring, sealed(1, "a"), at(4)).await.unwrap());
    assert_eq!(leftovers(100).await, mine);
    store.forget_keyring_leftover(key.clone()).await.unwrap();
    store.put_credential(key.clone(), 1, Kept::Keyring, at(5)).await.unwrap();
    store.put_credential(key.clone(), 1, sealed(1, "b"), at(6)).await.unwrap();
    assert_eq!(leftovers(100).await, mine);
    // Moved back, then removed; a sealed one leaves nothing.
    store.put_credential(key.clone(), 1, Kept::Keyring, at(7)).await.unwrap();
    assert_eq!(leftovers(100).await, []);
    assert!(store.delete_credential(key.clone(), at(8)).await.unwrap());
    assert!(!store.delete_credential(key.clone(), at(8)).await.unwrap());
    assert_eq!(leftovers(100).await, mine);
    store.forget_keyring_leftover(key.clone()).await.unwrap();
    store.put_credential(key.clone(), 1, sealed(1, "c"), at(9)).await.unwrap();
    assert!(store.delete_credential(key.clone(), at(10)).await.unwrap());
    assert_eq!(leftovers(100).await, []);
    // It outlives its connection.
    store.put_credential(key.clone(), 1, Kept::Keyring, at(11)).await.unwrap();
    store.delete_connection(key.connection, at(12)).await.unwrap();
    assert_eq!(leftovers(100).await, mine);
}

#[tokio::test]
async fn half_of_a_seal_is_an_error() {
    let site = Site::new();
    let store = site.open().await;
    store.register_key(record(1), false, at(0)).await.unwrap();
    let key = add(&store, "orders").await;
    store.put_credential(key, 1, sealed(1, "a"), at(1)).await.unwrap();
    assert!(site.raw().execute("UPDATE credential SET sealed = NULL", []).is_err());
    let raw = site.raw();
    raw.execute_batch("PRAGMA ignore_check_constraints = 1; UPDATE credential SET sealed = NULL").unwrap();
    assert!(matches!(store.credentials(None).await, Err(Error::Storage(_))));
}

#[test]
fn owners_are_plain() {
    assert!("".parse::<Owner>().unwrap().is_shared());
    assert_eq!("ada@example.org".parse::<Owner>().unwrap().as_str(), "ada@example.org");
    assert!("a\nb".parse::<Owner>().is_err());
    assert!("ü".repeat(201).parse::<Owner>().is_err());
}

#[test]
fn debug_says_nothing_of_a_blob() {
    assert_eq!(format!("{:?}", sealed(1, "canary")), "Sealed(6 bytes under 0101010101010101)");
}
