//! Running scripts whose results are kept.

use querybox_contracts::{
    core::v1::{self as pb, run_request::Target, statement_result::End},
    plugin::v1 as plugin,
};
use tonic::Code;

use super::{
    ENDLESS, PATIENCE, attach, ended, forget, lease, nothing_runs, numbers, ran, read, request, run, until,
    window,
};
use crate::house::{House, check, named};

#[tokio::test]
async fn what_was_run_is_found_again_with_its_first_rows_and_its_end() {
    let house = House::with_shop().await;
    let answer = run(&house, "select 1 as a, null as b, '' as c, x'00ff' as d").await;
    let id = answer.result.unwrap().result_id;
    let result = ended(&house, &id).await;
    assert_eq!((result.state(), result.statement_count), (pb::ResultState::Done, 1));
    assert_eq!(result.session_id, id);
    let [statement] = &result.statements[..] else { panic!("{result:?}") };
    let names: Vec<_> = statement.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!((names, statement.row_count, statement.returns_rows), (vec!["a", "b", "c", "d"], 1, true));
    assert!(matches!(&statement.end, Some(End::Summary(summary)) if summary.rows == 1), "{statement:?}");
    let rows = read(&house, window(&id, 0, 100)).await.unwrap();
    assert_eq!((rows.first_row, rows.row_count, rows.column_count), (0, 1, 4));
    assert_eq!((rows.rows_so_far, rows.growing), (1, false));
    assert_eq!(rows.texts, ["1", "", "", "\\x00ff"]);
    let null = rows.marks.iter().find(|mark| mark.index == 1).unwrap();
    assert_eq!(null.state(), pb::CellState::Null);
    assert!(rows.marks.iter().all(|mark| mark.index != 2), "an empty text is a value: {:?}", rows.marks);
    let listed = house.results().list_results(pb::ListResultsRequest {}).await.unwrap().into_inner().results;
    let [listed] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!((&listed.result_id, listed.state()), (&id, pb::ResultState::Done));
    assert_eq!(listed.sql, "select 1 as a, null as b, '' as c, x'00ff' as d");
}

#[tokio::test]
async fn the_answer_has_the_first_page_when_it_comes_at_once() {
    let house = House::with_shop().await;
    let session = lease(&house).await;
    // A machine that is busy may be slower than the answer waits.
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        let request =
            pb::RunRequest { target: Some(Target::SessionId(session.clone())), ..request(&numbers(250)) };
        let id = request.result_id.clone();
        let page = house.results().run(request).await.unwrap().into_inner().page;
        ended(&house, &id).await;
        forget(&house, &id).await.unwrap();
        if let Some(page) = page.filter(|page| page.row_count > 0) {
            assert_eq!(page.texts[..2], ["1".to_owned(), "row 1".to_owned()]);
            return;
        }
        assert!(tokio::time::Instant::now() < end, "no answer had a first page");
    }
}

#[tokio::test]
async fn each_statement_has_its_own_rows_and_end() {
    let house = House::with_shop().await;
    let sql = "create table t (a); insert into t values (1), (2); select a from t; select a + 10 from t; select nope";
    let result = ran(&house, sql).await;
    assert_eq!((result.state(), result.statement_count), (pb::ResultState::Rejected, 5));
    let summary = |end: &Option<End>| matches!(end, Some(End::Summary(_)));
    let told: Vec<_> = result
        .statements
        .iter()
        .map(|statement| {
            (statement.statement, statement.returns_rows, statement.row_count, summary(&statement.end))
        })
        .collect();
    assert_eq!(told[..4], [(0, false, 0, true), (1, false, 0, true), (2, true, 2, true), (3, true, 2, true)]);
    let Some(End::Rejection(rejection)) = &result.statements[4].end else { panic!("{result:?}") };
    assert!(rejection.message.contains("nope"), "{rejection:?}");
    let ask = pb::ReadRowsRequest { statement: 3, ..window(&result.result_id, 0, 10) };
    assert_eq!(read(&house, ask).await.unwrap().texts, ["11", "12"]);
    // Only those from a number on.
    let request = pb::AttachResultRequest {
        result_id: result.result_id.clone(),
        first_statement: 3,
        ..pb::AttachResultRequest::default()
    };
    let rest = house.results().attach_result(request).await.unwrap().into_inner().result.unwrap();
    assert_eq!(rest.statements.iter().map(|statement| statement.statement).collect::<Vec<_>>(), [3, 4]);
}

#[tokio::test]
async fn what_runs_goes_on_when_whoever_asked_is_gone() {
    let house = House::with_shop().await;
    let request = request(&numbers(20_000));
    let id = request.result_id.clone();
    // The call is dropped as soon as the session runs.
    let mut client = house.results();
    let running = async {
        while attach(&house, &id).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = running => {}
        _ = client.run(request) => {}
    }
    let result = ended(&house, &id).await;
    assert_eq!((result.state(), result.statements[0].row_count), (pb::ResultState::Done, 20_000));
}

