//! Cancel: a second connection that asks the server to stop what runs on the first.

use std::{fmt, net::SocketAddr, time::Duration};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use postgres_protocol::message::frontend;
use querybox_plugin::{DetachedCancel, Endpoint, Error, Reason, dial_resolved};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, sleep, timeout_at},
};

use crate::options::Server;

/// A request is one message: a server that does not take it in this time will not.
const LIMIT: Duration = Duration::from_secs(5);
/// How long a process that is gone may have a message on its way.
const ON_ITS_WAY: Duration = Duration::from_millis(200);

/// How long a cancelled statement may go on before it is asked again.
///
/// A request that overtakes its statement stops nothing, and that is the likely cause when one goes on: whoever cancels
/// between two messages of an exchange should not wait for long. A server that is merely slow to stop is asked ever less
/// often, for each request costs it a process.
#[derive(Debug)]
pub(crate) struct Patience(Duration);

impl Patience {
    const MAX: Duration = Duration::from_millis(200);

    pub(crate) fn new() -> Self {
        Self(Duration::from_millis(5))
    }

    /// The time until the next request.
    pub(crate) fn next(&mut self) -> Duration {
        let now = self.0;
        self.0 = (now * 2).min(Self::MAX);
        now
    }
}

/// The right to cancel what runs on one connection.
#[derive(Debug, Clone)]
pub(crate) struct Canceller {
    pub(crate) server: Server,
    /// The address that the connection has: another one of the same name may be another server.
    pub(crate) addresses: Vec<SocketAddr>,
    /// None: the server gave no key, so that nothing can be cancelled.
    pub(crate) key: Option<Key>,
}

/// What the server gave at log-in for this.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    pub(crate) process_id: i32,
    pub(crate) secret: i32,
}

impl fmt::Debug for Key {
    /// Without the secret: whoever has it can cancel.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("process_id", &self.process_id).finish_non_exhaustive()
    }
}

/// Asks for a process that is gone.
///
/// Its last message may have been on its way when it died: a request that the server takes before that message stops
/// nothing, and so there is a second one. It cannot hit anything else, for nobody can send another statement.
pub(crate) async fn detached(cancel: &DetachedCancel) -> Result<(), Error> {
    // The user's certificate does not go along: its key is a secret, and servers ask for none before they cancel.
    let servers = Server::parse(&cancel.parameters, None)?;
    let canceller = Canceller::with_token(servers, &cancel.token)
        .ok_or_else(|| Error::parameter("cancel_token", "is not one that this driver gave"))?;
    let deadline = Instant::now() + cancel.connect_limit.min(LIMIT);
    canceller.send_before(deadline).await?;
    sleep(ON_ITS_WAY).await;
    // The server took the first: whatever keeps it from taking another one is no failure of the cancel.
    canceller.send_before(deadline).await.ok();
    Ok(())
}

impl Canceller {
    /// What another process needs beside the parameters: the key, which of the servers it is, and for TCP the
    /// address in text.
    pub(crate) fn token(&self) -> Bytes {
        let mut token = BytesMut::new();
        let Some(Key { process_id, secret }) = self.key else { return token.freeze() };
        let address = match (&self.server.endpoint, self.addresses.first()) {
            (Endpoint::Unix { .. }, _) => String::new(),
            (Endpoint::Tcp { .. }, Some(address)) => address.to_string(),
            // Where the connection leads to is not known, and another server of the name must not be asked.
            (Endpoint::Tcp { .. }, None) => return token.freeze(),
        };
        token.put_i32(process_id);
        token.put_i32(secret);
        token.put_u8(self.server.number);
        token.put_slice(address.as_bytes());
        token.freeze()
    }

    /// Reads what [`token`](Self::token) wrote. None: it did not.
    fn with_token(servers: Vec<Server>, mut token: &[u8]) -> Option<Self> {
        let process_id = token.try_get_i32().ok()?;
        let secret = token.try_get_i32().ok()?;
        let server = servers.into_iter().nth(token.try_get_u8().ok()?.into())?;
        let addresses = match &server.endpoint {
            Endpoint::Unix { .. } if token.is_empty() => Vec::new(),
            Endpoint::Unix { .. } => return None,
            Endpoint::Tcp { .. } => vec![std::str::from_utf8(token).ok()?.parse().ok()?],
        };
        Some(Self { server, addresses, key: Some(Key { process_id, secret }) })
    }

