//! Drafts, and the key that they are sealed with.

use querybox_store::{
    DraftKey, DraftLimits, DraftWrite, Error, ForgottenTexts, KeyState, NewDraft, Owner, Registering,
    RunText, SealedTextKey, Store, Written,
};
use uuid::Uuid;

use crate::{
    Site, at,
    credentials::record,
    history::{RUN_LIMITS, filter, run},
};

const LIMITS: DraftLimits = DraftLimits { drafts_max: 3, bytes_max: 20 };

fn key(owner: &str, id: u128) -> DraftKey {
    DraftKey { owner: owner.parse().unwrap(), id: Uuid::from_u128(id) }
}

fn plain(text: &str) -> Written {
    Written::Plain(text.into())
}

fn draft(revision: u64, body: &str) -> NewDraft {
    NewDraft { revision, head: plain("head"), body: plain(body), text_key: None, updated: at(0) }
}

async fn put(store: &Store, key: &DraftKey, seen: u64, draft: NewDraft) -> DraftWrite {
    store.put_draft(key.clone(), seen, draft, LIMITS).await.unwrap()
}

async fn bodies(store: &Store, owner: &str) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    for row in store.drafts(owner.parse().unwrap()).await.unwrap() {
        let (again, body) =
            store.draft(&DraftKey { owner: owner.parse().unwrap(), id: row.id }).await.unwrap().unwrap();
        assert_eq!((again.body_bytes, &again), (body.as_bytes().len() as u64, &row));
        bodies.push(body.as_bytes().to_vec());
    }
    bodies
}

#[tokio::test]
async fn a_draft_is_changed_by_who_has_seen_its_last_revision() {
    let site = Site::new();
    let store = site.open().await;
    let (mine, yours) = (key("me", 1), key("you", 1));
    assert_eq!(put(&store, &mine, 1, draft(2, "none")).await, DraftWrite::Changed);
    assert_eq!(put(&store, &mine, 0, draft(1, "one")).await, DraftWrite::Done);
    assert_eq!(put(&store, &mine, 0, draft(1, "two")).await, DraftWrite::Changed);
    assert_eq!(put(&store, &mine, 1, draft(2, "two")).await, DraftWrite::Done);
    // What is whose is apart.
    assert_eq!(put(&store, &yours, 0, draft(1, "yours")).await, DraftWrite::Done);
    assert_eq!(bodies(&store, "me").await, [b"two"]);
    assert_eq!(store.delete_draft(mine.clone(), 1).await.unwrap(), DraftWrite::Changed);
    let sealed = NewDraft { head: Written::Sealed(vec![1]), body: Written::Sealed(vec![2]), ..draft(9, "") };
    assert_eq!(put(&store, &mine, 2, sealed.clone()).await, DraftWrite::Done);
    store.close().await;

    let store = site.open().await;
    let (row, body) = store.draft(&mine).await.unwrap().unwrap();
    assert_eq!((row.revision, row.head, body), (9, sealed.head, sealed.body));
    assert_eq!(store.delete_draft(mine.clone(), 9).await.unwrap(), DraftWrite::Done);
    assert_eq!(store.draft(&mine).await.unwrap(), None);
    assert_eq!(store.draft_revision(&mine).await.unwrap(), 0);
    assert_eq!(store.delete_draft(mine, 0).await.unwrap(), DraftWrite::Done);
    assert_eq!(bodies(&store, "you").await, [b"yours"]);
}

#[tokio::test]
async fn each_owner_has_so_much_room_and_what_takes_less_always_fits() {
    let site = Site::new();
    let store = site.open().await;
    for id in 1..=3 {
        assert_eq!(put(&store, &key("me", id), 0, draft(1, "12345")).await, DraftWrite::Done);
    }
    assert_eq!(put(&store, &key("me", 4), 0, draft(1, "")).await, DraftWrite::Full);
    assert_eq!(put(&store, &key("me", 1), 1, draft(2, "12345678901")).await, DraftWrite::Full);
    assert_eq!(put(&store, &key("me", 1), 1, draft(2, "1234567890")).await, DraftWrite::Done);
    assert_eq!(put(&store, &key("you", 1), 0, draft(1, &"1".repeat(20))).await, DraftWrite::Done);
    assert_eq!(bodies(&store, "me").await, [b"1234567890".as_slice(), b"12345", b"12345"]);
}

fn text_key(key: u8, blob: &str) -> SealedTextKey {
    SealedTextKey { id: Uuid::from_u128(7), key: record(key).id, blob: blob.into() }
}

#[tokio::test]
async fn the_key_of_texts_is_one_and_keeps_its_master_key_in_use() {
    let site = Site::new();
    let store = site.open().await;
    let refused = store.make_text_key(text_key(1, "a"), at(0)).await;
    assert!(matches!(refused, Err(Error::NoKey(_))));
    store.register_key(record(1), Registering::Beside, at(0)).await.unwrap();
    assert_eq!(store.text_key().await.unwrap(), None);
    assert_eq!(store.make_text_key(text_key(1, "a"), at(1)).await.unwrap(), text_key(1, "a"));
    assert_eq!(store.make_text_key(text_key(1, "b"), at(1)).await.unwrap(), text_key(1, "a"));
    assert_eq!(store.keys().await.unwrap()[0].credentials, 1);

    store.register_key(record(2), Registering::Beside, at(2)).await.unwrap();
    store.promote_key(record(2).id).await.unwrap();
    store.mark_emptied_keys(at(3)).await.unwrap();
    let refused = store.retire_key(record(1).id, at(3)).await;
    assert!(matches!(refused, Err(Error::KeyInUse { credentials: 1, .. })));
    assert!(!store.swap_text_key(text_key(1, "b"), text_key(2, "c")).await.unwrap());
    assert!(store.swap_text_key(text_key(1, "a"), text_key(2, "c")).await.unwrap());
    store.mark_emptied_keys(at(4)).await.unwrap();
    assert_eq!(store.retire_key(record(1).id, at(4)).await.unwrap().state, KeyState::Retired);
    let refused = store.swap_text_key(text_key(2, "c"), text_key(1, "a")).await;
    assert!(matches!(refused, Err(Error::KeyRetired(_))));
}

