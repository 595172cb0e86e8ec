//! Results that are kept.

mod bounds;
mod endings;
mod events;
mod exports;
mod full_disk;
mod limits;
mod reading;
mod running;
mod views;

use std::time::Duration;

use querybox_contracts::core::v1::{self as pb, run_request::Target};
use tonic::Status;

use crate::house::{House, SHOP, named, session_id, without_end};

/// So long a loaded machine may take for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// Numbers from 1 on, each with a text.
fn numbers(count: u32) -> String {
    format!(
        "with recursive n (i) as (select 1 union all select i + 1 from n where i < {count}) \
         select i, 'row ' || i as t from n"
    )
}

/// Runs for ever, and returns rows all the time.
const ENDLESS: &str = "with recursive n (i) as (select 1 union all select i + 1 from n) select i from n";

fn request(sql: &str) -> pb::RunRequest {
    pb::RunRequest {
        result_id: session_id(),
        target: Some(Target::Connection(named(SHOP).unwrap())),
        sql: sql.to_owned(),
        options: Some(without_end()),
        page: Some(pb::PageOptions { row_count: 100, cell_bytes_max: 0 }),
        ..pb::RunRequest::default()
    }
}

async fn run(house: &House, sql: &str) -> pb::RunResponse {
    house.results().run(request(sql)).await.unwrap().into_inner()
}

/// Runs, and waits for the end.
async fn ran(house: &House, sql: &str) -> pb::Result {
    let begun = run(house, sql).await.result.unwrap();
    ended(house, &begun.result_id).await
}

/// A leased session on the shop.
async fn lease(house: &House) -> String {
    let session_id = session_id();
    let lease = pb::OpenSessionRequest {
        session_id: session_id.clone(),
        target: Some(pb::open_session_request::Target::Connection(named(SHOP).unwrap())),
        ..pb::OpenSessionRequest::default()
    };
    house.sessions().open_session(lease).await.unwrap();
    session_id
}

async fn attach(house: &House, id: &str) -> Result<pb::Result, Status> {
    let request = pb::AttachResultRequest { result_id: id.to_owned(), ..pb::AttachResultRequest::default() };
    Ok(house.results().attach_result(request).await?.into_inner().result.unwrap())
}

/// Waits until a result is as it should be.
async fn until(house: &House, id: &str, is_so: impl Fn(&pb::Result) -> bool) -> pb::Result {
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        let result = attach(house, id).await.unwrap();
        if is_so(&result) {
            return result;
        }
        assert!(tokio::time::Instant::now() < end, "{result:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn ended(house: &House, id: &str) -> pb::Result {
    until(house, id, |result| result.state() != pb::ResultState::Running).await
}

async fn forget(house: &House, id: &str) -> Result<(), Status> {
    house.results().drop_result(pb::DropResultRequest { result_id: id.to_owned() }).await.map(|_| ())
}

/// A window of the first statement.
fn window(id: &str, first_row: u64, row_count: u32) -> pb::ReadRowsRequest {
    pb::ReadRowsRequest { result_id: id.to_owned(), first_row, row_count, ..pb::ReadRowsRequest::default() }
}

async fn read(house: &House, request: pb::ReadRowsRequest) -> Result<pb::Rows, Status> {
    Ok(house.results().read_rows(request).await?.into_inner().rows.unwrap())
}

/// Waits until no session runs.
async fn nothing_runs(house: &House) {
    let end = tokio::time::Instant::now() + PATIENCE;
    while !house.core.running_sessions().is_empty() {
        assert!(tokio::time::Instant::now() < end, "something runs");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until nothing of any result is held: whoever made a view of it, or wrote it, lets go in its own time.
async fn nothing_is_held(house: &House) {
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        let used = house.core.results_used();
        if (used.bytes, used.memory_bytes, used.disk_bytes) == (0, 0, 0) {
            return;
        }
        assert!(tokio::time::Instant::now() < end, "{used:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
