//! Several stores on one file, in one process and in two.

use std::{collections::BTreeSet, time::Duration};

use querybox_store::{Connection, Error, Store};

use crate::{
    Site, at, check_integrity,
    children::{child, told},
    settings,
};

const EACH: usize = 200;

async fn create_many(store: &Store, label: &str) {
    for number in 0..EACH {
        let name = format!("{label} {number}");
        store.create_connection(settings(&name), at(0)).await.unwrap();
        store.touch(store.connection_named(&name.parse().unwrap()).await.unwrap().id, at(1));
    }
}

async fn check_that_all_are_there(site: &Site) {
    let connections = site.open().await.connections().await.unwrap();
    let found: BTreeSet<String> = connections.iter().map(|c| c.settings.name.to_string()).collect();
    let expected = ["a", "b"].iter().flat_map(|label| (0..EACH).map(move |n| format!("{label} {n}")));
    assert_eq!(found, expected.collect());
    let whole = |c: &Connection| c.settings == settings(c.settings.name.as_str());
    assert!(connections.iter().all(whole));
    assert!(connections.iter().all(|c| c.last_access == Some(at(1))));
    check_integrity(&site.raw());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_stores_of_one_process_lose_nothing() {
    let site = Site::new();
    let (a, b) = tokio::join!(site.open(), site.open());
    assert_eq!(a.id(), b.id());
    tokio::join!(create_many(&a, "a"), create_many(&b, "b"));
    assert_eq!((a.notes_dropped(), b.notes_dropped()), (0, 0));
    tokio::join!(a.close(), b.close());
    check_that_all_are_there(&site).await;
}

#[tokio::test]
async fn two_processes_that_start_together_lose_nothing() {
    let site = Site::new();
    let start = |label| child("concurrent::create_many_child", &site.path(), label).spawn().unwrap();
    let both = [start("a"), start("b")];
    for process in both {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    check_that_all_are_there(&site).await;
}

#[tokio::test]
#[ignore = "half of two_processes_that_start_together_lose_nothing"]
async fn create_many_child() {
    let (path, label) = told();
    let store = Store::open(&path).await.unwrap();
    create_many(&store, &label).await;
    assert_eq!(store.notes_dropped(), 0);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_at_once_are_all_served() {
    let site = Site::new();
    let store = std::sync::Arc::new(site.open().await);
    let mut callers = tokio::task::JoinSet::new();
    // More than the queue holds.
    for number in 0..300 {
        let store = std::sync::Arc::clone(&store);
        callers.spawn(async move {
            let created = store.create_connection(settings(&format!("c{number}")), at(0)).await.unwrap();
            assert_eq!(store.connection(created.id).await.unwrap(), created);
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller.unwrap();
    }
    assert_eq!(store.connections().await.unwrap().len(), 300);
}

#[tokio::test]
async fn of_two_updates_from_one_revision_one_is_refused() {
    let site = Site::new();
    let (a, b) = (site.open().await, site.open().await);
    let created = a.create_connection(settings("x"), at(0)).await.unwrap();
    let (one, other) = tokio::join!(
        a.update_connection(created.id, 1, settings("from a"), at(1)),
        b.update_connection(created.id, 1, settings("from b"), at(1)),
    );
    let (done, refused) = if one.is_ok() { (one, other) } else { (other, one) };
    assert!(matches!(refused, Err(Error::Conflict(id)) if id == created.id));
    assert_eq!(a.connection(created.id).await.unwrap(), done.unwrap());
}

#[tokio::test]
async fn a_lock_that_is_never_released_is_busy_and_reading_goes_on() {
    let site = Site::new();
    let store = site.open().await;
    let created = store.create_connection(settings("x"), at(0)).await.unwrap();
    let lock = site.raw();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();

    let mut write = std::pin::pin!(store.delete_connection(created.id));
    let early = tokio::time::timeout(Duration::from_secs(1), &mut write).await;
    assert!(early.is_err(), "it must wait for the lock");
    assert_eq!(store.connection(created.id).await.unwrap(), created);
    assert!(matches!(write.await, Err(Error::Busy)));

    lock.execute_batch("ROLLBACK").unwrap();
    store.delete_connection(created.id).await.unwrap();
}
