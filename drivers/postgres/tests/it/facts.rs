//! What is told of the columns that come from a table, and what asking for it does to the session: nothing.

use std::time::Duration;

use querybox_fixtures::Postgres;
use querybox_plugin::{
    pb::{self, TransactionState, execute_response::Part},
    testkit::{Answer, Client},
};

use crate::{
    relay,
    server::{ends, open},
};

const TABLES: &str = r#"
    create schema "Größe; drop";
    create table "Größe; drop"."a ""b""" ("id x" int primary key, v text not null, w text);
    create table pair (b int, a int, note text, primary key (a, b) include (note));
    create table part (id int not null, at date not null, v int, primary key (id, at)) partition by range (at);
    create table part_1 partition of part for values from ('2024-01-01') to ('2025-01-01');
    create view seen as select id, v from part;
    create materialized view kept as select id, v from part;
    create domain solid as int not null;
    create table odd (d solid, gone int, n int unique);
    alter table odd drop column gone;
    insert into part values (1, '2024-02-29', 7);
    insert into pair values (1, 2, 'x');
"#;

fn asking(client: &Client, sql: &str) -> pb::ExecuteRequest {
    pb::ExecuteRequest { column_facts: true, ..client.execute_request(sql) }
}

async fn ask(client: &mut Client, sql: &str) -> Answer {
    client.execute_with(asking(client, sql)).await.unwrap()
}

/// One line a fact of the last statement: `column: schema.table.column`, `key`, `not null` or `null`.
fn told(answer: &Answer) -> Vec<String> {
    let line = |fact: &pb::ColumnFact| {
        let pb::ColumnFact { column, origin_schema, origin_table, origin_column, primary_key, nullable } =
            fact;
        let key = if *primary_key { " key" } else { "" };
        let null = match nullable {
            Some(true) => " null",
            Some(false) => " not null",
            None => "",
        };
        format!("{column}: {origin_schema}.{origin_table}.{origin_column}{key}{null}")
    };
    answer.statements.last().unwrap().facts.iter().map(line).collect()
}

async fn check(client: &mut Client, sql: &str, expected: &[&str]) {
    let answer = ask(client, sql).await;
    assert!(answer.statements.iter().all(|statement| statement.rejection.is_none()), "{sql}: {answer:?}");
    assert_eq!(told(&answer), expected, "{sql}");
}

#[tokio::test]
async fn columns_of_tables_are_told_by_what_the_table_declares() {
    let server = Postgres::start();
    server.psql(TABLES);
    let mut client = open(&server).await;
    check(
        &mut client,
        r#"select w, "id x", v, v || 'x' as e, 1 as one, v as again from "Größe; drop"."a ""b""""#,
        &[
            r#"0: Größe; drop.a "b".w null"#,
            r#"1: Größe; drop.a "b".id x key not null"#,
            r#"2: Größe; drop.a "b".v not null"#,
            r#"5: Größe; drop.a "b".v not null"#,
        ],
    )
    .await;
    // What the index of a key has besides is not of the key; an outer join changes nothing of what was declared.
    check(
        &mut client,
        "select p.note, p.a, q.b, q.v from pair p left join (select b, 1 as v from pair) q using (b)",
        &["0: public.pair.note null", "1: public.pair.a key not null", "2: public.pair.b key not null"],
    )
    .await;
    check(
        &mut client,
        "select * from part",
        &["0: public.part.id key not null", "1: public.part.at key not null", "2: public.part.v null"],
    )
    .await;
    check(&mut client, "select v, id from seen", &["0: public.seen.v", "1: public.seen.id"]).await;
    check(&mut client, "select id from kept", &["0: public.kept.id"]).await;
    check(&mut client, "select n, d from odd", &["0: public.odd.n null", "1: public.odd.d null"]).await;
    check(
        &mut client,
        "select ctid, tableoid from pair",
        &["0: public.pair.ctid not null", "1: public.pair.tableoid not null"],
    )
    .await;
    check(
        &mut client,
        "insert into part values (2, '2024-03-01', 1) returning v",
        &["0: public.part.v null"],
    )
    .await;
    check(&mut client, "select count(*) from part", &[]).await;
    check(&mut client, "select", &[]).await;
    check(
        &mut client,
        "with t as (select id as renamed from part) select renamed from t",
        &["0: public.part.id key not null"],
    )
    .await;
    let schema = temp_schema(&mut client).await;
    let sql = "create temp table mine (a int primary key); select a from mine";
    check(&mut client, sql, &[&format!("0: {schema}.mine.a key not null")]).await;
    // A thousand columns of one table, and a type whose name is asked for as well.
    server.psql("create type mood as enum ('sad'); create table moods (m mood not null)");
    let many = format!("select m{} from moods", ", m".repeat(1_000));
    let answer = ask(&mut client, &many).await;
    assert_eq!(told(&answer).len(), 1_001, "{answer:?}");
    assert_eq!(answer.statements[0].header.as_ref().unwrap().columns[1_000].database_type, "mood");
}

