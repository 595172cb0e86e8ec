//! Master keys by their records: registered, promoted, emptied, retired.

use std::collections::HashSet;

use querybox_store::{CredentialKey, Error, KeyId, KeyState, Owner, Registering, Store};

use crate::{
    Site, at,
    credentials::{planned, record, sealed, set},
    settings,
};

async fn states(store: &Store) -> Vec<KeyState> {
    store.keys().await.unwrap().into_iter().map(|key| key.state).collect()
}

#[tokio::test]
async fn a_key_comes_serves_and_goes() {
    let site = Site::new();
    let store = site.open().await;
    let first = store.register_key(record(1), Registering::Beside, at(1)).await.unwrap();
    assert_eq!((first.state, first.created, first.credentials), (KeyState::Primary, at(1), 0));
    let connection = store.create_connection(settings("orders"), at(0)).await.unwrap().id;
    let key = |field: &str| CredentialKey { connection, owner: Owner::shared(), field: field.to_owned() };
    for field in ["a", "b", "c"] {
        set(&store, &key(field), sealed(1, field), at(2)).await.unwrap();
    }

    let second = store.register_key(record(2), Registering::Beside, at(3)).await.unwrap();
    assert_eq!(second.state, KeyState::DecryptOnly);
    assert!(matches!(
        store.register_key(record(3), Registering::First, at(3)).await,
        Err(Error::KeysPresent)
    ));
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
    set(&store, &key("a"), sealed(1, "late"), at(6)).await.unwrap();
    let refused = store.retire_key(record(1).id, at(6)).await;
    assert!(matches!(refused, Err(Error::KeyInUse { credentials: 1, .. })));
    store.mark_emptied_keys(at(6)).await.unwrap();
    assert_eq!(store.keys().await.unwrap()[0].emptied, None);
    set(&store, &key("a"), sealed(2, "again"), at(7)).await.unwrap();
    assert!(store.retire_key(record(1).id, at(7)).await.is_err());
    store.mark_emptied_keys(at(8)).await.unwrap();
    let retired = store.retire_key(record(1).id, at(9)).await.unwrap();
    assert_eq!(
        (retired.state, retired.retired, retired.emptied),
        (KeyState::Retired, Some(at(9)), Some(at(8)))
    );

    // Nothing is sealed under it ever again.
    let late = set(&store, &key("a"), sealed(1, "too late"), at(10)).await;
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
    let refused = set(&store, &key, sealed(7, "x"), at(1)).await;
    assert!(matches!(refused, Err(Error::NoKey(id)) if id == record(7).id));
    assert!(matches!(store.retire_key(record(7).id, at(1)).await, Err(Error::NoKey(_))));
    assert!(matches!(store.promote_key(record(7).id).await, Err(Error::NoKey(_))));
    set(&store, &key, planned(&store).await, at(1)).await.unwrap();
    assert_eq!(store.sealed_otherwise(record(7).id, None, 10).await.unwrap(), []);
}

#[tokio::test]
async fn keys_that_nothing_is_sealed_under_are_replaced() {
    let site = Site::new();
    let store = site.open().await;
    let connection = store.create_connection(settings("orders"), at(0)).await.unwrap().id;
    let key = CredentialKey { connection, owner: Owner::shared(), field: "password".to_owned() };
    let replace = |number| store.register_key(record(number), Registering::ReplacingUnused, at(5));
    // There need not be any.
    assert_eq!(replace(1).await.unwrap().state, KeyState::Primary);
    store.register_key(record(2), Registering::Beside, at(1)).await.unwrap();
    set(&store, &key, planned(&store).await, at(1)).await.unwrap();
    assert_eq!(replace(3).await.unwrap().state, KeyState::Primary);
    assert_eq!(states(&store).await, [KeyState::Primary]);

    set(&store, &key, sealed(3, "a"), at(2)).await.unwrap();
    assert!(matches!(replace(4).await, Err(Error::KeysUsed { credentials: 1, texts: false })));
    assert_eq!(store.keys().await.unwrap()[0].record, record(3));
    // A retired one stays known.
    store.register_key(record(4), Registering::Beside, at(3)).await.unwrap();
    store.promote_key(record(4).id).await.unwrap();
    let seen = store.credential(&key).await.unwrap().unwrap();
    store.delete_credentials(vec![seen]).await.unwrap();
    store.mark_emptied_keys(at(4)).await.unwrap();
    store.retire_key(record(3).id, at(4)).await.unwrap();
    replace(5).await.unwrap();
    let ids: Vec<KeyId> = store.keys().await.unwrap().into_iter().map(|key| key.record.id).collect();
    assert_eq!(ids, [record(3).id, record(5).id]);
    assert_eq!(states(&store).await, [KeyState::Retired, KeyState::Primary]);
    assert!(set(&store, &key, sealed(4, "late"), at(6)).await.is_err());
}

#[tokio::test]
async fn keys_are_registered_beside_those_that_were_seen_alone() {
    let site = Site::new();
    let store = site.open().await;
    let register = async |numbers: &[u8], how, seen: &[u8]| {
        let records = numbers.iter().map(|number| record(*number)).collect();
        let seen: HashSet<KeyId> = seen.iter().map(|number| record(*number).id).collect();
        let registered = store.register_keys(records, how, seen, at(1)).await.unwrap();
        registered.map(|keys| keys.len())
    };
    assert_eq!(register(&[1, 2], Registering::First, &[]).await, Some(2));
    // Others that saw the same do not know whether theirs is among them by now.
    assert_eq!(register(&[3], Registering::Beside, &[]).await, None);
    assert_eq!(register(&[3], Registering::ReplacingUnused, &[1]).await, None);
    assert_eq!(register(&[3], Registering::Beside, &[2, 1]).await, Some(1));
    assert_eq!(states(&store).await, [KeyState::Primary, KeyState::DecryptOnly, KeyState::DecryptOnly]);
    assert_eq!(register(&[4], Registering::ReplacingUnused, &[1, 2, 3]).await, Some(1));
    assert_eq!(states(&store).await, [KeyState::Primary]);
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
