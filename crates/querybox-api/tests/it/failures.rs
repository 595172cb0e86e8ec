//! Failures of the machinery, each with its status.

use std::time::{Duration, Instant};

use querybox_contracts::{core::v1 as pb, plugin::v1 as plugin};
use rustix::process::{Pid, Signal, kill_process};
use tonic::{Code, Status};

use crate::house::{House, SHOP, check, is_gone, metadata, named, session_id, text};

fn request(sql: &str) -> pb::ExecuteRequest {
    pb::ExecuteRequest {
        session_id: session_id(),
        connection: named(SHOP),
        sql: sql.into(),
        ..pb::ExecuteRequest::default()
    }
}

async fn refused(house: &House, request: pb::ExecuteRequest) -> Status {
    house.queries().execute(request).await.err().unwrap()
}

/// Runs a statement of the test driver.
async fn test_driver(house: &House, sql: &str) -> Status {
    let request = pb::ExecutePluginRequest {
        session_id: session_id(),
        driver_type: "test".into(),
        sql: sql.into(),
        ..pb::ExecutePluginRequest::default()
    };
    let mut stream = house.queries().execute_plugin(request).await.unwrap().into_inner();
    loop {
        match stream.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("{sql} succeeded"),
            Err(status) => return status,
        }
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_is_refused_before_anything_starts() {
    let house = House::with_shop().await;
    let unknown = pb::ExecuteRequest { connection: named("nowhere"), ..request("select 1") };
    check(
        &refused(&house, unknown).await,
        Code::NotFound,
        "CONNECTION_NOT_FOUND",
        "there is no connection nowhere",
    );
    let missing = pb::ExecuteRequest { connection: None, ..request("select 1") };
    check(
        &refused(&house, missing).await,
        Code::InvalidArgument,
        "PARAMETER_INVALID",
        "connection is missing",
    );

    let not_an_id = pb::ExecuteRequest { session_id: "7".into(), ..request("select 1") };
    check(
        &refused(&house, not_an_id).await,
        Code::InvalidArgument,
        "SESSION_ID_INVALID",
        "the session id is not a UUIDv7 in canonical text form",
    );
    let old = pb::ExecuteRequest {
        session_id: "01900000-0000-7000-8000-000000000000".into(),
        ..request("select 1")
    };
    check(
        &refused(&house, old).await,
        Code::InvalidArgument,
        "SESSION_ID_INVALID",
        "the session id was made more than five minutes off this machine's clock",
    );
    let once = request("select 1");
    house.queries().execute(once.clone()).await.unwrap();
    check(
        &refused(&house, once).await,
        Code::InvalidArgument,
        "SESSION_ID_INVALID",
        "the session id was used before",
    );

    let plugin = pb::ExecutePluginRequest {
        session_id: session_id(),
        driver_type: "oracle".into(),
        ..pb::ExecutePluginRequest::default()
    };
    let status = house.queries().execute_plugin(plugin).await.err().unwrap();
    check(&status, Code::NotFound, "PLUGIN_NOT_FOUND", "there is no usable driver for oracle");

    let secret = plugin::SecretField { name: "password".into(), value: "canary".into() };
    let credential = Some(plugin::Credential { fields: vec![secret] });
    let spare = pb::ExecuteRequest { credential, ..request("select 1") };
    check(
        &refused(&house, spare).await,
        Code::InvalidArgument,
        "PARAMETER_INVALID",
        r#"parameter "password" is not one of this driver's secrets"#,
    );

    let cancel = pb::CancelSessionRequest { session_id: session_id() };
    let status = house.sessions().cancel_session(cancel).await.unwrap_err();
    check(&status, Code::NotFound, "SESSION_NOT_FOUND", "there is no such session");
}

#[tokio::test]
async fn a_full_house_is_refused() {
    let house = House::with_shop().await;
    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";
    let _first = house.execute(endless).await;
    let _second = house.execute(endless).await;
    let status = refused(&house, request("select 1")).await;
    check(&status, Code::ResourceExhausted, "SESSIONS_FULL", "2 sessions run, and no more may");
    assert_eq!(metadata(&status, "max"), "2");
}

#[tokio::test]
async fn a_deadline_ends_the_request_and_the_driver() {
    let house = House::with_shop().await;
    let begun = Instant::now();
    let after = prost_types::Duration { seconds: 0, nanos: 700_000_000 };
    let deadline = Some(pb::Deadline { limit: Some(pb::deadline::Limit::After(after)) });
    let options = pb::ExecuteOptions { deadline, ..pb::ExecuteOptions::default() };
    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";
    let mut answer = house.execute_with(endless, options).await;
    let pid = answer.opened().await.driver_pid;
    let status = answer.rest().await.end.unwrap_err();
    check(&status, Code::DeadlineExceeded, "DEADLINE", "the request took longer than its deadline of 700ms");
    assert_eq!(metadata(&status, "limit_ms"), "700");
    assert!(begun.elapsed() < Duration::from_millis(1700), "{:?}", begun.elapsed());
    assert!(is_gone(pid).await);
}

#[tokio::test]
async fn a_driver_killed_in_the_middle_is_named_dead() {
    let house = House::with_shop().await;
    let mut answer = house
        .execute("with recursive n(i) as (select 1 union all select i + 1 from n) select i from n")
        .await;
    let pid = answer.first_row().await.driver_pid;
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), Signal::KILL).unwrap();
    let status = answer.rest().await.end.unwrap_err();
    check(&status, Code::Unavailable, "DRIVER_DIED", status.message());
    assert!(status.message().starts_with("the driver ended: it was ended by signal 9 "), "{status}");
}

