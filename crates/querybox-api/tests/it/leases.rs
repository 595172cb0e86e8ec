//! Leased sessions: what lasts from one request to the next, and what stops a request without them.

use std::time::{Duration, Instant};

use querybox_contracts::{
    core::v1::{self as pb, get_schema_response::Part as SchemaPart, open_session_response::Outcome},
    plugin::v1::{self as plugin, TransactionState},
};
use querybox_core::local_user;
use querybox_store::{Outcome as RunOutcome, RunFilter, Store};
use tonic::Code;

use crate::{
    house::{House, SHOP, check, is_gone, limits, metadata, named, session_id},
    lease::{check_metadata, on_shop},
    queries::{ENDLESS, ENDLESS_WITHOUT_ROWS},
};

#[tokio::test]
async fn temporary_tables_and_transactions_last_from_one_request_to_the_next() {
    let house = House::with_shop().await;
    let lease = house.lease().await;
    let driver = lease.leased.driver.as_ref().unwrap();
    assert_eq!(driver.driver_type, "sqlite");
    assert!(driver.capabilities().any(|one| one == plugin::Capability::Transactions));
    assert_eq!(lease.leased.session.as_ref().unwrap().server.as_ref().unwrap().product, "SQLite");
    assert_eq!(lease.leased.idle_limit.unwrap().seconds, 600);

    lease.execute("create temp table basket (id integer)").await;
    lease.execute("insert into basket values (1), (2)").await;
    assert_eq!(lease.execute("select * from basket").await.rows(), 2);

    assert_eq!(lease.execute("create table item (id integer)").await.transaction(), TransactionState::Idle);
    assert_eq!(lease.execute("begin").await.transaction(), TransactionState::Open);
    assert_eq!(lease.execute("insert into item values (1)").await.transaction(), TransactionState::Open);
    assert_eq!(lease.execute("select * from item").await.rows(), 1);
    assert_eq!(lease.execute("rollback").await.transaction(), TransactionState::Idle);
    assert_eq!(lease.execute("select * from item").await.rows(), 0);

    // What the database refuses leaves the session, and its transaction, as they are.
    lease.execute("begin; insert into item values (2)").await;
    let (refused, end) = lease.begin("selec 1").await.unwrap().rest().await;
    end.unwrap();
    assert_eq!((refused.rejections().len(), refused.transaction()), (1, TransactionState::Open));
    lease.execute("commit").await;
    assert_eq!(house.execute("select * from item").await.rest().await.rows(), 1);

    assert!(!lease.close().await.unwrap());
    assert!(is_gone(lease.pid()).await);
}

#[tokio::test]
async fn a_session_runs_one_request_at_a_time() {
    let house = House::with_shop().await;
    let lease = house.lease().await;
    let mut running = lease.begin(ENDLESS).await.unwrap();
    running.first_row().await;
    let status = lease.begin("select 1").await.unwrap_err();
    check(&status, Code::FailedPrecondition, "SESSION_BUSY", "the session already runs something");
    check_metadata(&status, "OPEN", None, false);
    let schema = pb::GetSchemaRequest { session_id: lease.id.clone(), ..pb::GetSchemaRequest::default() };
    let status = house.schemas().get_schema(schema).await.err().unwrap();
    check(&status, Code::FailedPrecondition, "SESSION_BUSY", "the session already runs something");
    // Whoever has read an answer to its end may ask again at once.
    drop(running);
    for _ in 0..50 {
        assert_eq!(lease.execute("select 1").await.rows(), 1);
    }
}

