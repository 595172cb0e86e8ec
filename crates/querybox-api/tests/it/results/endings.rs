//! How kept results go.

use std::time::Duration;

use querybox_contracts::core::v1 as pb;
use tonic::Code;

use super::{ENDLESS, PATIENCE, attach, forget, nothing_is_held, nothing_runs, ran, request, run, until};
use crate::house::{House, limits, metadata};

const FRONT_END: &str = "5b3e1d0a-7c00-4abc-8def-0123456789ab";

#[tokio::test]
async fn a_result_that_is_dropped_stops_and_leaves_nothing() {
    let house = House::with_shop().await;
    let id = run(&house, ENDLESS).await.result.unwrap().result_id;
    // It has outgrown its memory.
    until(&house, &id, |result| result.kept_bytes > 4 << 20).await;
    assert!(house.core.results_used().disk_bytes > 0);
    forget(&house, &id).await.unwrap();
    nothing_is_held(&house).await;
    nothing_runs(&house).await;
}

#[tokio::test]
async fn an_unused_result_goes_unless_a_front_end_looks_at_it() {
    let house = House::keeping(limits(), |mut results| {
        results.idle = Duration::from_millis(200);
        results
    })
    .await;
    let watch = pb::WatchEventsRequest { front_end_id: FRONT_END.to_owned() };
    let events = house.events().watch_events(watch).await.unwrap().into_inner();
    let watched = pb::RunRequest { front_end_id: FRONT_END.to_owned(), ..request("select 1") };
    let watched_id = watched.result_id.clone();
    house.results().run(watched).await.unwrap();
    let id = run(&house, "select 1").await.result.unwrap().result_id;
    // Asking for one result leaves the other unused. That of nobody goes, however often that of the front end is not asked
    // for.
    let gone = async |id: &str| {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let results = house.results().list_results(pb::ListResultsRequest {}).await.unwrap().into_inner();
            if results.results.iter().all(|result| result.result_id != id) {
                return;
            }
            assert!(tokio::time::Instant::now() < end, "it stays");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    gone(&id).await;
    let status = attach(&house, &id).await.unwrap_err();
    assert_eq!((status.code(), metadata(&status, "cause").as_str()), (Code::NotFound, "IDLE"));
    let listed = house.results().list_results(pb::ListResultsRequest {}).await.unwrap().into_inner().results;
    assert_eq!(listed.iter().map(|result| &result.result_id).collect::<Vec<_>>(), [&watched_id]);
    drop(events);
    gone(&watched_id).await;
}

#[tokio::test]
async fn core_ends_with_results_that_are_kept_and_that_run() {
    let house = House::with_shop().await;
    ran(&house, "select 1").await;
    let id = run(&house, ENDLESS).await.result.unwrap().result_id;
    until(&house, &id, |result| result.kept_bytes > 0).await;
    tokio::time::timeout(PATIENCE, house.core.shutdown(Duration::ZERO)).await.unwrap();
    nothing_is_held(&house).await;
}
