//! Credentials: set, replaced, moved, dropped; and entries of the keyring that nobody stands for.

use jiff::Timestamp;
use querybox_store::{
    ConnectionId, ConnectionSettings, Credential, CredentialKey, EntryId, Error, Kept, KeyId, KeyRecord,
    Owner, Registering, SecretPlace, SecretScope, Store,
};

use crate::{Site, at, settings};

pub(crate) fn record(number: u8) -> KeyRecord {
    KeyRecord { id: KeyId::from([number; 8]), salt: [number; 32], check: [number; 32] }
}

/// A blob under a key.
pub(crate) fn sealed(key: u8, blob: &str) -> Kept {
    Kept::Sealed { key: record(key).id, blob: blob.as_bytes().to_vec() }
}

/// Sets a credential over whatever is there.
pub(crate) async fn set(
    store: &Store,
    key: &CredentialKey,
    kept: Kept,
    now: Timestamp,
) -> Result<Credential, Error> {
    let seen = store.credential(key).await.unwrap().map(|credential| credential.kept);
    let revision = store.connection(key.connection).await.unwrap().revision;
    Ok(store.set_credential(key.clone(), revision, seen, kept, now).await?.1)
}

/// An entry of the keyring that may be named now.
pub(crate) async fn planned(store: &Store) -> Kept {
    Kept::Keyring(store.plan_keyring_entry(at(0)).await.unwrap())
}

/// What is to be removed, when no plan is spared.
async fn leftovers(store: &Store) -> Vec<EntryId> {
    let all = Timestamp::MIN..Timestamp::MIN;
    let claimed = store.claim_keyring_leftovers(all.clone()).await.unwrap();
    assert_eq!(store.keyring_leftovers(all).await.unwrap(), claimed.len());
    claimed
}

async fn add(store: &Store, name: &str) -> CredentialKey {
    let connection = store.create_connection(settings(name), at(0)).await.unwrap().id;
    CredentialKey { connection, owner: Owner::shared(), field: "password".to_owned() }
}

#[tokio::test]
async fn a_credential_lives_with_its_connection() {
    let site = Site::new();
    let store = site.open().await;
    store.register_key(record(1), Registering::Beside, at(0)).await.unwrap();
    let key = add(&store, "orders").await;
    let other = add(&store, "other").await;

    let first = set(&store, &key, sealed(1, "a"), at(1)).await.unwrap();
    assert_eq!(
        (first.created, first.updated, first.last_access, first.last_rotated),
        (at(1), at(1), None, None)
    );
    let replaced = set(&store, &key, sealed(1, "b"), at(2)).await.unwrap();
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

    store.delete_connection(key.connection).await.unwrap();
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
    set(&store, &shared, planned(&store).await, at(1)).await.unwrap();
    set(&store, &of_ada, planned(&store).await, at(1)).await.unwrap();

    let keys = async |user: &str| {
        let name = "ORDERS".parse().unwrap();
        let found = store.connection_named_with_credentials(&name, user.parse().unwrap()).await.unwrap().1;
        found.into_iter().map(|credential| credential.key).collect::<Vec<_>>()
    };
    assert_eq!(keys("ada").await, std::slice::from_ref(&shared));
    let each = ConnectionSettings { secret_scope: SecretScope::EachUser, ..settings("orders") };
    store.update_connection(shared.connection, 2, each, at(2)).await.unwrap();
    assert_eq!(keys("ada").await, [of_ada]);
    assert_eq!(keys("grace").await, []);
}

