//! Cancel, and what is left on the server when a driver goes.

use std::{
    io::Write as _,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use querybox_driver_postgres::Postgres as Driver;
use querybox_fixtures::Postgres;
use querybox_plugin::{
    pb::{self, TransactionState},
    testkit::{Answer, Client},
};
use tokio::{io::AsyncReadExt as _, net::TcpListener};

use crate::{
    relay,
    server::{ends, open, parameters, reason, secrets, sessions},
};

const SOON: Duration = Duration::from_secs(2);
/// What the server shows of a statement that the driver runs.
const ACTIVE: &str =
    "select count(*) from pg_stat_activity where state = 'active' and application_name like 'querybox %'";

/// Cancels a script some time after it was sent. How it ended, and how long after that.
async fn cancelled(client: &mut Client, sql: &str, after: Duration) -> (Answer, Duration) {
    let mut grpc = client.grpc.clone();
    let request = pb::CancelRequest { session_id: client.session_id.clone(), ..pb::CancelRequest::default() };
    let (answer, asked) = tokio::join!(
        async { (client.execute(sql).await.expect("a cancelled statement is a result"), Instant::now()) },
        async {
            tokio::time::sleep(after).await;
            grpc.cancel(request).await.expect("the server is asked");
            Instant::now()
        }
    );
    (answer.0, answer.1.saturating_duration_since(asked))
}

#[tokio::test]
async fn a_statement_ends_wherever_it_is() {
    let server = Postgres::start();
    server.psql("create table t (a int); create table waits (a int)");
    let mut client = open(&server).await;
    let soon_after = Duration::from_millis(150);
    for sql in [
        "select pg_sleep(60)",
        // Before the first row.
        "select count(*) from generate_series(1, 100000) a, generate_series(1, 100000) b",
        // While rows come.
        "select i, md5(i::text) from (select generate_series(1, 1000000000) i) s",
        "copy (select generate_series(1, 1000000000)) to stdout",
        "do $$ begin perform pg_sleep(60); end $$",
    ] {
        let (answer, took) = cancelled(&mut client, sql, soon_after).await;
        assert_eq!(ends(&answer), ["57014"], "{sql}");
        assert!(took < SOON, "{sql}: {took:?}");
        let state = answer.statements[0].rejection.as_ref().unwrap().transaction_state();
        assert_eq!(state, TransactionState::Idle, "{sql}");
        assert_eq!(ends(&client.execute("select 1").await.unwrap()), ["SELECT 1"], "{sql}");
    }

    // Inside a transaction, which fails with it; and the rest of the script does not run.
    let script = "begin; insert into t values (1); select pg_sleep(60); insert into t values (2); select 3";
    let (answer, _) = cancelled(&mut client, script, soon_after).await;
    assert_eq!(ends(&answer), ["BEGIN", "INSERT 0 1", "57014"]);
    let refused = answer.statements[2].rejection.as_ref().unwrap();
    assert_eq!(refused.transaction_state(), TransactionState::Failed);
    assert_eq!(ends(&client.execute("rollback; select 1").await.unwrap()), ["ROLLBACK", "SELECT 1"]);

    // Waiting for a lock, also while it is parsed.
    let mut holder = open(&server).await;
    holder.execute("begin; lock table waits in access exclusive mode").await.unwrap();
    let (answer, took) = cancelled(&mut client, "select * from waits", soon_after).await;
    assert_eq!(ends(&answer), ["57014"]);
    assert!(took < SOON, "{took:?}");
}

#[tokio::test]
async fn a_cancel_at_any_moment_leaves_the_session_usable() {
    let server = Postgres::start();
    let mut client = open(&server).await;
    let script = "select pg_sleep(0.003); select generate_series(1, 20000); select 1";
    for moment in 0..60_u64 {
        let after = Duration::from_micros(moment * 250);
        let (answer, _) = cancelled(&mut client, script, after).await;
        let last = ends(&answer).pop().unwrap();
        assert!(last == "57014" || last == "SELECT 1", "{last}");
        // Nothing of it reaches the next statement.
        let answer = client.execute("select pg_sleep(0.002); select 2").await.unwrap();
        assert_eq!(ends(&answer), ["SELECT 1", "SELECT 1"]);
    }
}

#[tokio::test]
async fn a_cancel_that_the_server_takes_late_hits_no_later_statement() {
    let server = Postgres::start();
    let (mut client, _relay) = relay::open_slow_to_cancel(&server, Duration::from_millis(200)).await;
    for _ in 0..3 {
        let rows = "select i, pg_sleep(0.02) from generate_series(1, 3000) i";
        let (answer, _) = cancelled(&mut client, rows, Duration::from_millis(100)).await;
        assert_eq!(ends(&answer), ["57014"]);
        let answer = client.execute("select pg_sleep(0.5)").await.unwrap();
        assert_eq!(ends(&answer), ["SELECT 1"]);
    }
}

#[tokio::test]
async fn a_script_that_nobody_reads_any_more_leaves_no_transaction_of_its_own() {
    let server = Postgres::start();
    server.psql("create table t (a int)");
    let mut client = open(&server).await;
    for sql in [
        "insert into t values (1); select generate_series(1, 1000000000)",
        "insert into t values (1); select pg_sleep(60)",
    ] {
        let request = pb::ExecuteRequest { single_transaction: true, ..client.execute_request(sql) };
        let mut parts = client.grpc.execute(request).await.unwrap().into_inner();
        for _ in 0..3 {
            parts.message().await.unwrap().unwrap();
        }
        drop(parts);
        let dropped = Instant::now();
        let answer = loop {
            // Refused while the dropped script is being ended.
            match client.execute("select 1").await {
                Ok(answer) => break answer,
                Err(_) => assert!(dropped.elapsed() < SOON, "{sql}"),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        let summary = answer.statements[0].summary.as_ref().unwrap();
        assert_eq!(summary.transaction_state(), TransactionState::Idle);
    }
    assert_eq!(server.psql("select count(*) from t"), b"0\n");
}

#[tokio::test]
async fn a_driver_that_is_killed_leaves_no_query_behind() {
    let server = Postgres::start();
    let mut driver = Command::new(env!("CARGO_BIN_EXE_querybox-driver-postgres"))
        .args(["exec", "--param", "host=127.0.0.1", "--param", &format!("port={}", server.port())])
        .args([
            "--param",
            "user=postgres",
            "--secrets-stdin",
            "select count(*) from generate_series(1, 1e9::bigint)",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = driver.stdin.take().unwrap();
    writeln!(stdin, "password={}", Postgres::PASSWORD).unwrap();
    drop(stdin);
    let deadline = Instant::now() + Duration::from_secs(10);
    while server.psql(ACTIVE) != b"1\n" {
        assert!(Instant::now() < deadline, "the query begins");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    driver.kill().unwrap();
    driver.wait().unwrap();
    let killed = Instant::now();
    while sessions(&server) > 0 {
        assert!(killed.elapsed() < Duration::from_secs(5), "the query of a driver that is gone ends");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_cancel_for_another_process_goes_to_the_address_of_its_connection_twice_and_nowhere_else() {
    // Two that listen: the one that the parameters name, and the one that the killed process was connected to.
    let named = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connected = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = Client::connect(Driver);
    let port = named.local_addr().unwrap().port().to_string();
    let given = vec![
        ("host".to_owned(), "localhost".to_owned()),
        ("port".to_owned(), port),
        ("user".to_owned(), "ada".to_owned()),
    ];
    let open = client.open_request(given, vec![]);
    let address = connected.local_addr().unwrap().to_string();
    let token = [b"\0\0\0\x07\0\0\0\x09\0".as_slice(), address.as_bytes()].concat();
    let asked = client.cancel_detached(open, token.into());
    let heard = async {
        for _ in 0..2 {
            let mut request = Vec::new();
            let (mut socket, _) = connected.accept().await.unwrap();
            socket.read_buf(&mut request).await.unwrap();
            // https://www.postgresql.org/docs/current/protocol-message-formats.html, CancelRequest
            assert_eq!(request, b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x07\0\0\0\x09");
        }
    };
    let (asked, ()) = tokio::join!(asked, heard);
    assert_eq!(asked.unwrap(), pb::CancelOutcome::Requested);
    let nobody = tokio::time::timeout(Duration::from_millis(50), named.accept()).await;
    assert!(nobody.is_err(), "the name is not resolved anew");
}

#[tokio::test]
async fn a_cancel_for_another_process_needs_a_token_of_this_driver() {
    let server = Postgres::start();
    for token in ["", "1234567", "12345678", "12345678\0localhost:5432", "12345678\x01127.0.0.1:5432"] {
        let mut client = Client::connect(Driver);
        let open = client.open_request(parameters(&server), secrets());
        let refused = client.cancel_detached(open, token.into()).await.unwrap_err();
        assert_eq!(reason(&refused), "PARAMETER_INVALID", "{token:?}: {refused:?}");
    }
}