async fn temp_schema(client: &mut Client) -> String {
    // The schema is made with its first table.
    client.execute("create temp table first ()").await.unwrap();
    let bytes = crate::rendering::csv(client, "select pg_my_temp_schema()::regnamespace::text as n").await.0;
    String::from_utf8(bytes).unwrap().lines().last().unwrap().to_owned()
}

#[tokio::test]
async fn facts_stand_between_the_header_and_the_first_row() {
    let server = Postgres::start();
    server.psql(TABLES);
    let client = open(&server).await;
    let sql = "select v, pg_sleep(0) from part, generate_series(1, 50000)";
    for rows_max in [0, 10] {
        let request = pb::ExecuteRequest { rows_max, ..asking(&client, sql) };
        let mut parts = client.grpc.clone().execute(request).await.unwrap().into_inner();
        let mut order = Vec::new();
        while let Some(part) = parts.message().await.unwrap() {
            order.push(match part.part.unwrap() {
                Part::Header(_) => "header",
                Part::ColumnFacts(_) => "facts",
                Part::Batch(_) => "batch",
                Part::Summary(_) => "summary",
                other => panic!("{other:?}"),
            });
        }
        order.dedup();
        assert_eq!(order, ["header", "facts", "batch", "summary"], "{rows_max}");
    }
}

#[tokio::test]
async fn nobody_is_asked_where_nobody_wants_to_know() {
    let server = Postgres::start();
    server.psql(TABLES);
    let mut client = open(&server).await;
    assert_eq!(told(&client.execute("select * from part").await.unwrap()), [""; 0]);
    // In one transaction the server's locks tell what was looked at.
    let sql =
        "select mode from pg_locks where relation = 'pg_constraint'::regclass and pid = pg_backend_pid()";
    let script = format!("begin; select * from part; {sql}; rollback");
    let answer = client.execute(&script).await.unwrap();
    assert_eq!(answer.statements[2].rows(), 0, "{answer:?}");
    let answer = ask(&mut client, &script).await;
    assert_eq!(answer.statements[1].facts.len(), 3, "{answer:?}");
}

#[tokio::test]
async fn a_transaction_stays_as_it_was() {
    let server = Postgres::start();
    server.psql(TABLES);
    let mut client = open(&server).await;
    let id = ["0: public.part.id key not null"];
    check(
        &mut client,
        "begin; savepoint querybox_schema; insert into pair values (5, 5); select id from part",
        &id,
    )
    .await;
    // The user's savepoint of the same name is the one that is there.
    let back = "rollback to savepoint querybox_schema; select count(*) from pair where a = 5";
    let answer = ask(&mut client, back).await;
    assert_eq!(ends(&answer), ["ROLLBACK", "SELECT 1"]);
    check(&mut client, "select id from part", &id).await;
    check(&mut client, "declare c cursor for select id from part; fetch 1 from c", &id).await;
    let answer = ask(&mut client, "select 1/0 from part").await;
    assert_eq!(ends(&answer), ["22012"]);
    assert_eq!(
        answer.statements[0].rejection.as_ref().unwrap().transaction_state(),
        TransactionState::Failed
    );
    let answer = ask(&mut client, "select id from part").await;
    assert_eq!(ends(&answer), ["25P02"]);
    assert_eq!(ends(&ask(&mut client, "rollback").await), ["ROLLBACK"]);

    // The snapshot is the statement's: what another commits before it is seen.
    check(&mut client, "begin isolation level repeatable read; select id from part", &id).await;
    server.psql("insert into part values (9, '2024-05-05', 1)");
    let answer = ask(&mut client, "select id from part").await;
    assert_eq!(answer.statements[0].rows(), 1);
    assert_eq!(ends(&ask(&mut client, "commit").await), ["COMMIT"]);

    // A script as one transaction, and a one-shot session's.
    let request = pb::ExecuteRequest {
        single_transaction: true,
        one_shot: true,
        ..asking(&client, "insert into pair values (6, 6); select id from part")
    };
    let answer = client.execute_with(request).await.unwrap();
    assert_eq!(ends(&answer), ["INSERT 0 1", "SELECT 2"]);
    assert_eq!(told(&answer), id);
    assert_eq!(server.psql("select count(*) from pair where a = 6"), b"1\n");
}

