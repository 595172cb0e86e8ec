//! Stopping sessions.

use std::time::{Duration, Instant};

use futures::StreamExt as _;
use querybox_core::{Deadline, EndCause, Event, Fact, Receipt, SessionError};

use crate::house::{GRACE, House, is_alive, opened, request, rest, running, session_id, soon};

#[tokio::test]
async fn a_cancel_is_confirmed_while_nobody_reads() {
    let house = House::new().await;
    let mut answers = house.execute("wait").await;
    let pid = opened(&mut answers).await.driver_pid;
    // From here on nobody polls the stream.
    let cancelled = house.core.cancel_session(running(&house)).await.unwrap();
    assert_eq!(cancelled.receipt, Receipt::Confirmed);
    assert!(cancelled.elapsed < GRACE, "{cancelled:?}");
    assert!(
        soon(Duration::from_secs(2), || !is_alive(pid) && house.core.running_sessions().is_empty()).await
    );
    // The reader finds the refusal and the end all the same.
    let (facts, last) = rest(answers).await;
    assert!(
        matches!(&facts[..], [Fact::Rejection(rejection)] if rejection.message == "interrupted"),
        "{facts:?}"
    );
    assert_eq!(last.unwrap().statements_rejected, 1);
}

#[tokio::test]
async fn a_driver_that_does_not_stop_is_killed_after_its_grace() {
    let house = House::new().await;
    let mut answers = house.execute("wait deaf").await;
    let pid = opened(&mut answers).await.driver_pid;
    let cancelled = house.core.cancel_session(running(&house)).await.unwrap();
    assert_eq!(cancelled.receipt, Receipt::Killed);
    assert!(cancelled.elapsed >= GRACE && cancelled.elapsed < GRACE * 2, "{cancelled:?}");
    assert!(!is_alive(pid));
    let (facts, last) = rest(answers).await;
    assert!(facts.is_empty());
    assert!(matches!(last, Err(SessionError::Cancelled)), "{last:?}");
}

#[tokio::test]
async fn what_was_refused_before_the_cancel_confirms_nothing() {
    let house = House::new().await;
    let mut answers = house.execute("refused wait deaf").await;
    opened(&mut answers).await;
    // The refusal of the first statement is not read; the second runs, and does not stop.
    let cancelled = house.core.cancel_session(running(&house)).await.unwrap();
    assert_eq!(cancelled.receipt, Receipt::Killed);
    let (_, last) = rest(answers).await;
    assert!(matches!(last, Err(SessionError::Cancelled)), "{last:?}");
}

#[tokio::test]
async fn what_was_refused_by_itself_was_not_stopped() {
    let house = House::new().await;
    let mut answers = house.execute("refused").await;
    opened(&mut answers).await;
    // The refusal is not read yet.
    let cancelled = house.core.cancel_session(running(&house)).await.unwrap();
    assert_eq!(cancelled.receipt, Receipt::AlreadyDone);
    let (facts, last) = rest(answers).await;
    assert!(matches!(&facts[..], [Fact::Rejection(_)]), "{facts:?}");
    assert_eq!(last.unwrap().cause, EndCause::Rejected);
}

#[tokio::test]
async fn a_session_whose_driver_is_done_is_already_done() {
    let house = House::new().await;
    let mut answers = house.execute("rows 3").await;
    opened(&mut answers).await;
    let id = running(&house);
    // The driver has sent all it has; the slow reader has read one row.
    assert!(matches!(answers.next().await, Some(Ok(Event::Part(_)))));
    let cancelled = house.core.cancel_session(id).await.unwrap();
    assert_eq!(cancelled.receipt, Receipt::AlreadyDone);
    let (facts, last) = rest(answers).await;
    assert_eq!(facts.len(), 3, "no row is lost: {facts:?}");
    assert_eq!(last.unwrap().statements_done, 1);
    assert_eq!(house.core.cancel_session(id).await.unwrap().receipt, Receipt::AlreadyDone);
    let unknown = house.core.cancel_session(session_id()).await;
    assert!(matches!(unknown, Err(SessionError::Unknown)), "{unknown:?}");
}

#[tokio::test]
async fn what_does_not_fit_after_a_cancel_is_never_told_as_a_whole_result() {
    let house = House::new().await;
    // 25 MB, which the driver sends to its end without regard to the cancel.
    let mut answers = house.execute("rows 200").await;
    opened(&mut answers).await;
    house.core.cancel_session(running(&house)).await.unwrap();
    let (facts, last) = rest(answers).await;
    assert!(matches!(last, Err(SessionError::Cancelled)), "{last:?}");
    assert!(facts.iter().all(|fact| matches!(fact, Fact::Batch { .. })), "no summary without its rows");
    assert!(facts.len() < 40, "{}", facts.len());
}

#[tokio::test]
async fn dropping_the_stream_ends_the_driver_within_two_seconds() {
    let house = House::new().await;
    for sql in ["wait", "wait deaf", "rows 1000"] {
        let mut answers = house.execute(sql).await;
        let pid = opened(&mut answers).await.driver_pid;
        drop(answers);
        assert!(soon(Duration::from_secs(2), || !is_alive(pid)).await, "{sql}");
    }
    assert!(soon(Duration::from_millis(100), || house.core.running_sessions().is_empty()).await);
}

#[tokio::test]
async fn a_full_house_is_refused_at_once_and_an_id_is_used_once() {
    let house = House::new().await;
    let first = house.execute("wait").await;
    let second = house.execute("wait").await;
    let begun = Instant::now();
    let full = house.core.execute(request(session_id(), "wait", Deadline::None)).await.err();
    assert!(matches!(full, Some(SessionError::Full { max: 2 })), "{full:?}");
    // It waited for neither.
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    drop((first, second));
    assert!(soon(Duration::from_secs(2), || house.core.running_sessions().is_empty()).await);

    let id = session_id();
    let answers = house.core.execute(request(id, "rows 1", Deadline::None)).await.unwrap();
    rest(answers).await.1.unwrap();
    let used = house.core.execute(request(id, "rows 1", Deadline::None)).await.err();
    assert!(matches!(used, Some(SessionError::Id(_))), "{used:?}");
}

#[tokio::test]
async fn shutting_down_ends_what_runs_and_refuses_what_comes() {
    let house = House::new().await;
    let mut answers = house.execute("wait deaf").await;
    let pid = opened(&mut answers).await.driver_pid;
    let begun = Instant::now();
    house.core.shutdown(Duration::ZERO).await;
    assert!(!is_alive(pid));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    let (_, last) = rest(answers).await;
    assert_eq!(last.unwrap_err().to_string(), "QueryBox is shutting down");
    let refused = house.core.execute(request(session_id(), "wait", Deadline::None)).await.err().unwrap();
    assert_eq!(refused.to_string(), "QueryBox is shutting down");
    assert_eq!(house.core.connections().await.unwrap_err().to_string(), "QueryBox is shutting down");
}
