//! What ran: found again by words, kept as texts are, forgotten on request.

use std::time::Duration;

use querybox_contracts::core::v1::{
    self as pb, HistoryLevel, RunOutcome, RunTextState, TextKeeping, delete_runs_request::Choice,
};
use querybox_core::{HistorySettings, KeySource, TextStorage};
use querybox_vault::MasterKeys;
use tokio::time::{Instant, sleep};
use tonic::{Code, Status};

use crate::{
    credentials::{house_with_vault, make_key, register},
    house::{House, SHOP, by_id, check, named, session_id, without_end},
};

/// Nowhere else in a store.
const CANARY: &str = "canary_4be1";
/// Never ends by itself.
const ENDLESS: &str =
    "with recursive c(n) as (select 1 union all select n + 1 from c) select count(*) as endless from c";
/// For what happens in its own time.
const PATIENCE: Duration = Duration::from_secs(60);

fn words(words: &str) -> pb::ListRunsRequest {
    pb::ListRunsRequest { words: words.to_owned(), ..pb::ListRunsRequest::default() }
}

impl House {
    async fn list_runs(&self, request: pb::ListRunsRequest) -> Result<pb::ListRunsResponse, Status> {
        Ok(self.history().list_runs(request).await?.into_inner())
    }

    /// The runs, when there are as many and each has ended.
    async fn runs(&self, count: usize) -> Vec<pb::Run> {
        self.runs_until(|runs| {
            runs.len() == count && runs.iter().all(|run| run.outcome() != RunOutcome::Running)
        })
        .await
    }

