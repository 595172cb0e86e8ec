//! Stopping what runs.

use std::time::{Duration, Instant};

use querybox_plugin::{
    pb::{self, execute_response::Part},
    testkit::Client,
};

use crate::database::{Database, show};

/// Counts for hours and finds nothing.
const SILENT: &str =
    "with recursive n(i) as (select 1 union all select i + 1 from n) select i from n where i < 0";
/// One row now, one after a while, then nothing for hours.
const SLOW: &str = "with recursive n(i) as (select 1 union all select i + 1 from n) \
                    select i from n where i in (1, 2, 200000)";
const SOON: Duration = Duration::from_secs(5);

async fn cancel(client: &mut Client) -> pb::CancelOutcome {
    let request = pb::CancelRequest { session_id: client.session_id.clone(), ..Default::default() };
    client.grpc.cancel(request).await.unwrap().into_inner().outcome()
}

/// Starts a script and cancels it after a while; the rest of its parts.
async fn cancelled_after(client: &mut Client, sql: &str, wait: Duration) -> Vec<Part> {
    let mut stream = client.grpc.execute(client.execute_request(sql)).await.unwrap().into_inner();
    tokio::time::sleep(wait).await;
    let asked = Instant::now();
    assert_eq!(cancel(client).await, pb::CancelOutcome::Requested);
    let mut parts = Vec::new();
    while let Some(response) = stream.message().await.unwrap() {
        parts.extend(response.part);
    }
    assert!(asked.elapsed() < SOON, "it took {:?}", asked.elapsed());
    parts
}

#[track_caller]
fn is_interrupted(part: Option<&Part>) {
    let Some(Part::Rejection(rejection)) = part else { panic!("it ends with a rejection: {part:?}") };
    assert_eq!(
        (&*rejection.sqlstate, &*rejection.vendor_code, &*rejection.message),
        ("57014", "SQLITE_INTERRUPT", "interrupted")
    );
    assert_eq!(rejection.transaction_state(), pb::TransactionState::Idle);
}

#[tokio::test]
async fn a_statement_stops_before_its_first_row() {
    let database = Database::new();
    let mut session = database.session().await;
    // At once: the cancel may come before SQLite steps, and must not be lost.
    for wait in [Duration::ZERO, Duration::from_millis(1), Duration::from_millis(100)] {
        let parts = cancelled_after(&mut session.client, &format!("{SILENT}; select 1"), wait).await;
        assert_eq!(parts.len(), 1, "neither a header nor the next statement: {parts:?}");
        is_interrupted(parts.last());
    }
    session.shows("select 1 as a", &["a Integer", "1", "SELECT"]).await;
}

#[tokio::test]
async fn a_statement_stops_between_its_rows() {
    let database = Database::new();
    let mut session = database.session().await;
    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select i from n";
    let parts = cancelled_after(&mut session.client, endless, Duration::from_millis(50)).await;
    assert!(matches!(parts[1], Part::Batch(_)), "{:?}", parts[1]);
    is_interrupted(parts.last());
    session.shows("select 1 as a", &["a Integer", "1", "SELECT"]).await;
}

#[tokio::test]
async fn a_write_that_is_stopped_leaves_nothing() {
    let database = Database::made_by("create table a(i)");
    let mut session = database.session().await;
    let write =
        "insert into a with recursive n(i) as (select 1 union all select i + 1 from n) select i from n";
    let parts = cancelled_after(&mut session.client, write, Duration::from_millis(50)).await;
    is_interrupted(parts.last());
    session.shows("select count(*) as n from a", &["n Integer", "0", "SELECT"]).await;
}

#[tokio::test]
async fn a_wait_for_a_lock_stops() {
    let database = Database::made_by("create table a(i)");
    let mut session = database.session().await;
    let other = database.elsewhere();
    other.execute_batch("begin immediate").unwrap();
    let parts =
        cancelled_after(&mut session.client, "insert into a values (1)", Duration::from_millis(100)).await;
    is_interrupted(parts.last());
}

#[tokio::test]
async fn a_lock_that_does_not_end_is_a_rejection() {
    let database = Database::made_by("create table a(i)");
    let mut parameters = database.parameters();
    parameters.push(("busy_timeout_ms".into(), "50".into()));
    let (client, outcome) = database.open(parameters, pb::OpenOptions::default()).await;
    outcome.unwrap();
    let mut session = crate::database::Session { client };
    let other = database.elsewhere();
    other.execute_batch("begin immediate").unwrap();
    session.shows("insert into a values (1)", &["55P03 SQLITE_BUSY: database is locked"]).await;
    other.execute_batch("commit").unwrap();
    session.shows("insert into a values (1)", &["INSERT 1"]).await;
}

#[tokio::test]
async fn a_found_row_does_not_wait_for_the_next_one() {
    let database = Database::new();
    let mut session = database.session().await;
    let request = session.client.execute_request(SLOW);
    let mut stream = session.client.grpc.execute(request).await.unwrap().into_inner();
    let mut rows = 0;
    // The third row is followed by nothing for hours, and yet arrives.
    while rows < 3 {
        let part = tokio::time::timeout(SOON, stream.message()).await.expect("found rows are sent").unwrap();
        if let Some(Part::Batch(batch)) = part.unwrap().part {
            rows += batch.row_count;
        }
    }
    assert_eq!(cancel(&mut session.client).await, pb::CancelOutcome::Requested);
    is_interrupted(stream.message().await.unwrap().unwrap().part.as_ref());
}

#[tokio::test]
async fn dropping_the_stream_frees_the_session() {
    let database = Database::new();
    let mut session = database.session().await;
    drop(session.client.grpc.execute(session.client.execute_request(SILENT)).await.unwrap());
    let asked = Instant::now();
    loop {
        match session.client.execute("select 1 as a").await {
            Ok(answer) => {
                assert_eq!(show(&answer), ["a Integer", "1", "SELECT"]);
                break;
            }
            Err(status) => assert!(asked.elapsed() < SOON, "{status}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn an_open_that_is_given_up_stops_its_start_up_script() {
    let database = Database::new();
    let options = pb::OpenOptions { startup_sql: SILENT.into(), ..pb::OpenOptions::default() };
    let opening = database.open(database.parameters(), options);
    assert!(tokio::time::timeout(Duration::from_millis(100), opening).await.is_err(), "it is still opening");
    // The thread ends and lets go of the file; nothing else of it can be seen from here.
    let asked = Instant::now();
    while std::fs::read_dir("/proc/self/task").unwrap().any(|task| {
        let name = std::fs::read_to_string(task.unwrap().path().join("comm")).unwrap_or_default();
        name.trim() == "sqlite"
    }) {
        assert!(asked.elapsed() < SOON, "the thread still runs");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
