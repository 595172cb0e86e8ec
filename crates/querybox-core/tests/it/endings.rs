//! How sessions end when their drivers misbehave.

use futures::StreamExt as _;
use querybox_core::{
    CallError, Cause, Deadline, Event, Fact, Reason, SchemaOrder, SchemaRequest, SessionError, StageOutcome,
    Target, TestRequest, TestStep,
};

use crate::house::{House, request, rest, session_id, unsaved};

async fn failure(house: &House, sql: &str) -> SessionError {
    rest(house.execute(sql).await).await.1.unwrap_err()
}

#[tokio::test]
async fn each_end_of_a_driver_has_its_name() {
    let house = House::new().await;
    let cause = |error| match error {
        SessionError::Driver(CallError::Ended(ending)) => ending.cause,
        other => panic!("{other:?}"),
    };
    assert_eq!(cause(failure(&house, "exit 3").await), Cause::Exited(3));
    assert_eq!(cause(failure(&house, "abort").await), Cause::Signal(6));
    let memory = cause(failure(&house, "allocate 400").await);
    assert!(matches!(memory, Cause::Memory { limit_bytes: 0x1000_0000, .. }), "{memory:?}");

    let lie = failure(&house, "lie").await;
    assert!(matches!(lie, SessionError::Driver(CallError::Broken(_))), "{lie:?}");
    let lost = failure(&house, "fail").await;
    let SessionError::Driver(CallError::Driver { reason: Reason::ConnectionLost, message }) = lost else {
        panic!("{lost:?}")
    };
    assert_eq!(message, "the server \\u{1b}[31mwent away");
}

#[tokio::test]
async fn a_driver_that_sends_more_than_its_limit_broke_its_contract() {
    let house = House::new().await;
    let mut limited = request(session_id(), "rows 10", Deadline::None);
    // The test driver knows no limit.
    limited.options.rows_max = Some(4);
    let (facts, last) = rest(house.core.execute(limited).await.unwrap()).await;
    assert_eq!(facts.len(), 1 + 4);
    assert_eq!(
        last.unwrap_err().to_string(),
        "the driver broke its contract: it sent more rows than the limit"
    );

    let mut limited = request(session_id(), "rows 40", Deadline::None);
    limited.options.bytes_max = Some(128 << 10);
    let (facts, last) = rest(house.core.execute(limited).await.unwrap()).await;
    assert!(facts.len() < 15, "{}", facts.len());
    assert_eq!(
        last.unwrap_err().to_string(),
        "the driver broke its contract: it went on after the limit of bytes"
    );
}

#[tokio::test]
async fn a_result_comes_whole_and_in_order() {
    let house = House::new().await;
    let (facts, last) = rest(house.execute("rows 100").await).await;
    let batches = facts.iter().filter(|fact| matches!(fact, Fact::Batch { rows: 1, .. })).count();
    assert_eq!((facts.len(), batches), (102, 100));
    assert!(matches!(facts.first(), Some(Fact::Header { statement: 0, .. })));
    assert!(matches!(facts.last(), Some(Fact::Summary(summary)) if summary.rows == 100));
    assert_eq!(last.unwrap().statements_done, 1);
}

#[tokio::test]
async fn a_catalog_and_a_test_are_sessions_too() {
    let house = House::new().await;
    let filter = SchemaOrder::default();
    let target = || Target::Unsaved(Box::new(unsaved("test")));
    let request = SchemaRequest { session_id: session_id(), target: target(), secrets: Vec::new(), filter };
    let events: Vec<_> = house.core.schema(request).await.unwrap().map(Result::unwrap).collect().await;
    assert!(matches!(&events[..], [Event::Opened(_), Event::Part(_), Event::Ended(_)]), "{events:?}");

    let request = TestRequest { session_id: session_id(), target: target(), secrets: Vec::new() };
    let steps: Vec<_> =
        house.core.test_connection(request).await.unwrap().map(Result::unwrap).collect().await;
    let [
        Event::Part(TestStep::DriverStart { outcome: Ok(()), .. }),
        Event::Part(TestStep::Stage(dial)),
        Event::Part(TestStep::Stage(version)),
        Event::Ended(_),
    ] = &steps[..]
    else {
        panic!("{steps:?}")
    };
    assert!(matches!((&dial.outcome, &version.outcome), (StageOutcome::Passed(_), StageOutcome::Passed(_))));
}
