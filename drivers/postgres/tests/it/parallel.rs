//! Plain tables read over several connections: the rows are those of one snapshot, and all connections end together.

use std::{
    collections::BTreeSet,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use querybox_driver_postgres::Postgres as Driver;
use querybox_fixtures::Postgres;
use querybox_plugin::{
    pb::{self, execute_response::Part, open_response::Outcome},
    testkit::Client,
};

use crate::{
    rendering::{copy_csv, csv},
    server::{ends, parameters, reason, secrets, sessions},
};

const CONNECTIONS: u32 = 4;
/// For what is only a matter of time, on a machine however slow.
const PATIENCE: Duration = Duration::from_secs(60);
/// Some 2,500 blocks, of which each connection gets several ranges.
const TABLE: &str = "create table t (id int primary key, value bigint, padding text);
    insert into t select i, 100, repeat(md5(i::text), 12) from generate_series(1, 40000) i";

/// A session that may have four connections.
async fn open_as(server: &Postgres, user: &str, options: pb::OpenOptions) -> Client {
    let mut client = Client::connect(Driver);
    let mut parameters = parameters(server);
    parameters[2].1 = user.into();
    let mut request = client.open_request(parameters, secrets());
    request.options = Some(pb::OpenOptions { connections_max: CONNECTIONS, ..options });
    let outcome = client.open_with(request).await.unwrap();
    assert!(matches!(outcome, Outcome::Opened(_)), "{outcome:?}");
    client
}

async fn open(server: &Postgres) -> Client {
    open_as(server, Postgres::USER, pb::OpenOptions::default()).await
}

/// What the server says along with the one statement, which has to be done.
async fn notices(client: &mut Client, sql: &str) -> Vec<String> {
    let answer = client.execute(sql).await.unwrap();
    let statement = answer.statements.last().unwrap();
    assert!(statement.summary.is_some(), "{sql}: {statement:?}");
    statement.notices.iter().map(|notice| notice.message.clone()).collect()
}

/// Lines behind the first one, in an order.
fn sorted(csv: &[u8]) -> Vec<String> {
    let mut lines: Vec<_> = String::from_utf8(csv.to_vec()).unwrap().lines().map(str::to_owned).collect();
    lines[1..].sort_unstable();
    lines
}

/// Waits until the server has this many sessions of the driver.
async fn wait_for_sessions(server: &Postgres, count: usize) {
    let deadline = Instant::now() + PATIENCE;
    while sessions(server) != count {
        assert!(Instant::now() < deadline, "{} sessions, and not {count}", sessions(server));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn each_row_comes_once_and_looks_as_it_does_over_one_connection() {
    let server = Postgres::start();
    server.psql(TABLE);
    server.psql(
        "create schema \"Sh op\"; create table \"Sh op\".\"T\"\"\" (\"Sp alte\" float8, a bytea, z timestamptz, n numeric[]);
         insert into \"Sh op\".\"T\"\"\" select i / 3.0, int4send(i), to_timestamp(i * 1e5), array[i, null]
           from generate_series(1, 60000) i",
    );
    server.psql(
        "create table empty (a int, b text); create table small (a int); insert into small values (1), (1), (null);
         create table parts (a int, b text) partition by range (a);
         create table part_1 partition of parts for values from (0) to (30000);
         create table part_2 (b text, dropped int, a int); alter table part_2 drop dropped;
         alter table parts attach partition part_2 for values from (30000) to (60000);
         create table part_3 partition of parts for values from (60000) to (70000);
         insert into parts select i, repeat('x', 300) from generate_series(1, 45000) i;
         create table child (c int) inherits (small); insert into child values (7, 8)",
    );
    let mut client = open(&server).await;
    for settings in [
        "",
        "set timezone to 'Asia/Kathmandu'; set datestyle to german; set bytea_output to escape; \
                          set extra_float_digits to 0; set search_path to public, \"Sh op\"",
    ] {
        if !settings.is_empty() {
            client.execute(settings).await.unwrap();
        }
        for table in ["t", "\"Sh op\".\"T\"\"\"", "empty", "small", "parts", "pg_catalog.pg_class"] {
            let sql = format!("select * from {table}");
            assert_eq!(notices(&mut client, &sql).await, [""; 0], "{sql}");
            let (ours, _) = csv(&mut client, &format!("TABLE {table} -- all of it")).await;
            let theirs = copy_csv(&server, settings, &sql);
            assert!(sorted(&ours) == sorted(&theirs), "{sql} with {settings:?} has other rows");
        }
    }
    let answer = client.execute("table t").await.unwrap();
    assert_eq!(ends(&answer), ["SELECT 40000"]);
    assert_eq!(answer.statements[0].rows(), 40_000);
    let state = answer.statements[0].summary.as_ref().unwrap().transaction_state();
    assert_eq!(state, pb::TransactionState::Idle);
    // The others are gone with the statement, and the session's own has no transaction.
    wait_for_sessions(&server, 1).await;
    let open = "select count(*) from pg_stat_activity where state like 'idle in%'";
    assert_eq!(server.psql(open), b"0\n");
}

/// Moves rows to other blocks, also to new ones at the end, until it is told to stop, or a failed test forgot to. Each
/// transaction leaves the number of rows, their ids and the sum of their values as they were.
const WRITER: &str =
    "do $$ declare one int; kept bigint; last timestamptz := clock_timestamp() + '3 minutes'; begin loop
    exit when exists (select from stop) or clock_timestamp() > last;
    one := 1 + (random() * 39990)::int;
    update t set value = value - 7 where id = one;
    update t set value = value + 7 where id = one + 5;
    delete from t where id = one + 1 returning value into kept;
    insert into t values (one + 1, kept, repeat('new', 100));
    commit;
end loop; end $$";

#[tokio::test]
async fn rows_are_those_of_one_moment_while_others_write() {
    let server = Arc::new(Postgres::start());
    server.psql(TABLE);
    server.psql("create table stop (a int)");
    let mut client = open(&server).await;
    let writer = thread::spawn({
        let server = Arc::clone(&server);
        move || server.psql(WRITER)
    });
    let deadline = Instant::now() + PATIENCE;
    while server.psql("select count(*) > 1000 from t where padding like 'new%'") != b"t\n" {
        assert!(Instant::now() < deadline, "somebody writes");
    }
    for _ in 0..5 {
        assert_eq!(notices(&mut client, "select * from t").await, [""; 0]);
        let (rows, _) = csv(&mut client, "select * from t").await;
        let rows = String::from_utf8(rows).unwrap();
        let rows: Vec<(u32, i64)> = rows
            .lines()
            .skip(1)
            .map(|line| {
                let mut cells = line.split(',');
                let mut cell = || cells.next().unwrap();
                (cell().parse().unwrap(), cell().parse().unwrap())
            })
            .collect();
        let ids: BTreeSet<u32> = rows.iter().map(|row| row.0).collect();
        assert_eq!((rows.len(), ids.len()), (40_000, 40_000));
        assert_eq!(rows.iter().map(|row| row.1).sum::<i64>(), 4_000_000);
    }
    server.psql("insert into stop values (1)");
    writer.join().unwrap();
}

#[tokio::test]
async fn nothing_that_others_made_runs_when_a_table_is_looked_for() {
    let server = Postgres::start();
    server.psql(TABLE);
    server.psql(
        "create function public.trap(oid, oid) returns boolean language plpgsql as \
           $$ begin raise exception 'sprung'; end $$; \
         create operator public.= (leftarg = oid, rightarg = oid, function = public.trap); \
         create function public.trap(oid, regclass) returns boolean language plpgsql as \
           $$ begin raise exception 'sprung'; end $$; \
         create operator public.= (leftarg = oid, rightarg = regclass, function = public.trap)",
    );
    let mut client = open(&server).await;
    client.execute("set search_path = public, pg_catalog").await.unwrap();
    let answer = client.execute("select 1::oid = 2::oid").await.unwrap();
    assert_eq!(answer.statements[0].rejection.as_ref().unwrap().message, "sprung");
    assert_eq!(notices(&mut client, "select * from t").await, [""; 0]);
}

/// Begins to read the table, and stops when the first rows have come: the rest waits.
async fn begin(client: &mut Client) -> tonic::Streaming<pb::ExecuteResponse> {
    let mut parts =
        client.grpc.execute(client.execute_request("select * from t")).await.unwrap().into_inner();
    loop {
        match parts.message().await.unwrap().unwrap().part.unwrap() {
            Part::Header(_) => {}
            Part::Batch(_) => return parts,
            other => panic!("{other:?}"),
        }
    }
}

/// Reads on to the end: the SQLSTATE of the refusal, or the reason of the failure.
async fn end(mut parts: tonic::Streaming<pb::ExecuteResponse>) -> String {
    let mut refused = None;
    loop {
        match parts.message().await {
            Ok(Some(part)) => match part.part.unwrap() {
                Part::Rejection(rejection) => refused = Some(rejection.sqlstate),
                Part::Batch(_) => {}
                other => panic!("{other:?}"),
            },
            Ok(None) => return refused.expect("something was wrong"),
            Err(status) => return reason(&status),
        }
    }
}

#[tokio::test]
async fn a_cancel_ends_all_of_them() {
    let server = Postgres::start();
    server.psql(TABLE);
    let mut client = open(&server).await;
    let parts = begin(&mut client).await;
    assert_eq!(sessions(&server), 4);
    let cancel = pb::CancelRequest { session_id: client.session_id.clone(), ..pb::CancelRequest::default() };
    let mut grpc = client.grpc.clone();
    let (ended, cancelled) = tokio::join!(end(parts), grpc.cancel(cancel));
    cancelled.unwrap();
    assert_eq!(ended, "57014");
    wait_for_sessions(&server, 1).await;
    assert_eq!(ends(&client.execute("select 1").await.unwrap()), ["SELECT 1"]);
    assert_eq!(ends(&client.execute("select * from t").await.unwrap()), ["SELECT 40000"]);

    // And so does a reader who leaves.
    drop(begin(&mut client).await);
    wait_for_sessions(&server, 1).await;
}

#[tokio::test]
async fn a_connection_that_is_killed_ends_all_of_them_with_its_failure() {
    let server = Postgres::start();
    server.psql(TABLE);
    // The session's own is the oldest.
    for order in ["backend_start", "backend_start desc"] {
        let mut client = open(&server).await;
        let parts = begin(&mut client).await;
        server.psql(&format!(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'querybox %'
             order by {order} limit 1"
        ));
        // One that is in the middle of a row cannot say why.
        let ended = end(parts).await;
        assert!(["57P01", "CONNECTION_LOST"].contains(&ended.as_str()), "{ended}");
        drop(client);
        wait_for_sessions(&server, 0).await;
    }
}

#[tokio::test]
async fn what_is_read_over_one_connection_says_why() {
    let server = Postgres::start();
    server.psql(TABLE);
    server.psql(
        "create view v as select * from t; create materialized view m as select 1 as a;
         create role reader login password 'r'; grant select on t to reader;
         create table secret (a int, owner text); alter table secret enable row level security;
         create policy p on secret using (owner = current_user); grant select on secret to reader;
         insert into secret values (1, 'reader'), (2, 'postgres')",
    );
    server.psql(&format!("alter role reader password '{}'", Postgres::PASSWORD));
    let mut client = open(&server).await;
    client.execute("create temp table own (a int)").await.unwrap();
    for (sql, why) in [
        ("select * from v", "it is no table"),
        ("select * from m", "cannot lock relation \"m\""),
        ("select * from own", "a temporary table is seen by its own session alone"),
        ("select * from t limit 1", "only `select * from` a table, and nothing more, is read over several"),
        ("begin; select * from t", "a transaction is open, which the others do not see"),
    ] {
        let told = notices(&mut client, sql).await;
        assert_eq!(told, [format!("read over one connection: {why}")], "{sql}");
    }
    client.execute("rollback").await.unwrap();
    let limited = pb::ExecuteRequest { rows_max: 1, ..client.execute_request("select * from t") };
    let answer = client.execute_with(limited).await.unwrap();
    let [notice] = &answer.statements[0].notices[..] else { panic!("{answer:?}") };
    assert!(notice.message.ends_with("a limit is set on what it may return"));
    // A script that is one transaction stays one.
    let script = "insert into t values (-1, 0, ''); select * from t; select nowhere";
    let single = pb::ExecuteRequest { single_transaction: true, ..client.execute_request(script) };
    assert_eq!(ends(&client.execute_with(single).await.unwrap()), ["INSERT 0 1", "SELECT 40001", "42703"]);
    assert_eq!(server.psql("select count(*) from t"), b"40000\n");
    // Nothing is said of what returns no table's rows, and a refusal is told once.
    let answer = client.execute("insert into t values (0, 100, ''); select * from nothing").await.unwrap();
    assert_eq!(ends(&answer), ["INSERT 0 1", "42P01"]);
    assert!(answer.statements.iter().all(|statement| statement.notices.is_empty()), "{answer:?}");

    let mut reader = open_as(&server, "reader", pb::OpenOptions::default()).await;
    let told = notices(&mut reader, "select * from secret").await;
    assert_eq!(told, ["read over one connection: policies say which of its rows are seen"]);
    let (rows, _) = csv(&mut reader, "select * from secret").await;
    assert_eq!(rows, b"a,owner\n1,reader\n");
    drop(reader);
    wait_for_sessions(&server, 1).await;

    // As many as there may be.
    server.psql("alter role reader connection limit 2");
    let mut reader = open_as(&server, "reader", pb::OpenOptions::default()).await;
    let told = notices(&mut reader, "select * from t").await;
    assert_eq!(told, ["read over 2 of 4 connections: too many connections for role \"reader\""]);
}

#[tokio::test]
async fn read_only_sessions_and_roles_read_as_they_may() {
    let server = Postgres::start();
    server.psql(TABLE);
    server.psql(
        "create role reader login; grant select on t to reader; create role nobody; grant nobody to reader",
    );
    server.psql(&format!("alter role reader password '{}'", Postgres::PASSWORD));
    let options = pb::OpenOptions { read_only: true, ..pb::OpenOptions::default() };
    let mut client = open_as(&server, "reader", options).await;
    assert_eq!(notices(&mut client, "select * from t").await, [""; 0]);
    let (rows, _) = csv(&mut client, "select * from t").await;
    assert!(sorted(&rows) == sorted(&copy_csv(&server, "", "select * from t")));
    assert_eq!(ends(&client.execute("insert into t values (0, 0, '')").await.unwrap()), ["25006"]);

    // Who the session has become is who the others are.
    let mut client = open_as(&server, "reader", pb::OpenOptions::default()).await;
    assert_eq!(ends(&client.execute("set role nobody; select * from t").await.unwrap()), ["SET", "42501"]);
    server.psql("grant select on t to nobody; revoke select on t from reader");
    let answer = client.execute("select * from t").await.unwrap();
    assert_eq!(ends(&answer), ["SELECT 40000"]);
    assert!(answer.statements[0].notices.is_empty(), "{answer:?}");
}
