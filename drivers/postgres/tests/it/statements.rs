//! What people build sessions of: cursors, savepoints, values, transactions that collide, servers that go.

use std::time::Duration;

use querybox_driver_postgres::Postgres as Driver;
use querybox_fixtures::Postgres;
use querybox_plugin::{
    pb::{self, OnError, TransactionState, open_response::Outcome},
    testkit::{Answer, Client},
};

use crate::{
    rendering::csv,
    server::{ends, last_words, open, reason, rejection, secrets},
};

const PATIENCE: Duration = Duration::from_secs(60);

/// How the transaction stands after each statement.
fn states(answer: &Answer) -> Vec<TransactionState> {
    let state = |statement: &querybox_plugin::testkit::Statement| match &statement.rejection {
        Some(rejection) => rejection.transaction_state(),
        None => statement.summary.as_ref().expect("a statement ends").transaction_state(),
    };
    answer.statements.iter().map(state).collect()
}

async fn shown(client: &mut Client, sql: &str) -> String {
    String::from_utf8(csv(client, sql).await.0).unwrap()
}

#[tokio::test]
async fn a_cursor_is_fetched_from_call_after_call() {
    let server = Postgres::start();
    let mut client = open(&server).await;
    let declare = "begin; declare c scroll cursor for select generate_series(1, 5) as i";
    assert_eq!(ends(&client.execute(declare).await.unwrap()), ["BEGIN", "DECLARE CURSOR"]);
    assert_eq!(shown(&mut client, "fetch 2 from c").await, "i\n1\n2\n");
    assert_eq!(ends(&client.execute("move 1 in c").await.unwrap()), ["MOVE 1"]);
    assert_eq!(shown(&mut client, "fetch all from c").await, "i\n4\n5\n");
    assert_eq!(shown(&mut client, "fetch backward 1 from c").await, "i\n5\n");
    // A limit of the caller's stops the fetch, and not the cursor.
    let first =
        pb::ExecuteRequest { rows_max: 1, ..client.execute_request("fetch first from c; fetch next from c") };
    assert_eq!(ends(&client.execute_with(first).await.unwrap()), ["FETCH 1", "FETCH 1"]);
    assert_eq!(ends(&client.execute("close c; commit").await.unwrap()), ["CLOSE CURSOR", "COMMIT"]);
    assert_eq!(rejection(&mut client, "fetch 1 from c").await.sqlstate, "34000");

    // One that is held outlives its transaction.
    client.execute("begin; declare h cursor with hold for select 7 as i; commit").await.unwrap();
    assert_eq!(shown(&mut client, "fetch 1 from h").await, "i\n7\n");
    assert_eq!(ends(&client.execute("close h").await.unwrap()), ["CLOSE CURSOR"]);
    assert_eq!(rejection(&mut client, "close h").await.sqlstate, "34000");
}

#[tokio::test]
async fn a_value_has_the_type_that_the_server_finds_for_its_parameter() {
    let server = Postgres::start();
    let mut client = open(&server).await;
    for (type_name, text) in [
        ("boolean", "yes"),
        ("int2", "-32768"),
        ("int4", " 12 "),
        ("int8", "9223372036854775807"),
        ("float4", "1e-30"),
        ("float8", "-Infinity"),
        ("numeric(6,2)", "12.345"),
        ("numeric", "NaN"),
        ("date", "24 Dec 2024"),
        ("time", "24:00"),
        ("timestamp", "infinity"),
        ("timestamptz", "2024-01-01 00:00+05"),
        ("interval", "1 day ago"),
        ("uuid", "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}"),
        ("bytea", "\\x00ff"),
        ("text", "it's \u{f6}\n"),
        ("varchar(3)", ""),
        ("char(5)", "a"),
        ("jsonb", "{\"a\": [1, null]}"),
        ("int4[]", "{1,NULL,3}"),
        ("text[]", "{\"a,b\",\"\"}"),
        ("int4range", "[1,5)"),
        ("inet", "10.0.0.1/8"),
        ("point", "1,2"),
    ] {
        client.execute(&format!("drop table if exists v; create table v (v {type_name})")).await.unwrap();
        for value in [Some(text), None] {
            let binding = pb::Binding { name: "1".into(), text: value.map(str::to_owned) };
            let insert = client.execute_request("insert into v values ($1)");
            let request = pb::ExecuteRequest { bindings: vec![binding], ..insert };
            assert_eq!(ends(&client.execute_with(request).await.unwrap()), ["INSERT 0 1"], "{type_name}");
        }
        // As the server reads the same literal.
        let literal = text.replace('\'', "''");
        let same =
            server.psql(&format!("select count(*) from v where v::text = '{literal}'::{type_name}::text"));
        assert_eq!(same, b"1\n", "{type_name} {text}");
        assert_eq!(server.psql("select count(*) from v where v is null"), b"1\n", "{type_name}");
    }
}

