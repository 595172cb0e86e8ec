//! The history, its order and its bounds.

use std::time::Duration;

use querybox_store::{
    ConnectionId, ListedRun, Outcome, Run, RunChoice, RunEnd, RunFilter, RunLimits, RunText, Store, Written,
};
use uuid::Uuid;

use crate::{Site, at};

pub(crate) const RUN_LIMITS: RunLimits =
    RunLimits { runs_max: 1000, texts_bytes_max: 1 << 20, age_max: Duration::from_secs(1_000_000) };

pub(crate) fn run(number: u32) -> Run {
    Run {
        id: Uuid::from_u128(number.into()),
        owner: "me".parse().unwrap(),
        session: Uuid::from_u128(number.into()),
        connection: None,
        connection_name: None,
        driver_type: "sqlite".parse().unwrap(),
        started: at(number.into()),
        text_bytes: 0,
        end: RunEnd {
            outcome: Outcome::Done,
            error_code: String::new(),
            duration: Duration::from_millis(number.into()),
            rows: number.into(),
            bytes: 0,
        },
    }
}

pub(crate) fn filter() -> RunFilter {
    RunFilter { owner: "me".parse().unwrap(), connection: None, outcomes: vec![], since: None, before: None }
}

fn ended(number: u32, outcome: Outcome) -> Run {
    let run = run(number);
    Run { end: RunEnd { outcome, ..run.end }, ..run }
}

async fn all(store: &Store) -> Vec<Run> {
    let listed = store.runs(filter(), None, u32::MAX).await.unwrap();
    listed.into_iter().map(|listed| listed.run).collect()
}

/// What was recorded is written when this has answered.
async fn settle(store: &Store) {
    store.notes_written().await.unwrap();
}

fn numbers(listed: &[ListedRun]) -> Vec<u64> {
    listed.iter().map(|listed| listed.run.end.rows).collect()
}

#[tokio::test]
async fn every_outcome_comes_back_the_last_one_first() {
    let site = Site::new();
    let store = site.open().await;
    let outcomes = [
        Outcome::Done,
        Outcome::Rejected,
        Outcome::Failed,
        Outcome::Limited,
        Outcome::Canceled,
        Outcome::Unfinished,
    ];
    for (number, outcome) in (0..).zip(outcomes) {
        store.record_run(ended(number, outcome), None, RUN_LIMITS, at(0));
    }
    store.close().await;

    let store = site.open().await;
    let found = store.runs(filter(), None, 4).await.unwrap();
    let found: Vec<Outcome> = found.iter().map(|listed| listed.run.end.outcome).collect();
    assert_eq!(found, [Outcome::Unfinished, Outcome::Canceled, Outcome::Limited, Outcome::Failed]);
}