#[tokio::test]
async fn each_failure_of_a_driver_has_its_status() {
    let house = House::new().await;
    let status = test_driver(&house, "exit 3").await;
    check(&status, Code::Unavailable, "DRIVER_DIED", "the driver ended: it exited with code 3");
    let status = test_driver(&house, "fail").await;
    check(&status, Code::Unavailable, "CONNECTION_LOST", "the server \\u{1b}[31mwent away");
    let status = test_driver(&house, "lie").await;
    assert!(status.message().starts_with("the driver broke its contract: "), "{status}");
    check(&status, Code::Unavailable, "DRIVER_BROKE_CONTRACT", status.message());
    let status = test_driver(&house, "allocate 700").await;
    check(&status, Code::ResourceExhausted, "MEMORY_LIMIT", status.message());
    assert_eq!(metadata(&status, "limit_bytes"), "536870912");
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_said_by_core_or_by_the_driver() {
    let house = House::new().await;
    for (file, names) in [("/nowhere/at/all.db", "/nowhere/at/all.db"), ("/etc/hostname", "hostname")] {
        let request = pb::ExecutePluginRequest {
            session_id: session_id(),
            driver_type: "sqlite".into(),
            parameters: vec![text("file", file)],
            sql: "select * from sqlite_schema".into(),
            ..pb::ExecutePluginRequest::default()
        };
        let status = match house.queries().execute_plugin(request).await {
            Err(status) => status,
            Ok(stream) => {
                let mut stream = stream.into_inner();
                loop {
                    match stream.message().await {
                        Ok(Some(_)) => {}
                        Ok(None) => panic!("{file} is not a database"),
                        Err(status) => break status,
                    }
                }
            }
        };
        check(&status, Code::FailedPrecondition, "FILE_UNUSABLE", status.message());
        assert!(status.message().contains(names), "{status}");
    }
}

#[tokio::test]
async fn a_core_that_shuts_down_says_so() {
    let house = House::with_shop().await;
    house.core.shutdown(Duration::ZERO).await;
    check(
        &refused(&house, request("select 1")).await,
        Code::Unavailable,
        "SHUTTING_DOWN",
        "QueryBox is shutting down",
    );
    let status = house.connections().list_connections(pb::ListConnectionsRequest {}).await.unwrap_err();
    check(&status, Code::Unavailable, "SHUTTING_DOWN", "QueryBox is shutting down");
}
