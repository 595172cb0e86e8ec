//! Read-only sessions: every way to write that is known, tried on one, and on a session that may write.

mod attacks;

use querybox_driver_postgres::Postgres as Driver;
use querybox_fixtures::{Postgres, PostgresOptions};
use querybox_plugin::{
    pb::{self, OnError, TransactionState, open_response::Outcome},
    testkit::{Answer, Client},
};

use crate::{
    rendering::csv,
    server::{ends, parameters, rejection},
};
use attacks::{ATTACKS, Attack, HARMLESS, Servers};

/// Who attacks: owns what there is, and is no superuser.
const USER: &str = "mallory";

/// A server with something to write to. Nothing changes there by itself.
fn server() -> Postgres {
    let server = Postgres::start_with(&PostgresOptions {
        settings: &["autovacuum = off", "max_prepared_transactions = 5", "track_counts = off"],
        ..PostgresOptions::default()
    });
    server.psql(&format!(
        "create role {USER} login createrole createdb password '{0}'; create role other; grant other to {USER} with admin option; \
         grant all on database postgres to {USER}; alter schema public owner to {USER}",
        Postgres::PASSWORD
    ));
    server.psql(&format!("set role {USER}; {}", attacks::SETUP));
    if sequences_hold(&server) {
        server.psql(&format!("set role {USER}; create sequence s"));
    }
    server
}

/// From this version on nothing leaves a read-only transaction, so that who may advance a sequence is let in.
fn sequences_hold(server: &Postgres) -> bool {
    server.psql("show server_version_num") >= b"160000\n".to_vec()
}

async fn open_as(
    server: &Postgres,
    user: &str,
    options: pb::OpenOptions,
) -> Result<Client, Box<pb::Rejection>> {
    let mut client = Client::connect(Driver);
    let mut parameters = parameters(server);
    parameters[2].1 = user.to_owned();
    let secrets = vec![("password".to_owned(), Postgres::PASSWORD.as_bytes().to_vec())];
    let request = pb::OpenRequest { options: Some(options), ..client.open_request(parameters, secrets) };
    match client.open_with(request).await.expect("the server is there") {
        Outcome::Opened(_) => Ok(client),
        Outcome::Rejection(rejection) => Err(Box::new(rejection)),
    }
}

fn read_only() -> pb::OpenOptions {
    pb::OpenOptions { read_only: true, ..pb::OpenOptions::default() }
}

/// Runs each of the scripts, whatever becomes of their statements.
async fn attack(client: &mut Client, scripts: &[&str]) -> Vec<Answer> {
    let mut answers = Vec::new();
    for sql in scripts {
        let request =
            pb::ExecuteRequest { on_error: OnError::Continue.into(), ..client.execute_request(sql) };
        answers.push(client.execute_with(request).await.expect("the connection stays"));
    }
    answers
}

/// What is tried on a server.
fn tried(server: &Postgres) -> Vec<&'static Attack> {
    let elsewhere = if sequences_hold(server) { Servers::Resetting } else { Servers::Holding };
    ATTACKS.iter().filter(|attack| attack.servers != elsewhere).collect()
}

/// All that the server holds: each row of each table, of the user's and of the server's own, by its place and the transaction
/// that put it there; large objects, prepared transactions, the settings in files.
///
/// A row that is written has another place or transaction, whatever is in it. Not looked at: what the server changes in
/// place, which is how many pages and rows a table is thought to have.
fn everything(server: &Postgres) -> String {
    let state = server.psql(
        r#"select c.oid::regclass, (xpath('//h/text()', query_to_xml(format(
               'select concat_ws('' '', count(*), sum(hashtextextended(%s, 0))) as h from %s t',
               case c.relkind when 'S' then 'concat_ws('' '', last_value, log_cnt, is_called)'
               else 'concat_ws('' '', ctid, xmin)' end, c.oid::regclass), true, true, '')))[1]
           from pg_class c where relkind in ('r', 'm', 'S') and relpersistence <> 't' order by c.oid;
           select * from pg_prepared_xacts; select * from pg_replication_slots;
           select name, setting from pg_file_settings;
           select lo.oid, md5(lo_get(lo.oid)) from pg_largeobject_metadata lo order by 1"#,
    );
    String::from_utf8(state).unwrap()
}

/// What is in one text and not in the other.
fn difference(before: &str, after: &str) -> Vec<String> {
    after.lines().filter(|line| !before.lines().any(|other| other == *line)).map(str::to_owned).collect()
}

#[tokio::test]
async fn nothing_writes() {
    let server = server();
    let before = everything(&server);
    assert!(before.lines().count() > 60, "{before}");
    let tried = tried(&server);
    // All on one session: what one leaves behind may help the next.
    let mut client = open_as(&server, USER, read_only()).await.unwrap();
    for some in tried.chunks(10) {
        for Attack { scripts, .. } in some {
            attack(&mut client, scripts).await;
        }
        let after = everything(&server);
        assert!(before == after, "one of {some:?} wrote: {:?}", difference(&before, &after));
    }
    // Each again as one transaction.
    for Attack { scripts, .. } in &tried {
        for sql in *scripts {
            let request = pb::ExecuteRequest {
                on_error: OnError::Continue.into(),
                single_transaction: true,
                ..client.execute_request(sql)
            };
            client.execute_with(request).await.expect("the connection stays");
        }
    }
    let after = everything(&server);
    assert!(before == after, "{:?}", difference(&before, &after));

    // As a start-up script.
    for Attack { scripts, .. } in &tried {
        let startup_sql = scripts.join(";");
        open_as(&server, USER, pb::OpenOptions { startup_sql, ..read_only() }).await.ok();
    }
    let after = everything(&server);
    assert!(before == after, "{:?}", difference(&before, &after));
}

