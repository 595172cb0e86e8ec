//! How leased sessions end: each for one cause, with its driver, and refused from then on.

use std::time::{Duration, Instant};

use querybox_contracts::core::v1 as pb;
use querybox_core::Limits;
use tonic::Code;

use crate::{
    house::{House, SHOP, check, is_gone, limits},
    lease::{check_metadata, on_driver, on_shop},
    queries::{ENDLESS, ENDLESS_WITHOUT_ROWS},
};

#[tokio::test]
async fn a_session_that_nobody_uses_ends() {
    let lease_idle = Duration::from_millis(400);
    let house = House::with_limits(Limits { lease_idle, ..limits() }).await;
    house.create(house.spec(SHOP)).await.unwrap();
    let unused = house.lease().await;
    assert_eq!(unused.leased.idle_limit.unwrap().nanos, 400_000_000);
    // A shorter limit is granted, a longer one is not.
    let asked = |milliseconds| pb::OpenSessionRequest {
        idle_limit: Some(prost_types::Duration { seconds: 0, nanos: milliseconds * 1_000_000 }),
        ..on_shop()
    };
    let used = house.lease_with(asked(900)).await.unwrap();
    assert_eq!(used.leased.idle_limit.unwrap().nanos, 400_000_000);
    used.execute("begin; create table item (id integer)").await;
    for _ in 0..4 {
        tokio::time::sleep(lease_idle / 2).await;
        used.execute("select 1").await;
    }
    // What runs is not unused.
    let mut running = used.begin(ENDLESS).await.unwrap();
    running.first_row().await;
    tokio::time::sleep(lease_idle * 2).await;
    running.first_row().await;
    drop(running);

    assert!(is_gone(unused.pid()).await);
    unused.check_ended("IDLE", false, "the session has ended: it was unused for 400ms").await;
    assert!(is_gone(used.pid()).await);
    let message = "the session has ended: it was unused for 400ms, and its open transaction is lost";
    used.check_ended("IDLE", true, message).await;

    let short = house.lease_with(asked(50)).await.unwrap();
    assert_eq!(short.leased.idle_limit.unwrap().nanos, 50_000_000);
    assert!(is_gone(short.pid()).await);
}

#[tokio::test]
async fn a_session_whose_driver_dies_says_so_and_sends_nothing_again() {
    let house = House::with_shop().await;
    let idle = house.lease().await;
    idle.execute("create table item (id integer); begin; insert into item values (1)").await;
    idle.kill_driver();
    assert!(is_gone(idle.pid()).await);
    let message = "the session has ended: its driver died, and its open transaction is lost";
    idle.check_ended("DRIVER_DIED", true, message).await;
    assert_eq!(idle.cancel().await, pb::CancelReceipt::AlreadyDone);
    let status = idle.close().await.unwrap_err();
    check(&status, Code::FailedPrecondition, "SESSION_ENDED", message);

    let busy = house.lease().await;
    let mut running = busy.begin(ENDLESS).await.unwrap();
    running.first_row().await;
    busy.kill_driver();
    let status = running.rest().await.1.unwrap_err();
    check(&status, Code::Unavailable, "DRIVER_DIED", status.message());
    check_metadata(&status, "ENDED", Some("DRIVER_DIED"), false);
    busy.check_ended("DRIVER_DIED", false, "the session has ended: its driver died").await;
    assert_eq!(house.execute("select * from item").await.rest().await.rows(), 0);
}

#[tokio::test]
async fn closing_ends_what_runs_and_the_driver() {
    let house = House::with_shop().await;
    let idle = house.lease().await;
    idle.execute("create table item (id integer); begin; insert into item values (1)").await;
    assert!(idle.close().await.unwrap(), "the transaction is lost");
    assert!(!std::path::Path::new(&format!("/proc/{}", idle.pid())).exists());
    let message = "the session has ended: it was closed, and its open transaction is lost";
    idle.check_ended("CLOSED", true, message).await;
    let again = idle.close().await.unwrap_err();
    check(&again, Code::FailedPrecondition, "SESSION_ENDED", message);
    assert_eq!(house.execute("select * from item").await.rest().await.rows(), 0);

    for sql in [ENDLESS, ENDLESS_WITHOUT_ROWS] {
        let busy = house.lease().await;
        let running = busy.begin(sql).await.unwrap();
        let begun = Instant::now();
        // Nobody reads.
        assert!(!busy.close().await.unwrap());
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        let status = running.rest().await.1.unwrap_err();
        let message = "the session has ended: it was closed";
        check(&status, Code::FailedPrecondition, "SESSION_ENDED", message);
        check_metadata(&status, "ENDED", Some("CLOSED"), false);
        assert!(is_gone(busy.pid()).await);
    }
}

#[tokio::test]
async fn a_core_that_shuts_down_ends_its_leases() {
    let house = House::with_shop().await;
    let (idle, busy) = (house.lease().await, house.lease().await);
    let running = busy.begin(ENDLESS_WITHOUT_ROWS).await.unwrap();
    let begun = Instant::now();
    let ((), (_, end)) = tokio::join!(house.core.shutdown(Duration::ZERO), running.rest());
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    check(&end.unwrap_err(), Code::Unavailable, "SHUTTING_DOWN", "QueryBox is shutting down");
    for lease in [&idle, &busy] {
        assert!(is_gone(lease.pid()).await);
        lease.check_ended("SHUTTING_DOWN", false, "the session has ended: QueryBox shut down").await;
    }
    let status = house.lease_with(on_shop()).await.err().unwrap();
    check(&status, Code::Unavailable, "SHUTTING_DOWN", "QueryBox is shutting down");
}

