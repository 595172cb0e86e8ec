//! Connections from front ends: taken, bounded, and ended in good order.

use std::{convert::Infallible, future::Future, io, sync::Arc, time::Duration};

use hyper::rt::Executor;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::{
        conn::auto,
        graceful::{GracefulShutdown, Watcher},
    },
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, BufReader},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::{router::Offer, stalling::Stalling};

/// Calls at once on one connection of HTTP/2.
const STREAMS_MAX: u32 = 128;
/// Bytes of all headers of a call.
const HEADER_BYTES_MAX: u32 = 16 << 10;
/// Headers of a call of HTTP/1.1.
const HEADERS_MAX: usize = 64;
/// Bytes that may wait to be read of a connection of HTTP/1.1, headers among them.
const BUFFER_BYTES_MAX: usize = 64 << 10;
/// Time for a new connection to say something, and for the headers of a call to come.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);
/// How often a quiet connection of HTTP/2 is asked whether it is still there, and how long it may take to answer.
const PING_EVERY: Duration = Duration::from_secs(30);
const PONG_WITHIN: Duration = Duration::from_secs(20);
/// Time for which a peer may take nothing of what is sent to it.
const TAKEN_WITHIN: Duration = Duration::from_secs(60);
/// Bytes that a call and a connection may have on the way: results are large, and a loopback is fast.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;
/// A batch in one frame.
const FRAME_BYTES_MAX: u32 = 256 << 10;
/// After an error of the system, for instance that no descriptor is free, trying again at once would only burn time.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves an offer on a socket.
pub(super) struct Listener {
    socket: TcpListener,
    offer: Offer,
    http: auto::Builder<Tracked>,
    connections_max: usize,
    /// `None`: connections are plain.
    tls: Option<TlsAcceptor>,
    places: Arc<Semaphore>,
    connections: JoinSet<()>,
    /// The calls of HTTP/2 connections.
    calls: TaskTracker,
    graceful: GracefulShutdown,
}

impl Listener {
    /// With so many connections at once.
    pub(super) fn new(
        socket: TcpListener,
        offer: Offer,
        tls: Option<TlsAcceptor>,
        connections_max: usize,
    ) -> Listener {
        let calls = TaskTracker::new();
        let mut http = auto::Builder::new(Tracked(calls.clone()));
        http.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS_WITHIN)
            .max_headers(HEADERS_MAX)
            .max_buf_size(BUFFER_BYTES_MAX);
        http.http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .max_header_list_size(HEADER_BYTES_MAX)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_frame_size(FRAME_BYTES_MAX)
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PONG_WITHIN);
        let places = Arc::new(Semaphore::new(connections_max));
        let (connections, graceful) = (JoinSet::new(), GracefulShutdown::new());
        Listener { socket, offer, http, tls, connections_max, places, connections, calls, graceful }
    }

    /// Takes connections until this is dropped; those that were taken go on.
    pub(super) async fn accept(&mut self) -> Infallible {
        loop {
            // Cancel-safe: a connection that was accepted is in the set before the next wait.
            tokio::select! {
                Some(_) = self.connections.join_next(), if !self.connections.is_empty() => {}
                accepted = self.socket.accept() => match accepted {
                    Ok((stream, _)) => self.serve(stream),
                    Err(error) => self.pause(&error).await,
                },
            }
        }
    }

    async fn pause(&self, error: &io::Error) {
        // The peer that went away before it was served is its own matter.
        if !matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
            warn!(%error, "no connection could be taken");
            sleep(PAUSE).await;
        }
    }

    fn serve(&mut self, stream: TcpStream) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            // Closed at once: who waits without a word cannot tell a full house from a dead one.
            warn!(max = self.connections_max, "as many connections are open as may");
            return;
        };
        // Answers of a few bytes are not to wait for more. Without it they are late and no worse.
        let _ = stream.set_nodelay(true);
        let (http, offer, watcher) = (self.http.clone(), self.offer.clone(), self.graceful.watcher());
        let tls = self.tls.clone();
        self.connections.spawn(async move {
            let _place: OwnedSemaphorePermit = place;
            // Which HTTP it is, its first bytes tell; hyper would wait for them for ever.
            if !matches!(timeout(HEADERS_WITHIN, stream.peek(&mut [0])).await, Ok(Ok(1))) {
                return;
            }
            let stream = Stalling::new(stream, TAKEN_WITHIN);
            match tls {
                None => talk(http, stream, offer, watcher).await,
                Some(tls) => {
                    let agreed = timeout(HEADERS_WITHIN, agree(&tls, stream)).await;
                    if let Ok(Some(stream)) = agreed {
                        talk(http, stream, offer, watcher).await;
                    }
                }
            }
        });
    }

    /// Takes nothing more, lets calls that run be answered, and cuts off what is not done in time.
    pub(super) async fn close(self, grace: Duration) {
        let Listener { socket, mut connections, calls, graceful, .. } = self;
        drop(socket);
        if timeout(grace, graceful.shutdown()).await.is_err() {
            warn!("connections were cut off");
        }
        connections.shutdown().await;
        calls.close();
        // With their connections gone they end at their next step.
        let _ = timeout(grace, calls.wait()).await;
    }
}

/// Answers the calls of a connection until it ends.
async fn talk<S>(http: auto::Builder<Tracked>, stream: S, offer: Offer, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(offer));
    if let Err(error) = watcher.watch(connection.into_owned()).await {
        debug!(%error, "connection ended");
    }
}

/// Agrees on TLS, and waits for the first bytes behind it. `None`: the other side wants something else, or went away.
async fn agree<S>(tls: &TlsAcceptor, stream: S) -> Option<BufReader<TlsStream<S>>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let stream = match tls.accept(stream).await {
        Ok(stream) => stream,
        Err(error) => {
            debug!(%error, "no TLS with whoever called");
            return None;
        }
    };
    let mut stream = BufReader::new(stream);
    match stream.fill_buf().await {
        Ok(bytes) if !bytes.is_empty() => Some(stream),
        Ok(_) | Err(_) => None,
    }
}

/// Runs what HTTP/2 does beside a connection in a set that is waited for.
#[derive(Debug, Clone)]
struct Tracked(TaskTracker);

impl<F> Executor<F> for Tracked
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, work: F) {
        self.0.spawn(work);
    }
}
