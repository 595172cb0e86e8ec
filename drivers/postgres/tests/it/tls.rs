//! TLS: who must prove what, on the first connection and on that of a cancel request.

use querybox_driver_postgres::Postgres as Driver;
use querybox_fixtures::{Certificate, Postgres, PostgresOptions};
use querybox_plugin::{
    pb::{self, open_response::Outcome, parameter::Value},
    testkit::Client,
};

use crate::server::{ends, parameters, reason, secrets};

/// What opens a session with a mode and an authority.
fn request(
    client: &Client,
    server: &Postgres,
    host: &str,
    mode: Option<&str>,
    authority: Option<&str>,
) -> pb::OpenRequest {
    let mut parameters = parameters(server);
    parameters[0].1 = host.to_owned();
    parameters.extend(mode.map(|mode| ("sslmode".to_owned(), mode.to_owned())));
    let mut request = client.open_request(parameters, secrets());
    request.parameters.extend(authority.map(|pem| pb::Parameter {
        name: "sslrootcert".into(),
        value: Some(Value::Content(pem.as_bytes().to_vec().into())),
    }));
    request
}

async fn open(
    server: &Postgres,
    host: &str,
    mode: Option<&str>,
    authority: Option<&str>,
) -> Result<(Client, String), tonic::Status> {
    let mut client = Client::connect(Driver);
    match client.open_with(request(&client, server, host, mode, authority)).await? {
        Outcome::Opened(opened) => Ok((client, opened.server.unwrap().tls)),
        Outcome::Rejection(rejection) => panic!("{rejection:?}"),
    }
}

#[tokio::test]
async fn a_server_must_prove_what_the_mode_asks() {
    let certificate = Certificate::make(&["localhost"]);
    let stranger = Certificate::make(&["localhost"]);
    let access = ["hostssl all all all scram-sha-256", "local all all scram-sha-256"];
    let options = PostgresOptions { certificate: Some(&certificate), access: &access, ..Default::default() };
    let server = Postgres::start_with(&options);
    let own = Some(certificate.authority_pem());
    let other = Some(stranger.authority_pem());

    for (host, mode, authority) in [
        ("localhost", Some("verify-full"), own),
        // An authority is only given to be checked.
        ("localhost", None, own),
        ("127.0.0.1", Some("verify-ca"), own),
        ("127.0.0.1", Some("require"), None),
        // As verify-ca.
        ("127.0.0.1", Some("require"), own),
    ] {
        let (mut client, tls) = open(&server, host, mode, authority).await.unwrap();
        assert_eq!(tls, "TLS 1.3");
        let used = "select ssl from pg_stat_ssl where pid = pg_backend_pid() and ssl";
        assert_eq!(ends(&client.execute(used).await.unwrap()), ["SELECT 1"], "{host} {mode:?}");
    }
    for (host, mode, authority, why) in [
        ("127.0.0.1", Some("verify-full"), own, "not valid for name"),
        ("localhost", Some("verify-full"), other, "invalid peer certificate"),
        ("localhost", Some("verify-ca"), other, "invalid peer certificate"),
        ("localhost", Some("require"), other, "invalid peer certificate"),
        ("localhost", Some("verify-full"), None, "invalid peer certificate"),
    ] {
        let status = open(&server, host, mode, authority).await.unwrap_err();
        assert_eq!(reason(&status), "TLS_FAILED", "{status:?}");
        assert!(status.message().contains(why), "{status:?}");
    }
    for (mode, authority) in [
        ("verify-full", Some("no certificate")),
        // The public authorities sign for anybody.
        ("verify-ca", None),
        // Nobody would look at it.
        ("disable", own),
    ] {
        let status = open(&server, "localhost", Some(mode), authority).await.unwrap_err();
        assert_eq!(reason(&status), "PARAMETER_INVALID", "{mode}: {status:?}");
        assert!(status.message().contains("sslrootcert"), "{mode}: {status:?}");
    }
}

#[tokio::test]
async fn a_certificate_of_yesterday_proves_nothing() {
    let certificate = Certificate::expired(&["localhost"]);
    let options = PostgresOptions { certificate: Some(&certificate), ..Default::default() };
    let server = Postgres::start_with(&options);
    let authority = Some(certificate.authority_pem());
    for mode in ["verify-full", "verify-ca"] {
        let status = open(&server, "localhost", Some(mode), authority).await.unwrap_err();
        assert_eq!(reason(&status), "TLS_FAILED");
        assert!(status.message().contains("expired"), "{status:?}");
    }
    // It is the certificate: who believes anybody gets in.
    open(&server, "localhost", Some("require"), None).await.unwrap();
}

#[tokio::test]
async fn a_cancel_request_is_protected_as_the_connection_is() {
    let certificate = Certificate::make(&["localhost"]);
    let options = PostgresOptions { certificate: Some(&certificate), ..Default::default() };
    let server = Postgres::start_with(&options);
    let authority = Some(certificate.authority_pem());
    let (mut client, _) = open(&server, "localhost", Some("verify-full"), authority).await.unwrap();
    let mut grpc = client.grpc.clone();
    let request = pb::CancelRequest { session_id: client.session_id.clone(), ..pb::CancelRequest::default() };
    let (answer, ()) = tokio::join!(client.execute("select pg_sleep(60)"), async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        grpc.cancel(request).await.unwrap();
    });
    assert_eq!(ends(&answer.unwrap()), ["57014"]);
    assert_eq!(ends(&client.execute("select 1").await.unwrap()), ["SELECT 1"]);
}

#[tokio::test]
async fn a_cancel_for_another_process_checks_the_server_as_the_session_did() {
    let certificate = Certificate::make(&["localhost"]);
    let stranger = Certificate::make(&["localhost"]);
    let options = PostgresOptions { certificate: Some(&certificate), ..Default::default() };
    let server = Postgres::start_with(&options);
    let own = Some(certificate.authority_pem());
    let mut client = Client::connect(Driver);
    let request =
        |client: &_, authority| request(client, &server, "localhost", Some("verify-full"), authority);
    let open = request(&client, own);
    let Outcome::Opened(opened) = client.open_with(open.clone()).await.unwrap() else { panic!("it opens") };

    let unchecked = request(&client, Some(stranger.authority_pem()));
    let refused = Client::connect(Driver).cancel_detached(unchecked, opened.cancel_token.clone()).await;
    assert_eq!(
        reason(&refused.unwrap_err()),
        "TLS_FAILED",
        "a server that is not the session's hears no key"
    );

    let (answer, ()) = tokio::join!(client.execute("select pg_sleep(60)"), async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        let asked = Client::connect(Driver).cancel_detached(open, opened.cancel_token).await;
        assert_eq!(asked.unwrap(), pb::CancelOutcome::Requested);
    });
    assert_eq!(ends(&answer.unwrap()), ["57014"]);
}
