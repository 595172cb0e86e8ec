//! Scripts: what their statements answer, and what frames them.

use std::{
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use futures::StreamExt as _;
use postgres_protocol::message::{backend::Message, frontend};
use querybox_driver_postgres::Postgres as Driver;
use querybox_fixtures::{Postgres, PostgresOptions};
use querybox_plugin::{
    pb::{self, TransactionState, execute_response::Part},
    testkit::{Answer, Client},
};

use querybox_sql::testkit::postgres_script;

use crate::{
    rendering::csv,
    server::{ends, open, parameters, reason, rejection},
};

/// Scripts that are made up.
const GENERATED: u64 = 200;

#[tokio::test]
async fn every_kind_of_statement_answers() {
    let server = Postgres::start();
    let mut client = open(&server).await;
    let answer = client
        .execute(
            "create table t (a int, b text);
             insert into t select i, repeat('x', i) from generate_series(1, 5) i;
             update t set b = 'y' where a > 3;
             insert into t values (6, 'six') returning a;
             delete from t where a = 1;
             create table u as select * from t;
             ;; -- nothing
             explain select * from t;
             create procedure p(inout n int) language plpgsql as $$ begin n := n + 1; end $$;
             call p(41);
             do $$ begin perform 1; end; $$;
             prepare q as select a from t where a = $1;
             execute q(2);
             begin; declare c cursor for select a from t order by a; fetch 2 from c; move 1 in c; commit;
             show search_path;
             vacuum t;
             values (1), (2);
             table t;
             select;
             /* a comment */ checkpoint",
        )
        .await
        .unwrap();
    assert_eq!(
        ends(&answer),
        [
            "CREATE TABLE",
            "INSERT 0 5",
            "UPDATE 2",
            "INSERT 0 1",
            "DELETE 1",
            "SELECT 5",
            "EXPLAIN",
            "CREATE PROCEDURE",
            "CALL",
            "DO",
            "PREPARE",
            "SELECT 1",
            "BEGIN",
            "DECLARE CURSOR",
            "FETCH 2",
            "MOVE 1",
            "COMMIT",
            "SHOW",
            "VACUUM",
            "SELECT 2",
            "SELECT 5",
            "SELECT 1",
            "CHECKPOINT",
        ]
    );
    let affected: Vec<_> =
        answer.statements.iter().map(|s| s.summary.as_ref().unwrap().affected_rows).collect();
    assert_eq!(affected[..7], [None, Some(5), Some(2), Some(1), Some(1), Some(5), None]);
    let rows: Vec<_> = answer.statements.iter().map(querybox_plugin::testkit::Statement::rows).collect();
    assert_eq!(rows, [0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0, 2, 0, 0, 1, 0, 2, 5, 1, 0]);
    let states: Vec<_> =
        answer.statements[12..17].iter().map(|s| s.summary.as_ref().unwrap().transaction_state()).collect();
    let (open, idle) = (TransactionState::Open, TransactionState::Idle);
    assert_eq!(states, [open, open, open, open, idle]);
}

#[tokio::test]
async fn each_statement_commits_by_itself_unless_the_script_is_one_transaction() {
    let server = Postgres::start();
    let mut client = open(&server).await;
    let count = || String::from_utf8(server.psql("select count(*) from t")).unwrap().trim().to_owned();
    server.psql("create table t (a int primary key deferrable initially deferred)");

    let script = "insert into t values (1); insert into t values (2); insert into nowhere values (3); insert into t values (4)";
    let answer = client.execute(script).await.unwrap();
    assert_eq!(ends(&answer), ["INSERT 0 1", "INSERT 0 1", "42P01"]);
    assert_eq!(count(), "2");

    let in_one = |client: &Client, sql: &str| pb::ExecuteRequest {
        single_transaction: true,
        ..client.execute_request(sql)
    };
    let request = in_one(&client, "insert into t values (5); insert into nowhere values (6)");
    let answer = client.execute_with(request).await.unwrap();
    assert_eq!(ends(&answer), ["INSERT 0 1", "42P01"]);
    assert_eq!(count(), "2");

    let request = in_one(&client, "insert into t values (5); insert into t values (6)");
    assert_eq!(ends(&client.execute_with(request).await.unwrap()), ["INSERT 0 1", "INSERT 0 1"]);
    assert_eq!(count(), "4");

    // What only the COMMIT refuses is told too.
    let request = in_one(&client, "insert into t values (6)");
    let answer = client.execute_with(request).await.unwrap();
    assert_eq!(ends(&answer), ["INSERT 0 1", "23505"]);
    let refused = answer.statements[1].rejection.as_ref().unwrap();
    assert_eq!(refused.transaction_state(), TransactionState::Idle);
    assert_eq!(count(), "4");

    client.execute("begin").await.unwrap();
    let request = in_one(&client, "select 1");
    assert_eq!(ends(&client.execute_with(request).await.unwrap()), ["25001"]);
}

#[tokio::test]
async fn a_one_shot_run_that_ends_inside_a_transaction_is_rolled_back() {
    let server = Postgres::start();
    server.psql("create table t (a int)");
    let mut client = open(&server).await;
    let once =
        |client: &Client, sql: &str| pb::ExecuteRequest { one_shot: true, ..client.execute_request(sql) };
    for (sql, is_rolled_back) in [
        ("begin; insert into t values (1)", true),
        ("begin; insert into nowhere values (1)", true),
        ("begin; insert into t values (1); commit", false),
    ] {
        let answer: Answer = client.execute_with(once(&client, sql)).await.unwrap();
        assert_eq!(answer.rolled_back_at_end.is_some(), is_rolled_back, "{sql}");
    }
    assert_eq!(server.psql("select count(*) from t"), b"1\n");
    // Not so in a session that goes on.
    let answer = client.execute("begin; insert into t values (2)").await.unwrap();
    assert!(answer.rolled_back_at_end.is_none());
    client.execute("commit").await.unwrap();
    assert_eq!(server.psql("select count(*) from t"), b"2\n");
    // A script of nothing has left nothing open.
    client.execute("begin").await.unwrap();
    let answer = client.execute_with(once(&client, ";;")).await.unwrap();
    assert!(answer.statements.is_empty() && answer.rolled_back_at_end.is_none());
}

#[tokio::test]
async fn a_commit_that_rolls_back_is_no_success() {
    let server = Postgres::start();
    server.psql("create table t (a int)");
    let mut client = open(&server).await;
    for commit in ["commit", "END", "/* now */ commit work", "prepare transaction 'x'"] {
        let request = pb::ExecuteRequest {
            on_error: pb::OnError::Continue.into(),
            ..client.execute_request(&format!(
                "begin; insert into t values (1); select nowhere; {commit}; select 1"
            ))
        };
        let answer = client.execute_with(request).await.unwrap();
        assert_eq!(ends(&answer), ["BEGIN", "INSERT 0 1", "42703", "40000", "SELECT 1"], "{commit}");
        let refused = answer.statements[3].rejection.as_ref().unwrap();
        assert_eq!(refused.transaction_state(), TransactionState::Idle);
    }
    let request = pb::ExecuteRequest {
        on_error: pb::OnError::Continue.into(),
        ..client.execute_request("begin; select nowhere; rollback; begin; commit")
    };
    let answer = client.execute_with(request).await.unwrap();
    assert_eq!(ends(&answer), ["BEGIN", "42703", "ROLLBACK", "BEGIN", "COMMIT"]);
}

#[tokio::test]
async fn a_script_that_is_one_transaction_cannot_end_it() {
    let server = Postgres::start();
    server.psql("create table t (a int)");
    let mut client = open(&server).await;
    for end in ["rollback", "commit", "end", "abort", "commit and chain", "rollback and chain"] {
        for on_error in [pb::OnError::Stop, pb::OnError::Continue] {
            let request = pb::ExecuteRequest {
                single_transaction: true,
                on_error: on_error.into(),
                ..client
                    .execute_request(&format!("insert into t values (1); {end}; insert into t values (2)"))
            };
            let answer = client.execute_with(request).await.unwrap();
            assert_eq!(ends(&answer)[..2], ["INSERT 0 1", "2D000"], "{end}");
            assert_eq!(server.psql("select count(*) from t"), b"0\n", "{end}");
        }
    }
    let request = pb::ExecuteRequest {
        single_transaction: true,
        ..client.execute_request(
            "savepoint a; insert into t values (1); rollback work to a; release a; insert into t values (2)",
        )
    };
    client.execute_with(request).await.unwrap();
    assert_eq!(server.psql("select a from t"), b"2\n");
}

#[tokio::test]
async fn text_in_a_literal_is_never_run() {
    let server = Postgres::start();
    server.psql(
        "create table victim (a int); insert into victim values (1); create role lax login superuser password 'lax';
         alter role lax set standard_conforming_strings = off",
    );
    let with_escapes = r"select 'it\'; delete from victim; --'; select $$\$$, 'a'";
    let changing = |value: &str, sql: &str| format!("set standard_conforming_strings = {value}; {sql}");
    let lax = async |startup_sql: &str| {
        let mut client = Client::connect(Driver);
        let mut parameters = parameters(&server);
        parameters[2].1 = "lax".into();
        let open = pb::OpenRequest {
            options: Some(pb::OpenOptions { startup_sql: startup_sql.into(), ..Default::default() }),
            ..client.open_request(parameters, vec![("password".into(), b"lax".to_vec())])
        };
        let outcome = client.open_with(open).await.unwrap();
        assert!(matches!(outcome, pb::open_response::Outcome::Opened(_)), "{outcome:?}");
        client
    };
    let own = open(&server).await;
    for (mut client, sql, expected) in [
        (lax("").await, with_escapes.to_owned(), vec!["SELECT 1"; 2]),
        (lax(with_escapes).await, "select 1".to_owned(), vec!["SELECT 1"]),
        (own, changing("off", with_escapes), vec!["SET", "SELECT 1", "SELECT 1"]),
        (
            open(&server).await,
            format!("begin; {}", changing("off", with_escapes)),
            vec!["BEGIN", "SET", "SELECT 1", "SELECT 1"],
        ),
        (
            open(&server).await,
            format!("select set_config('standard_conforming_strings', 'off', false); {with_escapes}"),
            vec!["SELECT 1"; 3],
        ),
        // On again, a backslash ends nothing.
        (lax("").await, changing("on", r"select 'it\'; select 2 -- '"), vec!["SET", "SELECT 1", "SELECT 1"]),
    ] {
        let request =
            pb::ExecuteRequest { on_error: pb::OnError::Continue.into(), ..client.execute_request(&sql) };
        let answer = client.execute_with(request).await.unwrap();
        assert_eq!(ends(&answer), expected, "{sql}");
        assert_eq!(server.psql("select count(*) from victim"), b"1\n", "{sql}");
    }
    // What shows to be no SQL only then is told where it stands.
    let mut client = open(&server).await;
    let script = changing("off", "select 1; select 'a\\'' \\d'");
    let answer = client.execute(&script).await.unwrap();
    assert_eq!(ends(&answer), ["SET", "42601"]);
    assert_eq!(
        answer.statements[1].rejection.as_ref().unwrap().position_byte,
        Some(u32::try_from(script.len() - 3).unwrap())
    );
}

#[tokio::test]
async fn notices_and_rows_come_while_the_statement_runs() {
    let server = Postgres::start();
    let mut client = open(&server).await;
    let asked = Instant::now();
    let sql = "do $$ begin raise notice 'größe' using detail = 'd', hint = 'h'; perform pg_sleep(1); end $$;
               select repeat('x', 1000), pg_sleep(case i when 20 then 1 else 0 end) from generate_series(1, 20) i";
    let mut parts = client.grpc.execute(client.execute_request(sql)).await.unwrap().into_inner();
    // The server itself holds rows back until it has 8 KiB of them.
    let (mut notice_after, mut row_after, mut end_after) = (None, None, None);
    while let Some(part) = parts.next().await {
        match part.unwrap().part.unwrap() {
            Part::Notice(notice) => {
                assert_eq!((notice.severity.as_str(), notice.message.as_str()), ("NOTICE", "größe"));
                assert_eq!((notice.detail.as_str(), notice.hint.as_str()), ("d", "h"));
                assert_eq!((notice.sqlstate.as_str(), notice.statement), ("00000", 0));
                notice_after = Some(asked.elapsed());
            }
            Part::Batch(_) if row_after.is_none() => row_after = Some(asked.elapsed()),
            Part::Summary(_) => end_after = Some(asked.elapsed()),
            _ => {}
        }
    }
    let second = Duration::from_secs(1);
    assert!(notice_after.unwrap() < second, "{notice_after:?}");
    assert!((second..second * 2).contains(&row_after.unwrap()), "{row_after:?}");
    assert!(end_after.unwrap() >= second * 2, "{end_after:?}");
}

#[tokio::test]
async fn copy_to_stdout_is_lines_and_copy_from_stdin_is_refused() {
    let server = Postgres::start();
    let mut client = open(&server).await;
    let sql = "copy (select i, E'a\\nb' from generate_series(1, 3) i) to stdout (format csv, header)";
    let (text, columns) = csv(&mut client, sql).await;
    assert_eq!(columns[0].name, "copy");
    let lines = "copy\n\"i,?column?\"\n\"1,\"\"a\nb\"\"\"\n\"2,\"\"a\nb\"\"\"\n\"3,\"\"a\nb\"\"\"\n";
    assert_eq!(String::from_utf8(text).unwrap(), lines);
    let answer = client.execute("copy (select 1) to stdout (format binary)").await.unwrap();
    assert_eq!(answer.statements[0].header.as_ref().unwrap().columns[0].display(), pb::Display::BytesHex);
    assert_eq!(answer.statements[0].summary.as_ref().unwrap().affected_rows, None);

    server.psql("create table t (a int)");
    for (sql, state) in [
        ("copy t from stdin", TransactionState::Idle),
        ("begin; copy t from stdin", TransactionState::Failed),
    ] {
        let answer = client.execute(sql).await.unwrap();
        let refused = answer.statements.last().unwrap().rejection.as_ref().unwrap();
        assert_eq!((refused.sqlstate.as_str(), refused.transaction_state()), ("0A000", state), "{refused:?}");
    }
    assert_eq!(ends(&client.execute("rollback; select 1").await.unwrap()), ["ROLLBACK", "SELECT 1"]);
}

#[tokio::test]
async fn values_are_bound_by_number_and_by_name() {
    let server = Postgres::start();
    let mut client = open(&server).await;
    let bound = |client: &Client, sql: &str, values: &[(&str, Option<&str>)]| {
        let binding = |(name, text): &(&str, Option<&str>)| pb::Binding {
            name: (*name).to_owned(),
            text: text.map(str::to_owned),
        };
        pb::ExecuteRequest { bindings: values.iter().map(binding).collect(), ..client.execute_request(sql) }
    };
    for (sql, values) in [
        (
            "select 1 where $1 = 7 and $2::text is null and $3 = '2024-02-29'::date",
            vec![("1", Some("7")), ("2", None), ("3", Some("2024-02-29"))],
        ),
        (
            "select 1 where :n::int = 7 and :größe = 'a''b' and :n > 6 and ':n' <> ''",
            vec![("größe", Some("a'b")), ("n", Some("7"))],
        ),
    ] {
        let answer = client.execute_with(bound(&client, sql, &values)).await.unwrap();
        assert_eq!(ends(&answer), ["SELECT 1"], "{sql}");
    }
    // A position in the text that is sent leads back to the text that was written.
    let sql = "select :größe, nowhere";
    let answer = client.execute_with(bound(&client, sql, &[("größe", Some("1"))])).await.unwrap();
    let refused = answer.statements[0].rejection.as_ref().unwrap();
    assert_eq!(refused.position_byte, Some(u32::try_from(sql.find("nowhere").unwrap()).unwrap()));

    for (sql, values) in [
        ("select $1, $2", vec![("1", Some("x"))]),
        ("select 1", vec![("1", Some("x"))]),
        ("select :a", vec![("b", Some("x"))]),
        ("select $1; select 1", vec![("1", Some("x"))]),
    ] {
        let status = client.execute_with(bound(&client, sql, &values)).await.unwrap_err();
        assert_eq!(reason(&status), "BINDING_INVALID", "{sql}");
    }
    // A value that the type does not take is the database's own refusal; a parameter without any value too.
    let answer = client.execute_with(bound(&client, "select $1::int", &[("1", Some("x"))])).await.unwrap();
    assert_eq!(ends(&answer), ["22P02"]);
    assert_eq!(rejection(&mut client, "select $1::int").await.sqlstate, "42P02");
    assert_eq!(ends(&client.execute("select 1").await.unwrap()), ["SELECT 1"]);
}

#[tokio::test]
async fn a_script_has_as_many_results_as_the_simple_protocol_has_answers() {
    let access = ["local all all trust", "host all all all scram-sha-256"];
    let server = Postgres::start_with(&PostgresOptions { access: &access, ..Default::default() });
    let mut client = open(&server).await;
    let script = r#"
        select ';' as ";", E'\';' as b, $tag$ ; $$ ; $tag$ as c; -- ; here
        /* ; /* nested ; */ ; */ select 'it''s; one';
        create function half(n int) returns int language sql begin atomic select case when n > 0 then n / 2 end; end;
        create table t (a int); create rule r as on delete to t do (select 1; select 2);
        select half(4) as "a;b" ; ;
        select U&'\003b;' , (select 1)"#;
    let answer = client.execute(script).await.unwrap();
    assert_eq!(
        ends(&answer),
        ["SELECT 1", "SELECT 1", "CREATE FUNCTION", "CREATE TABLE", "CREATE RULE", "SELECT 1", "SELECT 1"]
    );
    let refused = rejection(&mut client, "select 1;\n\\d t").await;
    assert_eq!(refused.sqlstate, "42601");
    assert!(refused.message.contains("\\d"), "{refused:?}");
    assert_eq!(refused.position_byte, Some(10));

    for seed in 0..GENERATED {
        let script = postgres_script(seed);
        let answer = open(&server).await.execute(&script.sql).await.unwrap();
        let refused = answer.statements.iter().find_map(|statement| statement.rejection.as_ref());
        assert_eq!(refused, None, "{}", script.sql);
        assert_eq!(answer.statements.len(), simple_answers(&server, &script.sql), "{}", script.sql);
    }
}

/// How many statements the server finds in a script that it gets as a whole.
fn simple_answers(server: &Postgres, script: &str) -> usize {
    let socket = server.socket_folder().join(format!(".s.PGSQL.{}", server.port()));
    let mut socket = UnixStream::connect(socket).unwrap();
    let (mut input, mut output) = (BytesMut::new(), BytesMut::new());
    frontend::startup_message([("user", Postgres::USER)], &mut output).unwrap();
    socket.write_all(&output).unwrap();
    let mut answers = |socket: &mut UnixStream| {
        let (mut count, mut buffer) = (0, [0; 4096]);
        loop {
            match Message::parse(&mut input).unwrap() {
                Some(Message::ReadyForQuery(_)) => return count,
                Some(Message::CommandComplete(_)) => count += 1,
                Some(Message::ErrorResponse(_)) => panic!("{script}"),
                Some(_) => {}
                None => {
                    let read = socket.read(&mut buffer).unwrap();
                    assert!(read > 0, "the server goes on");
                    input.extend_from_slice(&buffer[..read]);
                }
            }
        }
    };
    answers(&mut socket);
    output.clear();
    frontend::query(script, &mut output).unwrap();
    socket.write_all(&output).unwrap();
    answers(&mut socket)
}
