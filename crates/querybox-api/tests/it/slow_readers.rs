//! Readers that are there and take nothing.

use std::time::{Duration, Instant};

use querybox_contracts::{
    core::v1::{self as pb},
    plugin::v1::TransactionState,
};
use querybox_core::Limits;
use tonic::Code;

use crate::{
    house::{House, SHOP, check, is_gone, limits, metadata, within},
    lease::{check_metadata, on_driver},
    queries::{ENDLESS, resident_bytes},
};

const IDLE: Duration = Duration::from_millis(600);
const MESSAGE: &str = "the answer was not read for 600ms, and was stopped";

async fn house() -> House {
    let house = House::with_limits(Limits { stream_idle: Some(IDLE), ..limits() }).await;
    house.create(house.spec(SHOP)).await.unwrap();
    house
}

#[tokio::test]
async fn a_reader_that_takes_nothing_loses_its_request() {
    let house = house().await;
    let mut answer = house.execute(ENDLESS).await;
    let pid = answer.first_row().await.driver_pid;
    let before = resident_bytes();
    let begun = Instant::now();
    // The driver is gone without anybody reading, and its place is free.
    while !house.core.running_sessions().is_empty() {
        assert!(begun.elapsed() < IDLE + Duration::from_secs(2), "{:?}", begun.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(begun.elapsed() >= IDLE - Duration::from_millis(100), "{:?}", begun.elapsed());
    assert!(is_gone(pid).await);
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < 32 << 20, "{grown}");
    let status = answer.rest().await.end.unwrap_err();
    check(&status, Code::ResourceExhausted, "STREAM_IDLE", MESSAGE);
    assert_eq!(metadata(&status, "limit_ms"), "600");
}

#[tokio::test]
async fn a_reader_that_takes_something_now_and_then_keeps_its_request() {
    let house = house().await;
    // The time of the reader does not count for the deadline either.
    let mut answer = house.execute_with(ENDLESS, within(1200)).await;
    answer.first_row().await;
    for _ in 0..6 {
        tokio::time::sleep(IDLE / 2).await;
        // More than what lies between the two ends.
        for _ in 0..16 {
            answer.next().await.unwrap();
        }
    }
    assert_eq!(house.cancel(&answer.session_id).await, pb::CancelReceipt::Confirmed);
    answer.rest().await.end.unwrap();
}

#[tokio::test]
async fn a_leased_session_outlives_a_reader_that_takes_nothing() {
    let house = house().await;
    let lease = house.lease().await;
    lease.execute("create table item (id integer); begin; insert into item values (1)").await;
    let mut running = lease.begin(ENDLESS).await.unwrap();
    running.first_row().await;
    tokio::time::sleep(IDLE + Duration::from_millis(900)).await;
    // Its statement is stopped, and its transaction as it was.
    let results = lease.execute("select * from item").await;
    assert_eq!((results.rows(), results.transaction()), (1, TransactionState::Open));
    let status = running.rest().await.1.unwrap_err();
    check(&status, Code::ResourceExhausted, "STREAM_IDLE", MESSAGE);
    check_metadata(&status, "OPEN", None, false);
    lease.execute("commit").await;
}

#[tokio::test]
async fn what_a_cancelled_statement_still_said_does_not_hold_the_session_for_ever() {
    let house = house().await;
    let lease = house.lease_with(on_driver("test", "")).await.unwrap();
    // This driver sends all of it, whatever it is asked.
    let mut running = lease.begin("rows 20").await.unwrap();
    running.first_row().await;
    lease.cancel().await;
    // The rest lies there for a reader that does not come.
    let again = async {
        while let Err(status) = lease.begin("rows 1").await {
            check(&status, Code::FailedPrecondition, "SESSION_BUSY", "the session already runs something");
        }
    };
    tokio::time::timeout(Duration::from_secs(30), again).await.unwrap();
    let status = running.rest().await.1.unwrap_err();
    check(&status, Code::ResourceExhausted, "STREAM_IDLE", MESSAGE);
}

#[tokio::test]
async fn without_a_limit_a_reader_takes_all_the_time_it_likes() {
    let house = House::with_shop().await;
    let mut answer = house.execute(ENDLESS).await;
    answer.first_row().await;
    tokio::time::sleep(IDLE * 3).await;
    answer.next().await.unwrap();
    assert_eq!(house.core.running_sessions().len(), 1);
}
