//! Servers that are none, or that want something else than to answer queries.

use std::time::Duration;

use querybox_driver_postgres::Postgres as Driver;
use querybox_fixtures::Postgres;
use querybox_plugin::{
    pb::{self, open_response::Outcome},
    testkit::Client,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::{
    rendering::csv,
    server::{parameters, reason, secrets},
};

/// `R` with 0: the user is in.
const AUTHENTICATED: &[u8] = b"R\0\0\0\x08\0\0\0\0";
const READY: &[u8] = b"Z\0\0\0\x05I";
const ERROR: &[u8] = b"E\0\0\0\x1eSERROR\0VERROR\0C42601\0Mno\0\0";

/// A server that reads something and then sends the next of its answers, whatever was asked; the last one closes. Its
/// answer is all that it was sent.
async fn serve(listener: TcpListener, answers: Vec<Vec<u8>>) -> Vec<u8> {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut heard = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    for answer in answers {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return heard,
            Ok(count) => heard.extend_from_slice(&buffer[..count]),
        }
        if stream.write_all(&answer).await.is_err() {
            break;
        }
    }
    // Whatever still comes shows what the driver would tell it.
    let rest = tokio::time::timeout(Duration::from_millis(100), stream.read_to_end(&mut heard)).await;
    drop(rest);
    heard
}

/// A session with such a server, which lives as long as the set that it is in.
async fn open_with(answers: &[&[u8]]) -> (Client, JoinSet<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut servers = JoinSet::new();
    servers.spawn(serve(listener, answers.iter().map(|answer| answer.to_vec()).collect()));
    let mut client = Client::connect(Driver);
    let parameters = [("host", "127.0.0.1".to_owned()), ("port", port.to_string()), ("user", "u".to_owned())];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value)).to_vec();
    let outcome = client.open(parameters, Vec::new()).await.unwrap();
    assert!(matches!(outcome, Outcome::Opened(_)), "{outcome:?}");
    (client, servers)
}

/// Opens a session with such a server; runs a statement when that works. The status, and what the server heard.
async fn met(answers: &[&[u8]], sslmode: &str) -> (tonic::Status, Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut servers = JoinSet::new();
    servers.spawn(serve(listener, answers.iter().map(|answer| answer.to_vec()).collect()));
    let mut client = Client::connect(Driver);
    let parameters = [("host", "127.0.0.1".to_owned()), ("port", port.to_string()), ("user", "u".to_owned())];
    let mut parameters: Vec<_> = parameters.map(|(name, value)| (name.to_owned(), value)).to_vec();
    parameters.push(("sslmode".into(), sslmode.into()));
    let opened = client.open(parameters, vec![("password".into(), b"canary".to_vec())]).await;
    let status = match opened {
        Err(status) => status,
        Ok(Outcome::Opened(_)) => client.execute("select 1").await.unwrap_err(),
        Ok(Outcome::Rejection(rejection)) => panic!("{rejection:?}"),
    };
    (status, servers.join_next().await.unwrap().unwrap())
}

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
    [&[tag], &length[..], body].concat()
}

