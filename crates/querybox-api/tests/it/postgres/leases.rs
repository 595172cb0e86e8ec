//! What lasts from one request to the next, and what is set when a session opens.

use std::time::Duration;

use querybox_contracts::{
    core::v1::{self as pb, EndCause},
    plugin::v1::{TransactionState, execute_response::Part},
};
use tonic::Code;

use super::site::{Site, on_pg, rows};
use crate::{
    house::{check, limits},
    lease::{Lease, Results, check_metadata},
};

/// Runs a statement that the database refuses.
async fn refused(lease: &Lease<'_>, sql: &str) -> (String, TransactionState) {
    let (results, end) = lease.begin(sql).await.unwrap().rest().await;
    end.unwrap();
    (results.rejections().concat(), results.transaction())
}

fn value(results: &Results) -> String {
    rows(&results.0).trim_end().to_owned()
}

#[tokio::test]
async fn the_schema_and_the_start_up_script_of_a_connection_hold_from_the_first_request() {
    let site = Site::start_with(limits(), |spec| {
        spec.default_schema = "Sales".to_owned();
        spec.startup_sql =
            "set lock_timeout = '7s'; create temp table opened as select current_schema() as schema"
                .to_owned();
    })
    .await;
    site.server.psql("create schema \"Sales\"; create table \"Sales\".item (id int)");
    let lease = site.lease().await;
    assert_eq!(value(&lease.execute("select current_schema()::text").await), "Sales");
    assert_eq!(value(&lease.execute("select schema::text from opened").await), "Sales");
    assert_eq!(value(&lease.execute("select current_setting('lock_timeout')").await), "7s");
    let state = lease.execute("insert into item values (1)").await.transaction();
    assert_eq!(state, TransactionState::Idle, "the start-up script leaves no transaction open");

    // A session of one request, too.
    let answer =
        site.execute("select schema::text from opened", pb::ExecuteOptions::default()).await.rest().await;
    answer.end.as_ref().unwrap();
    assert_eq!(rows(&answer.results), "Sales\n");
}

#[tokio::test]
async fn settings_temporary_tables_and_locks_last_as_long_as_the_session() {
    let site = Site::start().await;
    let (lease, other) = (site.lease().await, site.lease().await);
    lease.execute("set timezone = 'Asia/Tokyo'").await;
    lease.execute("create temp table basket (id int)").await;
    lease.execute("insert into basket values (1), (2)").await;
    lease.execute("prepare doubled as select id * 2 as id from basket order by id").await;
    assert_eq!(value(&lease.execute("execute doubled").await), "2\n4");
    assert_eq!(value(&lease.execute("select current_setting('timezone')").await), "Asia/Tokyo");
    assert_ne!(value(&other.execute("select current_setting('timezone')").await), "Asia/Tokyo");
    assert_eq!(refused(&other, "select * from basket").await.0, "42P01");

    lease.execute("select pg_advisory_lock(42)::text").await;
    let free = "select pg_try_advisory_lock(42)::text";
    assert_eq!(value(&other.execute(free).await), "false");
    // What goes with the session goes at once.
    lease.close().await.unwrap();
    site.until(Duration::from_secs(2), "the lock is released", || site.backends() == 1).await;
    assert_eq!(value(&other.execute(free).await), "true");
}

#[tokio::test]
async fn the_state_of_the_transaction_is_told_after_each_statement() {
    let site = Site::start().await;
    let lease = site.lease().await;
    let state = async |sql| lease.execute(sql).await.transaction();
    assert_eq!(state("create table item (id int primary key)").await, TransactionState::Idle);
    assert_eq!(state("begin").await, TransactionState::Open);
    assert_eq!(state("insert into item values (1)").await, TransactionState::Open);
    assert_eq!(state("savepoint here").await, TransactionState::Open);
    assert_eq!(refused(&lease, "selec 1").await, ("42601".to_owned(), TransactionState::Failed));
    assert_eq!(refused(&lease, "select 1").await, ("25P02".to_owned(), TransactionState::Failed));
    assert_eq!(state("rollback to here").await, TransactionState::Open);
    assert_eq!(
        refused(&lease, "insert into item values (1)").await,
        ("23505".to_owned(), TransactionState::Failed)
    );
    // The commit of a failed transaction is a rollback, and an error.
    assert_eq!(refused(&lease, "commit").await, ("40000".to_owned(), TransactionState::Idle));
    assert_eq!(value(&lease.execute("select count(*) from item").await), "0");
    assert_eq!(state("begin; insert into item values (2)").await, TransactionState::Open);
    assert_eq!(state("commit").await, TransactionState::Idle);
    assert_eq!(value(&lease.execute("select id from item").await), "2");
    assert_eq!(refused(&lease, "selec 1").await, ("42601".to_owned(), TransactionState::Idle));

    lease.execute("begin; insert into item values (3)").await;
    assert!(lease.close().await.unwrap(), "an open transaction is lost");
    assert_eq!(site.server.psql("select count(*) from item"), b"1\n");
}