#[tokio::test]
async fn a_list_goes_on_where_it_ended_by_the_time_of_the_beginning() {
    let site = Site::new();
    let store = site.open().await;
    // Two began in one moment, and one that began early was written late.
    for (number, second) in [(1, 10), (2, 30), (3, 30), (4, 40), (5, 20)] {
        store.record_run(Run { started: at(second), ..run(number) }, None, RUN_LIMITS, at(40));
    }
    settle(&store).await;
    let first = store.runs(filter(), None, 2).await.unwrap();
    assert_eq!(numbers(&first), [4, 3]);
    let cursor = first[1].cursor.to_string().parse().unwrap();
    // What comes meanwhile moves nothing.
    store.record_run(Run { started: at(50), ..run(6) }, None, RUN_LIMITS, at(50));
    settle(&store).await;
    assert_eq!(numbers(&store.runs(filter(), Some(cursor), 10).await.unwrap()), [2, 5, 1]);
    for wrong in ["", ".", "1", "1.x", "x.1"] {
        assert!(wrong.parse::<querybox_store::RunCursor>().is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn runs_are_found_by_connection_outcome_and_time_and_each_owner_has_his_own() {
    let site = Site::new();
    let store = site.open().await;
    let (shop, other) = (ConnectionId::from(Uuid::from_u128(1)), ConnectionId::from(Uuid::from_u128(2)));
    for number in 1..=6 {
        let connection = if number % 2 == 0 { shop } else { other };
        let outcome = if number > 3 { Outcome::Rejected } else { Outcome::Done };
        let run = Run { connection: Some(connection), ..ended(number, outcome) };
        store.record_run(run, None, RUN_LIMITS, at(0));
    }
    store.record_run(Run { owner: "you".parse().unwrap(), ..run(7) }, None, RUN_LIMITS, at(0));
    settle(&store).await;
    let found = async |filter: RunFilter| numbers(&store.runs(filter, None, 10).await.unwrap());
    assert_eq!(found(filter()).await, [6, 5, 4, 3, 2, 1]);
    assert_eq!(found(RunFilter { connection: Some(shop), ..filter() }).await, [6, 4, 2]);
    assert_eq!(found(RunFilter { outcomes: vec![Outcome::Rejected], ..filter() }).await, [6, 5, 4]);
    let both = vec![Outcome::Rejected, Outcome::Done];
    assert_eq!(found(RunFilter { outcomes: both, connection: Some(shop), ..filter() }).await, [6, 4, 2]);
    assert_eq!(found(RunFilter { since: Some(at(2)), before: Some(at(5)), ..filter() }).await, [4, 3, 2]);
    assert_eq!(found(RunFilter { owner: "you".parse().unwrap(), ..filter() }).await, [7]);
    assert_eq!(store.run("me".parse().unwrap(), run(7).id).await.unwrap(), None);
    assert_eq!(store.run("you".parse().unwrap(), run(7).id).await.unwrap().unwrap().run.end.rows, 7);
}

#[tokio::test]
async fn what_is_forgotten_is_gone_also_when_it_ends_later() {
    let site = Site::new();
    let store = site.open().await;
    let me = || "me".parse().unwrap();
    let shop = ConnectionId::from(Uuid::from_u128(1));
    for number in 1..=6 {
        let run = Run { connection: (number == 4).then_some(shop), ..ended(number, Outcome::Unfinished) };
        let text = RunText { written: Written::Plain(b"canary".to_vec()), text_key: None };
        store.record_run(run, Some(text), RUN_LIMITS, at(0));
    }
    // Those too that are not written yet.
    let delete = async |choice| store.delete_runs(me(), choice).await.unwrap();
    assert_eq!(delete(RunChoice::Ids(vec![run(6).id, run(6).id, run(99).id])).await, 1);
    assert_eq!(delete(RunChoice::Before(at(3))).await, 2);
    assert_eq!(delete(RunChoice::Of(shop)).await, 1);
    for number in 1..=6 {
        store.finish_run(run(number).id, run(number).end);
    }
    settle(&store).await;
    let left = all(&store).await;
    assert_eq!(left, [run(5), run(3)]);
    assert_eq!(delete(RunChoice::All).await, 2);
    assert_eq!(all(&store).await, []);
    store.close().await;
    // Nor does the file show it.
    let file = std::fs::read(site.path()).unwrap();
    assert!(!file.windows(6).any(|part| part == b"canary"));
}

#[tokio::test]
async fn what_is_too_much_or_too_old_makes_room() {
    let site = Site::new();
    let store = site.open().await;
    let few = RunLimits { runs_max: 10, ..RUN_LIMITS };
    for number in 1..=50 {
        store.record_run(run(number), None, few, at(50));
    }
    settle(&store).await;
    let kept = all(&store).await;
    assert_eq!((kept.len(), &kept[0], &kept[9]), (10, &run(50), &run(41)));

    let young = RunLimits { age_max: Duration::from_secs(5), ..RUN_LIMITS };
    store.record_run(run(51), None, young, at(51));
    settle(&store).await;
    assert_eq!(all(&store).await.len(), 6, "those of 46 to 51 seconds");
    store.trim_runs(young, at(55));
    settle(&store).await;
    assert_eq!(all(&store).await, [run(51), run(50)]);

    // All texts together have a bound too.
    let short = RunLimits { texts_bytes_max: 1000, ..RUN_LIMITS };
    for number in 52..=60 {
        let text = RunText { written: Written::Plain(vec![7; 300]), text_key: None };
        store.record_run(run(number), Some(text), RUN_LIMITS, at(60));
    }
    store.trim_runs(short, at(60));
    settle(&store).await;
    assert_eq!(all(&store).await, [run(60), run(59), run(58)]);
    for number in 61..=200 {
        let text = RunText { written: Written::Plain(vec![7; 300]), text_key: None };
        store.record_run(run(number), Some(text), short, at(60));
    }
    settle(&store).await;
    // Looked at now and then.
    let kept = all(&store).await.len();
    assert!((3..70).contains(&kept), "{kept}");
    assert_eq!(store.notes_dropped(), 0);
}

#[tokio::test]
async fn notes_beyond_the_queue_are_dropped_and_counted() {
    let site = Site::new();
    let store = site.open().await;
    let lock = site.raw();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let limits = RunLimits { runs_max: 2000, ..RUN_LIMITS };
    for number in 0..1500 {
        store.record_run(run(number), None, limits, at(0));
    }
    // 1024 wait in the queue, and at most one is out of it, waiting for the lock.
    let dropped = store.notes_dropped();
    assert!((475..=476).contains(&dropped), "{dropped} dropped");
    lock.execute_batch("ROLLBACK").unwrap();
    store.close().await;

    let store = site.open().await;
    assert_eq!(all(&store).await.len() as u64, 1500 - dropped);
}
