//! A Core that ends while its sessions are at work.

use std::time::{Duration, Instant};

use querybox_contracts::core::v1 as pb;
use querybox_core::Limits;
use rustix::process::Signal;
use tonic::Code;

use super::site::{BLIND, SLEEP, Site, on_pg, request, signal};
use crate::{
    house::{check, limits, without_end},
    lease::check_metadata,
};

/// Two seconds of work in 20 rows.
const TWO_SECONDS: &str = "select i, pg_sleep(0.1)::text from generate_series(1, 20) i";

#[tokio::test]
async fn what_runs_may_finish_within_the_grace_and_is_then_stopped_on_the_server() {
    let limits = Limits { sessions_max: 8, leases_max: 8, ..limits() };
    let site = Site::start_with(limits, |spec| spec.startup_sql = BLIND.to_owned()).await;
    let long = site.execute(SLEEP, without_end()).await;
    let mut stopped = site.execute(SLEEP, without_end()).await;
    let (idle, busy, late) = (site.lease().await, site.lease().await, site.lease().await);
    idle.execute("begin; create table item (id int)").await;
    let pid = stopped.opened().await.driver_pid;
    let endless = late.begin(SLEEP).await.unwrap();
    // The last, so that it still runs when all others do.
    let short = site.execute(TWO_SECONDS, without_end()).await;
    let finishing = busy.begin(TWO_SECONDS).await.unwrap();
    site.until_running(5).await;
    signal(pid, Signal::STOP);

    let grace = Duration::from_secs(8);
    let begun = Instant::now();
    let core = &site.house.core;
    let others = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        // New work is refused at once, of each kind.
        let asked = Instant::now();
        let shutting_down = |status: &tonic::Status| {
            check(status, Code::Unavailable, "SHUTTING_DOWN", "QueryBox is shutting down");
        };
        shutting_down(&site.house.ask(request("select 1", without_end())).await.err().unwrap());
        shutting_down(&site.house.lease_with(on_pg()).await.err().unwrap());
        // It waited for nothing that runs.
        assert!(asked.elapsed() < Duration::from_millis(900), "{:?}", asked.elapsed());
        let status = busy.begin("select 1").await.err().unwrap();
        check(&status, Code::Unavailable, "SHUTTING_DOWN", "QueryBox is shutting down");
        let (short, (finished, end)) = tokio::join!(short.rest(), finishing.rest());
        assert!(begun.elapsed() < grace, "{:?}", begun.elapsed());
        assert_eq!((short.rows(), finished.rows()), (20, 20));
        assert_eq!(short.end.unwrap().cause(), pb::EndCause::Done);
        end.unwrap();
        // An idle session ends at once, a busy one behind its request.
        idle.check_ended(
            "SHUTTING_DOWN",
            true,
            "the session has ended: QueryBox shut down, and its open transaction is lost",
        )
        .await;
        let (long, stopped, endless) = tokio::join!(long.rest(), stopped.rest(), endless.rest());
        for status in [long.end.unwrap_err(), stopped.end.unwrap_err(), endless.1.unwrap_err()] {
            shutting_down(&status);
        }
        assert!(begun.elapsed() >= grace, "{:?}", begun.elapsed());
    };
    tokio::join!(core.shutdown(grace), others);
    assert!(begun.elapsed() < grace + Duration::from_secs(4), "{:?}", begun.elapsed());
    assert_eq!(site.backends(), 0, "Core's end is the end of all it has started");
    for lease in [&busy, &late] {
        let status = lease.begin("select 1").await.err().unwrap();
        check_metadata(&status, "ENDED", Some("SHUTTING_DOWN"), false);
    }
}

#[tokio::test]
async fn with_nothing_to_wait_for_a_core_ends_at_once() {
    let site = Site::start().await;
    let lease = site.lease().await;
    let begun = Instant::now();
    site.house.core.shutdown(Duration::from_secs(60)).await;
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    lease.check_ended("SHUTTING_DOWN", false, "the session has ended: QueryBox shut down").await;
}
