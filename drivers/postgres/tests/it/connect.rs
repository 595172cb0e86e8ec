//! Opening a session, and each way in which it fails.

use std::{process::Command, time::Duration};

use futures::StreamExt as _;
use querybox_driver_postgres::Postgres as Driver;
use querybox_fixtures::{Folder, Postgres, PostgresOptions, ordinary_user};
use querybox_plugin::{
    pb::{self, open_response::Outcome, test_connection_response},
    testkit::Client,
};

use crate::{
    rendering::csv,
    server::{ends, parameters, reason, secrets, try_open},
};

fn with(parameters: &[(String, String)], changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let kept = parameters.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    let changed = changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    kept.cloned().chain(changed).collect()
}

fn password(password: &str) -> Vec<(String, Vec<u8>)> {
    vec![("password".into(), password.into())]
}

async fn refused(parameters: Vec<(String, String)>, secrets: Vec<(String, Vec<u8>)>) -> pb::Rejection {
    match try_open(parameters, secrets).await.expect("a refusal is a result") {
        Outcome::Rejection(rejection) => rejection,
        Outcome::Opened(opened) => panic!("the server let somebody in: {opened:?}"),
    }
}

#[tokio::test]
async fn what_the_server_refuses_is_a_rejection_and_the_rest_has_its_reason() {
    let server = Postgres::start();
    let good = parameters(&server);

    assert_eq!(refused(good.clone(), password("wrong")).await.sqlstate, "28P01");
    let nowhere = refused(with(&good, &[("database", "nowhere")]), secrets()).await;
    assert_eq!((nowhere.sqlstate.as_str(), nowhere.severity.as_str()), ("3D000", "FATAL"));
    assert_eq!(nowhere.message, "database \"nowhere\" does not exist");
    assert_eq!(refused(with(&good, &[("user", "nobody")]), secrets()).await.sqlstate, "28P01");

    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (changes, secrets, expected) in [
        (vec![("port", closed.to_string())], secrets(), "CONNECT_FAILED"),
        (vec![("host", "no-such-host.invalid".to_owned())], secrets(), "RESOLVE_FAILED"),
        (vec![("host", "/nonexistent".to_owned())], secrets(), "CONNECT_FAILED"),
        (vec![("sslmode", "require".to_owned())], secrets(), "TLS_FAILED"),
        (vec![("sslmode", "verify-full".to_owned())], secrets(), "TLS_FAILED"),
        (vec![("sslmode", "prefer".to_owned())], secrets(), "PARAMETER_INVALID"),
        (vec![("port", "65536".to_owned())], secrets(), "PARAMETER_INVALID"),
        (vec![("host", "a,b".to_owned())], secrets(), "CONNECT_FAILED"),
        (vec![("user", "a\0b".to_owned())], secrets(), "PARAMETER_INVALID"),
        (vec![("options", "-c fsync=off".to_owned())], secrets(), "PARAMETER_INVALID"),
        (vec![("sslrootcert", "/etc/ssl/ca.pem".to_owned())], secrets(), "PARAMETER_INVALID"),
        (vec![], vec![], "PARAMETER_INVALID"),
    ] {
        let changes: Vec<_> = changes.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let status = try_open(with(&good, &changes), secrets).await.unwrap_err();
        assert_eq!(reason(&status), expected, "{changes:?}: {status:?}");
    }
}

#[tokio::test]
async fn a_session_is_set_up_as_it_was_asked_for() {
    let server = Postgres::start();
    server.psql("create schema \"my \"\"schema\"; create table \"my \"\"schema\".t as select 1 as a");
    let mut client = Client::connect(Driver);
    let mut request = client.open_request(parameters(&server), secrets());
    request.options = Some(pb::OpenOptions {
        startup_sql: "set work_mem = '5MB'; select 1; set extra_float_digits = 0".into(),
        default_schema: "my \"schema".into(),
        ..pb::OpenOptions::default()
    });
    let Outcome::Opened(opened) = client.open_with(request).await.unwrap() else { panic!("it opens") };
    assert_eq!(&opened.cancel_token[9..], format!("127.0.0.1:{}", server.port()).as_bytes());
    let facts = opened.server.unwrap();
    assert_eq!((facts.product.as_str(), facts.user.as_str()), ("PostgreSQL", Postgres::USER));
    assert_eq!((facts.database.as_str(), facts.tls.as_str()), (Postgres::DATABASE, ""));
    assert!(
        facts.version.starts_with(|c: char| c.is_ascii_digit()) && !facts.version.contains(' '),
        "{facts:?}"
    );

    let sql = "select a, current_setting('work_mem') as m, current_setting('application_name') as n, \
               current_setting('client_connection_check_interval') as c, 0.1::float8 + 0.2 as f from t";
    let (text, _) = csv(&mut client, sql).await;
    let expected = format!("a,m,n,c,f\n1,5MB,querybox {},2s,0.3\n", client.session_id);
    assert_eq!(String::from_utf8(text).unwrap(), expected);
}

