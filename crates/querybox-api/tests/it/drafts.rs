//! Drafts: versioned, sealed where that can be, and back after a restart.

use std::time::Duration;

use querybox_contracts::core::v1::{
    self as pb, TextKeeping, delete_draft_response, save_draft_response::Outcome,
};
use querybox_core::{KeySource, Registering, Store, TextStorage, local_user};
use querybox_vault::{KeyRecord, MasterKey};
use tonic::{Code, Status};

use crate::{
    credentials::{Source, house_with_vault, make_key, register},
    house::{House, check},
};

/// Nowhere else in a store.
const CANARY: &str = "canary 7f3a91";

fn content(text: &str) -> pb::DraftContent {
    pb::DraftContent {
        kind: pb::DraftKind::Editor.into(),
        title: format!("Query of {CANARY}"),
        connection_id: "0197a3c2-7c00-7abc-8def-0123456789ab".to_owned(),
        text: text.to_owned(),
        state: vec![0, 255].into(),
    }
}

fn make_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

impl House {
    async fn save(&self, id: &str, revision: u64, text: &str) -> Outcome {
        self.save_content(id, revision, content(text)).await.unwrap()
    }

    async fn save_content(
        &self,
        id: &str,
        revision: u64,
        content: pb::DraftContent,
    ) -> Result<Outcome, Status> {
        Ok(self.save_and_tell(id, revision, content).await?.outcome.unwrap())
    }

    async fn save_and_tell(
        &self,
        id: &str,
        revision: u64,
        content: pb::DraftContent,
    ) -> Result<pb::SaveDraftResponse, Status> {
        let request = pb::SaveDraftRequest { draft_id: id.to_owned(), revision, content: Some(content) };
        Ok(self.drafts().save_draft(request).await?.into_inner())
    }

    async fn draft(&self, id: &str) -> Result<pb::Draft, Status> {
        let request = pb::GetDraftRequest { draft_id: id.to_owned() };
        Ok(self.drafts().get_draft(request).await?.into_inner().draft.unwrap())
    }

    async fn list(&self) -> pb::ListDraftsResponse {
        self.drafts().list_drafts(pb::ListDraftsRequest {}).await.unwrap().into_inner()
    }

    async fn delete(&self, id: &str, revision: u64) -> delete_draft_response::Outcome {
        let request = pb::DeleteDraftRequest { draft_id: id.to_owned(), revision };
        self.drafts().delete_draft(request).await.unwrap().into_inner().outcome.unwrap()
    }

    /// Whether the store's files show what was written, in any form that a text has there.
    fn store_shows(&self, text: &str) -> bool {
        ["", "-wal"].iter().any(|end| {
            let path = format!("{}{end}", self.store().display());
            let bytes = std::fs::read(path).unwrap_or_default();
            bytes.windows(text.len()).any(|part| part == text.as_bytes())
        })
    }
}

#[track_caller]
fn saved(outcome: Outcome) -> pb::DraftHead {
    match outcome {
        Outcome::Saved(head) => head,
        Outcome::Conflict(conflict) => panic!("{conflict:?}"),
    }
}

#[track_caller]
fn present(outcome: Outcome) -> Option<pb::Draft> {
    match outcome {
        Outcome::Saved(head) => panic!("{head:?}"),
        Outcome::Conflict(conflict) => conflict.present,
    }
}