#[tokio::test]
async fn a_cancel_stops_the_statement_and_leaves_the_session() {
    let house = House::with_shop().await;
    let lease = house.lease().await;
    assert_eq!(lease.cancel().await, pb::CancelReceipt::AlreadyDone);
    lease.execute("create table item (id integer); begin; insert into item values (1)").await;
    assert_eq!(lease.cancel().await, pb::CancelReceipt::AlreadyDone);
    for sql in [ENDLESS, ENDLESS_WITHOUT_ROWS] {
        let running = lease.begin(sql).await.unwrap();
        // Whether or not somebody reads on, the receipt comes.
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(lease.cancel().await, pb::CancelReceipt::Confirmed, "{sql}");
        let (results, end) = running.rest().await;
        end.unwrap();
        assert_eq!((results.rejections(), results.transaction()), (vec!["57014"], TransactionState::Open));
        assert_eq!(lease.cancel().await, pb::CancelReceipt::AlreadyDone);
        assert_eq!(lease.execute("select * from item").await.rows(), 1, "{sql}");
    }
    lease.execute("commit").await;
}

#[tokio::test]
async fn a_cancel_at_once_finds_the_statement() {
    let house = House::with_shop().await;
    let lease = house.lease().await;
    for _ in 0..30 {
        let running = lease.begin(ENDLESS_WITHOUT_ROWS).await.unwrap();
        assert_eq!(lease.cancel().await, pb::CancelReceipt::Confirmed);
        let (results, end) = running.rest().await;
        end.unwrap();
        assert_eq!(results.rejections(), ["57014"]);
    }
    assert_eq!(lease.execute("select 1").await.rows(), 1);
}

#[tokio::test]
async fn a_cancel_never_stops_the_statement_after_the_one_it_was_meant_for() {
    let house = House::with_shop().await;
    let lease = house.lease().await;
    let mut receipts = Vec::new();
    for round in 0..200 {
        // From some microseconds to a good part of a second: somewhere between, the end and the cancel meet.
        let rows = 1 << (round % 20);
        let sql = format!(
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < {rows}) select count(*) from n"
        );
        let running = lease.begin(&sql).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
        let (receipt, (_, end)) = tokio::join!(lease.cancel(), running.rest());
        end.unwrap();
        receipts.push(receipt);
        lease.execute("select 1").await;
    }
    // Some came too late, and some in time.
    assert!(receipts.contains(&pb::CancelReceipt::Confirmed), "{receipts:?}");
    assert!(receipts.contains(&pb::CancelReceipt::AlreadyDone), "{receipts:?}");
}