    async fn runs_until(&self, is_so: impl Fn(&[pb::Run]) -> bool) -> Vec<pb::Run> {
        let end = Instant::now() + PATIENCE;
        loop {
            let runs = self.list_runs(words("")).await.unwrap().runs;
            if is_so(&runs) {
                return runs;
            }
            assert!(Instant::now() < end, "{runs:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn past(&self, run: &pb::Run) -> Result<(pb::Run, String), Status> {
        let request = pb::GetRunRequest { run_id: run.run_id.clone() };
        let pb::GetRunResponse { run, text } = self.history().get_run(request).await?.into_inner();
        Ok((run.unwrap(), text))
    }

    async fn forget(&self, choice: Choice) -> u64 {
        let request = pb::DeleteRunsRequest { choice: Some(choice) };
        self.history().delete_runs(request).await.unwrap().into_inner().count
    }

    async fn ran(&self, sql: &str) {
        self.execute(sql).await.rest().await.end.unwrap();
    }

    /// A session ends some time after its answer, and takes a place as long.
    async fn nothing_runs(&self) {
        let end = Instant::now() + PATIENCE;
        while !self.core.running_sessions().is_empty() {
            assert!(Instant::now() < end);
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whether the store's files show a text.
    fn file_shows(&self, text: &str) -> bool {
        ["", "-wal"].iter().any(|end| {
            let bytes = std::fs::read(format!("{}{end}", self.store().display())).unwrap_or_default();
            bytes.windows(text.len()).any(|part| part == text.as_bytes())
        })
    }
}

/// The texts of runs, as far as they are listed.
fn starts(runs: &[pb::Run]) -> Vec<&str> {
    runs.iter().map(|run| run.text_start.as_str()).collect()
}

async fn shop(house: House) -> House {
    house.create(house.spec(SHOP)).await.unwrap();
    house
}

#[tokio::test]
async fn each_script_is_there_with_how_it_ended_and_its_text_is_sealed() {
    let (house, source, _) = house_with_vault().await;
    let house = shop(house).await;
    let first = format!("select 1 as {CANARY} union all select 2");
    house.ran(&first).await;
    house.ran("selec").await;
    let request = pb::ExecutePluginRequest {
        session_id: session_id(),
        driver_type: "sqlite".to_owned(),
        parameters: house.spec("").parameters,
        sql: "select 'elsewhere'".to_owned(),
        ..pb::ExecutePluginRequest::default()
    };
    let mut unsaved = house.queries().execute_plugin(request).await.unwrap().into_inner();
    while unsaved.message().await.unwrap().is_some() {}

    let runs = house.runs(3).await;
    assert_eq!(starts(&runs), ["select 'elsewhere'", "selec", first.as_str()]);
    let [elsewhere, refused, done] = runs.as_slice() else { unreachable!("it was waited for") };
    assert_eq!((elsewhere.connection_name.as_str(), elsewhere.connection_id.as_str()), ("", ""));
    assert_eq!(elsewhere.driver_type, "sqlite");
    assert_eq!((refused.outcome(), refused.row_count), (RunOutcome::Rejected, 0));
    assert!(!refused.error_code.is_empty(), "{refused:?}");
    assert_eq!((done.outcome(), done.row_count, done.error_code.as_str()), (RunOutcome::Done, 2, ""));
    assert_eq!((done.connection_name.as_str(), done.text_state()), (SHOP, RunTextState::Kept));
    assert_eq!(done.text_bytes, first.len() as u64);
    assert!(uuid::Uuid::parse_str(&done.session_id).is_ok() && done.started.is_some());
    assert_eq!(house.past(done).await.unwrap(), (done.clone(), first.clone()));

    // Sealed on disk, there after a restart, and found by words alone.
    assert!(!house.file_shows(CANARY));
    let house = house.again(source.key_source()).await;
    assert!(!house.file_shows(CANARY));
    let listing = house.list_runs(words(&format!("UNION {}", CANARY.to_uppercase()))).await.unwrap();
    assert_eq!(starts(&listing.runs), [first.as_str()]);
    assert_eq!((listing.keeping(), listing.level()), (TextKeeping::Sealed, HistoryLevel::Texts));
    assert!(house.list_runs(words("union nothing")).await.unwrap().runs.is_empty());
    // The tree of a database is no run of its user's.
    let request = pb::GetSchemaRequest {
        session_id: session_id(),
        connection: named(SHOP),
        ..pb::GetSchemaRequest::default()
    };
    let mut schema = house.schemas().get_schema(request).await.unwrap().into_inner();
    while schema.message().await.unwrap().is_some() {}
    house.ran("select 9").await;
    assert_eq!(house.runs(4).await[0].text_start, "select 9");
}

#[tokio::test]
async fn lists_go_on_page_by_page_and_are_narrowed() {
    let (house, ..) = house_with_vault().await;
    let house = shop(house).await;
    let other = house.create(house.spec("other")).await.unwrap();
    for number in 0..6 {
        house.ran(&format!("select {number}")).await;
        house.runs(number + 1).await;
    }
    let request = pb::ExecuteRequest {
        session_id: session_id(),
        connection: by_id(&other.id),
        sql: "select nothing".to_owned(),
        ..pb::ExecuteRequest::default()
    };
    house.ask(request).await.unwrap().rest().await.end.unwrap();
    let all = house.runs(7).await;

    let mut request = pb::ListRunsRequest { page_size: 3, ..words("SELECT") };
    let mut found = Vec::new();
    loop {
        let page = house.list_runs(request.clone()).await.unwrap();
        assert!(page.runs.len() <= 3);
        found.extend(page.runs);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(found, all);

    let narrowed = async |request: pb::ListRunsRequest| house.list_runs(request).await.unwrap().runs;
    let by_connection = pb::ListRunsRequest { connection_id: other.id.clone(), ..words("") };
    assert_eq!(narrowed(by_connection.clone()).await, all[..1]);
    let rejected = vec![RunOutcome::Rejected.into()];
    assert_eq!(narrowed(pb::ListRunsRequest { outcomes: rejected, ..words("") }).await, all[..1]);
    let (since, before) = (all[4].started, all[2].started);
    assert_eq!(narrowed(pb::ListRunsRequest { since, before, ..words("") }).await, all[3..5]);
    // A connection that is gone is told by its name.
    let request = pb::DeleteConnectionRequest { connection: by_id(&other.id) };
    house.connections().delete_connection(request).await.unwrap();
    assert_eq!(narrowed(by_connection).await[0].connection_name, "other");
}

#[tokio::test]
async fn without_a_key_texts_live_in_memory_and_in_the_clear_only_by_the_operators_word() {
    let house = shop(House::new().await).await;
    let sql = format!("select '{CANARY}'");
    house.ran(&sql).await;
    let runs = house.runs(1).await;
    assert_eq!((starts(&runs), runs[0].text_state()), (vec![sql.as_str()], RunTextState::Kept));
    let listing = house.list_runs(words(CANARY)).await.unwrap();
    assert_eq!((listing.runs.len(), listing.keeping()), (1, TextKeeping::Memory));
    assert!(!house.file_shows(CANARY));

    let house = house.again(KeySource::none()).await;
    let runs = house.runs(1).await;
    assert_eq!((starts(&runs), runs[0].text_state()), (vec![""], RunTextState::NotKept));
    assert!(house.list_runs(words(CANARY)).await.unwrap().runs.is_empty());

    let house = house.again_with_texts(KeySource::none(), TextStorage::Plain).await;
    house.ran(&sql).await;
    house.runs(2).await;
    // The positive twin of what is looked for elsewhere.
    assert!(house.file_shows(CANARY));
    let house = house.again(KeySource::none()).await;
    assert_eq!(house.list_runs(words(CANARY)).await.unwrap().runs.len(), 1);
}

#[tokio::test]
async fn the_operator_and_a_connection_can_have_less_kept() {
    let (house, source, _) = house_with_vault().await;
    let house = shop(house).await;
    let spec =
        |name: &str, level: HistoryLevel| pb::ConnectionSpec { history: level.into(), ..house.spec(name) };
    let off = house.create(spec("off", HistoryLevel::Off)).await.unwrap();
    let facts = house.create(spec("facts", HistoryLevel::Facts)).await.unwrap();
    assert_eq!(facts.spec.as_ref().unwrap().history(), HistoryLevel::Facts);
    let on = |connection: &pb::Connection| pb::ExecuteRequest {
        session_id: session_id(),
        connection: by_id(&connection.id),
        sql: "select 1".to_owned(),
        ..pb::ExecuteRequest::default()
    };
    house.ask(on(&off)).await.unwrap().rest().await.end.unwrap();
    house.ask(on(&facts)).await.unwrap().rest().await.end.unwrap();
    house.ran("select 2").await;
    let runs = house.runs(2).await;
    assert_eq!(starts(&runs), ["select 2", ""]);
    assert_eq!((runs[1].text_state(), runs[1].row_count), (RunTextState::NotKept, 1));

    let facts_alone = HistorySettings { level: querybox_core::HistoryLevel::Facts, ..HistorySettings::USUAL };
    let house = house.again_with_history(source.key_source(), facts_alone).await;
    house.ran("select 3").await;
    assert_eq!(house.runs(3).await[0].text_state(), RunTextState::NotKept);
    assert_eq!(house.list_runs(words("")).await.unwrap().level(), HistoryLevel::Facts);
    let off = HistorySettings { level: querybox_core::HistoryLevel::Off, ..HistorySettings::USUAL };
    let house = house.again_with_history(source.key_source(), off).await;
    house.ran("select 4").await;
    // What is noted when it ends is noted by the end of Core.
    let house = house.again(source.key_source()).await;
    assert_eq!(house.runs(3).await.len(), 3);
    let few = HistorySettings { runs_max: 2, ..HistorySettings::USUAL };
    let house = house.again_with_history(source.key_source(), few).await;
    assert_eq!(house.runs(2).await.len(), 2);
}

#[tokio::test]
async fn what_takes_long_is_there_while_it_runs() {
    let (house, ..) = house_with_vault().await;
    let house = shop(house).await;
    let mut running = house.execute_with(ENDLESS, without_end()).await;
    running.opened().await;
    let is_listed = |runs: &[pb::Run]| runs.iter().any(|run| run.outcome() == RunOutcome::Running);
    let runs = house.runs_until(is_listed).await;
    assert_eq!(starts(&runs), [ENDLESS]);
    // Also when it is asked for by the word for those that were lost.
    let unfinished = pb::ListRunsRequest { outcomes: vec![RunOutcome::Unfinished.into()], ..words("") };
    assert_eq!(house.list_runs(unfinished).await.unwrap().runs.len(), 1);
    let request = pb::CancelSessionRequest { session_id: running.session_id.clone() };
    house.sessions().cancel_session(request).await.unwrap();
    running.rest().await.end.unwrap();
    let runs = house.runs(1).await;
    assert_eq!(runs[0].outcome(), RunOutcome::Cancelled);
    assert_ne!(runs[0].duration, Some(prost_types::Duration::default()));
}

#[tokio::test]
async fn what_is_forgotten_is_gone_from_list_file_and_memory() {
    let (house, ..) = house_with_vault().await;
    for house in [house, House::new().await] {
        let house = shop(house).await;
        for number in 0..4 {
            house.ran(&format!("select {number} as {CANARY}")).await;
            house.runs(number + 1).await;
        }
        let runs = house.runs(4).await;
        let ids = pb::RunIds { run_ids: vec![runs[0].run_id.clone(), uuid::Uuid::nil().to_string()] };
        assert_eq!(house.forget(Choice::Ids(ids)).await, 1);
        let status = house.past(&runs[0]).await.unwrap_err();
        check(&status, Code::NotFound, "RUN_NOT_FOUND", "there is no such run");
        assert_eq!(house.forget(Choice::Before(runs[2].started.unwrap())).await, 1);
        assert_eq!(house.runs(2).await, runs[1..3]);
        let shop = runs[1].connection_id.clone();
        assert_eq!(house.forget(Choice::ConnectionId(shop)).await, 2);
        assert_eq!(house.forget(Choice::All(pb::AllRuns {})).await, 0);
        assert!(house.list_runs(words(CANARY)).await.unwrap().runs.is_empty());
    }
}

/// A source that gives a key, when it may.
fn held(key: String) -> (KeySource, std::sync::mpsc::Sender<()>) {
    let (let_go, may) = std::sync::mpsc::channel();
    let may = std::sync::Mutex::new(may);
    let held = KeySource::new(move || {
        // An error: it was let go, for all who come.
        let _ = may.lock().unwrap().recv();
        Ok(Some(MasterKeys::parse(&key.clone().into()).unwrap()))
    });
    (held, let_go)
}

#[tokio::test]
async fn what_is_forgotten_before_it_is_written_down_is_never_written() {
    let (house, source, key) = house_with_vault().await;
    let house = shop(house).await;
    let (keys, let_go) = held(key);
    let house = house.again(keys).await;
    // It has ended, and its text waits for its key.
    house.ran(&format!("select '{CANARY}'")).await;
    house.nothing_runs().await;
    // It runs.
    let mut running = house.execute_with(ENDLESS, without_end()).await;
    running.opened().await;
    assert_eq!(house.forget(Choice::All(pb::AllRuns {})).await, 2);
    assert_eq!(house.forget(Choice::All(pb::AllRuns {})).await, 0);
    drop(let_go);
    let request = pb::CancelSessionRequest { session_id: running.session_id.clone() };
    house.sessions().cancel_session(request).await.unwrap();
    running.rest().await.end.unwrap();
    house.nothing_runs().await;
    house.ran("select 'later'").await;
    // All that is to be written is written by the end of Core.
    let house = house.again(source.key_source()).await;
    assert_eq!(starts(&house.runs(1).await), ["select 'later'"]);
}

#[tokio::test]
async fn a_long_text_is_kept_by_its_beginning() {
    let (house, ..) = house_with_vault().await;
    let house = shop(house).await;
    let sql = format!("select 'é{}'", "x".repeat(100_000));
    house.ran(&sql).await;
    let run = &house.runs(1).await[0];
    assert_eq!((run.text_state(), run.text_bytes), (RunTextState::Cut, sql.len() as u64));
    assert_eq!(run.text_start.chars().count(), 1000);
    let (_, text) = house.past(run).await.unwrap();
    assert_eq!(text.len(), 64 << 10);
    assert!(sql.starts_with(&text));
}

#[tokio::test]
async fn rotation_keeps_texts_and_a_lost_key_can_be_given_up_with_them() {
    let (house, source, old) = house_with_vault().await;
    let house = shop(house).await;
    house.ran("select 'old'").await;
    house.runs(1).await;
    let new = make_key();
    source.says(&[&new, &old]);
    register(&house).await.unwrap();
    let mut rotation = house.keys().rotate_keys(pb::RotateKeysRequest {}).await.unwrap().into_inner();
    while rotation.message().await.unwrap().is_some() {}
    source.says(&[&new]);
    let house = house.again(source.key_source()).await;
    assert_eq!(starts(&house.runs(1).await), ["select 'old'"]);
    assert_eq!(house.list_runs(words("old")).await.unwrap().unreadable_count, 0);

    // The key is lost.
    let other = make_key();
    source.says(&[&other]);
    let house = house.again(source.key_source()).await;
    assert_eq!(house.runs(1).await[0].text_state(), RunTextState::Unreadable);
    assert_eq!(house.list_runs(words("old")).await.unwrap().unreadable_count, 1);
    let replace = pb::RegisterSourceKeysRequest { replace_unused: true, ..Default::default() };
    let status = house.keys().register_source_keys(replace).await.unwrap_err();
    let message = "registered keys are in use: drafts or statements of the history are sealed under them; ForgetTexts \
                   forgets those that cannot be opened";
    check(&status, Code::FailedPrecondition, "KEYS_USED", message);
    assert_eq!(crate::house::metadata(&status, "texts"), "SEALED");
    let forgotten = house.keys().forget_texts(pb::ForgetTextsRequest {}).await.unwrap().into_inner();
    assert_eq!((forgotten.drafts, forgotten.runs), (0, 1));
    house.keys().register_source_keys(replace).await.unwrap();
    assert_eq!(house.runs(1).await[0].text_state(), RunTextState::NotKept);
    house.ran("select 'new'").await;
    assert_eq!(starts(&house.runs(2).await), ["select 'new'", ""]);
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_by_name() {
    let house = House::new().await;
    let refused = async |request: pb::ListRunsRequest, message: &str| {
        let status = house.list_runs(request).await.unwrap_err();
        check(&status, Code::InvalidArgument, "PARAMETER_INVALID", message);
    };
    let outcomes = |outcome| pb::ListRunsRequest { outcomes: vec![outcome], ..words("") };
    refused(outcomes(0), "outcomes has one that this version does not know").await;
    refused(outcomes(99), "outcomes has one that this version does not know").await;
    let many = |count| pb::ListRunsRequest { outcomes: vec![RunOutcome::Done.into(); count], ..words("") };
    refused(many(17), "outcomes has more than 16").await;
    assert!(house.list_runs(many(16)).await.unwrap().runs.is_empty());
    refused(words(&"w".repeat(1001)), "words is longer than 1000 characters").await;
    let page_token = "x".to_owned();
    refused(pb::ListRunsRequest { page_token, ..words("") }, "page_token is no place in a list").await;
    let since = Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 });
    refused(pb::ListRunsRequest { since, ..words("") }, "since is not a time").await;
    let connection_id = "shop".to_owned();
    let message = "connection_id is not a UUID in canonical text form";
    refused(pb::ListRunsRequest { connection_id, ..words("") }, message).await;

    let refused = async |choice: Option<Choice>, message: &str| {
        let request = pb::DeleteRunsRequest { choice };
        let status = house.history().delete_runs(request).await.unwrap_err();
        check(&status, Code::InvalidArgument, "PARAMETER_INVALID", message);
    };
    refused(None, "choice is missing").await;
    let ids = |run_ids| Some(Choice::Ids(pb::RunIds { run_ids }));
    refused(ids(vec!["7".to_owned()]), "ids.run_ids is not a UUID in canonical text form").await;
    refused(ids(vec![String::new(); 1001]), "ids.run_ids has more than 1000 ids").await;
}