/// What holds wherever drafts are kept.
async fn check_story(house: &House, keeping: TextKeeping) {
    assert_eq!(
        house.list().await,
        pb::ListDraftsResponse { keeping: keeping.into(), ..pb::ListDraftsResponse::default() }
    );
    let (id, other) = (make_id(), make_id());
    let told = house.save_and_tell(&id, 0, content(CANARY)).await.unwrap();
    assert_eq!(told.keeping(), keeping);
    let first = saved(told.outcome.unwrap());
    assert_eq!((first.text_bytes, first.draft_id.as_str()), (13, id.as_str()));
    let second = saved(house.save(&id, first.revision, "select '🐘'").await);
    assert!(second.revision > first.revision);
    let layout = pb::DraftContent {
        kind: pb::DraftKind::Layout.into(),
        state: vec![7; 64 << 10].into(),
        ..pb::DraftContent::default()
    };
    saved(house.save_content(&other, 0, layout.clone()).await.unwrap());

    // Whoever has not seen the last one is told what is there.
    for stale in [0, first.revision, second.revision + 1, u64::MAX] {
        let there = present(house.save(&id, stale, "mine").await).unwrap();
        let text = there.content.unwrap().text;
        assert_eq!((there.revision, text.as_str()), (second.revision, "select '🐘'"));
    }
    let draft = house.draft(&id).await.unwrap();
    assert_eq!((draft.revision, draft.content.as_ref()), (second.revision, Some(&content("select '🐘'"))));
    assert_eq!(house.draft(&other).await.unwrap().content, Some(layout));
    let listed = house.list().await;
    assert_eq!(listed.drafts.iter().map(|draft| &draft.draft_id).collect::<Vec<_>>(), [&id, &other]);
    assert_eq!(listed.drafts[0], second);

    // What was removed is not there, and whoever saves it hears so.
    let outcome = house.delete(&id, first.revision).await;
    assert!(matches!(
        outcome,
        delete_draft_response::Outcome::Conflict(pb::DraftConflict { present: Some(_) })
    ));
    let outcome = house.delete(&id, second.revision).await;
    assert!(matches!(outcome, delete_draft_response::Outcome::Deleted(_)));
    assert_eq!(present(house.save(&id, second.revision, "late").await), None);
    let status = house.draft(&id).await.unwrap_err();
    check(&status, Code::NotFound, "DRAFT_NOT_FOUND", "there is no such draft");
    assert_eq!(house.list().await.drafts.len(), 1);
    // Made anew it has no revision that somebody may still have seen of another text.
    let anew = saved(house.save(&id, 0, "anew").await);
    assert!(anew.revision > second.revision, "{anew:?}");
    for stale in [first.revision, second.revision] {
        assert_eq!(present(house.save(&id, stale, "stale").await).unwrap().revision, anew.revision);
    }
    house.delete(&id, anew.revision).await;
}

#[tokio::test]
async fn drafts_are_sealed_in_the_store_and_survive_core() {
    let (house, source, _) = house_with_vault().await;
    check_story(&house, TextKeeping::Sealed).await;
    let id = make_id();
    let head = saved(house.save(&id, 0, CANARY).await);
    // On disk before Core ends in any way: another one has it at once.
    let other = Store::open(&house.store()).await.unwrap();
    assert_eq!(other.drafts(local_user()).await.unwrap().len(), 2);
    other.close().await;
    assert!(!house.store_shows("canary"));
    let house = house.again(source.key_source()).await;
    assert_eq!(house.draft(&id).await.unwrap().content, Some(content(CANARY)));
    assert!(!house.store_shows("canary"));
    saved(house.save(&id, head.revision, "more").await);
}

#[tokio::test]
async fn without_a_key_drafts_live_in_memory_alone() {
    let house = House::new().await;
    check_story(&house, TextKeeping::Memory).await;
    let id = make_id();
    saved(house.save(&id, 0, CANARY).await);
    assert!(!house.store_shows("canary"));
    let house = house.again(KeySource::none()).await;
    assert_eq!(house.list().await.drafts, []);
    // The page gives it again.
    assert_eq!(present(house.save(&id, 1, CANARY).await), None);
    saved(house.save(&id, 0, CANARY).await);
}

#[tokio::test]
async fn what_was_kept_in_memory_goes_to_the_store_when_a_key_comes() {
    let source = Source::default();
    let house = House::with_keys(source.key_source()).await;
    let (id, other) = (make_id(), make_id());
    let head = saved(house.save(&id, 0, CANARY).await);
    saved(house.save(&other, 0, "other").await);
    assert_eq!(house.list().await.keeping(), TextKeeping::Memory);
    source.says(&[&make_key()]);
    register(&house).await.unwrap();
    let listed = house.list().await;
    assert_eq!((listed.drafts.len(), listed.keeping()), (2, TextKeeping::Sealed));
    // As it was: whoever has seen it goes on from there.
    let told = house.save_and_tell(&id, head.revision, content("typed on")).await.unwrap();
    assert_eq!(told.keeping(), TextKeeping::Sealed);
    saved(told.outcome.unwrap());
    let house = house.again(source.key_source()).await;
    assert_eq!(house.draft(&id).await.unwrap().content, Some(content("typed on")));
    assert_eq!(house.draft(&other).await.unwrap().content, Some(content("other")));
    assert!(!house.store_shows("canary"));
}

/// Asks for the keys, which brings drafts from memory to the store, and gives the call up after so many turns.
async fn give_up_after(turns: u32, house: &House) -> bool {
    let mut keys = house.keys();
    let mut call = std::pin::pin!(keys.list_keys(pb::ListKeysRequest {}));
    for _ in 0..turns {
        if futures::poll!(call.as_mut()).is_ready() {
            return true;
        }
        tokio::time::sleep(Duration::from_micros(300)).await;
    }
    false
}