#[tokio::test]
async fn what_is_not_the_protocol_is_told_as_such() {
    let sasl = message(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0");
    let challenge = |text: &str| message(b'R', &[b"\0\0\0\x0b", text.as_bytes()].concat());
    let too_many = challenge("r=abc,s=c2FsdA==,i=2147483648");
    let foreign_nonce = challenge("r=abc,s=c2FsdA==,i=4096");
    let huge_error = [b"E".as_slice(), &0x3fff_ffff_u32.to_be_bytes()].concat();
    let long_error = message(b'E', &[b"SERROR\0M".as_slice(), &vec![b'x'; 100_000], b"\0\0"].concat());
    let unready = [AUTHENTICATED, b"T\0\0\0\x06\0\0"].concat();
    let unknown = [AUTHENTICATED, b"?\0\0\0\x04"].concat();
    for (answers, expected, said) in [
        (vec![b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice()], "PROTOCOL_BROKEN", ""),
        (vec![b"SSH-2.0-OpenSSH_9.2\r\n"], "PROTOCOL_BROKEN", ""),
        (vec![b"R\0\0\0\x03"], "PROTOCOL_BROKEN", "impossible length"),
        (vec![b"R\xff\xff\xff\xff"], "PROTOCOL_BROKEN", "impossible length"),
        (vec![b"R\0\0\0\x08\0\0\0\x63"], "PROTOCOL_BROKEN", ""),
        (vec![&huge_error], "PROTOCOL_BROKEN", "bytes"),
        (vec![&long_error], "PROTOCOL_BROKEN", "bytes"),
        (vec![READY], "PROTOCOL_BROKEN", "out of order"),
        (vec![&unready], "PROTOCOL_BROKEN", ""),
        (vec![&unknown], "PROTOCOL_BROKEN", ""),
        (vec![b""], "CONNECTION_LOST", ""),
        (vec![&sasl, &too_many], "PROTOCOL_BROKEN", "2147483648 SCRAM iterations"),
        (vec![&sasl, &foreign_nonce], "PROTOCOL_BROKEN", ""),
        (vec![&sasl, AUTHENTICATED], "PROTOCOL_BROKEN", "out of order"),
        (vec![&message(b'R', b"\0\0\0\x0aNOTHING\0\0")], "UNSUPPORTED", "SCRAM-SHA-256"),
        (vec![&message(b'R', b"\0\0\0\x07")], "UNSUPPORTED", "Kerberos"),
        (vec![&message(b'R', b"\0\0\0\x03")], "TLS_FAILED", "in clear text"),
    ] {
        let (status, heard) = met(&answers, "disable").await;
        let answers: Vec<_> =
            answers.iter().map(|answer| answer[..answer.len().min(40)].escape_ascii().to_string()).collect();
        assert_eq!(reason(&status), expected, "{answers:?}: {status:?}");
        assert!(status.message().contains(said), "{answers:?}: {status:?}");
        assert!(!heard.windows(6).any(|part| part == b"canary"), "the password was told to {answers:?}");
    }
}

#[tokio::test]
async fn nothing_is_told_to_a_server_that_strips_tls() {
    for (answer, expected) in [
        (b"N".as_slice(), "TLS_FAILED"),
        (ERROR, "TLS_FAILED"),
        (b"HTTP/1.1", "PROTOCOL_BROKEN"),
        // What is put behind the answer in the clear goes into the handshake, and breaks it.
        (b"SR\0\0\0\x08\0\0\0\0Z\0\0\0\x05I", "TLS_FAILED"),
        (b"S\x15\x03\x03\0\x02\x02\x28", "TLS_FAILED"),
    ] {
        let (status, heard) = met(&[answer], "verify-full").await;
        assert_eq!(reason(&status), expected, "{status:?}");
        assert!(!heard.windows(4).any(|part| part == b"user"), "the user's name was told");
    }
}

#[tokio::test]
async fn answers_that_make_no_sense_end_the_connection() {
    let looks = [
        // The answer to the set-up: one row of two texts, and that it is ready.
        message(b'T', &[b"\0\x02".as_slice(), &[b"a\0".as_slice(), &[0; 18]].concat().repeat(2)].concat()),
        message(b'D', b"\0\x02\0\0\0\x011\0\0\0\x03hex"),
        message(b'C', b"SELECT 1\0"),
        READY.to_vec(),
    ]
    .concat();
    let greeting = [
        AUTHENTICATED,
        &message(b'S', b"server_version\09.6\0"),
        &message(b'S', b"DateStyle\0ISO\0"),
        &message(b'S', b"integer_datetimes\0on\0"),
        READY,
    ]
    .concat();
    let int4 = |count: u8| {
        let column =
            [b"a\0\0\0\0\0\0\0".as_slice(), &23_u32.to_be_bytes(), b"\0\x04\xff\xff\xff\xff\0\0"].concat();
        message(b'T', &[&[0, count], &column.repeat(count.into())[..]].concat())
    };
    let described = [message(b'1', b""), message(b't', b"\0\0"), int4(1)].concat();
    // Of a type with what would stand in its parentheses.
    let of_type = |type_oid: u32, modifier: i32| {
        let column = [
            b"\0\x01a\0\0\0\0\0\0\0".as_slice(),
            &type_oid.to_be_bytes(),
            b"\0\x04",
            &modifier.to_be_bytes(),
            b"\0\0",
        ];
        [message(b'1', b""), message(b't', b"\0\0"), message(b'T', &column.concat())].concat()
    };
    let (varchar, bpchar, numeric, date) = (1043, 1042, 1700, 1082);
    let last_day_but_one = [b"\0\x01\0\0\0\x04".as_slice(), &(i32::MAX - 1).to_be_bytes()].concat();
    let bound = message(b'2', b"");
    let rows = |row: &[u8]| [bound.clone(), message(b'D', row)].concat();
    for (first, second) in [
        // Another number of columns, a value of another size, a value longer than its row, a row too long.
        (described.clone(), rows(b"\0\x02\0\0\0\x04aaaa\0\0\0\x04aaaa")),
        (described.clone(), rows(b"\0\x01\0\0\0\x05aaaaa")),
        (described.clone(), rows(b"\0\x01\x7f\xff\xff\xffaaaa")),
        (described.clone(), rows(b"\0\x01\0\0\0\x04aaaa?")),
        // Modifiers and days that no type has.
        (of_type(varchar, i32::MIN), rows(b"\0\0")),
        (of_type(bpchar, i32::MIN), rows(b"\0\0")),
        (of_type(numeric, 4), rows(b"\0\0")),
        (of_type(numeric, i32::MAX), rows(b"\0\0")),
        (of_type(date, -1), rows(&last_day_but_one)),
        // A row that nobody described, a second description, a Ready that nobody asked for.
        ([message(b'1', b""), message(b'D', b"\0\0")].concat(), Vec::new()),
        (described.clone(), [bound.clone(), int4(1)].concat()),
        (described.clone(), [bound.clone(), READY.to_vec(), READY.to_vec()].concat().repeat(2)),
        // Lengths that nobody can mean.
        (b"T\x7f\xff\xff\xff".to_vec(), Vec::new()),
        (described.clone(), b"D\x7f\xff\xff\xff".to_vec()),
        (described.clone(), b"C\0\x10\0\0".to_vec()),
        (message(b'T', b"\xff\xff"), Vec::new()),
    ] {
        let (status, _) = met(&[&greeting, &looks, &first, &second], "disable").await;
        let shown = (first.escape_ascii().to_string(), second.escape_ascii().to_string());
        assert_eq!(reason(&status), "PROTOCOL_BROKEN", "{shown:?}: {status:?}");
    }
}

#[tokio::test]
async fn bytes_that_come_one_by_one_are_the_same() {
    let server = Postgres::start();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server_port = server.port();
    let mut relay = JoinSet::new();
    relay.spawn(async move {
        let (client, _) = listener.accept().await.unwrap();
        client.set_nodelay(true).unwrap();
        let server = TcpStream::connect((Postgres::HOST, server_port)).await.unwrap();
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        let up = tokio::io::copy(&mut from_client, &mut to_server);
        let down = async {
            let mut byte = [0];
            while from_server.read_exact(&mut byte).await.is_ok() && to_client.write_all(&byte).await.is_ok()
            {
                tokio::task::yield_now().await;
            }
        };
        drop(tokio::join!(up, down));
    });
    let mut client = Client::connect(Driver);
    let mut parameters = parameters(&server);
    parameters[1].1 = port.to_string();
    client.open(parameters, secrets()).await.unwrap();
    let sql = "select i, repeat('é', i) as t, i / 3.0 as n, now() > '2000-01-01' as b from generate_series(1, 30) i";
    let (ours, _) = csv(&mut client, sql).await;
    assert_eq!(ours, crate::rendering::copy_csv(&server, "", sql));
    let answer = client.execute("select nowhere").await.unwrap();
    assert_eq!(
        answer.statements[0].rejection.as_ref().map(|r: &pb::Rejection| r.sqlstate.as_str()),
        Some("42703")
    );
}

#[tokio::test]
async fn the_end_of_a_session_is_told_from_a_refusal_in_any_language_and_at_any_moment() {
    let greeting = [AUTHENTICATED, &message(b'S', b"server_version\09.6\0"), READY].concat();
    let looks =
        [message(b'D', b"\0\x02\0\0\0\x011\0\0\0\x03hex"), message(b'C', b"SELECT 1\0"), READY.to_vec()]
            .concat();
    let end = message(b'E', "SFATALE\0VFATAL\0C57P01\0Mterminato\0\0".as_bytes());
    let panic = message(b'E', b"SPANIC\0VPANIC\0C57P02\0Mover\0\0");
    let other_words = message(b'E', b"SFATAL\0C57P01\0Mover\0\0");
    let refusal = message(b'E', "SFATAL\0VERROR\0C22000\0Mno\0\0".as_bytes());
    // A column of a type that has to be asked for.
    let column =
        [b"\0\x01a\0\0\0\0\0\0\0".as_slice(), &99_999_u32.to_be_bytes(), b"\0\x04\xff\xff\xff\xff\0\0"];
    let described = [message(b'1', b""), message(b't', b"\0\0"), message(b'T', &column.concat())].concat();
    let unasked = [message(b'1', b""), message(b't', b"\0\0"), message(b'n', b"")].concat();
    for (answers, sqlstate) in [
        (vec![&described, &end], "57P01"),
        (vec![&unasked, &end], "57P01"),
        (vec![&unasked, &panic], "57P02"),
        (vec![&end], "57P01"),
        (vec![&other_words], "57P01"),
    ] {
        let answers: Vec<&[u8]> = [&greeting, &looks].into_iter().chain(answers).map(Vec::as_slice).collect();
        let (mut client, _servers) = open_with(&answers).await;
        let (rejection, status) = crate::server::last_words(&mut client, "select 1").await;
        assert_eq!((rejection.sqlstate.as_str(), reason(&status).as_str()), (sqlstate, "CONNECTION_LOST"));
    }
    let refused = [refusal, READY.to_vec()].concat();
    let (mut client, _servers) = open_with(&[&greeting, &looks, &refused, b""]).await;
    assert_eq!(crate::server::rejection(&mut client, "select 1").await.sqlstate, "22000");
}

#[tokio::test]
async fn a_server_that_does_not_know_the_password_is_found_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let mut servers = JoinSet::new();
    servers.spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = vec![0; 4096];
        let _startup = stream.read(&mut buffer).await.unwrap();
        stream.write_all(&message(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0")).await.unwrap();
        let count = stream.read(&mut buffer).await.unwrap();
        // Its own nonce, as the protocol wants it, and the end of everything that it can know.
        let first = String::from_utf8_lossy(&buffer[..count]).into_owned();
        let nonce = first.split("r=").nth(1).unwrap();
        let challenge = format!("r={nonce}more,s=c2FsdA==,i=4096");
        stream.write_all(&message(b'R', &[b"\0\0\0\x0b", challenge.as_bytes()].concat())).await.unwrap();
        let _proof = stream.read(&mut buffer).await.unwrap();
        let made_up = b"\0\0\0\x0cv=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        stream.write_all(&[&message(b'R', made_up), AUTHENTICATED, READY].concat()).await.unwrap();
    });
    let mut client = Client::connect(Driver);
    let parameters = [("host", "127.0.0.1"), ("port", &port), ("user", "u")];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let status = client.open(parameters, secrets()).await.unwrap_err();
    assert_eq!(reason(&status), "PROTOCOL_BROKEN");
    assert!(status.message().contains("could not prove that it knows the password"), "{status:?}");
}