#[tokio::test]
async fn after_a_lost_connection_nothing_is_sent_again() {
    let Site { house, mut server } = Site::start().await;
    server.psql("create table item (id int)");
    let page = uuid::Uuid::now_v7().to_string();
    let watching = pb::WatchEventsRequest { front_end_id: page.clone() };
    let mut events = house.events().watch_events(watching).await.unwrap().into_inner();
    let request = pb::OpenSessionRequest { front_end_id: page, ..on_pg() };
    let lease = house.lease_with(request).await.unwrap();
    lease.execute("begin; insert into item values (1)").await;
    server.crash();
    let (results, end) = lease.begin("insert into item values (2)").await.unwrap().rest().await;
    let status = end.unwrap_err();
    check(&status, Code::Unavailable, "CONNECTION_LOST", status.message());
    check_metadata(&status, "ENDED", Some("CONNECTION_LOST"), true);
    assert!(!results.0.iter().any(|part| matches!(part, Part::Summary(_))), "{results:?}");
    let message =
        "the session has ended: its connection to the database was lost, and its open transaction is lost";
    lease.check_ended("CONNECTION_LOST", true, message).await;
    let event = events.message().await.unwrap().unwrap().event;
    let Some(pb::watch_events_response::Event::LeaseEnded(ended)) = event else { panic!("{event:?}") };
    assert_eq!((ended.cause(), ended.transaction_lost), (EndCause::ConnectionLost, true));
}

#[tokio::test]
async fn a_session_that_the_server_ended_is_over() {
    let site = Site::start().await;
    site.server.psql("create table item (id int)");
    let lease = site.lease().await;
    lease.execute("begin; insert into item values (1)").await;
    let kill =
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'querybox %'";
    site.server.psql(kill);
    // The server's last word.
    let status = lease.begin("insert into item values (2)").await.unwrap().rest().await.1.unwrap_err();
    check(&status, Code::Unavailable, "CONNECTION_LOST", status.message());
    check_metadata(&status, "ENDED", Some("CONNECTION_LOST"), true);
    let status = lease.begin("select 1").await.unwrap_err();
    check(&status, Code::FailedPrecondition, "SESSION_ENDED", status.message());
    assert_eq!(site.server.psql("select count(*) from item"), b"0\n");
}

#[tokio::test]
async fn a_front_end_is_told_what_its_session_is_notified_of() {
    let site = Site::start().await;
    let page = uuid::Uuid::now_v7().to_string();
    let watching = pb::WatchEventsRequest { front_end_id: page.clone() };
    let mut events = site.house.events().watch_events(watching).await.unwrap().into_inner();
    let request = pb::OpenSessionRequest { front_end_id: page, ..on_pg() };
    let lease = site.house.lease_with(request).await.unwrap();
    lease.execute("listen shop").await;
    // By another session while this one is idle, and by itself inside a statement.
    site.server.psql("notify shop, 'from elsewhere'");
    let mut told = async || {
        let message = tokio::time::timeout(Duration::from_secs(60), events.message());
        let event = message.await.expect("the notification comes").unwrap().unwrap().event;
        let Some(pb::watch_events_response::Event::Notified(notified)) = event else { panic!("{event:?}") };
        assert_eq!(notified.session_id, lease.id);
        let notification = notified.notification.unwrap();
        (notification.channel, notification.payload)
    };
    assert_eq!(told().await, ("shop".to_owned(), "from elsewhere".to_owned()));
    lease.execute("notify shop").await;
    assert_eq!(told().await, ("shop".to_owned(), String::new()));
    lease.execute("unlisten shop; notify shop, 'unheard'; listen other; notify other, 'heard'").await;
    assert_eq!(told().await, ("other".to_owned(), "heard".to_owned()));
}

#[tokio::test]
async fn a_table_is_read_over_further_connections_with_the_password_of_the_request_alone() {
    let site = Site::start().await;
    site.server.psql("create table t as select i, repeat('x', 300) as s from generate_series(1, 30000) i");
    let told = async |sql| {
        let options = pb::ExecuteOptions { connections_max: 4, ..pb::ExecuteOptions::default() };
        let mut answer = site.execute(sql, options).await;
        let (mut rows, mut notices) = (0, Vec::new());
        while let Some(part) = answer.next().await.unwrap() {
            let pb::execute_response::Part::Result(result) = part else { continue };
            match result.part.unwrap() {
                Part::Notice(notice) => notices.push(notice.message),
                Part::Summary(summary) => rows += summary.rows,
                _ => {}
            }
        }
        (rows, notices.concat())
    };
    assert_eq!(told("select * from t").await, (30_000, String::new()));
    let (rows, notice) = told("select * from t limit 5").await;
    assert_eq!(rows, 5);
    assert!(notice.starts_with("read over one connection: "), "{notice}");
    site.until(Duration::from_secs(60), "all are gone", || site.backends() == 0).await;
}
