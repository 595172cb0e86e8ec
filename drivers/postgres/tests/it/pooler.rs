//! Through pgbouncer, which gives each transaction a connection of the server that may be another's next.

use std::{
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use querybox_driver_postgres::Postgres as Driver;
use querybox_fixtures::{Folder, Postgres, is_root, ordinary_user};
use querybox_plugin::{
    pb::{self, open_response::Outcome},
    testkit::Client,
};

use crate::{
    rendering::{copy_csv, csv},
    server::{ends, parameters, secrets},
};

struct Pooler {
    process: Child,
    port: u16,
    _folder: Folder,
}

impl Pooler {
    /// Pools transactions of a server, over two connections of it.
    fn start(server: &Postgres) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = Folder::make(ordinary_user(), 0o700).unwrap();
        let users = format!("\"{}\" \"{}\"\n", Postgres::USER, Postgres::PASSWORD);
        let users = folder.add_file("users", ordinary_user(), 0o600, &users).unwrap();
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             auth_type = scram-sha-256\nauth_file = {}\npool_mode = transaction\ndefault_pool_size = 2\n\
             unix_socket_dir =\n",
            server.port(),
            users.display()
        );
        let settings = folder.add_file("settings", ordinary_user(), 0o600, &settings).unwrap();
        let mut command = Command::new("pgbouncer");
        if is_root() {
            command.uid(ordinary_user().uid).gid(ordinary_user().gid);
        }
        let process = command
            .arg("--quiet")
            .arg(settings)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("pgbouncer is not installed: apt-get install pgbouncer");
        let deadline = Instant::now() + Duration::from_secs(30);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "pgbouncer starts");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { process, port, _folder: folder }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

#[tokio::test]
async fn one_shot_sessions_work_through_a_pool_of_transactions() {
    let server = Postgres::start();
    server.psql("create table t (a int); create type mood as enum ('sad', 'glad')");
    let pooler = Pooler::start(&server);
    let mut parameters = parameters(&server);
    parameters[1].1 = pooler.port.to_string();
    let one_shot =
        |client: &Client, sql: &str| pb::ExecuteRequest { one_shot: true, ..client.execute_request(sql) };
    // Several at once, on fewer connections of the server.
    let mut clients = Vec::new();
    for _ in 0..4 {
        let mut client = Client::connect(Driver);
        let opened = client.open(parameters.clone(), secrets()).await.unwrap();
        assert!(matches!(opened, Outcome::Opened(_)), "{opened:?}");
        clients.push(client);
    }
    for client in &mut clients {
        let script =
            "insert into t values (1); begin; insert into t values (2); commit; select count(*) from t";
        let answer = client.execute_with(one_shot(client, script)).await.unwrap();
        assert_eq!(ends(&answer), ["INSERT 0 1", "BEGIN", "INSERT 0 1", "COMMIT", "SELECT 1"]);
        let answer = client.execute_with(one_shot(client, "begin; insert into t values (3)")).await.unwrap();
        assert!(answer.rolled_back_at_end.is_some(), "{answer:?}");
        // A type whose name is asked for between.
        let sql = "select i, 'glad'::mood as m, i / 3.0::float8 as f from generate_series(1, 5) i";
        let (ours, _) = csv(client, sql).await;
        assert_eq!(ours, copy_csv(&server, "", sql));
        for sql in ["select a from t where a < 3", "begin; select a from t where a < 3; commit"] {
            let request = pb::ExecuteRequest { column_facts: true, ..one_shot(client, sql) };
            let answer = client.execute_with(request).await.unwrap();
            let facts = answer.statements.iter().map(|statement| statement.facts.len()).sum::<usize>();
            assert_eq!((facts, answer.rolled_back_at_end.is_some()), (1, false), "{answer:?}");
        }
    }
    assert_eq!(server.psql("select count(*) from t where a < 3"), b"8\n");

    let client = &mut clients[0];
    let mut grpc = client.grpc.clone();
    let cancel = pb::CancelRequest { session_id: client.session_id.clone(), ..pb::CancelRequest::default() };
    let (answer, ()) = tokio::join!(client.execute("select pg_sleep(60)"), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        grpc.cancel(cancel).await.unwrap();
    });
    assert_eq!(ends(&answer.unwrap()), ["57014"]);
}

#[tokio::test]
async fn a_pool_is_not_asked_for_further_connections() {
    let server = Postgres::start();
    server.psql("create table t as select i, repeat('x', 300) as s from generate_series(1, 20000) i");
    let pooler = Pooler::start(&server);
    let mut parameters = parameters(&server);
    parameters[1].1 = pooler.port.to_string();
    let mut client = Client::connect(Driver);
    let mut request = client.open_request(parameters, secrets());
    request.options = Some(pb::OpenOptions { connections_max: 4, ..pb::OpenOptions::default() });
    client.open_with(request).await.unwrap();
    for _ in 0..3 {
        let answer = client.execute("select * from t").await.unwrap();
        assert_eq!(ends(&answer), ["SELECT 20000"]);
        let [notice] = &answer.statements[0].notices[..] else { panic!("{answer:?}") };
        assert_eq!(notice.message, "read over one connection: a pooler is between here and the server");
    }
}
