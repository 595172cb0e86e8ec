//! Drafts: versioned, sealed where that can be, and back after a restart.

use querybox_contracts::core::v1::{
    self as pb, TextKeeping, delete_draft_response, save_draft_response::Outcome,
};
use querybox_core::{KeySource, Store, TextStorage, local_user};
use tonic::{Code, Status};

use crate::{
    credentials::{house_with_vault, make_key, register},
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
        let request = pb::SaveDraftRequest { draft_id: id.to_owned(), revision, content: Some(content) };
        Ok(self.drafts().save_draft(request).await?.into_inner().outcome.unwrap())
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
    let first = saved(house.save(&id, 0, CANARY).await);
    assert_eq!((first.revision, first.text_bytes, first.draft_id.as_str()), (1, 13, id.as_str()));
    let second = saved(house.save(&id, 1, "select '🐘'").await);
    assert_eq!(second.revision, 2);
    let layout = pb::DraftContent {
        kind: pb::DraftKind::Layout.into(),
        state: vec![7; 64 << 10].into(),
        ..pb::DraftContent::default()
    };
    saved(house.save_content(&other, 0, layout.clone()).await.unwrap());

    // Whoever has not seen the last one is told what is there.
    for stale in [0, 1, 3] {
        let there = present(house.save(&id, stale, "mine").await).unwrap();
        assert_eq!((there.revision, there.content.unwrap().text.as_str()), (2, "select '🐘'"));
    }
    let draft = house.draft(&id).await.unwrap();
    assert_eq!((draft.revision, draft.content.as_ref()), (2, Some(&content("select '🐘'"))));
    assert_eq!(house.draft(&other).await.unwrap().content, Some(layout));
    let listed = house.list().await;
    assert_eq!(listed.drafts.iter().map(|draft| &draft.draft_id).collect::<Vec<_>>(), [&id, &other]);
    assert_eq!(listed.drafts[0], second);

    // What was removed is not there, and whoever saves it hears so.
    let outcome = house.delete(&id, 1).await;
    assert!(matches!(
        outcome,
        delete_draft_response::Outcome::Conflict(pb::DraftConflict { present: Some(_) })
    ));
    let outcome = house.delete(&id, 2).await;
    assert!(matches!(outcome, delete_draft_response::Outcome::Deleted(_)));
    assert_eq!(present(house.save(&id, 2, "late").await), None);
    let status = house.draft(&id).await.unwrap_err();
    check(&status, Code::NotFound, "DRAFT_NOT_FOUND", "there is no such draft");
    assert_eq!(house.list().await.drafts.len(), 1);
}

#[tokio::test]
async fn drafts_are_sealed_in_the_store_and_survive_core() {
    let (house, source, _) = house_with_vault().await;
    check_story(&house, TextKeeping::Sealed).await;
    let id = make_id();
    saved(house.save(&id, 0, CANARY).await);
    // On disk before Core ends in any way: another one has it at once.
    let other = Store::open(&house.store()).await.unwrap();
    assert_eq!(other.drafts(local_user()).await.unwrap().len(), 2);
    other.close().await;
    assert!(!house.store_shows("canary"));
    let house = house.again(source.key_source()).await;
    assert_eq!(house.draft(&id).await.unwrap().content, Some(content(CANARY)));
    assert!(!house.store_shows("canary"));
    saved(house.save(&id, 1, "more").await);
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
    for id in [&id, &other] {
        saved(house.save(id, 0, "sealed").await);
    }
    let house = house.again(KeySource::none()).await;
    let listed = house.list().await;
    assert_eq!((listed.drafts.len(), listed.unreadable_count, listed.keeping()), (0, 2, TextKeeping::Memory));
    let status = house.draft(&id).await.unwrap_err();
    check(&status, Code::FailedPrecondition, "DRAFT_UNREADABLE", "the draft cannot be opened");
    let status = house.save_content(&id, 0, content("over it")).await.unwrap_err();
    check(&status, Code::FailedPrecondition, "DRAFT_UNREADABLE", "the draft cannot be opened");
    // A page that knows it goes on typing: its words are in memory, and shown.
    assert_eq!(saved(house.save(&id, 1, "typed on").await).revision, 2);
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
    saved(house.save(&id, 0, "little").await);
    let status = house.save_content(&make_id(), 0, content(&most)).await.unwrap_err();
    let message = "as many drafts are kept as may: 500 of 67108864 bytes in all";
    check(&status, Code::ResourceExhausted, "DRAFTS_FULL", message);
    let status = house.save_content(&id, 1, content(&most)).await.unwrap_err();
    check(&status, Code::ResourceExhausted, "DRAFTS_FULL", message);
    saved(house.save(&id, 1, "less").await);
}
