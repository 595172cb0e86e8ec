//! Limits of rows and bytes end a statement without harm to its transaction.

use querybox_fixtures::Postgres;
use querybox_plugin::{
    pb::{self, StoppedBy, TransactionState},
    testkit::Client,
};

use crate::server::{ends, open};

fn limited(client: &Client, sql: &str, rows_max: u64, bytes_max: u64) -> pb::ExecuteRequest {
    pb::ExecuteRequest { rows_max, bytes_max, ..client.execute_request(sql) }
}

#[tokio::test]
async fn a_limit_leaves_the_transaction_as_it_was() {
    let server = Postgres::start();
    let mut client = open(&server).await;
    let endless = "select i from (select generate_series(1, 1000000000) i) s";
    client.execute("create table t (a int); begin; insert into t values (1)").await.unwrap();
    for (rows_max, bytes_max, stopped_by) in
        [(3, 0, StoppedBy::RowsMax), (0, 100_000, StoppedBy::BytesMax), (100_000, 1, StoppedBy::BytesMax)]
    {
        let answer = client.execute_with(limited(&client, endless, rows_max, bytes_max)).await.unwrap();
        let summary = answer.statements[0].summary.clone().unwrap();
        assert_eq!(summary.stopped_by(), stopped_by);
        assert_eq!(summary.transaction_state(), TransactionState::Open);
        if rows_max == 3 {
            assert_eq!(summary.rows, 3);
        }
    }
    client.execute("commit").await.unwrap();
    assert_eq!(server.psql("select count(*) from t"), b"1\n");
}

#[tokio::test]
async fn a_result_that_ends_at_the_limit_is_whole_and_each_statement_has_its_own() {
    let server = Postgres::start();
    let mut client = open(&server).await;
    let script = "select generate_series(1, 5); select generate_series(1, 6); create table t (a int); \
                  insert into t select generate_series(1, 9) returning a; \
                  copy (select generate_series(1, 100000)) to stdout";
    let answer = client.execute_with(limited(&client, script, 5, 0)).await.unwrap();
    let summaries: Vec<_> = answer.statements.iter().map(|s| s.summary.as_ref().unwrap()).collect();
    let rows: Vec<_> = summaries.iter().map(|summary| (summary.rows, summary.stopped_by())).collect();
    let (whole, stopped) = (StoppedBy::Unspecified, StoppedBy::RowsMax);
    assert_eq!(rows, [(5, whole), (6 - 1, stopped), (0, whole), (5, stopped), (5, stopped)]);
    assert_eq!(summaries[0].command_tag, "SELECT 5");
    // Rows that were inserted are inserted, whether anybody reads them or not.
    assert_eq!(server.psql("select count(*) from t"), b"9\n");
    assert_eq!(ends(&client.execute("select 1").await.unwrap()), ["SELECT 1"]);
}
