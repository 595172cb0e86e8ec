//! Master keys: registered, rotated, retired.

use querybox_contracts::core::v1::{self as pb, rotate_keys_response::Part};
use querybox_core::{Kept, Store};
use querybox_vault::{KeyRecord, MasterKey, sealed_key_id};
use tonic::{Code, Status};

use crate::{
    credentials::{add, house_without_texts, log_in, make_key, register, set, stored},
    house::{House, check, named},
};

/// Rotates to the end: how it ended, and what was told on the way.
async fn rotate(house: &House) -> Result<(pb::RotationEnded, Vec<pb::RotationProgress>), Status> {
    let mut stream = house.keys().rotate_keys(pb::RotateKeysRequest {}).await?.into_inner();
    let mut told = Vec::new();
    let mut ended = None;
    while let Some(message) = stream.message().await? {
        assert!(ended.is_none(), "something follows the end");
        match message.part.unwrap() {
            Part::Progress(progress) => told.push(progress),
            Part::Ended(report) => ended = Some(report),
        }
    }
    Ok((ended.unwrap(), told))
}

async fn list(house: &House) -> Vec<pb::Key> {
    house.keys().list_keys(pb::ListKeysRequest {}).await.unwrap().into_inner().keys
}

async fn retire(house: &House, id: &str) -> Result<pb::Key, Status> {
    let request = pb::RetireKeyRequest { id: id.to_owned() };
    Ok(house.keys().retire_key(request).await?.into_inner().key.unwrap())
}

#[tokio::test]
async fn a_key_is_replaced_by_another_one() {
    let (house, source, old) = house_without_texts().await;
    for number in 0..70 {
        let name = format!("shop {number}");
        add(&house, &name).await;
        set(&house, &name, "right").await.unwrap();
    }
    let new = make_key();
    source.says(&[&new, &old]);
    let registered = register(&house).await.unwrap();
    assert_eq!(registered.len(), 1);
    assert_eq!(registered[0].state(), pb::KeyState::DecryptOnly);
    assert_eq!(register(&house).await.unwrap(), []);
    let (old_id, new_id) = (stored(&house).await[0].key_id.clone(), registered[0].id.clone());
    let status = retire(&house, &old_id).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);

    let (ended, told) = rotate(&house).await.unwrap();
    assert_eq!((ended.key_id, ended.sealed, ended.verified), (new_id.clone(), 70, 70));
    assert_eq!(ended.failures, []);
    assert!(told.iter().any(|progress| progress.phase() == pb::RotationPhase::Verify));
    let sealed: Vec<_> = told.iter().filter(|progress| progress.phase() == pb::RotationPhase::Seal).collect();
    assert!(sealed.len() > 2 && sealed.is_sorted_by_key(|progress| progress.done));
    assert!(sealed.iter().all(|progress| progress.total == 70));
    let after = stored(&house).await;
    assert!(after.iter().all(|stored| stored.key_id == new_id && stored.last_rotated.is_some()));
    assert!(log_in(&house, "shop 69", None).await.unwrap());

    // A second run does nothing.
    let (again, _) = rotate(&house).await.unwrap();
    assert_eq!((again.sealed, again.verified), (0, 70));
    assert_eq!(
        stored(&house).await.iter().map(|s| s.last_rotated).collect::<Vec<_>>(),
        after.iter().map(|s| s.last_rotated).collect::<Vec<_>>()
    );

    let keys = list(&house).await;
    assert_eq!(
        keys.iter().map(pb::Key::state).collect::<Vec<_>>(),
        [pb::KeyState::DecryptOnly, pb::KeyState::Primary]
    );
    assert!(keys[0].emptied.is_some() && keys[0].is_at_hand == Some(true));
    let retired = retire(&house, &old_id).await.unwrap();
    assert_eq!(retired.state(), pb::KeyState::Retired);
    source.says(&[&new]);
    let house = house.again(source.key_source()).await;
    assert!(log_in(&house, "shop 0", None).await.unwrap());
    // The old one alone is of no use any more.
    source.says(&[&old]);
    let house = house.again(source.key_source()).await;
    let status = log_in(&house, "shop 0", None).await.unwrap_err();
    check(
        &status,
        Code::FailedPrecondition,
        "MASTER_KEY_WRONG",
        &format!("the first master key of the source, {old_id}, is retired"),
    );
}

#[tokio::test]
async fn a_rotation_that_is_dropped_goes_on_with_the_rest() {
    let (house, source, old) = house_without_texts().await;
    for number in 0..100 {
        let name = format!("shop {number}");
        add(&house, &name).await;
        set(&house, &name, "right").await.unwrap();
    }
    source.says(&[&make_key(), &old]);
    let new_id = register(&house).await.unwrap()[0].id.clone();
    let mut stream = house.keys().rotate_keys(pb::RotateKeysRequest {}).await.unwrap().into_inner();
    stream.message().await.unwrap();
    drop(stream);
    // Others set secrets meanwhile, under the new key as the source says.
    set(&house, "shop 99", "right").await.unwrap();
    let done = stored(&house).await.iter().filter(|stored| stored.key_id == new_id).count() as u64;
    assert!((33..100).contains(&done), "{done}");
    let (ended, _) = rotate(&house).await.unwrap();
    assert_eq!((ended.sealed, ended.verified), (100 - done, 100));
}