#[tokio::test]
async fn values_that_do_not_fit_are_told_by_whoever_finds_it() {
    let server = Postgres::start();
    let mut client = open(&server).await;
    let bound = |client: &Client, sql: &str, texts: &[&str]| pb::ExecuteRequest {
        bindings: (1..)
            .zip(texts)
            .map(|(number, text)| pb::Binding { name: number.to_string(), text: Some((*text).into()) })
            .collect::<Vec<_>>(),
        ..client.execute_request(sql)
    };
    for (sql, text, sqlstate) in [
        ("select $1::int", "x", "22P02"),
        ("select $1::int2", "40000", "22003"),
        ("select $1::date", "2024-13-01", "22008"),
        ("select $1::int[]", "{1", "22P02"),
        ("select 1 / $1::int", "0", "22012"),
    ] {
        let answer = client.execute_with(bound(&client, sql, &[text])).await.unwrap();
        assert_eq!(ends(&answer), [sqlstate], "{sql}");
    }
    for (sql, texts) in
        [("select $1::int, $2::int", vec!["1"]), ("select $1::int", vec!["1", "2"]), ("select 1", vec!["1"])]
    {
        let status = client.execute_with(bound(&client, sql, &texts)).await.unwrap_err();
        assert_eq!(reason(&status), "BINDING_INVALID", "{sql}");
    }
    assert_eq!(rejection(&mut client, "select $1::int").await.sqlstate, "42P02");
    assert_eq!(ends(&client.execute("select 1").await.unwrap()), ["SELECT 1"]);
}

#[tokio::test]
async fn a_script_stops_or_goes_on_as_it_was_asked_to() {
    let server = Postgres::start();
    let mut client = open(&server).await;
    let script = "select 1; selekt; create table made (a int); select 1/0; select 2";
    assert_eq!(ends(&client.execute(script).await.unwrap()), ["SELECT 1", "42601"]);
    assert_eq!(rejection(&mut client, "table made").await.sqlstate, "42P01");
    let on = pb::ExecuteRequest { on_error: OnError::Continue.into(), ..client.execute_request(script) };
    let answer = client.execute_with(on).await.unwrap();
    assert_eq!(ends(&answer), ["SELECT 1", "42601", "CREATE TABLE", "22012", "SELECT 1"]);
}

#[tokio::test]
async fn a_savepoint_brings_a_failed_transaction_back() {
    use TransactionState::{Failed, Idle, Open};
    let server = Postgres::start();
    let mut client = open(&server).await;
    client.execute("create table t (a int)").await.unwrap();
    let begun = "begin; insert into t values (1); savepoint s; insert into t values (2); select 1/0";
    let answer = client.execute(begun).await.unwrap();
    assert_eq!(states(&answer), [Open, Open, Open, Open, Failed]);
    assert_eq!(rejection(&mut client, "select 1").await.sqlstate, "25P02");
    let rest = "rollback to s; insert into t values (3); release s; commit";
    let answer = client.execute(rest).await.unwrap();
    assert_eq!(ends(&answer), ["ROLLBACK", "INSERT 0 1", "RELEASE", "COMMIT"]);
    assert_eq!(states(&answer), [Open, Open, Open, Idle]);
    assert_eq!(server.psql("select string_agg(a::text, ',' order by a) from t"), b"1,3\n");
}

