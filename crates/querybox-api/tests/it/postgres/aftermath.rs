//! What dead drivers left running on the server: it is told to stop, though it would not notice by itself.

use std::time::{Duration, Instant};

use querybox_contracts::core::v1 as pb;
use querybox_core::Limits;
use rustix::process::Signal;
use tonic::Code;

use super::site::{BLIND, SLEEP, Site, signal};
use crate::{
    house::{check, limits, within, without_end},
    lease::check_metadata,
};

/// From the death of a driver to the end of its query.
const SEEN: Duration = Duration::from_secs(5);

async fn site() -> Site {
    let limits = Limits { sessions_max: 8, cancel_grace: Duration::from_millis(500), ..limits() };
    Site::start_with(limits, |spec| spec.startup_sql = BLIND.to_owned()).await
}

#[tokio::test]
async fn a_query_ends_when_its_driver_was_killed() {
    let site = site().await;
    let mut answer = site.execute(SLEEP, without_end()).await;
    let pid = answer.opened().await.driver_pid;
    site.until_running(1).await;
    signal(pid, Signal::KILL);
    let killed = Instant::now();
    let status = answer.rest().await.end.unwrap_err();
    assert!(
        killed.elapsed() < Duration::from_secs(1),
        "nobody waits for the aftermath: {:?}",
        killed.elapsed()
    );
    check(&status, Code::Unavailable, "DRIVER_DIED", status.message());
    site.until_alone(SEEN.saturating_sub(killed.elapsed())).await;

    let lease = site.lease().await;
    let running = lease.begin(SLEEP).await.unwrap();
    site.until_running(1).await;
    lease.kill_driver();
    let killed = Instant::now();
    let status = running.rest().await.1.unwrap_err();
    check_metadata(&status, "ENDED", Some("DRIVER_DIED"), false);
    site.until_alone(SEEN.saturating_sub(killed.elapsed())).await;
}

#[tokio::test]
async fn a_query_ends_when_its_driver_was_stopped_and_then_killed_by_core() {
    let site = site().await;
    let lease = site.lease().await;
    let running = lease.begin(SLEEP).await.unwrap();
    let mut answer = site.execute(SLEEP, without_end()).await;
    let pid = answer.opened().await.driver_pid;
    let mut dropped = site.execute(SLEEP, without_end()).await;
    let dropped_pid = dropped.opened().await.driver_pid;
    site.until_running(3).await;
    for pid in [pid, lease.pid(), dropped_pid] {
        signal(pid, Signal::STOP);
    }
    let stopped = Instant::now();
    drop(dropped);
    assert_eq!(site.house.cancel(&answer.session_id).await, pb::CancelReceipt::Killed);
    assert_eq!(lease.cancel().await, pb::CancelReceipt::Killed);
    site.until_alone(SEEN.saturating_sub(stopped.elapsed())).await;
    let status = answer.rest().await.end.unwrap_err();
    check(&status, Code::Cancelled, "CANCELLED", "the session was cancelled");
    let status = running.rest().await.1.unwrap_err();
    check_metadata(&status, "ENDED", Some("UNSTOPPABLE"), false);
}

#[tokio::test]
async fn a_stopped_driver_holds_neither_the_session_nor_the_query_beyond_its_deadline() {
    let site = site().await;
    let deadline = Duration::from_millis(2500);
    for leased in [false, true] {
        let begun;
        let status = if leased {
            let lease = site.lease().await;
            begun = Instant::now();
            let running = lease.begin_with(SLEEP, within(2500)).await.unwrap();
            site.until_running(1).await;
            signal(lease.pid(), Signal::STOP);
            running.rest().await.1.unwrap_err()
        } else {
            begun = Instant::now();
            let mut answer = site.execute(SLEEP, within(2500)).await;
            let pid = answer.opened().await.driver_pid;
            site.until_running(1).await;
            signal(pid, Signal::STOP);
            answer.rest().await.end.unwrap_err()
        };
        let answered = begun.elapsed();
        assert!(answered >= deadline && answered < deadline + Duration::from_secs(1), "{answered:?}");
        let message = "the request took longer than its deadline of 2.5s";
        check(&status, Code::DeadlineExceeded, "DEADLINE", message);
        site.until_alone(SEEN).await;
    }
}