#[tokio::test]
async fn what_the_store_says_of_a_key_is_not_believed() {
    let (house, source, old) = house_without_texts().await;
    for number in 0..5 {
        let name = format!("shop {number}");
        add(&house, &name).await;
        set(&house, &name, "right").await.unwrap();
    }
    source.says(&[&make_key(), &old]);
    let old_id = stored(&house).await[0].key_id.clone();
    let new_id = register(&house).await.unwrap()[0].id.clone();
    // Somebody writes the new key beside what is sealed under the old one.
    let store = Store::open(&house.store()).await.unwrap();
    for credential in store.credentials(None).await.unwrap().into_iter().take(3) {
        let Kept::Sealed { blob, .. } = credential.kept.clone() else { panic!("not sealed") };
        let untrue = Kept::Sealed { key: new_id.parse().unwrap(), blob };
        let now = jiff::Timestamp::now();
        assert!(store.swap_credential(credential.key, credential.kept, untrue, now).await.unwrap());
    }

    let (ended, _) = rotate(&house).await.unwrap();
    assert_eq!((ended.sealed, ended.verified, ended.failures.len()), (5, 5, 0));
    retire(&house, &old_id).await.unwrap();
    for credential in store.credentials(None).await.unwrap() {
        let Kept::Sealed { blob, .. } = credential.kept else { panic!("not sealed") };
        let id = sealed_key_id(&blob).unwrap().to_string();
        assert_eq!(id, new_id, "nothing is left under the retired key");
    }
    store.close().await;
    for number in 0..5 {
        assert!(log_in(&house, &format!("shop {number}"), None).await.unwrap());
    }
}

#[tokio::test]
async fn a_key_is_registered_by_its_record_and_not_by_its_bytes() {
    let house = House::new().await;
    let record = KeyRecord::make(&MasterKey::make());
    let message = |salt: &[u8]| pb::RegisterKeyRequest {
        record: Some(pb::KeyRecord {
            id: record.id.as_bytes().to_vec().into(),
            salt: salt.to_vec().into(),
            check: record.check.to_vec().into(),
        }),
        must_be_first: true,
        replace_unused: false,
    };
    let status = house.keys().register_key(message(&[0; 31])).await.unwrap_err();
    check(&status, Code::InvalidArgument, "PARAMETER_INVALID", "record.salt has not 32 bytes");
    let key = house.keys().register_key(message(&record.salt)).await.unwrap().into_inner().key.unwrap();
    assert_eq!((key.id, key.state), (record.id.to_string(), pb::KeyState::Primary.into()));
    let status = house.keys().register_key(message(&record.salt)).await.unwrap_err();
    check(&status, Code::FailedPrecondition, "KEYS_INITIALIZED", "keys are registered already");
    let status = retire(&house, "0123456789abcdef").await.unwrap_err();
    check(&status, Code::NotFound, "KEY_NOT_FOUND", "there is no key 0123456789abcdef");
    let status = retire(&house, "zz").await.unwrap_err();
    check(&status, Code::NotFound, "KEY_NOT_FOUND", "there is no key zz");
}

#[tokio::test]
async fn keys_that_nothing_is_sealed_under_can_be_replaced() {
    let (house, source, old) = house_without_texts().await;
    add(&house, "shop").await;
    set(&house, "shop", "right").await.unwrap();
    let replace = async || {
        let request = pb::RegisterSourceKeysRequest { replace_unused: true, ..Default::default() };
        Ok::<_, Status>(house.keys().register_source_keys(request).await?.into_inner().registered)
    };
    // Whoever has lost the key, or never had it.
    source.says(&[&make_key()]);
    let status = replace().await.unwrap_err();
    let message = "registered keys are in use: a secret is sealed under them";
    check(&status, Code::FailedPrecondition, "KEYS_USED", message);
    let record = KeyRecord::make(&MasterKey::make());
    let made_elsewhere = pb::RegisterKeyRequest {
        record: Some(pb::KeyRecord {
            id: record.id.as_bytes().to_vec().into(),
            salt: record.salt.to_vec().into(),
            check: record.check.to_vec().into(),
        }),
        must_be_first: true,
        replace_unused: true,
    };
    let status = house.keys().register_key(made_elsewhere.clone()).await.unwrap_err();
    assert_eq!(status.message(), message);
    assert!(log_in(&house, "shop", None).await.unwrap());

    let forget = pb::DeleteCredentialRequest { connection: named("shop"), ..Default::default() };
    house.credentials().delete_credential(forget).await.unwrap();
    let replaced = replace().await.unwrap();
    assert_eq!((replaced.len(), replaced[0].state()), (1, pb::KeyState::Primary));
    assert_eq!(list(&house).await.len(), 1);
    // The one that was replaced is not used any more, though it was read before.
    let stored = set(&house, "shop", "right").await.unwrap();
    assert_eq!(stored.key_id, replaced[0].id);
    assert!(log_in(&house, "shop", None).await.unwrap());
    source.says(&[&old]);
    let house = house.again(source.key_source()).await;
    let status = log_in(&house, "shop", None).await.unwrap_err();
    assert!(status.message().contains("is not known to this store"), "{status}");

    let forget = pb::DeleteCredentialRequest { connection: named("shop"), ..Default::default() };
    house.credentials().delete_credential(forget).await.unwrap();
    let key = house.keys().register_key(made_elsewhere).await.unwrap().into_inner().key.unwrap();
    assert_eq!((key.id, key.state), (record.id.to_string(), pb::KeyState::Primary.into()));
    assert_eq!(list(&house).await.len(), 1);
}

#[tokio::test]
async fn a_key_that_several_register_at_once_is_registered_once() {
    let (house, source, old) = house_without_texts().await;
    for _ in 0..10 {
        source.says(&[&make_key(), &old]);
        let before = list(&house).await.len();
        let (one, two, three) = tokio::join!(register(&house), register(&house), register(&house));
        let registered = [one, two, three].into_iter().map(|keys| keys.unwrap().len()).sum::<usize>();
        assert_eq!((registered, list(&house).await.len()), (1, before + 1));
    }
}
