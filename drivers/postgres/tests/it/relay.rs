//! Servers that understand less than PostgreSQL, or later: what they are told goes through other hands.

use std::time::Duration;

use querybox_driver_postgres::Postgres as Driver;
use querybox_fixtures::Postgres;
use querybox_plugin::{pb::open_response::Outcome, testkit::Client};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    task::JoinSet,
};

/// A session with a server that reads `to` wherever `from` is written, which is as long. It lives as long as the set.
pub(crate) async fn open_with(
    server: &Postgres,
    from: &'static str,
    to: &'static str,
) -> (Client, JoinSet<()>) {
    assert_eq!(from.len(), to.len());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server_port = server.port();
    let mut relay = JoinSet::new();
    relay.spawn(async move {
        let (client, _) = listener.accept().await.unwrap();
        let server = TcpStream::connect((Postgres::HOST, server_port)).await.unwrap();
        for stream in [&client, &server] {
            stream.set_nodelay(true).unwrap();
        }
        let (from_client, mut to_client) = client.into_split();
        let (mut from_server, to_server) = server.into_split();
        let up = rewrite(from_client, to_server, from.as_bytes(), to.as_bytes());
        let down = tokio::io::copy(&mut from_server, &mut to_client);
        drop(tokio::join!(up, down));
    });
    let mut client = Client::connect(Driver);
    let mut parameters = crate::server::parameters(server);
    parameters[1].1 = port.to_string();
    let outcome = client.open(parameters, crate::server::secrets()).await.unwrap();
    assert!(matches!(outcome, Outcome::Opened(_)), "{outcome:?}");
    (client, relay)
}

/// A session with a server that is slow to take a request to cancel, and takes it also when it was given up meanwhile.
pub(crate) async fn open_slow_to_cancel(server: &Postgres, delay: Duration) -> (Client, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server_port = server.port();
    let mut relay = JoinSet::new();
    relay.spawn(async move {
        let mut links = JoinSet::new();
        for number in 0.. {
            let (mut client, _) = listener.accept().await.unwrap();
            links.spawn(async move {
                let mut server = TcpStream::connect((Postgres::HOST, server_port)).await.unwrap();
                if number > 0 {
                    let mut request = [0; 16];
                    client.read_exact(&mut request).await.unwrap();
                    tokio::time::sleep(delay).await;
                    server.write_all(&request).await.unwrap();
                    // It closes when it has passed the word on.
                    drop(server.read(&mut request).await);
                    return;
                }
                drop(tokio::io::copy_bidirectional(&mut client, &mut server).await);
            });
        }
    });
    let mut client = Client::connect(Driver);
    let mut parameters = crate::server::parameters(server);
    parameters[1].1 = port.to_string();
    parameters.push(("sslmode".into(), "disable".into()));
    let outcome = client.open(parameters, crate::server::secrets()).await.unwrap();
    assert!(matches!(outcome, Outcome::Opened(_)), "{outcome:?}");
    (client, relay)
}

async fn rewrite(mut reading: OwnedReadHalf, mut writing: OwnedWriteHalf, from: &[u8], to: &[u8]) {
    let mut held = Vec::new();
    loop {
        match reading.read_buf(&mut held).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        while let Some(at) = held.windows(from.len()).position(|window| window == from) {
            held[at..at + from.len()].copy_from_slice(to);
        }
        // Words may come in two pieces. No message ends with the beginning of one.
        let begun = (1..from.len()).rev().find(|length| held.ends_with(&from[..*length]));
        let rest = held.split_off(held.len() - begun.unwrap_or(0));
        if writing.write_all(&held).await.is_err() {
            return;
        }
        held = rest;
    }
}
