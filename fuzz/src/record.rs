//! Seeds: real sessions of a real server, as it sent them.

use std::{fs, path::Path, sync::Arc, sync::Mutex};

use anyhow::Context as _;
use futures::FutureExt as _;
use querybox_driver_postgres::Postgres as Driver;
use querybox_fixtures::Postgres;
use querybox_plugin::{
    OnError, Query, pb,
    testkit::{execute_directly, open_directly},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

use crate::{
    case::{Case, Sent, User, messages},
    meeting::data,
};

/// Before the sessions.
const TABLES: &str = "create type mood as enum ('sad', 'ok'); create table t (i int, s text);
    insert into t values (1, 'one'), (2, null);
    create function fail() returns int language plpgsql as $$ begin raise exception 'no' using detail = 'd', hint = 'h'; end $$;
    create function fail_inside() returns void language plpgsql as $$ begin execute 'select nowhere'; end $$;
    create domain small as int check (value < 9); create table keyed (id int primary key, name text not null, size small);
    insert into keyed values (1, 'one', 1)";

/// Errors that between them have all fields of the protocol: schema, table, column, type, constraint, the position and the
/// text of an inner statement; and one that a front end made up, with each field, among them some without a meaning.
const ERRORS: &str = "insert into keyed values (1, 'again', 1); insert into keyed (id) values (2); select 9::small;
    select fail_inside();
    do $$ begin raise exception using message = 'm', detail = 'd', hint = 'h', errcode = 'QB001', schema = 's', table = 't',
        column = 'c', datatype = 'y', constraint = 'k'; end $$;
    do $$ begin raise warning using message = 'm', detail = 'd', hint = 'h', errcode = '01Q01', schema = 's', table = 't',
        column = 'c', datatype = 'y', constraint = 'k'; end $$";

/// Who opens read-only sessions, with the superuser's password.
const READER: &str = "reader";

/// What users do, by the name of the seed.
fn users() -> Vec<(&'static str, User)> {
    let user = |script: &str| User { scripts: vec![script.into()], ..User::default() };
    let types = "select true as b, 1::int2, 2::int4, 3::int8, 4::oid, 1.5::float4, 'NaN'::float8, 12.50::numeric(6,2), 1e20::numeric,
        'infinity'::date, '2024-02-29'::date, '24:00'::time, now()::timestamp, '-infinity'::timestamptz, gen_random_uuid(),
        '\\xdeadbeef'::bytea, 'text'::text, 'c'::char(3), '{\"a\":1}'::json, '[1]'::jsonb, '{1,NULL}'::int[], 'ok'::mood,
        interval '1 day', null::int, '10.0.0.1'::inet, '(1,2)'::point";
    vec![
        ("types", user(types)),
        ("rows", user("select i, i::text, i / 3.0 from generate_series(1, 60) i")),
        (
            "row-limits",
            User {
                rows_max: Some(5),
                bytes_max: Some(300),
                ..user("select i from generate_series(1, 999) i")
            },
        ),
        (
            "writes",
            user(
                "insert into t values (3, 'three') returning *; update t set i = i; delete from t where i = 3",
            ),
        ),
        ("notices", user("do $$ begin raise notice 'one'; raise warning 'two' using hint = 'h'; end $$")),
        ("rejections", User { goes_on: true, ..user("select nowhere; select fail(); select 1/0; selekt") }),
        ("errors", User { goes_on: true, ..user(ERRORS) }),
        (
            "copy-out",
            user("copy t to stdout; copy t to stdout (format csv, header); copy t to stdout (format binary)"),
        ),
        (
            "column-facts",
            User {
                column_facts: true,
                goes_on: true,
                ..user("select i, 1 as one from t; begin; select i from t; select 1/0; select i from t; rollback; select * from nowhere")
            },
        ),
        ("copy-limit", User { rows_max: Some(1), ..user("copy t to stdout") }),
        ("copy-refused", user("copy t from stdin")),
        ("copy-in", User { gives_data: true, ..user("copy t from stdin; copy t (i) from stdin") }),
        (
            "copy-in-again",
            User {
                gives_data: true,
                goes_on: true,
                scripts: ["copy t from stdin (on_error ignore)", "begin; copy t from stdin; select 1; rollback"]
                    .map(str::to_owned)
                    .to_vec(),
                ..User::default()
            },
        ),
        ("notified", user("listen c; notify c, 'payload'; select 1; notify c; select pg_notify('c', repeat('long', 1000))")),
        ("transaction", user("begin; savepoint a; select 1; rollback to a; select 1/0; rollback")),
        ("single", User { single_transaction: true, ..user("select 1; select 2") }),
        ("one-shot", User { one_shot: true, ..user("begin; select 1") }),
        ("read-only", User { read_only: true, ..user("select i from t; insert into t values (9)") }),
        ("values", User { values: 2, ..user("select $1::int + $2::int, $1::text") }),
        (
            "settings",
            user(
                "set client_encoding to latin1; select 'x'; set datestyle to german; select now(); reset all; select 1.5::float8;
                set application_name to 'other'; set timezone to 'Asia/Kathmandu'; set intervalstyle to iso_8601;
                set session authorization reader; set search_path to public, pg_catalog; select interval '1 day'",
            ),
        ),
        (
            "cursor",
            user(
                "begin; declare c cursor for select * from t; fetch 1 from c; fetch all from c; close c; commit",
            ),
        ),
        ("empty", user(";; -- nothing\n;")),
        ("end", user("select pg_terminate_backend(pg_backend_pid())")),
    ]
}

/// What is not recorded: log-ins.
fn log_ins() -> Vec<(&'static str, Vec<Sent>)> {
    let request = |code: u8, rest: &[u8]| Sent::Message {
        tag: b'R',
        body: [&[0, 0, 0, code], rest].concat(),
        lie: None,
    };
    let ready = Sent::Message { tag: b'Z', body: b"I".to_vec(), lie: None };
    let key = Sent::Message { tag: b'K', body: vec![0, 0, 0, 1, 0, 0, 0, 2], lie: None };
    let refused = Sent::Message { tag: b'E', body: b"SFATAL\0VFATAL\0C28P01\0Mno\0\0".to_vec(), lie: None };
    let version = Sent::Message { tag: b'S', body: b"server_version\x0018.0\0".to_vec(), lie: None };
    let sasl = request(10, b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0");
    vec![
        (
            "log-in-scram",
            vec![
                sasl.clone(),
                Sent::Challenge { iterations: 16 },
                Sent::Proof,
                request(0, b""),
                version,
                key,
                ready,
            ],
        ),
        ("log-in-refused", vec![sasl, Sent::Challenge { iterations: 1 }, refused.clone()]),
        ("log-in-md5", vec![request(5, b"salt"), request(0, b""), refused]),
        ("log-in-clear", vec![request(3, b"")]),
    ]
}

/// Records the seeds of the server that tests use, into a folder.
///
/// # Errors
///
/// The folder cannot be written, or the server does not do what it should.
pub async fn record(folder: &Path) -> anyhow::Result<()> {
    let server = Postgres::start();
    server.psql(TABLES);
    server.psql(&format!(
        "create role {READER} login password '{}'; grant select on t to {READER}",
        Postgres::PASSWORD
    ));
    let version = String::from_utf8(server.psql("show server_version"))?;
    let major = version.split(['.', ' ']).next().unwrap_or_default().trim().to_owned();
    for (name, user) in users() {
        let sent = session(&server, &user).await.with_context(|| name.to_owned())?;
        let case = Case { user, sent, pieces: 0 };
        fs::write(folder.join(format!("{name}-{major}.case")), case.to_string())?;
    }
    let user = User { scripts: vec!["select 1".into()], ..User::default() };
    for (name, sent) in log_ins() {
        let case = Case { user: user.clone(), sent, pieces: 0 };
        fs::write(folder.join(format!("{name}.case")), case.to_string())?;
    }
    Ok(())
}

/// What the server sends in a session of this user, from the moment that it is logged in.
async fn session(server: &Postgres, user: &User) -> anyhow::Result<Vec<Sent>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let recorded = Arc::new(Mutex::new(Vec::new()));
    let relay = relay(&listener, server.port(), &recorded);
    let visit = async {
        let text = |name: &str, text: &str| pb::Parameter {
            name: name.into(),
            value: Some(pb::parameter::Value::Text(text.into())),
        };
        let parameters = vec![
            text("host", Postgres::HOST),
            text("port", &port.to_string()),
            // The superuser is refused a read-only session.
            text("user", if user.read_only { READER } else { Postgres::USER }),
            text("database", Postgres::DATABASE),
        ];
        let password = pb::SecretField { name: "password".into(), value: Postgres::PASSWORD.into() };
        let request = pb::OpenRequest {
            session_id: uuid::Uuid::nil().to_string(),
            parameters,
            credential: Some(pb::Credential { fields: vec![password] }),
            options: Some(pb::OpenOptions { read_only: user.read_only, ..pb::OpenOptions::default() }),
            limits: None,
        };
        let session = open_directly(&Driver, request).await?;
        for script in &user.scripts {
            let value = |number: u8| pb::Binding { name: number.to_string(), text: Some("1".into()) };
            let query = Query {
                sql: script.clone(),
                on_error: if user.goes_on { OnError::Continue } else { OnError::Stop },
                single_transaction: user.single_transaction,
                one_shot: user.one_shot,
                bindings: (1..=user.values).map(value).collect(),
                rows_max: user.rows_max,
                bytes_max: user.bytes_max,
                column_facts: user.column_facts,
                cancelled: CancellationToken::new(),
            };
            // How it ends is the server's business.
            let _ = execute_directly(&session, query, 1 << 20, data(user), |_| {
                std::ops::ControlFlow::Continue(())
            })
            .await;
        }
        anyhow::Ok(())
    };
    tokio::select! {
        visited = visit => visited?,
        () = relay => anyhow::bail!("the relay ended"),
    }
    let recorded = recorded.lock().map_err(|_| anyhow::anyhow!("the relay panicked"))?.clone();
    let sent = messages(&recorded);
    let is_in = |sent: &Sent| matches!(sent, Sent::Message { tag: b'R', body, .. } if body == &[0; 4]);
    let from = sent.iter().position(is_in).context("nobody was logged in")?;
    Ok(sent[from..].to_vec())
}

/// Passes on what both sides say, and keeps what the server says on the first connection. Others cancel.
async fn relay(listener: &TcpListener, port: u16, recorded: &Mutex<Vec<u8>>) {
    let mut connections = futures::stream::FuturesUnordered::new();
    let mut is_first = true;
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { return };
                connections.push(pass_on(client, port, std::mem::take(&mut is_first).then_some(recorded)).boxed_local());
            }
            Some(()) = futures::StreamExt::next(&mut connections) => {}
        }
    }
}

async fn pass_on(client: TcpStream, port: u16, recorded: Option<&Mutex<Vec<u8>>>) {
    let Ok(server) = TcpStream::connect((Postgres::HOST, port)).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = async {
        drop(tokio::io::copy(&mut from_client, &mut to_server).await);
        drop(to_server);
    };
    let down = async {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = from_server.read(&mut buffer).await {
            if let Some(Ok(mut recorded)) = recorded.map(Mutex::lock) {
                recorded.extend_from_slice(&buffer[..count]);
            }
            if to_client.write_all(&buffer[..count]).await.is_err() {
                return;
            }
        }
        drop(to_client);
    };
    futures::join!(up, down);
}