#[tokio::test]
async fn whoever_gives_up_halfway_loses_no_draft() {
    let source = Source::default();
    let house = House::with_keys(source.key_source()).await;
    let ids: Vec<_> = (0..3).map(|_| make_id()).collect();
    for id in &ids {
        saved(house.save(id, 0, CANARY).await);
    }
    let key = MasterKey::make();
    source.says(&[key.to_text().expose_text().unwrap()]);
    // Registered by another program: this one does not know yet.
    let record = KeyRecord::make(&key);
    let store = Store::open(&house.store()).await.unwrap();
    let record = querybox_store::KeyRecord {
        id: querybox_store::KeyId::from(*record.id.as_bytes()),
        salt: record.salt,
        check: record.check,
    };
    store.register_key(record, Registering::First, jiff::Timestamp::now()).await.unwrap();
    let is_there = async || {
        for id in &ids {
            assert_eq!(house.draft(id).await.unwrap().content, Some(content(CANARY)));
        }
        let listed = house.list().await;
        assert_eq!((listed.drafts.len(), listed.unreadable_count), (3, 0));
    };
    let mut turns = 0;
    while !give_up_after(turns, &house).await {
        is_there().await;
        turns += 1;
    }
    is_there().await;
    assert_eq!(store.drafts(local_user()).await.unwrap().len(), 3);
    store.close().await;
}

#[tokio::test]
async fn a_list_makes_no_key() {
    let (house, ..) = house_with_vault().await;
    assert_eq!(house.list().await.keeping(), TextKeeping::Sealed);
    assert!(house.draft(&make_id()).await.is_err());
    let listed = house.keys().list_keys(pb::ListKeysRequest {}).await.unwrap().into_inner();
    assert_eq!((listed.text_key, listed.keys[0].credentials), (None, 0));
    saved(house.save(&make_id(), 0, "text").await);
    let listed = house.keys().list_keys(pb::ListKeysRequest {}).await.unwrap().into_inner();
    let key = listed.text_key.unwrap();
    assert_eq!((key.opens, key.drafts, key.runs, &key.key_id), (true, 1, 0, &listed.keys[0].id));
}

#[tokio::test]
async fn two_who_save_at_once_never_lose_a_text() {
    let (house, ..) = house_with_vault().await;
    let house = std::sync::Arc::new(house);
    let id = make_id();
    let first = saved(house.save(&id, 0, "first").await);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..8 {
        let (house, id) = (std::sync::Arc::clone(&house), id.clone());
        tasks.spawn(async move { house.save(&id, first.revision, &number.to_string()).await });
    }
    let outcomes = tasks.join_all().await;
    let done = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Saved(_)));
    assert_eq!(done.count(), 1);
}

#[tokio::test]
async fn what_a_lost_key_sealed_can_be_forgotten_and_its_key_replaced() {
    let (house, source, old) = house_with_vault().await;
    let id = make_id();
    saved(house.save(&id, 0, "lost").await);
    let lost = make_key();
    source.says(&[&lost]);
    let house = house.again(source.key_source()).await;
    assert_eq!(house.list().await.unreadable_count, 1);
    let listed = house.keys().list_keys(pb::ListKeysRequest {}).await.unwrap().into_inner();
    let key = listed.text_key.unwrap();
    assert_eq!((key.opens, key.drafts), (false, 1));
    let replace = pb::RegisterSourceKeysRequest { replace_unused: true, ..Default::default() };
    let status = house.keys().register_source_keys(replace).await.unwrap_err();
    assert!(status.message().contains("ForgetTexts"), "{status}");
    let forget = async || {
        let answer = house.keys().forget_texts(pb::ForgetTextsRequest {}).await.unwrap().into_inner();
        (answer.drafts, answer.runs)
    };
    assert_eq!(forget().await, (1, 0));
    house.keys().register_source_keys(replace).await.unwrap();
    assert_eq!(house.list().await.unreadable_count, 0);
    saved(house.save(&id, 0, "anew").await);
    // What opens is never forgotten.
    assert_eq!(forget().await, (0, 0));
    assert_eq!(house.draft(&id).await.unwrap().content, Some(content("anew")));
    assert_ne!(old, lost);
}

