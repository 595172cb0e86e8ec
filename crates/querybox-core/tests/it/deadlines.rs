//! The time of a request.

use std::time::{Duration, Instant};

use futures::StreamExt as _;
use querybox_core::{Deadline, Event, Limits, SessionError, Target, Unsaved};

use crate::house::{House, is_alive, limits, opened, owner, request, rest, session_id, unsaved};

const LIMIT: Duration = Duration::from_millis(600);

#[tokio::test]
async fn at_its_deadline_a_request_ends_and_its_driver_is_gone_within_a_second() {
    let house = House::new().await;
    for sql in ["wait", "wait deaf"] {
        let begun = Instant::now();
        let mut answers = house.execute_within(sql, Deadline::After(LIMIT)).await;
        let pid = opened(&mut answers).await.driver_pid;
        let (facts, last) = rest(answers).await;
        let elapsed = begun.elapsed();
        assert!(matches!(last, Err(SessionError::Deadline { limit }) if limit == LIMIT), "{last:?}");
        assert!(facts.is_empty());
        assert!(elapsed >= LIMIT && elapsed < LIMIT + Duration::from_secs(1), "{elapsed:?}");
        assert!(!is_alive(pid));
    }
}

#[tokio::test]
async fn a_stopped_driver_does_not_outlive_its_deadline() {
    let house = House::new().await;
    let begun = Instant::now();
    let mut answers = house.execute_within("wait", Deadline::After(LIMIT)).await;
    let pid = opened(&mut answers).await.driver_pid;
    let process = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::STOP).unwrap();
    let (_, last) = rest(answers).await;
    assert!(matches!(last, Err(SessionError::Deadline { .. })), "{last:?}");
    assert!(begun.elapsed() < LIMIT + Duration::from_secs(1), "{:?}", begun.elapsed());
    assert!(!is_alive(pid));
}

#[tokio::test]
async fn a_driver_that_stops_and_then_stays_does_not_outlive_its_deadline_either() {
    let house = House::new().await;
    let begun = Instant::now();
    let mut answers = house.execute_within("wait stay", Deadline::After(LIMIT)).await;
    let pid = opened(&mut answers).await.driver_pid;
    let (_, last) = rest(answers).await;
    assert!(matches!(last, Err(SessionError::Deadline { .. })), "{last:?}");
    assert!(begun.elapsed() < LIMIT + Duration::from_secs(1), "{:?}", begun.elapsed());
    assert!(!is_alive(pid));
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
