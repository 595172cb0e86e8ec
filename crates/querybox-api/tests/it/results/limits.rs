//! What kept results may take.

use querybox_contracts::core::v1::{self as pb, run_request::Target, statement_result::End};
use tonic::Code;

use super::{
    ENDLESS, ended, forget, lease, nothing_is_held, nothing_runs, numbers, ran, read, request, run, window,
};
use crate::house::{House, check, limits};

#[tokio::test]
async fn a_result_ends_at_its_limit_and_can_be_read() {
    let house = House::keeping(limits(), |mut results| {
        results.limits.result_bytes = 1 << 20;
        results
    })
    .await;
    let sql = format!("{ENDLESS}; select 2");
    let result = ended(&house, &run(&house, &sql).await.result.unwrap().result_id).await;
    assert_eq!((result.state(), result.statement_count), (pb::ResultState::Limited, 1), "{result:?}");
    let statement = &result.statements[0];
    let limit = pb::KeepLimit { kind: pb::KeepLimitKind::ResultBytes.into(), value: 1 << 20 };
    assert_eq!(statement.end, Some(End::Limit(limit)));
    assert!(statement.row_bytes <= 1 << 20, "{statement:?}");
    let last = statement.row_count - 1;
    let rows = read(&house, window(&result.result_id, last, 10)).await.unwrap();
    assert_eq!((rows.texts, rows.growing), (vec![statement.row_count.to_string()], false));
    nothing_runs(&house).await;
}

#[tokio::test]
async fn all_results_together_have_limits() {
    let house = House::keeping(limits(), |mut results| {
        results.limits.all_bytes = 3 << 20;
        results.results_max = 2;
        results
    })
    .await;
    let first = ran(&house, &numbers(30_000)).await;
    assert_eq!(first.state(), pb::ResultState::Done);
    let second = ended(&house, &run(&house, ENDLESS).await.result.unwrap().result_id).await;
    let limit = pb::KeepLimit { kind: pb::KeepLimitKind::AllBytes.into(), value: 3 << 20 };
    assert_eq!(second.statements[0].end, Some(End::Limit(limit)), "{second:?}");
    let status = house.results().run(request("select 1")).await.unwrap_err();
    check(
        &status,
        Code::ResourceExhausted,
        "RESULTS_FULL",
        "2 results are kept, and no more may be; drop one",
    );
    // What is dropped makes room.
    forget(&house, &second.result_id).await.unwrap();
    assert_eq!(ran(&house, &numbers(1_000)).await.state(), pb::ResultState::Done);
}

#[tokio::test]
async fn a_hundred_results_share_one_memory() {
    const RESULTS: usize = 100;
    let house = House::with_shop().await;
    let session = lease(&house).await;
    let mut ids = Vec::new();
    for number in 0..RESULTS {
        let sql = format!("select {number} as a, hex(zeroblob(150000)) as t");
        let run = pb::RunRequest { target: Some(Target::SessionId(session.clone())), ..request(&sql) };
        ids.push(run.result_id.clone());
        house.results().run(run).await.unwrap();
        let result = ended(&house, ids.last().unwrap()).await;
        assert_eq!(result.state(), pb::ResultState::Done, "{result:?}");
    }
    let used = house.core.results_used();
    assert!(used.bytes >= RESULTS as u64 * 300_000, "{used:?}");
    // The limit, and the block that was open when it was reached.
    assert!(used.memory_bytes <= (4 << 20) + (1 << 20), "{used:?}");
    assert!(used.disk_bytes > 20 << 20, "{used:?}");
    for (number, id) in ids.iter().enumerate() {
        let ask = pb::ReadRowsRequest { columns: vec![0], ..window(id, 0, 1) };
        assert_eq!(read(&house, ask).await.unwrap().texts, [number.to_string()]);
        forget(&house, id).await.unwrap();
    }
    nothing_is_held(&house).await;
}
