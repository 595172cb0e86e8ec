//! Sessions with a test server.

use querybox_driver_postgres::Postgres as Driver;
use querybox_fixtures::Postgres;
use querybox_plugin::{
    pb,
    testkit::{Answer, Client},
};

/// What opens a session as the superuser over TCP.
pub(crate) fn parameters(server: &Postgres) -> Vec<(String, String)> {
    vec![
        ("host".into(), Postgres::HOST.into()),
        ("port".into(), server.port().to_string()),
        ("user".into(), Postgres::USER.into()),
        ("database".into(), Postgres::DATABASE.into()),
    ]
}

/// The superuser's password.
pub(crate) fn secrets() -> Vec<(String, Vec<u8>)> {
    vec![("password".into(), Postgres::PASSWORD.into())]
}

/// An open session.
pub(crate) async fn open(server: &Postgres) -> Client {
    let mut client = Client::connect(Driver);
    let outcome = client.open(parameters(server), secrets()).await.expect("the server is there");
    assert!(matches!(outcome, pb::open_response::Outcome::Opened(_)), "{outcome:?}");
    client
}

/// A session that was refused, or not.
pub(crate) async fn try_open(
    parameters: Vec<(String, String)>,
    secrets: Vec<(String, Vec<u8>)>,
) -> Result<pb::open_response::Outcome, tonic::Status> {
    Client::connect(Driver).open(parameters, secrets).await
}

/// The reason in a status.
pub(crate) fn reason(status: &tonic::Status) -> String {
    let details = tonic_types::StatusExt::get_error_details(status);
    details.error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

/// How the statements of a script ended: command tags and SQLSTATEs.
pub(crate) fn ends(answer: &Answer) -> Vec<String> {
    let end = |statement: &querybox_plugin::testkit::Statement| match &statement.rejection {
        Some(rejection) => rejection.sqlstate.clone(),
        None => statement.summary.as_ref().map(|summary| summary.command_tag.clone()).unwrap_or_default(),
    };
    answer.statements.iter().map(end).collect()
}

/// The one rejection of a script of one statement.
pub(crate) async fn rejection(client: &mut Client, sql: &str) -> pb::Rejection {
    let answer = client.execute(sql).await.expect("a refusal is a result");
    let [statement] = &answer.statements[..] else { panic!("one statement: {answer:?}") };
    statement.rejection.clone().unwrap_or_else(|| panic!("{sql} is refused"))
}

/// What is left of a session by a statement that ends it: the rejection, and the status behind it.
pub(crate) async fn last_words(client: &mut Client, sql: &str) -> (pb::Rejection, tonic::Status) {
    let mut parts =
        client.grpc.execute(client.execute_request(sql)).await.expect("the call begins").into_inner();
    let mut rejection = None;
    loop {
        match parts.message().await {
            Ok(Some(part)) => {
                if let Some(pb::execute_response::Part::Rejection(refused)) = part.part {
                    rejection = Some(refused);
                }
            }
            Ok(None) => panic!("{sql}: the session goes on after {rejection:?}"),
            Err(status) => return (rejection.expect("the server says why"), status),
        }
    }
}

/// Sessions of the driver that the server has.
pub(crate) fn sessions(server: &Postgres) -> usize {
    let count = server.psql("select count(*) from pg_stat_activity where application_name like 'querybox %'");
    String::from_utf8(count).unwrap().trim().parse().unwrap()
}
