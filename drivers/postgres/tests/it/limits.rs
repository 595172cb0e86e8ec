//! Limits of rows and bytes end a statement without harm to its transaction.

use querybox_fixtures::Postgres;
use querybox_plugin::{
    pb::{self, StoppedBy, TransactionState},
    testkit::{Answer, Client},
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
async fn a_limit_of_a_copy_takes_no_write_back() {
    let server = Postgres::start();
    server.psql("create table ins (a int); create table big as select generate_series(1, 50000) a");
    let count = || String::from_utf8(server.psql("select count(*) from ins")).unwrap().trim().to_owned();
    let mut client = open(&server).await;
    let stopped = |answer: &Answer| answer.statements.last().unwrap().summary.clone().unwrap().stopped_by();

    let wrapped = pb::ExecuteRequest {
        single_transaction: true,
        ..limited(&client, "insert into ins values (1); copy big to stdout", 2, 0)
    };
    let answer = client.execute_with(wrapped).await.unwrap();
    assert_eq!(stopped(&answer), StoppedBy::RowsMax);
    assert_eq!(count(), "1");

    let own = "begin; insert into ins values (2); copy big to stdout; commit";
    for (rows_max, bytes_max) in [(2, 0), (0, 1000)] {
        let answer = client.execute_with(limited(&client, own, rows_max, bytes_max)).await.unwrap();
        assert_eq!(ends(&answer), ["BEGIN", "INSERT 0 1", "COPY 50000", "COMMIT"]);
    }
    assert_eq!(count(), "3");

    let writing = "copy (insert into ins select generate_series(1, 50000) returning a) to stdout";
    let answer = client.execute_with(limited(&client, writing, 2, 0)).await.unwrap();
    assert_eq!(stopped(&answer), StoppedBy::RowsMax);
    assert_eq!(count(), "50003");

    // What else ends such a COPY is told.
    let failing = "copy (select 1 / (60000 - i) from generate_series(1, 100000) i) to stdout";
    let answer =
        client.execute_with(limited(&client, &format!("begin; {failing}; rollback"), 2, 0)).await.unwrap();
    assert_eq!(ends(&answer), ["BEGIN", "22012"]);
    client.execute("rollback").await.unwrap();
}

#[tokio::test]
async fn a_result_that_ends_at_both_limits_is_whole() {
    let server = Postgres::start();
    let mut client = open(&server).await;
    for (rows, rows_max, bytes_max, stopped_by) in [
        (256, 256, 1_000_000, StoppedBy::Unspecified),
        (257, 256, 1_000_000, StoppedBy::RowsMax),
        (768, 768, 1_000_000, StoppedBy::Unspecified),
        (769, 768, 1_000_000, StoppedBy::RowsMax),
        (256, 0, 1_000_000, StoppedBy::Unspecified),
    ] {
        let sql = format!("select generate_series(1, {rows})");
        let answer = client.execute_with(limited(&client, &sql, rows_max, bytes_max)).await.unwrap();
        let summary = answer.statements[0].summary.clone().unwrap();
        assert_eq!(summary.stopped_by(), stopped_by, "{rows} {rows_max} {bytes_max}");
    }
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
