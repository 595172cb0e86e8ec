//! Cancel: a second connection that asks the server to stop what runs on the first.

use std::{net::SocketAddr, time::Duration};

use bytes::{BufMut as _, Bytes, BytesMut};
use postgres_protocol::message::frontend;
use querybox_plugin::{Endpoint, Error, Reason, dial_resolved};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, timeout_at},
};

use crate::tls::Tls;

/// A request is one message: a server that does not take it in this time will not.
const LIMIT: Duration = Duration::from_secs(5);
/// How long a cancelled statement may go on before it is asked again.
pub(crate) const PATIENCE: Duration = Duration::from_millis(200);

/// The right to cancel what runs on one connection.
#[derive(Debug, Clone)]
pub(crate) struct Canceller {
    pub(crate) endpoint: Endpoint,
    /// The address that the connection has: another one of the same name may be another server.
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) tls: Tls,
    /// None: the server gave no key, so that nothing can be cancelled.
    pub(crate) key: Option<Key>,
}

/// What the server gave at log-in for this.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    pub(crate) process_id: i32,
    pub(crate) secret: i32,
}

impl Canceller {
    /// The key as an opaque token.
    pub(crate) fn token(&self) -> Bytes {
        let mut token = BytesMut::new();
        if let Some(Key { process_id, secret }) = self.key {
            token.put_i32(process_id);
            token.put_i32(secret);
        }
        token.freeze()
    }

    /// Asks the server to stop, over TLS as the connection itself, and waits until it has passed the word on.
    ///
    /// The server never says whether anything ran.
    pub(crate) async fn send(&self) -> Result<(), Error> {
        let Some(Key { process_id, secret }) = self.key else {
            return Err(Error::unsupported("the server gave no key to cancel with"));
        };
        let deadline = Instant::now() + LIMIT;
        let request = async {
            let stream = dial_resolved(&self.endpoint, &self.addresses, deadline).await?;
            let mut transport = self.tls.secure(stream).await?;
            let mut message = BytesMut::new();
            frontend::cancel_request(process_id, secret, &mut message);
            let lost = |error: std::io::Error| Error::lost(format!("the cancel request broke: {error}"));
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