#[tokio::test]
async fn a_key_of_texts_that_seals_none_goes_with_its_master_key() {
    let site = Site::new();
    let store = site.open().await;
    store.register_key(record(1), Registering::Beside, at(0)).await.unwrap();
    store.make_text_key(text_key(1, "a"), at(1)).await.unwrap();
    let draft = NewDraft { head: Written::Sealed(vec![1]), body: Written::Sealed(vec![2]), ..draft(1, "") };
    assert_eq!(put(&store, &key("me", 1), 0, draft).await, DraftWrite::Done);
    let replacing = || store.register_key(record(2), Registering::ReplacingUnused, at(2));
    assert!(matches!(replacing().await, Err(Error::KeysUsed { credentials: 0, texts: true })));
    let me: Owner = "me".parse().unwrap();
    assert_eq!(store.drafts(me).await.unwrap().len(), 1);
    store.delete_draft(key("me", 1), 1).await.unwrap();
    assert_eq!(replacing().await.unwrap().state, KeyState::Primary);
    assert_eq!(store.text_key().await.unwrap(), None);
}

#[tokio::test]
async fn nothing_is_kept_that_was_sealed_with_a_key_of_texts_that_is_gone() {
    let site = Site::new();
    let store = site.open().await;
    store.register_key(record(1), Registering::Beside, at(0)).await.unwrap();
    let kept = store.make_text_key(text_key(1, "a"), at(1)).await.unwrap();
    let sealed = |text_key| NewDraft {
        head: Written::Sealed(vec![1]),
        body: Written::Sealed(vec![2]),
        text_key,
        ..draft(1, "")
    };
    assert_eq!(put(&store, &key("me", 1), 0, sealed(Some(Uuid::from_u128(8)))).await, DraftWrite::KeyGone);
    assert_eq!(put(&store, &key("me", 1), 0, sealed(Some(kept.id))).await, DraftWrite::Done);
    // Sealed anew it is the same key.
    store.register_key(record(2), Registering::Beside, at(2)).await.unwrap();
    assert!(store.swap_text_key(text_key(1, "a"), text_key(2, "c")).await.unwrap());
    assert_eq!(put(&store, &key("me", 2), 0, sealed(Some(kept.id))).await, DraftWrite::Done);
    let text = RunText { written: Written::Sealed(vec![3]), text_key: Some(kept.id) };
    store.record_run(run(1), Some(text.clone()), RUN_LIMITS, at(0));

    let other = SealedTextKey { id: Uuid::from_u128(8), ..text_key(2, "c") };
    // Nor is it when it was sealed anew meanwhile: whoever did that has its master key.
    for gone in [other, text_key(1, "a")] {
        assert_eq!(store.forget_text_key(Some(gone)).await.unwrap(), None);
    }
    assert_eq!(store.text_key_use().await.unwrap().unwrap().drafts, 2);
    store.notes_written().await.unwrap();
    assert_eq!(store.text_key_use().await.unwrap().unwrap().runs, 1);
    let forgotten = store.forget_text_key(Some(text_key(2, "c"))).await.unwrap();
    assert_eq!(forgotten, Some(ForgottenTexts { drafts: 2, runs: 1 }));
    assert_eq!((store.text_key_use().await.unwrap(), store.sealed_drafts().await.unwrap()), (None, vec![]));
    assert_eq!(put(&store, &key("me", 1), 0, sealed(Some(kept.id))).await, DraftWrite::KeyGone);
    store.record_run(run(2), Some(text), RUN_LIMITS, at(0));
    store.close().await;

    let store = site.open().await;
    let runs = store.runs(filter(), None, 10).await.unwrap();
    assert_eq!(
        runs.iter().map(|run| (run.run.started, &run.text)).collect::<Vec<_>>(),
        [(at(2), &None), (at(1), &None)]
    );
}

#[tokio::test]
async fn a_key_of_texts_stays_as_long_as_a_run_needs_it() {
    let site = Site::new();
    let store = site.open().await;
    store.register_key(record(1), Registering::Beside, at(0)).await.unwrap();
    let kept = store.make_text_key(text_key(1, "a"), at(1)).await.unwrap();
    let text = RunText { written: Written::Sealed(vec![3]), text_key: Some(kept.id) };
    store.record_run(run(1), Some(text), RUN_LIMITS, at(0));
    store.notes_written().await.unwrap();
    let replacing = || store.register_key(record(2), Registering::ReplacingUnused, at(2));
    assert!(matches!(replacing().await, Err(Error::KeysUsed { credentials: 0, texts: true })));
    let sealed = store.sealed_runs(0, 10).await.unwrap();
    let ids: Vec<_> = sealed.iter().map(|run| run.id).collect();
    assert_eq!(ids, [run(1).id]);
    assert_eq!(store.forget_run_texts(ids).await.unwrap(), 1);
    assert_eq!(replacing().await.unwrap().state, KeyState::Primary);
    assert_eq!(store.runs(filter(), None, 10).await.unwrap().len(), 1);
}