#[tokio::test]
async fn a_failure_of_the_machinery_is_told_with_the_result() {
    let house = House::with_shop().await;
    // The connection is refused before anything runs: a status.
    let unknown =
        pb::RunRequest { target: Some(Target::Connection(named("x").unwrap())), ..request("select 1") };
    let status = house.results().run(unknown).await.unwrap_err();
    check(&status, Code::NotFound, "CONNECTION_NOT_FOUND", "there is no connection x");
    // A deadline comes while it runs.
    let options = Some(crate::house::within(1000));
    let late = pb::RunRequest { options, ..request(ENDLESS) };
    let id = late.result_id.clone();
    house.results().run(late).await.unwrap();
    let result = ended(&house, &id).await;
    assert_eq!(result.state(), pb::ResultState::Failed);
    let failure = result.failure.clone().unwrap();
    assert_eq!((failure.reason.as_str(), failure.session_open), ("DEADLINE", false));
    // On a machine that is slow enough it has not begun.
    assert!(result.statements.len() <= 1);
    let all_broke_off =
        result.statements.iter().all(|statement| matches!(statement.end, Some(End::BrokenOff(_))));
    assert!(all_broke_off, "{result:?}");
}

#[tokio::test]
async fn a_cancel_leaves_the_rows_that_came() {
    let house = House::with_shop().await;
    let id = run(&house, ENDLESS).await.result.unwrap().result_id;
    until(&house, &id, |result| result.statements.first().is_some_and(|statement| statement.row_count > 0))
        .await;
    let request = pb::CancelSessionRequest { session_id: id.clone() };
    let receipt = house.sessions().cancel_session(request).await.unwrap().into_inner();
    assert_ne!(receipt.receipt(), pb::CancelReceipt::AlreadyDone);
    let result = ended(&house, &id).await;
    assert_eq!(result.state(), pb::ResultState::Cancelled, "{result:?}");
    assert_eq!(read(&house, window(&id, 0, 3)).await.unwrap().texts, ["1", "2", "3"]);
    nothing_runs(&house).await;
}

#[tokio::test]
async fn a_leased_session_goes_on_after_its_results() {
    let house = House::with_shop().await;
    let session = lease(&house).await;
    let in_session =
        |sql: &str| pb::RunRequest { target: Some(Target::SessionId(session.clone())), ..request(sql) };
    let first = in_session("begin; create temp table t as select 7 as a");
    let id = first.result_id.clone();
    house.results().run(first).await.unwrap();
    let result = ended(&house, &id).await;
    assert_eq!((result.state(), result.session_id.as_str()), (pb::ResultState::Done, session.as_str()));
    assert_eq!(result.transaction_state(), plugin::TransactionState::Open);
    // The same id again, while it is kept.
    let again = pb::RunRequest { result_id: id.clone(), ..in_session("select 1") };
    let status = house.results().run(again).await.unwrap_err();
    check(&status, Code::InvalidArgument, "RESULT_ID_INVALID", "the result id was used before");
    let second = in_session("select a from t");
    let id = second.result_id.clone();
    house.results().run(second).await.unwrap();
    ended(&house, &id).await;
    assert_eq!(read(&house, window(&id, 0, 1)).await.unwrap().texts, ["7"]);
    // A result that is dropped stops what runs, and leaves the session.
    let endless = in_session(ENDLESS);
    let id = endless.result_id.clone();
    house.results().run(endless).await.unwrap();
    forget(&house, &id).await.unwrap();
    let last = in_session("select a + 1 from t; rollback");
    let id = last.result_id.clone();
    house.results().run(last).await.unwrap();
    assert_eq!(ended(&house, &id).await.transaction_state(), plugin::TransactionState::Idle);
    assert_eq!(read(&house, window(&id, 0, 1)).await.unwrap().texts, ["8"]);
}

#[tokio::test]
async fn a_cancel_in_a_leased_session_is_told_as_one() {
    let house = House::with_shop().await;
    let session = lease(&house).await;
    let in_session =
        |sql: &str| pb::RunRequest { target: Some(Target::SessionId(session.clone())), ..request(sql) };
    let endless = in_session(ENDLESS);
    let id = endless.result_id.clone();
    house.results().run(endless).await.unwrap();
    until(&house, &id, |result| result.statements.first().is_some_and(|statement| statement.row_count > 0))
        .await;
    let request = pb::CancelSessionRequest { session_id: session.clone() };
    let receipt = house.sessions().cancel_session(request).await.unwrap().into_inner();
    let result = ended(&house, &id).await;
    assert_eq!(result.state(), pb::ResultState::Cancelled, "{result:?}, {receipt:?}");
    assert_eq!(read(&house, window(&id, 0, 3)).await.unwrap().texts, ["1", "2", "3"]);
    // A driver that did not stop in time was killed, on a machine that is slow enough.
    if receipt.receipt() == pb::CancelReceipt::Confirmed {
        // What the database refuses by itself is no cancel.
        let refused = in_session("select nope");
        let id = refused.result_id.clone();
        house.results().run(refused).await.unwrap();
        assert_eq!(ended(&house, &id).await.state(), pb::ResultState::Rejected);
    }
}