#[tokio::test]
async fn a_catalog_that_may_not_be_read_costs_nothing_but_the_facts() {
    let server = Postgres::start();
    server.psql(TABLES);
    server.psql(
        "revoke select on pg_catalog.pg_constraint from public;
         create role poor; grant all on part, pair to poor; create table log (a int); grant all on log to poor",
    );
    let mut client = open(&server).await;
    client.execute("set role poor").await.unwrap();
    // Once: the statement is run once as well.
    let answer = ask(&mut client, "insert into log values (1) returning a").await;
    assert_eq!(ends(&answer), ["INSERT 0 1"]);
    assert_eq!(told(&answer), [""; 0]);
    assert_eq!(server.psql("select count(*) from log"), b"1\n");

    // Each in a session that has not been refused yet.
    let mut client = open(&server).await;
    client.execute("set role poor").await.unwrap();
    let answer = ask(&mut client, "begin; insert into log values (2); select * from log; commit").await;
    assert_eq!(ends(&answer), ["BEGIN", "INSERT 0 1", "SELECT 2", "COMMIT"]);
    assert_eq!(server.psql("select count(*) from log"), b"2\n");

    let mut client = open(&server).await;
    client.execute("set role poor").await.unwrap();
    let request =
        pb::ExecuteRequest { rows_max: 1, single_transaction: true, ..asking(&client, "select * from log") };
    let answer = client.execute_with(request).await.unwrap();
    assert_eq!(ends(&answer), [""]);
    assert_eq!(answer.statements[0].rows(), 1);
}