    /// Asks the server to stop, over TLS as the connection itself, and waits until it has passed the word on.
    ///
    /// The server never says whether anything ran.
    pub(crate) async fn send(&self) -> Result<(), Error> {
        self.send_before(Instant::now() + LIMIT).await
    }

    async fn send_before(&self, deadline: Instant) -> Result<(), Error> {
        let Some(Key { process_id, secret }) = self.key else {
            return Err(Error::unsupported("the server gave no key to cancel with"));
        };
        let request = async {
            let stream = dial_resolved(&self.server.endpoint, &self.addresses, deadline).await?;
            let mut transport = self.server.tls.secure(stream).await?;
            let mut message = BytesMut::new();
            frontend::cancel_request(process_id, secret, &mut message);
            let lost = |error: std::io::Error| {
                Error::of_socket(Reason::ConnectionLost, "the cancel request broke", &error)
            };
            transport.write_all(&message).await.map_err(lost)?;
            transport.flush().await.map_err(lost)?;
            // The server closes when the word is passed on. How it closes does not matter.
            while transport.read(&mut [0; 64]).await.is_ok_and(|count| count > 0) {}
            Ok(())
        };
        timeout_at(deadline, request)
            .await
            .unwrap_or_else(|_| Err(Error::new(Reason::ConnectFailed, "the server takes no cancel request")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::Tls;

    fn canceller(endpoint: Endpoint, address: Option<&str>) -> Canceller {
        let addresses = address.into_iter().map(|address| address.parse().unwrap()).collect();
        let key = Some(Key { process_id: -2, secret: i32::MAX });
        Canceller { server: server(1, endpoint), addresses, key }
    }

    fn server(number: u8, endpoint: Endpoint) -> Server {
        Server { number, endpoint, tls: Tls::Off }
    }

    fn servers(endpoint: Endpoint) -> Vec<Server> {
        vec![server(0, unix()), server(1, endpoint)]
    }

    fn tcp() -> Endpoint {
        Endpoint::Tcp { host: "db".into(), port: 5432 }
    }

    fn unix() -> Endpoint {
        Endpoint::Unix { path: "/run/.s.PGSQL.5432".into() }
    }

    #[test]
    fn a_token_brings_the_key_and_the_address_back() {
        for (endpoint, address) in
            [(tcp(), Some("10.0.0.7:5432")), (tcp(), Some("[fe80::1%3]:5433")), (unix(), None)]
        {
            let given = canceller(endpoint.clone(), address);
            let token = given.token();
            assert!(token.len() <= 1024);
            let read = Canceller::with_token(servers(endpoint), &token).unwrap();
            assert_eq!(read.addresses, given.addresses);
            let Some(Key { process_id: -2, secret: i32::MAX }) = read.key else { panic!("{:?}", read.key) };
        }
    }

    #[test]
    fn a_statement_that_goes_on_is_asked_again_soon_and_then_ever_less_often() {
        let mut patience = Patience::new();
        let waits = [(); 8].map(|()| patience.next().as_millis());
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 200, 200]);
    }

    #[test]
    fn a_canceller_does_not_show_its_secret() {
        let shown = format!("{:?}", canceller(tcp(), Some("10.0.0.7:5432")));
        assert!(shown.contains("process_id") && !shown.contains(&i32::MAX.to_string()), "{shown}");
    }

    #[test]
    fn a_token_that_does_not_fit_asks_nobody() {
        let with =
            |endpoint: Endpoint, token: &[u8]| Canceller::with_token(servers(endpoint), token).is_some();
        let token = canceller(tcp(), Some("10.0.0.7:5432")).token();
        assert!(with(tcp(), &token));
        for length in [0, 3, 7, 8, 9, 13] {
            assert!(!with(tcp(), &token[..length]), "{length}");
        }
        assert!(!with(unix(), &token), "an address for a socket");
        assert!(!with(tcp(), b"12345678\x01db.example.com:5432"), "a name is resolved anew");
        assert!(canceller(tcp(), None).token().is_empty(), "no address, no token");
    }
}