#[tokio::test]
async fn dropping_the_stream_stops_the_statement_and_leaves_the_session() {
    let house = House::with_shop().await;
    let lease = house.lease().await;
    lease.execute("create table item (id integer); begin; insert into item values (1)").await;
    for sql in [ENDLESS, ENDLESS_WITHOUT_ROWS] {
        let begun = Instant::now();
        drop(lease.begin(sql).await.unwrap());
        // It waits for the one before, and does not have to be asked twice.
        assert_eq!(lease.execute("select * from item").await.transaction(), TransactionState::Open, "{sql}");
        let mut running = lease.begin(sql).await.unwrap();
        if sql == ENDLESS {
            running.first_row().await;
        }
        drop(running);
        assert_eq!(lease.execute("select * from item").await.rows(), 1, "{sql}");
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_request_that_overtakes_the_end_of_the_stream_before_it_waits_too() {
    let house = House::with_shop().await;
    let lease = house.lease().await;
    for _ in 0..20 {
        let mut running = lease.begin(ENDLESS).await.unwrap();
        running.first_row().await;
        let given_up = async { drop(running) };
        let (next, ()) = tokio::join!(biased; lease.execute("select 1"), given_up);
        assert_eq!(next.rows(), 1);
    }
}

#[tokio::test]
async fn a_deadline_stops_the_statement_and_leaves_the_session() {
    let house = House::with_shop().await;
    let lease = house.lease().await;
    lease.execute("begin; create table item (id integer)").await;
    let after = prost_types::Duration { seconds: 0, nanos: 300_000_000 };
    let deadline = Some(pb::Deadline { limit: Some(pb::deadline::Limit::After(after)) });
    let options = pb::ExecuteOptions { deadline, ..pb::ExecuteOptions::default() };
    let begun = Instant::now();
    let running = lease.begin_with(ENDLESS_WITHOUT_ROWS, options.clone()).await.unwrap();
    let (results, end) = running.rest().await;
    let status = end.unwrap_err();
    check(&status, Code::DeadlineExceeded, "DEADLINE", "the request took longer than its deadline of 300ms");
    check_metadata(&status, "OPEN", None, false);
    assert_eq!(metadata(&status, "limit_ms"), "300");
    assert_eq!((results.rejections(), results.transaction()), (vec!["57014"], TransactionState::Open));
    assert!(begun.elapsed() < Duration::from_millis(1300), "{:?}", begun.elapsed());

    // Each request has a time of its own, and the time between two is nobody's.
    tokio::time::sleep(Duration::from_millis(400)).await;
    let (results, end) = lease.begin_with("select * from item", options).await.unwrap().rest().await;
    end.unwrap();
    assert_eq!(results.transaction(), TransactionState::Open);
}

#[tokio::test]
async fn limits_of_rows_hold_in_a_session() {
    let house = House::with_shop().await;
    let lease = house.lease().await;
    let options = pb::ExecuteOptions { rows_max: Some(1000), ..pb::ExecuteOptions::default() };
    let (results, end) = lease.begin_with(ENDLESS, options).await.unwrap().rest().await;
    end.unwrap();
    assert_eq!(results.rows(), 1000);
}

#[tokio::test]
async fn a_session_has_one_connection() {
    let house = House::with_shop().await;
    let lease = house.lease().await;
    let options = pb::ExecuteOptions { connections_max: 2, ..pb::ExecuteOptions::default() };
    let status = lease.begin_with("select 1", options).await.unwrap_err();
    let message = "options.connections_max is not for leased sessions";
    check(&status, Code::InvalidArgument, "PARAMETER_INVALID", message);
    let one = pb::ExecuteOptions { connections_max: 1, ..pb::ExecuteOptions::default() };
    lease.begin_with("select 1", one).await.unwrap().rest().await.1.unwrap();
}

#[tokio::test]
async fn the_catalog_is_that_of_the_session() {
    let house = House::with_shop().await;
    let lease = house.lease().await;
    lease.execute("begin; create table item (id integer)").await;
    let request = pb::GetSchemaRequest {
        session_id: lease.id.clone(),
        kinds: vec![plugin::SchemaObjectKind::Relation.into()],
        ..pb::GetSchemaRequest::default()
    };
    let mut stream = house.schemas().get_schema(request.clone()).await.unwrap().into_inner();
    let mut names = Vec::new();
    while let Some(message) = stream.message().await.unwrap() {
        let Some(SchemaPart::Objects(objects)) = message.part else { panic!("{message:?}") };
        for object in objects.objects {
            let Some(plugin::schema_object::Object::Relation(relation)) = object.object else { panic!() };
            names.push(relation.name);
        }
    }
    assert_eq!(names, ["item"]);
    assert_eq!(lease.execute("select * from item").await.transaction(), TransactionState::Open);

    let secret = plugin::SecretField { name: "password".into(), value: "canary".into() };
    let credential = Some(plugin::Credential { fields: vec![secret] });
    let spare = pb::GetSchemaRequest { credential, ..request };
    let status = house.schemas().get_schema(spare).await.err().unwrap();
    let message = "credential is not taken in a leased session";
    check(&status, Code::InvalidArgument, "PARAMETER_INVALID", message);
}

#[tokio::test]
async fn an_id_names_one_session_and_only_a_leased_one_is_asked() {
    let house = House::with_shop().await;
    let request = on_shop();
    let lease = house.lease_with(request.clone()).await.unwrap();
    let used = house.sessions().open_session(request).await.unwrap_err();
    check(&used, Code::InvalidArgument, "SESSION_ID_INVALID", "the session id was used before");
    lease.close().await.unwrap();

    let one_shot = house.execute(ENDLESS_WITHOUT_ROWS).await;
    for id in [session_id(), one_shot.session_id.clone()] {
        let request = pb::ExecuteInSessionRequest { session_id: id.clone(), ..Default::default() };
        let status = house.sessions().execute_in_session(request).await.err().unwrap();
        check(&status, Code::NotFound, "SESSION_NOT_FOUND", "there is no such session");
        let status = house.close(&id).await.unwrap_err();
        check(&status, Code::NotFound, "SESSION_NOT_FOUND", "there is no such session");
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_leased_says_why() {
    let house = House::with_shop().await;
    let refused = async |request| house.sessions().open_session(request).await.unwrap_err();
    let missing = pb::OpenSessionRequest { target: None, ..on_shop() };
    check(&refused(missing).await, Code::InvalidArgument, "PARAMETER_INVALID", "target is missing");
    let zero = Some(prost_types::Duration::default());
    let zero = pb::OpenSessionRequest { idle_limit: zero, ..on_shop() };
    let message = "idle_limit is not a time above zero";
    check(&refused(zero).await, Code::InvalidArgument, "PARAMETER_INVALID", message);
    let target = named("nowhere").map(pb::open_session_request::Target::Connection);
    let unknown = pb::OpenSessionRequest { target, ..on_shop() };
    let message = "there is no connection nowhere";
    check(&refused(unknown).await, Code::NotFound, "CONNECTION_NOT_FOUND", message);

    // What the database refuses is an outcome.
    let startup_sql = "select * from nothing".to_owned();
    let spec = pb::ConnectionSpec { startup_sql, ..house.spec(SHOP) };
    let target = Some(pb::open_session_request::Target::Unsaved(spec));
    let request = pb::OpenSessionRequest { target, ..on_shop() };
    let response = house.sessions().open_session(request).await.unwrap().into_inner();
    let Some(Outcome::Rejection(rejection)) = response.outcome else { panic!("{response:?}") };
    assert!(rejection.message.contains("nothing"), "{rejection:?}");
    assert!(house.core.running_sessions().is_empty());
}

#[tokio::test]
async fn sixteen_sessions_are_leased_and_no_more() {
    let house =
        House::with_limits(querybox_core::Limits { sessions_max: 20, leases_max: 16, ..limits() }).await;
    house.create(house.spec(SHOP)).await.unwrap();
    let mut leases = Vec::new();
    for _ in 0..16 {
        leases.push(house.lease().await);
    }
    let full = house.lease_with(on_shop()).await.err().unwrap();
    check(
        &full,
        Code::ResourceExhausted,
        "LEASES_FULL",
        "this front end has leased 16 sessions, and may lease no more",
    );
    assert_eq!(metadata(&full, "max"), "16");
    let answers = leases.iter().map(|lease| lease.execute("select 1"));
    assert!(futures::future::join_all(answers).await.iter().all(|results| results.rows() == 1));
    // One-shot sessions have room beside them.
    assert_eq!(house.execute("select 1").await.rest().await.rows(), 1);
    leases.pop().unwrap().close().await.unwrap();
    house.lease().await;
}

#[tokio::test]
async fn the_history_has_each_script_of_a_session() {
    let house = House::with_shop().await;
    let lease = house.lease().await;
    lease.execute("select 1").await;
    let (_, end) = lease.begin("selec 1").await.unwrap().rest().await;
    end.unwrap();
    let mut running = lease.begin(ENDLESS).await.unwrap();
    running.first_row().await;
    lease.cancel().await;
    drop(running);
    lease.execute("select 1 union all select 2").await;
    house.core.shutdown(Duration::ZERO).await;

    let store = Store::open(&house.store()).await.unwrap();
    let filter =
        RunFilter { owner: local_user(), connection: None, outcomes: Vec::new(), since: None, before: None };
    let listed = store.runs(filter, None, 10).await.unwrap();
    let runs: Vec<_> = listed.into_iter().rev().map(|listed| listed.run).collect();
    assert!(runs.iter().all(|run| run.session.to_string() == lease.id && run.connection.is_some()));
    let outcomes: Vec<_> = runs.iter().map(|run| run.end.outcome).collect();
    assert_eq!(outcomes, [RunOutcome::Done, RunOutcome::Rejected, RunOutcome::Canceled, RunOutcome::Done]);
    assert_eq!((runs[0].end.rows, runs[3].end.rows), (1, 2));
    store.close().await;
}