#[tokio::test]
async fn a_serialization_failure_is_a_rejection_and_the_session_can_try_again() {
    let server = Postgres::start();
    let (mut first, mut second) = (open(&server).await, open(&server).await);
    first.execute("create table t (a int); insert into t values (1)").await.unwrap();
    let begin = "begin isolation level repeatable read; table t";
    first.execute(begin).await.unwrap();
    second.execute(begin).await.unwrap();
    first.execute("update t set a = 2; commit").await.unwrap();
    let refused = rejection(&mut second, "update t set a = 3").await;
    assert_eq!(refused.sqlstate, "40001");
    assert_eq!(refused.transaction_state(), TransactionState::Failed);
    let again = "rollback; begin isolation level repeatable read; update t set a = 3; commit";
    assert_eq!(ends(&second.execute(again).await.unwrap()), ["ROLLBACK", "BEGIN", "UPDATE 1", "COMMIT"]);
}

#[tokio::test]
async fn of_a_deadlock_one_is_rejected_and_the_other_goes_on() {
    let server = Postgres::start();
    let (mut first, mut second) = (open(&server).await, open(&server).await);
    first.execute("create table t (a int, b int); insert into t values (1, 0), (2, 0)").await.unwrap();
    let hold = |row: u8| format!("set deadlock_timeout = '200ms'; begin; update t set b = 1 where a = {row}");
    first.execute(&hold(1)).await.unwrap();
    second.execute(&hold(2)).await.unwrap();
    let crossed = async {
        futures::join!(
            first.execute("update t set b = 2 where a = 2"),
            second.execute("update t set b = 2 where a = 1")
        )
    };
    let (one, other) = tokio::time::timeout(PATIENCE, crossed).await.expect("the server finds it");
    let mut both = [ends(&one.unwrap()).remove(0), ends(&other.unwrap()).remove(0)];
    both.sort();
    assert_eq!(both, ["40P01", "UPDATE 1"]);
    for client in [&mut first, &mut second] {
        client.execute("rollback").await.unwrap();
        assert_eq!(ends(&client.execute("select 1").await.unwrap()), ["SELECT 1"]);
    }
}

#[tokio::test]
async fn a_shutdown_and_a_crash_lose_the_session_and_another_host_takes_the_next() {
    for crashes in [false, true] {
        let (mut gone, stays) = (Postgres::start(), Postgres::start());
        let parameters = vec![
            ("host".into(), format!("127.0.0.1:{},127.0.0.1:{}", gone.port(), stays.port())),
            ("user".into(), Postgres::USER.into()),
            ("database".into(), Postgres::DATABASE.into()),
        ];
        let mut client = Client::connect(Driver);
        client.open(parameters.clone(), secrets()).await.unwrap();
        client.execute("begin; create table t (a int)").await.unwrap();
        if crashes {
            // Without a word that would count as one.
            gone.crash();
            let status = client.execute("table t").await.unwrap_err();
            assert_eq!(reason(&status), "CONNECTION_LOST");
        } else {
            gone.stop();
            let (rejection, status) = last_words(&mut client, "table t").await;
            assert_eq!((rejection.sqlstate.as_str(), reason(&status).as_str()), ("57P01", "CONNECTION_LOST"));
        }
        // Nothing is opened anew behind the user's back: the transaction is lost, and is not begun again.
        let status = client.execute("commit").await.unwrap_err();
        assert_eq!(reason(&status), "CONNECTION_LOST");
        assert!(status.message().contains("and its transaction with it"), "{status:?}");

        let mut next = Client::connect(Driver);
        let outcome = next.open(parameters, secrets()).await.unwrap();
        assert!(matches!(outcome, Outcome::Opened(_)), "{outcome:?}");
        assert_eq!(shown(&mut next, "show port").await, format!("port\n{}\n", stays.port()));
    }
}

#[tokio::test]
async fn what_is_larger_than_the_server_can_hold_is_its_refusal() {
    let server = Postgres::start();
    let mut client = open(&server).await;
    let refused = rejection(&mut client, "select repeat('x', 1073741824)").await;
    assert_eq!(refused.sqlstate, "54000", "{refused:?}");
    assert_eq!(ends(&client.execute("select 1").await.unwrap()), ["SELECT 1"]);
    // What fits into one message goes as it is; the command line refuses a script that does not before it sends any of it.
    let large = format!("select length('{}')", "x".repeat(16 * 1024 * 1024));
    assert_eq!(shown(&mut client, &large).await, "length\n16777216\n");
}
