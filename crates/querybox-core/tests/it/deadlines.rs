//! The time of a request.

use std::time::{Duration, Instant};

use futures::StreamExt as _;
use querybox_core::{Deadline, Event, Limits, SessionError, Target, Unsaved};

use crate::house::{House, is_alive, limits, opened, owner, request, rest, session_id, unsaved};

const LIMIT: Duration = Duration::from_millis(600);

/// Runs a statement that would not end before its deadline, and answers how long it took.
async fn run(house: &House, sql: &str, is_stopped: bool) -> Duration {
    let begun = Instant::now();
    let mut answers = house.execute_within(sql, Deadline::After(LIMIT)).await;
    let pid = opened(&mut answers).await.driver_pid;
    if is_stopped {
        let process = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        rustix::process::kill_process(process, rustix::process::Signal::STOP).unwrap();
    }
    let (facts, last) = rest(answers).await;
    let elapsed = begun.elapsed();
    assert!(matches!(last, Err(SessionError::Deadline { limit }) if limit == LIMIT), "{last:?}");
    assert!(facts.is_empty());
    assert!(!is_alive(pid));
    elapsed
}

/// A machine that is busy may once have no time for the kill; a Core that takes longer does so always.
async fn check(sql: &str, is_stopped: bool) {
    let house = House::new().await;
    let mut took = Vec::new();
    for _ in 0..5 {
        let elapsed = run(&house, sql, is_stopped).await;
        assert!(elapsed >= LIMIT, "{sql}: {elapsed:?}");
        if elapsed < LIMIT + Duration::from_secs(1) {
            return;
        }
        took.push(elapsed);
    }
    panic!("{sql}: {took:?}");
}

#[tokio::test]
async fn at_its_deadline_a_request_ends_and_its_driver_is_gone_within_a_second() {
    check("wait", false).await;
    check("wait deaf", false).await;
}

#[tokio::test]
async fn a_stopped_driver_does_not_outlive_its_deadline() {
    check("wait", true).await;
}

#[tokio::test]
async fn a_driver_that_stops_and_then_stays_does_not_outlive_its_deadline_either() {
    check("wait stay", false).await;
}

#[tokio::test]
async fn the_time_of_a_slow_reader_does_not_count() {
    let house = House::new().await;
    let mut answers = house.execute_within("rows 4", Deadline::After(LIMIT)).await;
    opened(&mut answers).await;
    for _ in 0..4 {
        tokio::time::sleep(LIMIT / 2).await;
        assert!(matches!(answers.next().await, Some(Ok(Event::Part(_)))));
    }
    let (facts, last) = rest(answers).await;
    assert_eq!(facts.len(), 1);
    assert_eq!(last.unwrap().statements_done, 1);
}

#[tokio::test]
async fn what_comes_before_the_connection_is_known_has_a_time_too() {
    let house = House::with_limits(Limits { deadline: LIMIT, ..limits() }).await;
    // The first file that may be the driver, which does not answer for two seconds.
    let spins = "#!/bin/sh\nwhile :; do :; done\n";
    house.folder.add_file("first/querybox-driver-test", owner(), 0o755, spins).unwrap();
    let slow = house.core.execute(request(session_id(), "wait", Deadline::Default)).await.err();
    assert!(matches!(slow, Some(SessionError::Deadline { limit }) if limit == LIMIT), "{slow:?}");
    assert!(house.core.running_sessions().is_empty());
}

#[tokio::test]
async fn a_request_that_says_nothing_has_the_time_of_its_connection() {
    let house = House::new().await;
    let mut slow = request(session_id(), "wait", Deadline::Default);
    slow.target = Target::Unsaved(Box::new(Unsaved { deadline: Deadline::After(LIMIT), ..unsaved("test") }));
    let (_, last) = rest(house.core.execute(slow).await.unwrap()).await;
    assert!(matches!(last, Err(SessionError::Deadline { limit }) if limit == LIMIT), "{last:?}");
}
