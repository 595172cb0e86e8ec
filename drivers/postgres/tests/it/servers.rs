//! Connections that name several servers.

use querybox_driver_postgres::Postgres as Driver;
use querybox_fixtures::{Postgres, PostgresOptions};
use querybox_plugin::{
    pb::{self, open_response::Outcome, test_connection_response},
    testkit::Client,
};

use crate::{
    rendering::csv,
    server::{ends, parameters, reason, secrets},
};

fn at(servers: &[&str], target: Option<&str>) -> Vec<(String, String)> {
    let mut parameters = vec![
        ("host".to_owned(), servers.join(",")),
        ("user".to_owned(), Postgres::USER.to_owned()),
        ("database".to_owned(), Postgres::DATABASE.to_owned()),
    ];
    parameters.extend(target.map(|target| ("target_session_attrs".to_owned(), target.to_owned())));
    parameters
}

/// The port of the server that a session was opened with.
async fn met(servers: &[&str], target: Option<&str>) -> Result<u16, tonic::Status> {
    let mut client = Client::connect(Driver);
    let Outcome::Opened(_) = client.open(at(servers, target), secrets()).await? else { panic!("let in") };
    let (port, _) = csv(&mut client, "show port").await;
    Ok(String::from_utf8(port).unwrap().lines().nth(1).unwrap().parse().unwrap())
}

fn closed() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("127.0.0.1:{}", listener.local_addr().unwrap().port())
}

#[tokio::test]
async fn the_first_that_will_do_is_taken() {
    let writing = Postgres::start();
    let settings = ["default_transaction_read_only = on"];
    let reading = Postgres::start_with(&PostgresOptions { settings: &settings, ..Default::default() });
    let (w, r) = (format!("127.0.0.1:{}", writing.port()), format!("localhost:{}", reading.port()));
    let closed = closed();
    for (servers, target, expected) in [
        (vec![&*w, &*r], None, writing.port()),
        (vec![&*r, &*w], Some("any"), reading.port()),
        (vec![&*closed, "no-such-host.invalid", &*r], None, reading.port()),
        (vec![&*r, &*w], Some("read-write"), writing.port()),
        (vec![&*w, &*r], Some("read-only"), reading.port()),
        (vec![&*r, &*w], Some("primary"), reading.port()),
        // There is no standby.
        (vec![&*closed, &*w, &*r], Some("prefer-standby"), writing.port()),
    ] {
        assert_eq!(met(&servers, target).await.unwrap(), expected, "{servers:?} {target:?}");
    }
    let status = met(&[&w, &closed], Some("standby")).await.unwrap_err();
    assert_eq!(reason(&status), "CONNECT_FAILED");
    let message = status.message();
    assert!(message.starts_with("none of 2 servers will do: "), "{message}");
    assert!(message.contains(&format!("{w}: the server is no standby; {closed}: ")), "{message}");

    // A wrong password is wrong with all of them, and is not shown to the next.
    let mut client = Client::connect(Driver);
    let wrong = vec![("password".to_owned(), b"wrong".to_vec())];
    let Outcome::Rejection(rejection) = client.open(at(&[&w, &r], None), wrong).await.unwrap() else {
        panic!("refused")
    };
    assert_eq!(rejection.sqlstate, "28P01");
    let list = vec![closed.as_str(); 33];
    assert_eq!(reason(&met(&list, None).await.unwrap_err()), "PARAMETER_INVALID");
}

#[tokio::test]
async fn a_cancel_goes_to_the_server_of_the_session() {
    let (first, second) = (Postgres::start(), Postgres::start());
    let closed = closed();
    let servers =
        [&*closed, &*format!("127.0.0.1:{}", second.port()), &*format!("127.0.0.1:{}", first.port())];
    let mut client = Client::connect(Driver);
    let request = client.open_request(at(&servers, None), secrets());
    let Outcome::Opened(opened) = client.open_with(request.clone()).await.unwrap() else { panic!("let in") };
    for is_detached in [false, true] {
        let mut grpc = client.grpc.clone();
        let cancel =
            pb::CancelRequest { session_id: client.session_id.clone(), ..pb::CancelRequest::default() };
        let (answer, ()) = tokio::join!(client.execute("select pg_sleep(60)"), async {
            let active = "select count(*) from pg_stat_activity where query like '%pg_sleep(60)%' and state = 'active' and pid <> pg_backend_pid()";
            while second.psql(active) != b"1\n" {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            if is_detached {
                let mut other = Client::connect(Driver);
                other.cancel_detached(request.clone(), opened.cancel_token.clone()).await.unwrap();
            } else {
                grpc.cancel(cancel).await.unwrap();
            }
        });
        assert_eq!(ends(&answer.unwrap()), ["57014"], "detached: {is_detached}");
    }
}

#[tokio::test]
async fn a_test_tells_of_the_server_that_is_taken() {
    let server = Postgres::start();
    let closed = closed();
    let port = server.port().to_string();
    let mut client = Client::connect(Driver);
    let mut all = parameters(&server);
    all[0].1 = format!("{closed},127.0.0.1:{port}");
    let open = client.open_request(all, secrets());
    let request = pb::TestConnectionRequest { open: Some(open) };
    let mut stages = client.grpc.test_connection(request).await.unwrap().into_inner();
    let mut passed = 0;
    while let Some(stage) = stages.message().await.unwrap() {
        assert!(matches!(stage.outcome, Some(test_connection_response::Outcome::Passed(_))), "{stage:?}");
        passed += 1;
    }
    assert!(passed >= 4, "{passed} stages");
}