#[tokio::test]
async fn nothing_is_forgotten_where_nobody_knows_that_a_key_is_lost() {
    let (house, source, key) = house_with_vault().await;
    let id = make_id();
    saved(house.save(&id, 0, "kept").await);
    let refused = async |house: &House, reason: &str, message: &str| {
        // Those who just looked for the key and had none count for nothing.
        assert_eq!(house.list().await.unreadable_count, 1);
        let status = house.keys().forget_texts(pb::ForgetTextsRequest {}).await.unwrap_err();
        assert_eq!(status.code(), Code::FailedPrecondition, "{status}");
        assert!(format!("{status:?}").contains(reason) && status.message().contains(message), "{status:?}");
        assert_eq!(house.list().await.unreadable_count, 1);
    };
    source.is_gone();
    let house = house.again(source.key_source()).await;
    refused(&house, "MASTER_KEY_MISSING", "no source of a master key is configured").await;
    source.fails("the safe is locked");
    refused(&house, "MASTER_KEY_UNREADABLE", "the safe is locked").await;
    // It is there, behind one that nobody has registered.
    source.says(&[&make_key(), &key]);
    refused(&house, "MASTER_KEY_WRONG", "is not known to this store").await;
    // It came a moment ago, and nobody has looked since.
    source.says(&[&key]);
    let forgotten = house.keys().forget_texts(pb::ForgetTextsRequest {}).await.unwrap().into_inner();
    assert_eq!((forgotten.drafts, forgotten.runs), (0, 0));
    let house = house.again(source.key_source()).await;
    assert_eq!(house.draft(&id).await.unwrap().content, Some(content("kept")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_deleted_while_it_goes_to_the_store_stays_deleted() {
    let source = Source::default();
    let house = std::sync::Arc::new(House::with_keys(source.key_source()).await);
    let mut heads = Vec::new();
    for _ in 0..40 {
        heads.push(saved(house.save(&make_id(), 0, "gone").await));
    }
    source.says(&[&make_key()]);
    let mut deletions = tokio::task::JoinSet::new();
    for head in heads {
        let house = std::sync::Arc::clone(&house);
        deletions.spawn(async move {
            let outcome = house.delete(&head.draft_id, head.revision).await;
            assert!(matches!(outcome, delete_draft_response::Outcome::Deleted(_)), "{outcome:?}");
        });
    }
    let (registered, _) = tokio::join!(register(&house), deletions.join_all());
    registered.unwrap();
    assert_eq!(house.list().await.drafts, []);
}

#[tokio::test]
async fn rotation_tells_of_a_key_of_texts_that_does_not_open() {
    let (house, source, old) = house_with_vault().await;
    saved(house.save(&make_id(), 0, "text").await);
    let store = Store::open(&house.store()).await.unwrap();
    let kept = store.text_key().await.unwrap().unwrap();
    let mut broken = kept.clone();
    *broken.blob.last_mut().unwrap() ^= 1;
    assert!(store.swap_text_key(kept, broken).await.unwrap());
    store.close().await;
    let new = make_key();
    source.says(&[&new, &old]);
    register(&house).await.unwrap();
    let mut rotation = house.keys().rotate_keys(pb::RotateKeysRequest {}).await.unwrap().into_inner();
    let mut ended = None;
    while let Some(message) = rotation.message().await.unwrap() {
        if let Some(pb::rotate_keys_response::Part::Ended(report)) = message.part {
            ended = Some(report);
        }
    }
    let ended = ended.unwrap();
    assert_eq!((ended.sealed, ended.verified, ended.failures.len()), (0, 0, 0));
    assert!(!ended.text_key_failure.is_empty());
    let listed = house.keys().list_keys(pb::ListKeysRequest {}).await.unwrap().into_inner();
    assert!(!listed.text_key.unwrap().opens && listed.keys.iter().all(|key| key.emptied.is_none()));
    let forgotten = house.keys().forget_texts(pb::ForgetTextsRequest {}).await.unwrap().into_inner();
    assert_eq!(forgotten.drafts, 1);
}

#[tokio::test]
async fn in_the_clear_only_where_the_operator_says_so() {
    let house = House::new().await.again_with_texts(KeySource::none(), TextStorage::Plain).await;
    check_story(&house, TextKeeping::Plain).await;
    let id = make_id();
    saved(house.save(&id, 0, CANARY).await);
    let house = house.again(KeySource::none()).await;
    // The positive twin of what the other tests look for.
    assert!(house.store_shows("canary"));
    assert_eq!(house.draft(&id).await.unwrap().content, Some(content(CANARY)));
    assert_eq!(house.list().await.keeping(), TextKeeping::Memory);
}

#[tokio::test]
async fn a_draft_whose_key_is_away_is_counted_and_comes_back_with_it() {
    let (house, source, _) = house_with_vault().await;
    let (id, other) = (make_id(), make_id());
    let mut heads = Vec::new();
    for id in [&id, &other] {
        heads.push(saved(house.save(id, 0, "sealed").await));
    }
    let house = house.again(KeySource::none()).await;
    let listed = house.list().await;
    assert_eq!((listed.drafts.len(), listed.unreadable_count, listed.keeping()), (0, 2, TextKeeping::Memory));
    let status = house.draft(&id).await.unwrap_err();
    check(&status, Code::FailedPrecondition, "DRAFT_UNREADABLE", "the draft cannot be opened");
    let status = house.save_content(&id, 0, content("over it")).await.unwrap_err();
    check(&status, Code::FailedPrecondition, "DRAFT_UNREADABLE", "the draft cannot be opened");
    // A page that knows it goes on typing: its words are in memory, and shown.
    let typed = saved(house.save(&id, heads[0].revision, "typed on").await);
    assert!(typed.revision > heads[0].revision);
    assert_eq!(house.draft(&id).await.unwrap().content, Some(content("typed on")));
    let listed = house.list().await;
    assert_eq!((listed.drafts.len(), listed.unreadable_count), (1, 1));

    let house = house.again(source.key_source()).await;
    assert_eq!(house.draft(&id).await.unwrap().content, Some(content("sealed")));
    assert_eq!(house.list().await.unreadable_count, 0);
}

#[tokio::test]
async fn a_new_master_key_opens_what_was_written_before() {
    let (house, source, old) = house_with_vault().await;
    let id = make_id();
    saved(house.save(&id, 0, CANARY).await);
    let new = make_key();
    source.says(&[&new, &old]);
    register(&house).await.unwrap();
    let mut rotation = house.keys().rotate_keys(pb::RotateKeysRequest {}).await.unwrap().into_inner();
    let mut ended = None;
    while let Some(message) = rotation.message().await.unwrap() {
        if let Some(pb::rotate_keys_response::Part::Ended(report)) = message.part {
            ended = Some((report.sealed, report.verified));
        }
    }
    assert_eq!(ended, Some((1, 1)));
    let keys = house.keys().list_keys(pb::ListKeysRequest {}).await.unwrap().into_inner().keys;
    let request = pb::RetireKeyRequest { id: keys[0].id.clone() };
    house.keys().retire_key(request).await.unwrap();
    assert_eq!(house.draft(&id).await.unwrap().content, Some(content(CANARY)));
    source.says(&[&new]);
    let house = house.again(source.key_source()).await;
    assert_eq!(house.draft(&id).await.unwrap().content, Some(content(CANARY)));
}

#[tokio::test]
async fn what_is_too_much_is_refused_by_name() {
    let house = House::new().await;
    let id = make_id();
    let invalid = async |id: &str, content: pb::DraftContent, message: &str| {
        let status = house.save_content(id, 0, content).await.unwrap_err();
        check(&status, Code::InvalidArgument, "PARAMETER_INVALID", message);
    };
    invalid("x", content(""), "draft_id is not a UUID in canonical text form").await;
    let untold = pb::DraftContent { kind: 0, ..content("") };
    invalid(&id, untold, "content.kind is missing").await;
    let title = pb::DraftContent { title: "é".repeat(201), ..content("") };
    invalid(&id, title, "content.title is longer than 200 characters").await;
    let long = content(&"x".repeat((4 << 20) + 1));
    invalid(&id, long, "content.text is longer than 4194304 bytes").await;
    let state = pb::DraftContent { state: vec![0; (64 << 10) + 1].into(), ..content("") };
    invalid(&id, state, "content.state is longer than 65536 bytes").await;
    let connection = pb::DraftContent { connection_id: "shop".to_owned(), ..content("") };
    invalid(&id, connection, "content.connection_id is not a UUID in canonical text form").await;

    let most = "x".repeat(4 << 20);
    for _ in 0..15 {
        saved(house.save(&make_id(), 0, &most).await);
    }
    let little = saved(house.save(&id, 0, "little").await);
    let status = house.save_content(&make_id(), 0, content(&most)).await.unwrap_err();
    let message = "as many drafts are kept as may: 500 of 67108864 bytes in all";
    check(&status, Code::ResourceExhausted, "DRAFTS_FULL", message);
    let status = house.save_content(&id, little.revision, content(&most)).await.unwrap_err();
    check(&status, Code::ResourceExhausted, "DRAFTS_FULL", message);
    saved(house.save(&id, little.revision, "less").await);
}
