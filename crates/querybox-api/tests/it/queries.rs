//! Running scripts.

use std::time::{Duration, Instant};

use querybox_contracts::{
    core::v1::{self as pb, execute_response::Part},
    plugin::v1::{self as plugin, execute_response::Part as ResultPart},
};
use tonic::Code;

use crate::house::{House, SHOP, check, is_gone, named, session_id, text};

/// Runs for hours unless it is stopped, and has its first row at once.
pub(crate) const ENDLESS: &str =
    "with recursive n(i) as (select 1 union all select i + 1 from n) select i, hex(randomblob(100)) from n";
/// The same without a row.
pub(crate) const ENDLESS_WITHOUT_ROWS: &str =
    "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";

#[tokio::test]
async fn a_script_runs_and_its_results_come_in_order() {
    let house = House::with_shop().await;
    let mut answer = house
        .execute(
            "create table item (id integer primary key, name text); insert into item (name) values ('a'), ('b'); \
             select * from item",
        )
        .await;
    let opened = answer.opened().await;
    assert_eq!(opened.server.unwrap().product, "SQLite");
    assert!(opened.driver_pid > 1);
    let rest = answer.rest().await;
    let kinds: Vec<_> = rest
        .results
        .iter()
        .map(|part| match part {
            ResultPart::Header(header) => format!("header {} {}", header.statement, header.columns.len()),
            ResultPart::Batch(_) => "batch".to_owned(),
            ResultPart::Summary(summary) => format!("summary {} {} rows", summary.command_tag, summary.rows),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(kinds.iter().filter(|kind| kind.starts_with("header")).count(), 3, "{kinds:?}");
    assert_eq!(rest.rows(), 2);
    let ended = rest.end.unwrap();
    assert_eq!((ended.statements_done, ended.statements_rejected), (3, 0));
    assert!((1 << 20..64 << 20).contains(&ended.driver_memory_peak_bytes), "{ended:?}");
    assert!(is_gone(opened.driver_pid).await);

    // The connection was used, which is noted after the answer.
    let request = pb::GetConnectionRequest { connection: named(SHOP) };
    let end = Instant::now() + Duration::from_secs(2);
    loop {
        let found = house.connections().get_connection(request.clone()).await.unwrap().into_inner();
        if found.connection.unwrap().last_access.is_some() {
            break;
        }
        assert!(Instant::now() < end);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn what_the_database_refuses_is_a_result() {
    let house = House::with_shop().await;
    let script = "select 1; selec 2; select 3";
    let stop = house.execute(script).await.rest().await;
    assert_eq!(stop.rejections().len(), 1);
    let rejection = stop.rejections()[0];
    assert_eq!((rejection.statement, rejection.position_byte), (1, Some(10)));
    assert_eq!(stop.end.as_ref().unwrap().statements_done, 1);

    let on_error = plugin::OnError::Continue.into();
    let options = pb::ExecuteOptions { on_error, ..pb::ExecuteOptions::default() };
    let ended = house.execute_with(script, options).await.rest().await.end.unwrap();
    assert_eq!((ended.statements_done, ended.statements_rejected), (2, 1));
}

#[tokio::test]
async fn a_refusal_to_open_is_a_result_too() {
    let house = House::new().await;
    let startup_sql = "select * from nothing".to_owned();
    house.create(pb::ConnectionSpec { startup_sql, ..house.spec(SHOP) }).await.unwrap();
    let mut answer = house.execute("select 1").await;
    assert_eq!(answer.opened().await.server, None);
    let rest = answer.rest().await;
    assert_eq!(rest.results.len(), 1);
    assert!(rest.rejections()[0].message.contains("nothing"), "{:?}", rest.results);
    let cause = pb::EndCause::Rejected.into();
    assert_eq!(rest.end.unwrap(), pb::SessionEnded { cause, ..pb::SessionEnded::default() });
}

#[tokio::test]
async fn a_limit_of_rows_stops_the_statement_and_says_so() {
    let house = House::with_shop().await;
    let options = pb::ExecuteOptions { rows_max: Some(1000), ..pb::ExecuteOptions::default() };
    let rest = house.execute_with(ENDLESS, options).await.rest().await;
    assert_eq!(rest.rows(), 1000);
    let Some(ResultPart::Summary(summary)) = rest.results.last() else { panic!("{:?}", rest.results.last()) };
    assert_eq!(summary.stopped_by(), plugin::StoppedBy::RowsMax);
}

#[tokio::test]
async fn further_connections_are_for_drivers_that_have_a_use_for_them() {
    let house = House::with_shop().await;
    let options = |connections_max| pb::ExecuteOptions { connections_max, ..pb::ExecuteOptions::default() };
    let status = house.execute_with("select 1", options(2)).await.rest().await.end.unwrap_err();
    assert!(status.message().contains("the driver reads over one connection alone"), "{status:?}");
    house.execute_with("select 1", options(1)).await.rest().await.end.unwrap();
    let request = pb::ExecuteRequest {
        session_id: session_id(),
        connection: named(SHOP),
        sql: "select 1".to_owned(),
        options: Some(options(17)),
        credential: None,
    };
    let status = house.ask(request).await.err().unwrap();
    check(&status, Code::InvalidArgument, "PARAMETER_INVALID", "options.connections_max is more than 16");
}

#[tokio::test]
async fn a_read_only_connection_writes_nothing() {
    let house = House::with_shop().await;
    house.execute("create table item (id integer)").await.rest().await.end.unwrap();
    let request = pb::ExecutePluginRequest {
        session_id: session_id(),
        driver_type: "sqlite".into(),
        parameters: vec![text("file", house.database().to_str().unwrap())],
        sql: "insert into item values (1)".into(),
        read_only: true,
        ..pb::ExecutePluginRequest::default()
    };
    let mut stream = house.queries().execute_plugin(request).await.unwrap().into_inner();
    let mut rejected = false;
    while let Some(message) = stream.message().await.unwrap() {
        if let Some(pb::execute_plugin_response::Part::Result(result)) = message.part {
            rejected |= matches!(result.part, Some(ResultPart::Rejection(_)));
        }
    }
    assert!(rejected);
    assert_eq!(house.execute("select * from item").await.rest().await.rows(), 0);
}

#[tokio::test]
async fn a_cancel_is_confirmed_by_the_database() {
    let house = House::with_shop().await;
    for sql in [ENDLESS, ENDLESS_WITHOUT_ROWS] {
        let mut answer = house.execute(sql).await;
        let opened = answer.opened().await;
        // Whether or not somebody reads on, the receipt comes.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let request = pb::CancelSessionRequest { session_id: answer.session_id.clone() };
        let receipt = house.sessions().cancel_session(request.clone()).await.unwrap().into_inner();
        assert_eq!(receipt.receipt(), pb::CancelReceipt::Confirmed, "{sql}");
        assert!(receipt.elapsed.is_some_and(|elapsed| elapsed.seconds == 0));
        let rest = answer.rest().await;
        assert_eq!(rest.rejections().len(), 1, "{sql}");
        assert_eq!(rest.end.unwrap().statements_rejected, 1);
        assert!(is_gone(opened.driver_pid).await);
        let again = house.sessions().cancel_session(request).await.unwrap().into_inner();
        assert_eq!(again.receipt(), pb::CancelReceipt::AlreadyDone);
    }
}

#[tokio::test]
async fn dropping_the_stream_cancels() {
    let house = House::with_shop().await;
    for sql in [ENDLESS, ENDLESS_WITHOUT_ROWS] {
        let mut answer = house.execute(sql).await;
        let opened = answer.opened().await;
        drop(answer);
        assert!(is_gone(opened.driver_pid).await, "{sql}");
    }
    // The database is not held by anything.
    house.execute("create table free (id)").await.rest().await.end.unwrap();
}

#[tokio::test]
async fn a_hundred_megabytes_pass_in_flat_memory() {
    let house = House::with_shop().await;
    let mut answer = house.execute(ENDLESS).await;
    answer.first_row().await;
    let before = resident_bytes();
    let mut passed_bytes = 0;
    while passed_bytes < 100 << 20 {
        let Ok(Some(Part::Result(result))) = answer.next().await else { panic!("the result goes on") };
        if let Some(ResultPart::Batch(batch)) = result.part {
            passed_bytes += batch.arrow_body.len();
        }
    }
    // A reader that pauses holds the driver back.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < 32 << 20, "{grown}");
}

pub(crate) fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * rustix::param::page_size()
}
