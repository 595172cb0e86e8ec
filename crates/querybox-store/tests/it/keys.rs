//! Master keys by their records: registered, promoted, emptied, retired.

use querybox_store::{CredentialKey, Error, Kept, KeyId, KeyState, Owner, Store};

use crate::{
    Site, at,
    credentials::{record, sealed},
    settings,
};

async fn states(store: &Store) -> Vec<KeyState> {
    store.keys().await.unwrap().into_iter().map(|key| key.state).collect()
}

#[tokio::test]
async fn a_key_comes_serves_and_goes() {
    let site = Site::new();
    let store = site.open().await;
    let first = store.register_key(record(1), false, at(1)).await.unwrap();
    assert_eq!((first.state, first.created, first.credentials), (KeyState::Primary, at(1), 0));
    let connection = store.create_connection(settings("orders"), at(0)).await.unwrap().id;
    let key = |field: &str| CredentialKey { connection, owner: Owner::shared(), field: field.to_owned() };
    for field in ["a", "b", "c"] {
        store.put_credential(key(field), 1, sealed(1, field), at(2)).await.unwrap();
    }

    let second = store.register_key(record(2), false, at(3)).await.unwrap();
    assert_eq!(second.state, KeyState::DecryptOnly);
    assert!(matches!(store.register_key(record(3), true, at(3)).await, Err(Error::KeysPresent)));
    store.promote_key(record(2).id).await.unwrap();
    store.promote_key(record(2).id).await.unwrap();
    assert_eq!(states(&store).await, [KeyState::DecryptOnly, KeyState::Primary]);

    // Row by row, in order, each once.
    let mut after = None;
    let mut seen = Vec::new();
    loop {
        let rows = store.sealed_otherwise(record(2).id, after.clone(), 2).await.unwrap();
        let Some(last) = rows.last() else { break };
        after = Some(last.key.clone());
        for row in rows {
            assert!(store.swap_credential(row.key.clone(), row.kept, sealed(2, "new"), at(4)).await.unwrap());
            seen.push(row.key.field);
        }
    }
    assert_eq!(seen, ["a", "b", "c"]);

    // Empty is not enough: somebody must have seen each credential open.
    let refused = store.retire_key(record(1).id, at(5)).await;
    assert!(matches!(refused, Err(Error::KeyInUse { credentials: 0, .. })));
    store.mark_emptied_keys(at(5)).await.unwrap();
    // A seal under the old key by a program that knows no other takes the mark away.
    store.put_credential(key("a"), 1, sealed(1, "late"), at(6)).await.unwrap();
    let refused = store.retire_key(record(1).id, at(6)).await;
    assert!(matches!(refused, Err(Error::KeyInUse { credentials: 1, .. })));
    store.mark_emptied_keys(at(6)).await.unwrap();
    assert_eq!(store.keys().await.unwrap()[0].emptied, None);
    store.put_credential(key("a"), 1, sealed(2, "again"), at(7)).await.unwrap();
    assert!(store.retire_key(record(1).id, at(7)).await.is_err());
    store.mark_emptied_keys(at(8)).await.unwrap();
    let retired = store.retire_key(record(1).id, at(9)).await.unwrap();
    assert_eq!(
        (retired.state, retired.retired, retired.emptied),
        (KeyState::Retired, Some(at(9)), Some(at(8)))
    );

    // Nothing is sealed under it ever again.
    let late = store.put_credential(key("a"), 1, sealed(1, "too late"), at(10)).await;
    assert!(matches!(late, Err(Error::KeyRetired(_))));
    let moved = store.swap_credential(key("a"), sealed(2, "again"), sealed(1, "x"), at(10)).await;
    assert!(matches!(moved, Err(Error::KeyRetired(_))));
    assert!(matches!(store.promote_key(record(1).id).await, Err(Error::KeyRetired(_))));
    assert!(matches!(store.retire_key(record(2).id, at(10)).await, Err(Error::KeyInUse { .. })));
    assert_eq!(states(&store).await, [KeyState::Retired, KeyState::Primary]);
}

#[tokio::test]
async fn a_key_that_nobody_registered_seals_nothing() {
    let site = Site::new();
    let store = site.open().await;
    let connection = store.create_connection(settings("orders"), at(0)).await.unwrap().id;
    let key = CredentialKey { connection, owner: Owner::shared(), field: "password".to_owned() };
    let refused = store.put_credential(key.clone(), 1, sealed(7, "x"), at(1)).await;
    assert!(matches!(refused, Err(Error::NoKey(id)) if id == record(7).id));
    assert!(matches!(store.retire_key(record(7).id, at(1)).await, Err(Error::NoKey(_))));
    assert!(matches!(store.promote_key(record(7).id).await, Err(Error::NoKey(_))));
    store.put_credential(key, 1, Kept::Keyring, at(1)).await.unwrap();
    assert_eq!(store.sealed_otherwise(record(7).id, None, 10).await.unwrap(), []);
}

#[test]
fn ids_of_keys_are_hexadecimal() {
    let id = KeyId::from([0, 1, 2, 3, 4, 5, 6, 0xff]);
    assert_eq!(id.to_string(), "00010203040506ff");
    assert_eq!("00010203040506FF".parse::<KeyId>().unwrap(), id);
    for wrong in ["", "00010203040506f", "00010203040506ff0", "+0010203040506ff", "0001020304050 ff"] {
        assert!(wrong.parse::<KeyId>().is_err(), "{wrong}");
    }
}