#[tokio::test]
async fn a_connection_that_ends_anywhere_is_lost() {
    let server = Postgres::start();
    let server_port = server.port();
    let mut cut_after = 0;
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut relay = JoinSet::new();
        relay.spawn(async move {
            let (client, _) = listener.accept().await.unwrap();
            let server = TcpStream::connect((Postgres::HOST, server_port)).await.unwrap();
            let (mut from_client, mut to_server) = (client, server);
            let (mut from_client, mut to_client) = from_client.split();
            let (from_server, mut to_server) = to_server.split();
            let mut some = from_server.take(cut_after);
            tokio::select! {
                _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
                _ = tokio::io::copy(&mut some, &mut to_client) => {}
            }
        });
        let mut client = Client::connect(Driver);
        let mut parameters = parameters(&server);
        parameters[1].1 = port.to_string();
        let ended = match client.open(parameters, secrets()).await {
            Ok(Outcome::Opened(_)) => client.execute("select 1").await.map(|_| ()),
            Ok(Outcome::Rejection(rejection)) => panic!("{rejection:?}"),
            Err(status) => Err(status),
        };
        let Err(status) = ended else { break };
        assert_eq!(reason(&status), "CONNECTION_LOST", "after {cut_after} bytes: {status:?}");
        cut_after += 11;
    }
    assert!(cut_after > 500, "{cut_after} bytes are a whole log-in and a query");
}
