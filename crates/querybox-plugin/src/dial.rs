//! The one way to a network.
//!
//! At first the SDK opens the socket itself. Later the launcher does, over descriptor 1, and the sandbox denies sockets to
//! the driver: so no driver opens a socket in another way.

use std::{
    fmt, io,
    path::PathBuf,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
    time::Instant,
};

use crate::{Error, Reason, error::plain};

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A TCP port of a host.
    Tcp {
        /// A name or an address.
        host: String,
        /// The port.
        port: u16,
    },
    /// A Unix socket.
    Unix {
        /// Its path.
        path: PathBuf,
    },
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix { path } => write!(f, "{}", path.display()),
        }
    }
}

/// The addresses of a host, in the order in which they are tried. Empty for a Unix socket.
///
/// # Errors
///
/// [`Reason::ResolveFailed`] when there are none, or none came before `deadline`.
pub async fn resolve(endpoint: &Endpoint, deadline: Instant) -> Result<Vec<std::net::SocketAddr>, Error> {
    let Endpoint::Tcp { host, port } = endpoint else { return Ok(Vec::new()) };
    let failed = |why: &dyn fmt::Display| {
        Error::new(Reason::ResolveFailed, format!("the name {host:?} cannot be resolved: {why}"))
    };
    let found = tokio::time::timeout_at(deadline, tokio::net::lookup_host((host.as_str(), *port)))
        .await
        .map_err(|_| failed(&"no answer in time"))?
        .map_err(|error| failed(&plain(&error)))?;
    let addresses = believed(host, found.collect());
    if addresses.is_empty() { Err(failed(&"it has no address that it may have")) } else { Ok(addresses) }
}

/// The addresses that a name may have. `localhost` is this machine, whatever a resolver says (RFC 6761, section 6.3):
/// drivers talk to it in the clear.
fn believed(host: &str, mut addresses: Vec<std::net::SocketAddr>) -> Vec<std::net::SocketAddr> {
    if host.trim_end_matches('.').eq_ignore_ascii_case("localhost") {
        addresses.retain(|address| address.ip().to_canonical().is_loopback());
    }
    addresses
}

/// Connects to a server: to the first of its addresses that answers, each getting an equal share of the time left.
///
/// Dropping the future closes the socket.
///
/// # Errors
///
/// [`Reason::ResolveFailed`] or [`Reason::ConnectFailed`], naming the endpoint.
pub async fn dial(endpoint: &Endpoint, limit: Duration) -> Result<Stream, Error> {
    let deadline = Instant::now() + limit;
    let addresses = resolve(endpoint, deadline).await?;
    dial_resolved(endpoint, &addresses, deadline).await
}

/// Connects to a server whose addresses are known, as [`dial`] does.
///
/// # Errors
///
/// [`Reason::ConnectFailed`], naming the endpoint.
pub async fn dial_resolved(
    endpoint: &Endpoint,
    addresses: &[std::net::SocketAddr],
    deadline: Instant,
) -> Result<Stream, Error> {
    let failed = |why: &dyn fmt::Display| {
        Error::new(Reason::ConnectFailed, format!("{endpoint} cannot be reached: {why}"))
    };
    if let Endpoint::Unix { path } = endpoint {
        return tokio::time::timeout_at(deadline, UnixStream::connect(path))
            .await
            .map_err(|_| failed(&"no answer in time"))?
            .map(Stream::Unix)
            .map_err(|error| failed(&plain(&error)));
    }
    let mut last = failed(&"it has no address");
    for (tried, address) in addresses.iter().enumerate() {
        let addresses_left = u32::try_from(addresses.len() - tried).expect("a host has few addresses");
        let now = Instant::now();
        let share = deadline.saturating_duration_since(now) / addresses_left;
        last = match tokio::time::timeout_at(now + share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Requests are small and wait for answers: holding them back only adds latency.
                stream.set_nodelay(true).map_err(|error| failed(&plain(&error)))?;
                return Ok(Stream::Tcp(stream));
            }
            Ok(Err(error)) => failed(&plain(&error)),
            Err(_) => failed(&"no answer in time"),
        };
    }
    Err(last)
}

/// A connection to a server.
#[derive(Debug)]
pub enum Stream {
    /// Over TCP.
    Tcp(TcpStream),
    /// Over a Unix socket.
    Unix(UnixStream),
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    const LIMIT: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn a_listening_port_is_reached() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let endpoint = Endpoint::Tcp { host: "127.0.0.1".into(), port };
        let (dialed, accepted) = tokio::join!(dial(&endpoint, LIMIT), listener.accept());
        let (mut dialed, (mut accepted, _)) = (dialed.unwrap(), accepted.unwrap());
        accepted.write_all(b"hello").await.unwrap();
        let mut hello = [0; 5];
        dialed.read_exact(&mut hello).await.unwrap();
        assert_eq!(&hello, b"hello");
    }

    #[test]
    fn localhost_is_this_machine_alone() {
        let addresses = ["10.0.0.1:1", "127.0.0.2:1", "[::1]:1", "[::ffff:10.0.0.1]:1"]
            .map(|address| address.parse().unwrap())
            .to_vec();
        assert_eq!(believed("LocalHost", addresses.clone()), [addresses[1], addresses[2]]);
        assert_eq!(believed("db", addresses.clone()), addresses);
    }

    #[tokio::test]
    async fn a_closed_port_a_missing_socket_and_an_unknown_name_are_told_apart() {
        let port = {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            listener.local_addr().unwrap().port()
        };
        let error = dial(&Endpoint::Tcp { host: "127.0.0.1".into(), port }, LIMIT).await.unwrap_err();
        assert_eq!(error.reason(), Reason::ConnectFailed);
        assert_eq!(error.to_string(), format!("127.0.0.1:{port} cannot be reached: connection refused"));

        let error = dial(&Endpoint::Unix { path: "/nonexistent/socket".into() }, LIMIT).await.unwrap_err();
        assert_eq!(error.reason(), Reason::ConnectFailed);
        assert_eq!(error.to_string(), "/nonexistent/socket cannot be reached: no such file or directory");

        let error = dial(&Endpoint::Tcp { host: "no such host".into(), port: 1 }, LIMIT).await.unwrap_err();
        assert_eq!(error.reason(), Reason::ResolveFailed);
        assert!(error.to_string().starts_with(r#"the name "no such host" cannot be resolved: "#), "{error}");
    }
}