#[tokio::test]
async fn names_and_operators_of_a_user_are_not_the_servers() {
    let server = Postgres::start();
    server.psql(TABLES);
    server.psql(
        "create schema evil;
         create table evil.heard (what text);
         create function evil.eq(oid, oid) returns bool language plpgsql as
           $$ begin insert into evil.heard values ('oid'); return false; end $$;
         create operator evil.= (leftarg = oid, rightarg = oid, function = evil.eq);
         create function evil.eq(int2, int2) returns bool language plpgsql as
           $$ begin insert into evil.heard values ('int2'); return false; end $$;
         create operator evil.= (leftarg = int2, rightarg = int2, function = evil.eq);
         create function evil.eq(\"char\", \"char\") returns bool language plpgsql as
           $$ begin insert into evil.heard values ('char'); return false; end $$;
         create operator evil.= (leftarg = \"char\", rightarg = \"char\", function = evil.eq);
         create function evil.unnest(anyarray) returns setof int language plpgsql as
           $$ begin insert into evil.heard values ('unnest'); end $$;
         create table evil.pg_class (oid oid); create table evil.pg_attribute (attrelid oid);
         create type evil.\"char\" as (a int)",
    );
    let mut client = open(&server).await;
    client.execute("set search_path to evil, pg_temp, public, pg_catalog").await.unwrap();
    check(
        &mut client,
        "select id, at from part",
        &["0: public.part.id key not null", "1: public.part.at key not null"],
    )
    .await;
    assert_eq!(server.psql("select count(*) from evil.heard"), b"0\n");
}

#[tokio::test]
async fn a_statement_may_change_what_it_is_asked_about() {
    let server = Postgres::start();
    server.psql(TABLES);
    let mut client = open(&server).await;
    check(&mut client, "select a from pair", &["0: public.pair.a key not null"]).await;
    // Nothing is remembered.
    server.psql("alter table pair drop constraint pair_pkey; alter table pair rename a to renamed");
    check(&mut client, "select renamed from pair", &["0: public.pair.renamed not null"]).await;
    let script = "begin; declare c cursor with hold for select id from part; commit; drop view seen; \
         drop materialized view kept; drop table part; fetch 1 from c";
    let answer = ask(&mut client, script).await;
    assert_eq!(ends(&answer).last().unwrap(), "FETCH 1");
    assert_eq!(told(&answer), [""; 0], "there is no such table any more");
    check(&mut client, "prepare p as select note from pair; execute p", &["0: public.pair.note null"]).await;
    assert_eq!(
        ends(&ask(&mut client, "select name from pg_prepared_statements where name <> 'p'").await),
        ["SELECT 0"]
    );
}

#[tokio::test]
async fn a_cancel_while_the_catalog_is_asked_cancels_the_statement() {
    let server = Postgres::start();
    server.psql(TABLES);
    let mut client = open(&server).await;
    // A backend that knows the table looks into no catalog for the statement itself: PostgreSQL 18 does, for a new one.
    for begin in ["select a from pair", "begin; insert into pair values (7, 7)"] {
        ask(&mut client, begin).await;
        // Somebody holds what the question needs, and the statement does not.
        let mut holder = open(&server).await;
        let hold = "begin; lock table pg_catalog.pg_constraint in access exclusive mode";
        assert_eq!(ends(&holder.execute(hold).await.unwrap()), ["BEGIN", "LOCK TABLE"]);
        let request = asking(&client, "insert into pair values (8, 8) returning a");
        let cancel = pb::CancelRequest { session_id: client.session_id.clone(), ..Default::default() };
        let mut grpc = client.grpc.clone();
        let (answer, ()) = tokio::join!(client.execute_with(request), async {
            // Not the view of it, which PostgreSQL 18 cannot read now.
            let waits = "select count(*) from pg_stat_get_activity(null) where wait_event_type = 'Lock'";
            while server.psql(waits) != b"1\n" {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            grpc.cancel(cancel).await.unwrap();
        });
        assert_eq!(ends(&answer.unwrap()), ["57014"], "{begin}");
        client.execute("rollback").await.unwrap();
        holder.execute("rollback").await.unwrap();
        assert_eq!(server.psql("select count(*) from pair where a in (7, 8)"), b"0\n");
        check(&mut client, "select a from pair", &["0: public.pair.a key not null"]).await;
    }
}

#[tokio::test]
async fn a_limit_that_the_question_reaches_costs_the_facts_alone() {
    let server = Postgres::start();
    server.psql(TABLES);
    let mut client = open(&server).await;
    // A backend that knows the table looks into no catalog for the statement itself: PostgreSQL 18 does, for a new one.
    client.execute("insert into pair values (9, 9) returning a").await.unwrap();
    let mut holder = open(&server).await;
    holder.execute("begin; lock table pg_catalog.pg_constraint in access exclusive mode").await.unwrap();
    for (limit, row) in [("lock_timeout = '50ms'", 7), ("statement_timeout = '2s'", 8)] {
        let insert = format!("insert into pair values ({row}, {row}) returning a");
        let answer = ask(&mut client, &format!("set {limit}; {insert}; reset all")).await;
        assert_eq!(ends(&answer), ["SET", "INSERT 0 1", "RESET"], "{limit}");
        assert_eq!(answer.statements[1].facts, [], "{limit}");
        let script =
            format!("begin; set local {limit}; update pair set b = 0 where a = {row} returning a; commit");
        let answer = ask(&mut client, &script).await;
        assert_eq!(ends(&answer), ["BEGIN", "SET", "UPDATE 1", "COMMIT"], "{limit}");
        assert_eq!(answer.statements[2].facts, [], "{limit}");
    }
    holder.execute("rollback").await.unwrap();
    assert_eq!(server.psql("select count(*) from pair where a in (7, 8) and b = 0"), b"2\n");
    // It was reached once.
    check(&mut client, "select a from pair", &["0: public.pair.a key not null"]).await;
}

#[tokio::test]
async fn a_server_without_savepoints_runs_transactions_as_they_are() {
    let server = Postgres::start();
    server.psql(TABLES);
    for (row, refused) in [
        // Not in its grammar; a command that it knows and does not take; and no word of why.
        (10, "SAVEPOINX querybox_schema"),
        (20, "DROP TABLE querybox_schem"),
        (30, "SET ROLE nobody_there_xxx"),
    ] {
        let (mut client, _relay) = relay::open_with(&server, "SAVEPOINT querybox_schema", refused).await;
        let insert = format!("insert into pair values (0, {row}) returning a");
        let answer = ask(&mut client, &format!("begin; {insert}; select id from part; commit")).await;
        assert_eq!(ends(&answer), ["BEGIN", "INSERT 0 1", "SELECT 1", "COMMIT"], "{refused}");
        assert!(answer.statements.iter().all(|statement| statement.facts.is_empty()), "{refused}");

        let insert = format!("insert into pair values (1, {row}) returning a; select id from part");
        let request = pb::ExecuteRequest { single_transaction: true, ..asking(&client, &insert) };
        let answer = client.execute_with(request).await.unwrap();
        assert_eq!(ends(&answer), ["INSERT 0 1", "SELECT 1"], "{refused}");
        assert_eq!(server.psql(&format!("select count(*) from pair where a = {row}")), b"2\n");
        // What is alone has its facts.
        check(&mut client, "select a from pair limit 0", &["0: public.pair.a key not null"]).await;
    }
    // Nor does a look at the catalog end a transaction there.
    let (mut client, _relay) =
        relay::open_with(&server, "SAVEPOINT querybox_schema", "SAVEPOINX querybox_schema").await;
    ask(&mut client, "begin; insert into pair values (40, 40)").await;
    assert!(!client.schema(pb::GetSchemaRequest::default()).await.unwrap().is_empty());
    assert_eq!(ends(&ask(&mut client, "commit").await), ["COMMIT"]);
    assert_eq!(server.psql("select count(*) from pair where a = 40"), b"1\n");
}

#[tokio::test]
async fn a_transaction_that_nobody_knew_would_be_asked_about_is_not() {
    let server = Postgres::start();
    server.psql(TABLES);
    let mut client = open(&server).await;
    assert_eq!(ends(&client.execute("begin").await.unwrap()), ["BEGIN"]);
    check(&mut client, "select a from pair", &[]).await;
    assert_eq!(ends(&ask(&mut client, "rollback").await), ["ROLLBACK"]);
    check(&mut client, "start transaction; select a from pair", &["0: public.pair.a key not null"]).await;
    assert_eq!(ends(&ask(&mut client, "rollback").await), ["ROLLBACK"]);
}

#[tokio::test]
async fn a_read_only_session_is_told_as_well_and_stays_one() {
    let server = Postgres::start();
    server.psql(TABLES);
    server.psql(&format!(
        "create role reader login password '{}'; grant select on part, pair to reader; create role poor; \
         alter default privileges grant select on tables to reader",
        Postgres::PASSWORD
    ));
    for refuses in [false, true] {
        if refuses {
            server.psql("revoke select on pg_catalog.pg_constraint from public");
        }
        for single_transaction in [false, true] {
            let mut client = Client::connect(querybox_driver_postgres::Postgres);
            let mut parameters = crate::server::parameters(&server);
            parameters[2].1 = "reader".to_owned();
            let mut request = client.open_request(parameters, crate::server::secrets());
            request.options = Some(pb::OpenOptions { read_only: true, ..Default::default() });
            let opened = client.open_with(request).await.unwrap();
            assert!(matches!(opened, pb::open_response::Outcome::Opened(_)), "{opened:?}");
            let sql = "select id from part; select a from pair";
            let request = pb::ExecuteRequest { single_transaction, ..asking(&client, sql) };
            let answer = client.execute_with(request).await.unwrap();
            assert_eq!(ends(&answer), ["SELECT 1", "SELECT 1"], "{refuses} {single_transaction}");
            let facts: &[&str] = if refuses { &[] } else { &["0: public.pair.a key not null"] };
            assert_eq!(told(&answer), facts, "{refuses} {single_transaction}");
            let answer = ask(&mut client, "delete from pair returning a").await;
            assert_ne!(ends(&answer), ["DELETE 1"]);
        }
    }
}
