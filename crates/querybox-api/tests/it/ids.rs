//! Ids of sessions that have ended: refused wherever they come up again.

use std::time::Duration;

use querybox_contracts::core::v1 as pb;
use tonic::{Code, Status};

use crate::{
    house::{House, SHOP, check, named, within},
    lease::{by, on_shop},
    queries::ENDLESS_WITHOUT_ROWS,
};

const USED: &str = "the session id was used before";

/// Every call that begins a session.
async fn begin_again(house: &House, id: &str) -> Vec<Status> {
    let (id, connection) = (id.to_owned(), named(SHOP));
    let execute = pb::ExecuteRequest {
        session_id: id.clone(),
        connection: connection.clone(),
        sql: "select 1".to_owned(),
        ..pb::ExecuteRequest::default()
    };
    let plugin = pb::ExecutePluginRequest {
        session_id: id.clone(),
        driver_type: "sqlite".to_owned(),
        sql: "select 1".to_owned(),
        ..pb::ExecutePluginRequest::default()
    };
    let schema =
        pb::GetSchemaRequest { session_id: id.clone(), connection: connection.clone(), ..Default::default() };
    let test = pb::TestConnectionRequest {
        session_id: id.clone(),
        target: connection.map(pb::test_connection_request::Target::Connection),
        ..Default::default()
    };
    let open = pb::OpenSessionRequest { session_id: id, ..on_shop() };
    vec![
        house.queries().execute(execute).await.err().unwrap(),
        house.queries().execute_plugin(plugin).await.err().unwrap(),
        house.schemas().get_schema(schema).await.err().unwrap(),
        house.connections().test_connection(test).await.err().unwrap(),
        house.sessions().open_session(open).await.err().unwrap(),
    ]
}

/// Every call into a session that is there.
async fn go_on(house: &House, id: &str) -> Vec<Status> {
    let id = id.to_owned();
    let execute =
        pb::ExecuteInSessionRequest { session_id: id.clone(), sql: "select 1".to_owned(), options: None };
    let schema = pb::GetSchemaRequest { session_id: id.clone(), ..Default::default() };
    vec![
        house.sessions().execute_in_session(execute).await.err().unwrap(),
        house.schemas().get_schema(schema).await.err().unwrap(),
        house.close(&id).await.unwrap_err(),
    ]
}

#[tokio::test]
async fn the_id_of_a_leased_session_that_ended_is_refused_everywhere() {
    let house = House::with_shop().await;
    let lease = house.lease().await;
    lease.close().await.unwrap();
    for status in begin_again(&house, &lease.id).await {
        check(&status, Code::InvalidArgument, "SESSION_ID_INVALID", USED);
    }
    let mut refused = go_on(&house, &lease.id).await;
    refused.push(house.extend(&lease.id, by(1000)).await.unwrap_err());
    for status in refused {
        check(&status, Code::FailedPrecondition, "SESSION_ENDED", "the session has ended: it was closed");
    }
    assert_eq!(house.cancel(&lease.id).await, pb::CancelReceipt::AlreadyDone);
}

#[tokio::test]
async fn the_id_of_a_request_that_ended_is_refused_everywhere_however_it_ended() {
    let house = House::with_shop().await;
    let mut ids = Vec::new();
    for (sql, cause) in [("select 1", pb::EndCause::Done), ("selec 1", pb::EndCause::Rejected)] {
        let answer = house.execute(sql).await;
        ids.push(answer.session_id.clone());
        assert_eq!(answer.rest().await.end.unwrap().cause(), cause);
    }
    let answer = house.execute(ENDLESS_WITHOUT_ROWS).await;
    ids.push(answer.session_id.clone());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(house.cancel(&answer.session_id).await, pb::CancelReceipt::Confirmed);
    assert_eq!(answer.rest().await.end.unwrap().cause(), pb::EndCause::Cancelled);
    let answer = house.execute_with(ENDLESS_WITHOUT_ROWS, within(300)).await;
    ids.push(answer.session_id.clone());
    answer.rest().await.end.unwrap_err();

    for id in ids {
        for status in begin_again(&house, &id).await {
            check(&status, Code::InvalidArgument, "SESSION_ID_INVALID", USED);
        }
        for status in go_on(&house, &id).await {
            check(&status, Code::NotFound, "SESSION_NOT_FOUND", "there is no such session");
        }
        let status = house.extend(&id, by(1000)).await.unwrap_err();
        let message = "the session runs nothing that could have more time";
        check(&status, Code::FailedPrecondition, "NOTHING_RUNS", message);
        assert_eq!(house.cancel(&id).await, pb::CancelReceipt::AlreadyDone);
    }
}