#[tokio::test]
async fn the_same_writes_where_it_may() {
    let server = server();
    let tried = tried(&server);
    assert!(tried.len() >= 60, "{}", tried.len());
    let mut failed = Vec::new();
    let mut before = everything(&server);
    for Attack { scripts, .. } in tried {
        // Each on a session of its own, as one may end the transaction of another.
        let mut client = open_as(&server, USER, pb::OpenOptions::default()).await.unwrap();
        let answers = attack(&mut client, scripts).await;
        let after = everything(&server);
        if before == after {
            failed.push((scripts, answers.iter().map(ends).collect::<Vec<_>>()));
        }
        before = after;
    }
    assert!(failed.is_empty(), "these write nothing: {failed:#?}");
}

#[tokio::test]
async fn what_only_reads_runs_and_leaves_no_transaction() {
    let server = server();
    let mut client = open_as(&server, USER, read_only()).await.unwrap();
    for sql in HARMLESS {
        let answer = client.execute(sql).await.unwrap();
        for statement in &answer.statements {
            let summary = statement.summary.as_ref().unwrap_or_else(|| panic!("{sql}: {statement:?}"));
            assert_eq!(summary.transaction_state(), TransactionState::Idle, "{sql}");
        }
        let open = "select count(*) from pg_stat_activity where application_name like 'querybox %' and xact_start is not null";
        assert_eq!(server.psql(open), b"0\n", "{sql}");
    }
    // Settings last as on any connection.
    client.execute("set work_mem = '7MB'; set search_path = pg_catalog").await.unwrap();
    let (shown, _) = csv(&mut client, "show work_mem").await;
    assert_eq!(shown, b"work_mem\n7MB\n");
    // A failed statement leaves nothing to roll back.
    let refused = rejection(&mut client, "select 1/0").await;
    assert_eq!((refused.sqlstate.as_str(), refused.transaction_state()), ("22012", TransactionState::Idle));
    assert_eq!(ends(&client.execute("select 1").await.unwrap()), ["SELECT 1"]);
    let objects = client.schema(pb::GetSchemaRequest::default()).await.unwrap();
    assert!(!objects.is_empty());
    // A value, rows beyond a limit, and a script nobody reads to its end leave none either.
    let request =
        pb::ExecuteRequest { rows_max: 3, ..client.execute_request("select generate_series(1, 100000)") };
    assert_eq!(client.execute_with(request).await.unwrap().statements[0].rows(), 3);
    let mut parts = client
        .grpc
        .execute(client.execute_request("select generate_series(1, 100000000)"))
        .await
        .unwrap()
        .into_inner();
    parts.message().await.unwrap().unwrap();
    drop(parts);
    let answer = loop {
        if let Ok(answer) = client.execute("select 1").await {
            break answer;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    assert_eq!(ends(&answer), ["SELECT 1"]);
}

#[tokio::test]
async fn transactions_are_the_drivers() {
    let server = server();
    let mut client = open_as(&server, USER, read_only()).await.unwrap();
    for command in [
        "begin",
        "begin read write",
        "start transaction read write",
        "commit",
        "end",
        "rollback",
        "abort",
        "commit and chain",
        "rollback and chain",
        "savepoint a",
        "release a",
        "prepare transaction 'a'",
    ] {
        let refused = rejection(&mut client, command).await;
        assert_eq!(refused.sqlstate, "0A000", "{command}");
        assert!(refused.message.contains("is not taken on a read-only connection"), "{}", refused.message);
        assert_eq!(refused.transaction_state(), TransactionState::Idle);
    }
    // One transaction around a script sees one state, and can hold a cursor.
    let script = "declare c cursor for select generate_series(1, 3); fetch 2 from c; commit; fetch 1 from c";
    let request = pb::ExecuteRequest {
        single_transaction: true,
        on_error: OnError::Continue.into(),
        ..client.execute_request(script)
    };
    let answer = client.execute_with(request).await.unwrap();
    assert_eq!(ends(&answer), ["DECLARE CURSOR", "FETCH 2", "0A000", "FETCH 1"]);
    assert_eq!(answer.statements[1].summary.as_ref().unwrap().transaction_state(), TransactionState::Open);
    assert_eq!(ends(&client.execute("select 1").await.unwrap()), ["SELECT 1"]);

    let startup_sql = "set work_mem = '7MB'; begin read write".to_owned();
    let refused = open_as(&server, USER, pb::OpenOptions { startup_sql, ..read_only() }).await.unwrap_err();
    assert_eq!((refused.sqlstate.as_str(), refused.position_byte), ("0A000", Some(22)));
    let startup_sql = "set work_mem = '8MB'".to_owned();
    let mut client = open_as(&server, USER, pb::OpenOptions { startup_sql, ..read_only() }).await.unwrap();
    assert_eq!(csv(&mut client, "show work_mem").await.0, b"work_mem\n8MB\n");
}

#[tokio::test]
async fn who_can_write_outside_of_transactions_is_refused_by_name() {
    let server = server();
    server.psql(&format!(
        "create role runs login password '{0}' in role pg_execute_server_program; \
         create role writes login noinherit password '{0}' in role pg_write_server_files; \
         create role via; create role becomes login noinherit password '{0}' in role via; grant postgres to via; \
         create role counts login password '{0}'; create schema x; create sequence x.\"my seq\"; \
         grant usage on schema x to counts; grant usage on sequence x.\"my seq\" to counts; \
         create role copies login replication password '{0}'; \
         create role repl replication; create role follows login noinherit password '{0}' in role repl",
        Postgres::PASSWORD
    ));
    for (user, who) in [
        ("postgres", "a superuser"),
        ("runs", "a member of \"pg_execute_server_program\""),
        ("writes", "a member of \"pg_write_server_files\""),
        ("becomes", "who can become the superuser \"postgres\""),
        ("copies", "a replication role"),
        ("follows", "who can become the replication role \"repl\""),
    ] {
        let refused = open_as(&server, user, read_only()).await.unwrap_err();
        assert_eq!(refused.message, format!("a read-only connection is refused for {user:?}, {who}"));
        assert!(!refused.detail.is_empty() && !refused.hint.is_empty());
        assert!(open_as(&server, user, pb::OpenOptions::default()).await.is_ok(), "{user}");
    }
    let counts = open_as(&server, "counts", read_only()).await;
    if sequences_hold(&server) {
        assert!(counts.is_ok());
    } else {
        let refused = counts.unwrap_err();
        let message =
            "a read-only connection is refused for a user who may advance the sequence x.\"my seq\"";
        assert_eq!(refused.message, message);
        // Why: a function can make the transaction a writing one there, and a rollback does not bring it back.
        let leave = "begin read only; select 1; \
             select set_config('transaction_read_only', null, true), nextval('x.\"my seq\"'); rollback";
        let mut client = open_as(&server, "counts", pb::OpenOptions::default()).await.unwrap();
        let ended = ends(&client.execute(leave).await.unwrap());
        assert_eq!(ended, ["BEGIN", "SELECT 1", "SELECT 1", "ROLLBACK"]);
    }
}

#[tokio::test]
async fn who_can_advance_a_sequence_without_rights_on_it_is_refused_where_that_matters() {
    let server = server();
    server.psql(&format!(
        "revoke execute on function as_owner() from public; \
         create table numbered (id int generated always as identity, v text); create table plain (v text); \
         create sequence hidden; \
         create role fills login password '{0}'; grant insert (v) on numbered to fills; \
         create role looks login password '{0}'; create view above as select v from numbered; \
         grant insert on above to looks; \
         create function lends() returns bigint language sql security definer as $$ select nextval('hidden') $$; \
         revoke execute on function lends() from public; \
         create role borrows login password '{0}'; grant execute on function lends() to borrows; \
         create function fires() returns trigger language plpgsql security definer as \
           $$ begin perform nextval('hidden'); return new; end $$; \
         revoke execute on function fires() from public; \
         create trigger fires before insert on plain for each row execute function fires(); \
         create role sets_off login password '{0}'; grant insert on plain to sets_off; \
         create role reads login password '{0}'; grant select on numbered, plain, above to reads",
        Postgres::PASSWORD
    ));
    for (user, what) in [
        ("fills", "insert into public.numbered, where identity columns are"),
        ("looks", "insert into public.above, where identity columns are"),
        ("borrows", "run public.lends(), which has the rights of another user"),
        ("sets_off", "run public.fires(), which has the rights of another user"),
    ] {
        let opened = open_as(&server, user, read_only()).await;
        if sequences_hold(&server) {
            assert!(opened.is_ok(), "{user}");
        } else {
            let message = format!("a read-only connection is refused for a user who may {what}");
            assert_eq!(opened.unwrap_err().message, message);
        }
    }
    assert!(open_as(&server, "reads", read_only()).await.is_ok());
}

#[tokio::test]
async fn copy_to_a_program_is_kept_out_by_roles_alone_for_it_runs_in_a_read_only_transaction() {
    let server = server();
    let folder = server.socket_folder().display().to_string();
    let mut client = open_as(&server, USER, read_only()).await.unwrap();
    let refused = rejection(&mut client, &format!("copy t to program 'touch {folder}/written'")).await;
    assert_eq!(refused.sqlstate, "42501");
    // Why members of that role are refused: of a transaction that reads only, and is rolled back, a file is left.
    server.psql(&format!(
        "begin read only; select 1; copy (select 1) to program 'cat > {folder}/written'; rollback"
    ));
    assert!(server.socket_folder().join("written").exists());
}