#[tokio::test]
async fn a_secret_meant_for_another_host_is_not_taken() {
    let site = Site::new();
    let store = site.open().await;
    let key = add(&store, "orders").await;
    store.update_connection(key.connection, 1, settings("orders"), at(1)).await.unwrap();
    let kept = planned(&store).await;
    let set = async |revision| store.set_credential(key.clone(), revision, None, kept.clone(), at(2)).await;
    assert!(matches!(set(1).await, Err(Error::Conflict(id)) if id == key.connection));
    assert_eq!(set(2).await.unwrap().0.revision, 3);

    // Dropped with the change, in one transaction; a change that is refused drops nothing.
    let change = |revision| {
        store.update_connection_and_drop_credentials(key.connection, revision, settings("orders"), at(3))
    };
    assert!(matches!(change(2).await, Err(Error::Conflict(_))));
    assert!(store.credential(&key).await.unwrap().is_some());
    assert_eq!(leftovers(&store).await, []);
    let (connection, dropped) = change(3).await.unwrap();
    assert_eq!((connection.revision, dropped.len()), (4, 1));
    assert_eq!(store.credential(&key).await.unwrap(), None);
    assert_eq!(leftovers(&store).await, [kept.entry().unwrap()]);
}

#[tokio::test]
async fn a_secret_and_its_place_are_set_together_or_not_at_all() {
    let site = Site::new();
    let store = site.open().await;
    store.register_key(record(1), Registering::Beside, at(0)).await.unwrap();
    let key = add(&store, "orders").await;
    let set = |revision, kept| store.set_credential(key.clone(), revision, None, kept, at(1));
    let place = async || store.connection(key.connection).await.unwrap().settings.secret_place;

    // Refused for the key or the revision, or struck between the two.
    assert!(matches!(set(1, sealed(7, "x")).await, Err(Error::NoKey(_))));
    assert!(matches!(set(2, sealed(1, "x")).await, Err(Error::Conflict(_))));
    let raw = site.raw();
    let strike = "CREATE TRIGGER strike BEFORE UPDATE ON connection BEGIN SELECT RAISE(FAIL, 'struck'); END";
    raw.execute_batch(strike).unwrap();
    let kept = planned(&store).await;
    assert!(matches!(set(1, kept.clone()).await, Err(Error::Storage(_))));
    raw.execute_batch("DROP TRIGGER strike").unwrap();
    assert_eq!(store.credential(&key).await.unwrap(), None);
    assert_eq!(place().await, SecretPlace::NotNeeded);

    let (connection, credential) = set(1, kept.clone()).await.unwrap();
    assert_eq!((connection.revision, connection.settings.secret_place), (2, SecretPlace::Keyring));
    assert_eq!(credential.kept, kept);
    // In the same place again: the connection is as it was.
    let again = planned(&store).await;
    let (connection, _) =
        store.set_credential(key.clone(), 2, Some(kept), again.clone(), at(2)).await.unwrap();
    assert_eq!((connection.revision, connection.updated), (2, at(1)));
    assert_eq!(store.credential(&key).await.unwrap().unwrap().kept, again);
}

#[tokio::test]
async fn a_connection_and_its_first_secret_come_together_or_not_at_all() {
    let site = Site::new();
    let store = site.open().await;
    store.register_key(record(1), Registering::Beside, at(0)).await.unwrap();
    let create = async |name: &str, kept: Kept| {
        let connection = ConnectionId::make(at(1));
        let key = CredentialKey { connection, owner: Owner::shared(), field: "password".to_owned() };
        store.create_connection_with_credential(key, settings(name), kept, at(1)).await
    };
    let (connection, credential) = create("orders", sealed(1, "a")).await.unwrap();
    assert_eq!((connection.revision, connection.settings.secret_place), (1, SecretPlace::Vault));
    assert_eq!(connection.settings.parameters, settings("orders").parameters);
    assert_eq!((credential.key.connection, credential.created), (connection.id, at(1)));
    let kept = planned(&store).await;
    let (connection, _) = create("in the keyring", kept.clone()).await.unwrap();
    assert_eq!(connection.settings.secret_place, SecretPlace::Keyring);
    assert_eq!(leftovers(&store).await, []);

    // The name is taken, the key is not known, the plan was given up: nothing is left of any.
    let planned = planned(&store).await;
    assert!(matches!(create("ORDERS", planned.clone()).await, Err(Error::NameTaken(_))));
    assert!(matches!(create("new", sealed(7, "x")).await, Err(Error::NoKey(_))));
    assert!(store.give_up_keyring_entry(planned.entry().unwrap()).await.unwrap());
    assert!(matches!(create("new", planned.clone()).await, Err(Error::Conflict(_))));
    assert_eq!(store.connections().await.unwrap().len(), 2);
    assert_eq!(store.credentials(None).await.unwrap().len(), 2);
    assert_eq!(leftovers(&store).await, [planned.entry().unwrap()]);
}