#[tokio::test]
async fn a_start_up_script_that_fails_is_the_refusal_of_the_session() {
    let server = Postgres::start();
    let mut client = Client::connect(Driver);
    let mut request = client.open_request(parameters(&server), secrets());
    let options = pb::OpenOptions {
        startup_sql: "select 1; vacuum; select nowhere".into(),
        ..pb::OpenOptions::default()
    };
    request.options = Some(options);
    let Outcome::Rejection(rejection) = client.open_with(request).await.unwrap() else { panic!("refused") };
    assert_eq!((rejection.sqlstate.as_str(), rejection.position_byte), ("42703", Some(25)));
    assert_eq!(rejection.context, "start-up SQL");
}

#[tokio::test]
async fn a_unix_socket_is_a_folder_in_place_of_a_host() {
    let server = Postgres::start();
    let folder = server.socket_folder().to_str().unwrap();
    let parameters = with(&parameters(&server), &[("host", folder)]);
    let mut client = Client::connect(Driver);
    client.open(parameters.clone(), secrets()).await.unwrap();
    assert_eq!(ends(&client.execute("select 1").await.unwrap()), ["SELECT 1"]);
    let tls = with(&parameters, &[("sslmode", "verify-full")]);
    assert_eq!(reason(&try_open(tls, secrets()).await.unwrap_err()), "PARAMETER_INVALID");
}

#[tokio::test]
async fn passwords_leave_only_in_the_forms_that_are_safe() {
    let access =
        ["host all md5_user all md5", "host all clear_user all password", "local all all scram-sha-256"];
    let options =
        PostgresOptions { settings: &["password_encryption = 'md5'"], access: &access, ..Default::default() };
    let server = Postgres::start_with(&options);
    server.psql("create user md5_user password 'pw'; create user clear_user password 'pw'");
    let as_user = |user| with(&parameters(&server), &[("user", user)]);
    // On this machine.
    let opened = try_open(as_user("md5_user"), password("pw")).await.unwrap();
    assert!(matches!(opened, Outcome::Opened(_)));
    let status = try_open(as_user("clear_user"), password("pw")).await.unwrap_err();
    assert_eq!(reason(&status), "TLS_FAILED");
    assert!(status.message().contains("in clear text"), "{status:?}");
}

#[tokio::test]
async fn nothing_ambient_is_read() {
    let server = Postgres::start();
    let home = Folder::make(ordinary_user(), 0o755).unwrap();
    let line = format!("*:*:*:*:{}\n", Postgres::PASSWORD);
    home.add_file(".pgpass", ordinary_user(), 0o600, &line).unwrap();
    // All of it would work, if it were looked at.
    let output = Command::new(env!("CARGO_BIN_EXE_querybox-driver-postgres"))
        .args(["exec", "--param", &format!("port={}", server.port()), "--param", "user=postgres"])
        .args(["--param", "host=127.0.0.1", "select 1"])
        .env_clear()
        .env("HOME", home.path())
        .env("PGPASSWORD", Postgres::PASSWORD)
        .env("PGPASSFILE", home.path().join(".pgpass"))
        .env("PGHOST", "127.0.0.1")
        .env("PGOPTIONS", "-c fsync=off")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("\"password\" is missing"), "{error}");
}

#[tokio::test]
async fn a_test_tells_how_far_it_came() {
    let server = Postgres::start();
    let stages = async |parameters: Vec<(String, String)>| {
        let mut client = Client::connect(Driver);
        let open = client.open_request(parameters, secrets());
        let request = pb::TestConnectionRequest { open: Some(open) };
        let stages: Vec<_> = client.grpc.test_connection(request).await.unwrap().into_inner().collect().await;
        let stages = stages.into_iter().map(|stage| stage.unwrap());
        stages.map(|stage| (stage.stage(), stage.outcome.unwrap())).collect::<Vec<_>>()
    };
    let names = |stages: &[(pb::TestStage, test_connection_response::Outcome)]| -> Vec<pb::TestStage> {
        stages.iter().map(|(stage, _)| *stage).collect()
    };
    use pb::TestStage::{Dial, Login, Resolve, Version};
    let good = parameters(&server);
    assert_eq!(names(&stages(good.clone()).await), [Resolve, Dial, Login, Version]);
    let wrong = stages(with(&good, &[("database", "nowhere")])).await;
    assert_eq!(names(&wrong), [Resolve, Dial, Login]);
    assert!(matches!(wrong[2].1, test_connection_response::Outcome::Rejection(_)));
    let closed = stages(with(&good, &[("host", "127.0.0.1"), ("port", "1")])).await;
    assert_eq!(names(&closed), [Resolve, Dial]);
    let unix = stages(with(&good, &[("host", server.socket_folder().to_str().unwrap())])).await;
    assert_eq!(names(&unix), [Dial, Login, Version]);
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_in_time() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = Client::connect(Driver);
    let port = silent.local_addr().unwrap().port().to_string();
    let parameters = [("host", "127.0.0.1"), ("port", &port), ("user", "u")];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let mut request = client.open_request(parameters, secrets());
    let limit = Duration::from_millis(300).try_into().unwrap();
    request.limits = Some(pb::Limits { connect: Some(limit), ..pb::Limits::default() });
    let asked = std::time::Instant::now();
    assert_eq!(reason(&client.open_with(request).await.unwrap_err()), "CONNECT_FAILED");
    assert!(asked.elapsed() < Duration::from_secs(2));
}
