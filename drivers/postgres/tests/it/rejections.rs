//! What the server refuses, and what is left of the session then.

use querybox_fixtures::Postgres;
use querybox_plugin::{
    pb::{self, TransactionState},
    testkit::Client,
};

use crate::server::{ends, last_words, open, reason, rejection};

#[track_caller]
fn at(script: &str, part: &str) -> Option<u32> {
    Some(u32::try_from(script.find(part).expect("the script has it")).unwrap())
}

#[tokio::test]
async fn a_rejection_says_what_and_where() {
    let server = Postgres::start();
    server.psql(
        "create table parent (id int primary key);
         create table child (id int references parent);
         create function broken() returns int language plpgsql as
         $$ begin return (select nowhere from parent); end $$",
    );
    let mut client = open(&server).await;

    let sql = "select 'größe 日本語 🙂', nowhere";
    let refused = rejection(&mut client, sql).await;
    assert_eq!((refused.sqlstate.as_str(), refused.severity.as_str()), ("42703", "ERROR"));
    assert_eq!(refused.message, "column \"nowhere\" does not exist");
    assert_eq!(refused.position_byte, at(sql, "nowhere"));

    let script = "select 'größe'; /* ä */ select 1 +; select 2";
    let answer = client.execute(script).await.unwrap();
    let refused = answer.statements[1].rejection.as_ref().unwrap();
    // The server means the end of the statement that it got.
    assert_eq!(refused.position_byte, at(script, "; select 2"));

    let refused = rejection(&mut client, "insert into child values (7)").await;
    assert_eq!(refused.sqlstate, "23503");
    assert_eq!(refused.detail, "Key (id)=(7) is not present in table \"parent\".");

    let refused = rejection(&mut client, "select broken()").await;
    assert_eq!(refused.position_byte, None);
    assert!(refused.context.contains("PL/pgSQL function broken()"), "{refused:?}");
    assert!(refused.context.contains("internal query"), "{refused:?}");
    assert!(refused.context.contains("nowhere"), "{refused:?}");

    // After rows were told.
    let answer = client.execute("select 1 / (3 - i) from generate_series(1, 3) i").await.unwrap();
    assert_eq!(ends(&answer), ["22012"]);
    assert_eq!(answer.statements[0].rows(), 2);

    let refused = rejection(&mut client, "select 1\0").await;
    assert_eq!((refused.sqlstate.as_str(), refused.position_byte), ("22021", Some(8)));

    let answer = client.execute("begin; select nowhere").await.unwrap();
    let refused = answer.statements[1].rejection.as_ref().unwrap();
    assert_eq!(refused.transaction_state(), TransactionState::Failed);
    assert_eq!(rejection(&mut client, "select 0.1::float8").await.sqlstate, "25P02");
    assert_eq!(
        ends(&client.execute("rollback; select 0.1::float8").await.unwrap()),
        ["ROLLBACK", "SELECT 1"]
    );
}

#[tokio::test]
async fn an_error_of_any_length_is_told_and_the_session_goes_on() {
    let server = Postgres::start();
    let mut client = open(&server).await;
    for bytes in [1024 * 1024 - 200, 1024 * 1024, 1024 * 1024 + 200, 70_000_000] {
        for raise in ["raise exception", "raise warning"] {
            let sql = format!(
                "do $$ begin {raise} '%', repeat('x', {bytes}) using hint = 'h'; end $$; select 1 as after"
            );
            let request =
                pb::ExecuteRequest { on_error: pb::OnError::Continue.into(), ..client.execute_request(&sql) };
            let answer = client.execute_with(request).await.unwrap();
            let expected = if raise == "raise exception" { "P0001" } else { "DO" };
            assert_eq!(ends(&answer), [expected, "SELECT 1"], "{raise} {bytes}");
            if let Some(rejection) = &answer.statements[0].rejection {
                let told = &rejection.message;
                assert!(told.starts_with("xxx") && told.len() > 200_000, "{} of {bytes}", told.len());
            }
        }
    }
}

async fn lost(client: &mut Client) {
    let status = client.execute("select 1").await.unwrap_err();
    assert_eq!(reason(&status), "CONNECTION_LOST");
}

#[tokio::test]
async fn a_session_that_the_administrator_ends_is_told_and_then_lost() {
    let mut server = Postgres::start();
    for (before, state) in [("", TransactionState::Idle), ("begin; ", TransactionState::Open)] {
        let mut client = open(&server).await;
        let end = format!("{before}select pg_terminate_backend(pg_backend_pid())");
        let (refused, status) = last_words(&mut client, &end).await;
        assert_eq!((refused.sqlstate.as_str(), refused.severity.as_str()), ("57P01", "FATAL"));
        assert_eq!(refused.transaction_state(), state, "what is lost");
        assert_eq!(reason(&status), "CONNECTION_LOST", "told at once");
        lost(&mut client).await;
    }
    // Nothing can follow in a session for one script, so that nothing more is lost.
    let mut client = open(&server).await;
    let end = client.execute_request("select pg_terminate_backend(pg_backend_pid())");
    let answer = client.execute_with(pb::ExecuteRequest { one_shot: true, ..end }).await;
    assert_eq!(ends(&answer.unwrap()), ["57P01"]);

    // The rest of a script is lost, too.
    let mut client = open(&server).await;
    let request = pb::ExecuteRequest {
        on_error: pb::OnError::Continue.into(),
        ..client.execute_request("select pg_terminate_backend(pg_backend_pid()); select 1")
    };
    assert_eq!(reason(&client.execute_with(request).await.unwrap_err()), "CONNECTION_LOST");

    let mut idle = open(&server).await;
    let mut busy = open(&server).await;
    let ((refused, status), server) = tokio::join!(last_words(&mut busy, "select pg_sleep(60)"), async {
        wait_until_asleep(&server).await;
        tokio::task::spawn_blocking(move || {
            server.stop();
            server
        })
        .await
        .unwrap()
    });
    assert_eq!((refused.sqlstate.as_str(), reason(&status).as_str()), ("57P01", "CONNECTION_LOST"));
    lost(&mut busy).await;
    // It was told while nobody had asked: that is what the next statement finds.
    assert_eq!(last_words(&mut idle, "select 1").await.0.sqlstate, "57P01");
    lost(&mut idle).await;
    drop(server);
}

#[tokio::test]
async fn a_server_that_dies_in_the_middle_of_a_query_is_a_lost_connection() {
    let mut server = Postgres::start();
    let mut client = open(&server).await;
    let (answer, server) = tokio::join!(client.execute("begin; select pg_sleep(60)"), async {
        wait_until_asleep(&server).await;
        tokio::task::spawn_blocking(move || {
            server.crash();
            server
        })
        .await
        .unwrap()
    });
    match answer {
        Err(status) => assert_eq!(reason(&status), "CONNECTION_LOST"),
        // The crash can be announced before the connection goes.
        Ok(answer) => assert_eq!(ends(&answer), ["BEGIN", "57P02"]),
    }
    lost(&mut client).await;
    drop(server);
}

async fn wait_until_asleep(server: &Postgres) {
    let asleep = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'";
    while server.psql(asleep) != b"1\n" {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