#[tokio::test]
async fn what_was_changed_meanwhile_is_not_touched() {
    let site = Site::new();
    let store = site.open().await;
    for number in [1, 2] {
        store.register_key(record(number), Registering::Beside, at(0)).await.unwrap();
    }
    let key = add(&store, "orders").await;
    let swap = |from: Kept, to: Kept| store.swap_credential(key.clone(), from, to, at(5));
    let first = planned(&store).await;
    assert!(!swap(first.clone(), sealed(1, "a")).await.unwrap(), "there is none");
    set(&store, &key, sealed(1, "a"), at(1)).await.unwrap();
    assert!(!swap(sealed(1, "b"), sealed(2, "c")).await.unwrap());
    assert!(!swap(first.clone(), sealed(2, "c")).await.unwrap());
    assert!(swap(sealed(1, "a"), sealed(2, "c")).await.unwrap());
    let found = store.credential(&key).await.unwrap().unwrap();
    assert_eq!((found.updated, found.last_rotated, &found.kept), (at(1), Some(at(5)), &sealed(2, "c")));

    // A secret set, or removed, over one that nobody saw.
    let set_over = async |seen: Option<Kept>| {
        let revision = store.connection(key.connection).await.unwrap().revision;
        store.set_credential(key.clone(), revision, seen, sealed(1, "d"), at(6)).await
    };
    for unseen in [None, Some(sealed(1, "a")), Some(first)] {
        assert!(matches!(set_over(unseen.clone()).await, Err(Error::Conflict(_))), "{unseen:?}");
    }
    set_over(Some(sealed(2, "c"))).await.unwrap();
    assert!(matches!(store.delete_credentials(vec![found.clone()]).await, Err(Error::Conflict(_))));
    let now = store.credential(&key).await.unwrap().unwrap();
    // All or none.
    assert!(store.delete_credentials(vec![now.clone(), found]).await.is_err());
    assert_eq!(store.credential(&key).await.unwrap().as_ref(), Some(&now));
    store.delete_credentials(vec![now]).await.unwrap();
    assert_eq!(store.credential(&key).await.unwrap(), None);
}