#[tokio::test]
async fn what_does_not_stop_is_killed_and_the_session_ends() {
    let cancel_grace = Duration::from_millis(500);
    let house = House::with_limits(Limits { cancel_grace, ..limits() }).await;
    house.add_misbehaving();
    for wish in ["hang-before-header", "ignore-cancel", "hang-in-cancel", "stop", "spin"] {
        let lease = house.lease_with(on_driver("misbehaving", "")).await.unwrap();
        let running = lease.begin(&format!("misbehave {wish}")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(lease.cancel().await, pb::CancelReceipt::Killed, "{wish}");
        let status = running.rest().await.1.unwrap_err();
        check(&status, Code::Cancelled, "CANCELLED", "the session was cancelled");
        check_metadata(&status, "ENDED", Some("UNSTOPPABLE"), false);
        let message = "the session has ended: what it ran did not stop when it was cancelled, and its driver was killed";
        lease.check_ended("UNSTOPPABLE", false, message).await;
        assert!(is_gone(lease.pid()).await, "{wish}");
    }

    // Nobody waits for it; the next request does, and learns why it comes to nothing.
    let lease = house.lease_with(on_driver("misbehaving", "")).await.unwrap();
    drop(lease.begin("misbehave ignore-cancel").await.unwrap());
    let status = lease.begin("count 1").await.unwrap_err();
    check_metadata(&status, "ENDED", Some("UNSTOPPABLE"), false);
}

#[tokio::test]
async fn a_driver_outlives_its_deadline_by_a_second_at_most() {
    let house = House::new().await;
    house.add_misbehaving();
    let after = prost_types::Duration { seconds: 0, nanos: 300_000_000 };
    let deadline = Some(pb::Deadline { limit: Some(pb::deadline::Limit::After(after)) });
    let options = pb::ExecuteOptions { deadline, ..pb::ExecuteOptions::default() };
    for wish in ["hang-before-header", "drip-rows", "ignore-cancel", "stop", "spin"] {
        let lease = house.lease_with(on_driver("misbehaving", "")).await.unwrap();
        let begun = Instant::now();
        let running = lease.begin_with(&format!("misbehave {wish}"), options.clone()).await.unwrap();
        let status = running.rest().await.1.unwrap_err();
        assert!(begun.elapsed() < Duration::from_millis(1300), "{wish} {:?}", begun.elapsed());
        check(&status, Code::DeadlineExceeded, "DEADLINE", status.message());
        check_metadata(&status, "ENDED", Some("DEADLINE"), false);
        assert!(is_gone(lease.pid()).await, "{wish}");
    }
}

#[tokio::test]
async fn each_failure_of_a_driver_ends_the_session_with_its_cause() {
    let house = House::new().await;
    for (sql, reason, cause) in [
        ("exit 3", "DRIVER_DIED", "DRIVER_DIED"),
        ("fail", "CONNECTION_LOST", "CONNECTION_LOST"),
        ("lie", "DRIVER_BROKE_CONTRACT", "DRIVER_FAILED"),
        ("allocate 700", "MEMORY_LIMIT", "MEMORY"),
    ] {
        let lease = house.lease_with(on_driver("test", "")).await.unwrap();
        let (_, end) = lease.begin("rows 1").await.unwrap().rest().await;
        end.unwrap();
        let status = lease.begin(sql).await.unwrap().rest().await.1.unwrap_err();
        check(&status, status.code(), reason, status.message());
        check_metadata(&status, "ENDED", Some(cause), false);
        let status = lease.begin("rows 1").await.unwrap_err();
        check_metadata(&status, "ENDED", Some(cause), false);
        assert!(is_gone(lease.pid()).await, "{sql}");
    }
}

#[tokio::test]
async fn a_request_that_the_driver_does_not_take_leaves_the_session() {
    let house = House::with_shop().await;
    let lease = house.lease().await;
    lease.execute("begin; create table item (id integer)").await;
    let binding = querybox_contracts::plugin::v1::Binding { name: "spare".into(), text: None };
    let options = pb::ExecuteOptions { bindings: vec![binding], ..pb::ExecuteOptions::default() };
    let (_, end) = lease.begin_with("select 1", options).await.unwrap().rest().await;
    let status = end.unwrap_err();
    check(&status, Code::InvalidArgument, "BINDING_INVALID", status.message());
    check_metadata(&status, "OPEN", None, false);
    lease.execute("insert into item values (1)").await;
}

#[tokio::test]
async fn opening_ends_when_nobody_waits_for_it_any_more() {
    let house = House::new().await;
    // Its start-up script never ends.
    let spec = pb::ConnectionSpec { startup_sql: ENDLESS_WITHOUT_ROWS.to_owned(), ..house.spec(SHOP) };
    house.create(spec).await.unwrap();
    let idle = async || {
        let end = Instant::now() + Duration::from_secs(2);
        while !house.core.running_sessions().is_empty() {
            assert!(Instant::now() < end, "the session goes on");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let opening = tokio::time::timeout(Duration::from_millis(300), house.lease_with(on_shop()));
    assert!(opening.await.is_err());
    idle().await;

    for closes in [false, true] {
        let request = on_shop();
        let id = request.session_id.clone();
        let stop = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let running = pb::ExecuteInSessionRequest { session_id: id.clone(), ..Default::default() };
            let status = house.sessions().execute_in_session(running).await.err().unwrap();
            check(&status, Code::FailedPrecondition, "SESSION_BUSY", "the session already runs something");
            if closes {
                assert!(!house.close(&id).await.unwrap());
            } else {
                assert_eq!(house.cancel(&id).await, pb::CancelReceipt::Killed);
            }
        };
        let (opened, ()) = tokio::join!(house.lease_with(request), stop);
        let status = opened.err().unwrap();
        check(&status, Code::Cancelled, "CANCELLED", "the session was cancelled");
        idle().await;
    }
}
