//! The history and its bounds.

use std::time::Duration;

use querybox_store::{Outcome, RUNS_MAX, Run, Store};
use uuid::Uuid;

use crate::{Site, at};

fn run(number: u32) -> Run {
    Run {
        session: Uuid::from_u128(number.into()),
        connection: None,
        driver_type: "sqlite".parse().unwrap(),
        started: at(number.into()),
        duration: Duration::from_millis(number.into()),
        rows: number.into(),
        bytes: 0,
        outcome: Outcome::Done,
    }
}

async fn wait_for(store: &Store, last: &Run) {
    while store.runs(1).await.unwrap().first() != Some(last) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn every_outcome_comes_back_newest_first() {
    let site = Site::new();
    let store = site.open().await;
    let outcomes = [Outcome::Done, Outcome::Rejected, Outcome::Failed, Outcome::Limited, Outcome::Canceled];
    for (number, outcome) in (0..).zip(outcomes) {
        store.record_run(Run { outcome, ..run(number) });
    }
    store.close().await;

    let store = site.open().await;
    let found: Vec<Outcome> = store.runs(4).await.unwrap().iter().map(|run| run.outcome).collect();
    assert_eq!(found, [Outcome::Canceled, Outcome::Limited, Outcome::Failed, Outcome::Rejected]);
}

#[tokio::test]
async fn the_oldest_runs_make_room() {
    let site = Site::new();
    let store = site.open().await;
    let last = RUNS_MAX + 49;
    for number in 0..=last {
        store.record_run(run(number));
        // Stay below the bound of the queue.
        if number % 500 == 0 {
            wait_for(&store, &run(number)).await;
        }
    }
    wait_for(&store, &run(last)).await;
    assert_eq!(store.notes_dropped(), 0);

    let runs = store.runs(u32::MAX).await.unwrap();
    assert_eq!(runs.len(), RUNS_MAX as usize);
    assert_eq!(runs.first(), Some(&run(last)));
    assert_eq!(runs.last(), Some(&run(50)));
}

#[tokio::test]
async fn notes_beyond_the_queue_are_dropped_and_counted() {
    let site = Site::new();
    let store = site.open().await;
    let lock = site.raw();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    for number in 0..1500 {
        store.record_run(run(number));
    }
    // 1024 wait in the queue, and at most one is out of it, waiting for the lock.
    let dropped = store.notes_dropped();
    assert!((475..=476).contains(&dropped), "{dropped} dropped");
    lock.execute_batch("ROLLBACK").unwrap();
    store.close().await;

    let store = site.open().await;
    assert_eq!(store.runs(u32::MAX).await.unwrap().len() as u64, 1500 - dropped);
}