#[tokio::test]
async fn each_entry_of_the_keyring_is_named_or_left_over() {
    let site = Site::new();
    let store = site.open().await;
    store.register_key(record(1), Registering::Beside, at(0)).await.unwrap();
    let key = add(&store, "orders").await;
    let entry = |kept: &Kept| kept.entry().unwrap();

    // Planned, and made, and named; the one before is to be removed with each change.
    let [one, two, three] = [planned(&store).await, planned(&store).await, planned(&store).await];
    assert!(entry(&one) != entry(&two) && entry(&two) != entry(&three));
    set(&store, &key, one.clone(), at(1)).await.unwrap();
    set(&store, &key, two.clone(), at(2)).await.unwrap();
    let moved = store.swap_credential(key.clone(), two.clone(), sealed(1, "a"), at(3)).await.unwrap();
    assert!(moved);
    // A plan that nobody spares is given up, and can be settled no more.
    let mut expected = [entry(&one), entry(&two), entry(&three)];
    let mut left = leftovers(&store).await;
    expected.sort();
    left.sort();
    assert_eq!(left, expected);
    assert!(matches!(set(&store, &key, three.clone(), at(4)).await, Err(Error::Conflict(_))));
    let moved = store.swap_credential(key.clone(), sealed(1, "a"), three.clone(), at(4)).await.unwrap();
    assert!(!moved);
    assert_eq!(store.credential(&key).await.unwrap().unwrap().kept, sealed(1, "a"));
    for gone in [&one, &two, &three] {
        store.forget_keyring_entry(entry(gone)).await.unwrap();
    }
    assert_eq!(leftovers(&store).await, []);
    // Nor is an entry named that was never planned, or was planned once and settled.
    assert!(set(&store, &key, Kept::Keyring(EntryId::from([7; 16])), at(4)).await.is_err());
    assert!(set(&store, &key, one, at(4)).await.is_err());

    // It outlives its credential, and its connection.
    let four = planned(&store).await;
    set(&store, &key, four.clone(), at(5)).await.unwrap();
    let seen = store.credential(&key).await.unwrap().unwrap();
    store.delete_credentials(vec![seen]).await.unwrap();
    assert_eq!(leftovers(&store).await, [entry(&four)]);
    store.forget_keyring_entry(entry(&four)).await.unwrap();
    let five = planned(&store).await;
    set(&store, &key, five.clone(), at(6)).await.unwrap();
    let forgotten = store.delete_connection(key.connection).await.unwrap();
    assert_eq!(forgotten.iter().map(|one| one.kept.clone()).collect::<Vec<_>>(), std::slice::from_ref(&five));
    assert_eq!(leftovers(&store).await, [entry(&five)]);
}

#[tokio::test]
async fn an_entry_that_is_just_being_made_is_spared() {
    let site = Site::new();
    let store = site.open().await;
    let key = add(&store, "orders").await;
    let entry = store.plan_keyring_entry(at(100)).await.unwrap();
    let claim = |from, to| store.claim_keyring_leftovers(at(from)..at(to));
    assert_eq!(claim(100, 101).await.unwrap(), []);
    assert_eq!(store.keyring_leftovers(at(40)..at(160)).await.unwrap(), 0);
    set(&store, &key, Kept::Keyring(entry), at(100)).await.unwrap();
    // What a credential names is neither given up nor removed, whatever else is written down.
    assert!(!store.give_up_keyring_entry(entry).await.unwrap());
    site.raw()
        .execute("INSERT INTO keyring_leftover VALUES (?1, NULL)", [entry.as_bytes().as_slice()])
        .unwrap();
    assert_eq!(leftovers(&store).await, []);

    // Too old, or from a time that is still to come: a clock was set back.
    for (second, from, to) in [(100, 101, 200), (300, 101, 300)] {
        let planned = store.plan_keyring_entry(at(second)).await.unwrap();
        assert_eq!(claim(from, to).await.unwrap(), [planned]);
        store.forget_keyring_entry(planned).await.unwrap();
    }
}

#[tokio::test]
async fn half_of_a_seal_is_an_error() {
    let site = Site::new();
    let store = site.open().await;
    store.register_key(record(1), Registering::Beside, at(0)).await.unwrap();
    let key = add(&store, "orders").await;
    set(&store, &key, sealed(1, "a"), at(1)).await.unwrap();
    assert!(site.raw().execute("UPDATE credential SET sealed = NULL", []).is_err());
    let both = "UPDATE credential SET keyring_entry = zeroblob(16)";
    assert!(site.raw().execute(both, []).is_err());
    let raw = site.raw();
    for wrong in [both, "UPDATE credential SET sealed = NULL, keyring_entry = NULL"] {
        raw.execute_batch(&format!("PRAGMA ignore_check_constraints = 1; {wrong}")).unwrap();
        assert!(matches!(store.credentials(None).await, Err(Error::Storage(_))), "{wrong}");
    }
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
    assert_eq!(
        format!("{:?}", Kept::Keyring(EntryId::from([0xab; 16]))),
        format!("Keyring({})", "ab".repeat(16))
    );
    assert_eq!(format!("{:?}", sealed(1, "canary")), "Sealed(6 bytes under 0101010101010101)");
}
