//! More time for what runs, and the longest time that the operator allows.

use std::time::{Duration, Instant};

use querybox_contracts::core::v1 as pb;
use querybox_core::Limits;
use tonic::Code;

use crate::{
    house::{House, SHOP, check, limits, metadata, ms, named, session_id, within, without_end},
    lease::{WITHOUT_END, by},
    queries::ENDLESS_WITHOUT_ROWS,
};

const NOTHING_RUNS: &str = "the session runs nothing that could have more time";

#[tokio::test]
async fn a_request_that_was_given_more_time_takes_it() {
    let house = House::with_shop().await;
    let begun = Instant::now();
    let mut answer = house.execute_with(ENDLESS_WITHOUT_ROWS, within(900)).await;
    answer.opened().await;
    let left = house.extend(&answer.session_id, by(1000)).await.unwrap().unwrap();
    assert!(left > Duration::from_secs(1) && left <= Duration::from_millis(1900), "{left:?}");
    let id = answer.session_id.clone();
    let status = answer.rest().await.end.unwrap_err();
    check(&status, Code::DeadlineExceeded, "DEADLINE", "the request took longer than its deadline of 1.9s");
    assert_eq!(metadata(&status, "limit_ms"), "1900");
    let elapsed = begun.elapsed();
    assert!(elapsed >= Duration::from_millis(1900) && elapsed < Duration::from_millis(2900), "{elapsed:?}");
    let late = house.extend(&id, by(1000)).await.unwrap_err();
    check(&late, Code::FailedPrecondition, "NOTHING_RUNS", NOTHING_RUNS);
}

#[tokio::test]
async fn a_request_that_was_freed_of_its_deadline_runs_on() {
    let house = House::with_shop().await;
    let mut answer = house.execute_with(ENDLESS_WITHOUT_ROWS, within(700)).await;
    answer.opened().await;
    assert_eq!(house.extend(&answer.session_id, WITHOUT_END).await.unwrap(), None);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(house.extend(&answer.session_id, by(1000)).await.unwrap(), None, "it has all the time");
    assert_eq!(house.cancel(&answer.session_id).await, pb::CancelReceipt::Confirmed);
    answer.rest().await.end.unwrap();
}

#[tokio::test]
async fn a_leased_session_can_be_given_time_while_it_runs_something() {
    let house = House::with_shop().await;
    let lease = house.lease().await;
    let refused = house.extend(&lease.id, by(1000)).await.unwrap_err();
    check(&refused, Code::FailedPrecondition, "NOTHING_RUNS", NOTHING_RUNS);

    let begun = Instant::now();
    let running = lease.begin_with(ENDLESS_WITHOUT_ROWS, within(300)).await.unwrap();
    assert!(house.extend(&lease.id, by(700)).await.unwrap().is_some());
    let status = running.rest().await.1.unwrap_err();
    check(&status, Code::DeadlineExceeded, "DEADLINE", "the request took longer than its deadline of 1s");
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
    // The next request has its own time.
    let refused = house.extend(&lease.id, by(1000)).await.unwrap_err();
    check(&refused, Code::FailedPrecondition, "NOTHING_RUNS", NOTHING_RUNS);
    lease.execute("select 1").await;

    lease.close().await.unwrap();
    let ended = house.extend(&lease.id, by(1000)).await.unwrap_err();
    check(&ended, Code::FailedPrecondition, "SESSION_ENDED", "the session has ended: it was closed");
    let unknown = house.extend(&session_id(), by(1000)).await.unwrap_err();
    check(&unknown, Code::NotFound, "SESSION_NOT_FOUND", "there is no such session");
}

#[tokio::test]
async fn what_is_no_extension_is_refused_by_name() {
    let house = House::new().await;
    for (extension, message) in [(None, "extension is missing"), (Some(by(0)), "by is not a time above zero")]
    {
        let request = pb::ExtendDeadlineRequest { session_id: session_id(), extension };
        let status = house.sessions().extend_deadline(request).await.unwrap_err();
        check(&status, Code::InvalidArgument, "PARAMETER_INVALID", message);
    }
}

#[tokio::test]
async fn nobody_has_more_time_than_the_operator_allows() {
    let deadline_max = Some(Duration::from_millis(1500));
    let house = House::with_limits(Limits { deadline_max, ..limits() }).await;
    // Saved under another operator: it is cut, for whoever uses the connection can do nothing about it.
    let saved = Some(pb::Deadline { limit: Some(pb::deadline::Limit::After(ms(3_600_000))) });
    house.create(pb::ConnectionSpec { deadline: saved, ..house.spec(SHOP) }).await.unwrap();
    let too_long = |status: &tonic::Status| {
        let message = "a request may take 1.5s here, and no longer";
        check(status, Code::InvalidArgument, "DEADLINE_TOO_LONG", message);
        assert_eq!(metadata(status, "max_ms"), "1500");
    };
    let asked = |options| pb::ExecuteRequest {
        session_id: session_id(),
        connection: named(SHOP),
        sql: ENDLESS_WITHOUT_ROWS.to_owned(),
        options: Some(options),
        credential: None,
    };
    let refused = house.ask(asked(within(1501))).await.err().unwrap();
    too_long(&refused);
    let lease = house.lease().await;
    too_long(&lease.begin_with("select 1", within(2000)).await.err().unwrap());
    lease.close().await.unwrap();

    for options in [without_end(), pb::ExecuteOptions::default()] {
        let mut answer = house.ask(asked(options)).await.unwrap();
        answer.opened().await;
        // It has all that there is already.
        too_long(&house.extend(&answer.session_id, by(1)).await.unwrap_err());
        let left = house.extend(&answer.session_id, WITHOUT_END).await.unwrap().unwrap();
        assert!(left <= Duration::from_millis(1500), "{left:?}");
        let status = answer.rest().await.end.unwrap_err();
        let message = "the request took longer than its deadline of 1.5s";
        check(&status, Code::DeadlineExceeded, "DEADLINE", message);
    }

    let mut answer = house.ask(asked(within(500))).await.unwrap();
    answer.opened().await;
    house.extend(&answer.session_id, by(500)).await.unwrap();
    house.extend(&answer.session_id, WITHOUT_END).await.unwrap();
    let status = answer.rest().await.end.unwrap_err();
    assert_eq!(metadata(&status, "limit_ms"), "1500");
}
