//! `serve`: the contract's service on the socket that Core gave.

use std::{
    ffi::CString,
    io,
    os::{fd::AsFd as _, unix::net::UnixStream as StdUnixStream},
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures::StreamExt as _;
use querybox_contracts::plugin::v1::driver_service_server::DriverServiceServer;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{UnixListener, UnixStream},
};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::{Server, server::Connected};

use crate::{
    Driver,
    service::{MESSAGE_BYTES_MAX, Service},
};

/// How much may be under way to the reader. Two batches and a half: the socket is never idle, and little waits.
const WINDOW_BYTES: u32 = 1024 * 1024;
/// Frames as large as a batch; HTTP/2's own 16 KiB would cut each into many.
const FRAME_BYTES_MAX: u32 = 256 * 1024;

/// Serves until the socket closes.
pub(crate) fn serve<D: Driver>(driver: D, socket: &str) -> io::Result<()> {
    // Neither a debugger of the same user nor a core file may read the credential. A refusal leaves the jail's limits.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    // Executed by a descriptor, the process is named by its number. The kernel keeps the first 15 bytes.
    if let Ok(name) = CString::new(format!("querybox-{}", driver.info().driver_type)) {
        rustix::thread::set_name(&name)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let stream = match socket {
            "fd:0" => take_standard_input()?,
            path => accept_one(Path::new(path)).await?,
        };
        serve_stream(Arc::new(driver), stream).await
    })
}

/// Serves one connected stream until it closes.
pub(crate) async fn serve_stream<D, S>(driver: Arc<D>, stream: S) -> io::Result<()>
where
    D: Driver,
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let closed = CancellationToken::new();
    let connection = Connection { stream, _closed: closed.clone().drop_guard() };
    // One connection, and then none: an iterator that ended would end the server at once.
    let incoming = futures::stream::iter([Ok::<_, io::Error>(connection)]).chain(futures::stream::pending());
    let service = DriverServiceServer::new(Service::new(driver))
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let server = Server::builder()
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES * 2)
        .max_frame_size(FRAME_BYTES_MAX)
        .add_service(service)
        .serve_with_incoming(incoming);
    tokio::select! {
        served = server => served.map_err(io::Error::other),
        // The socket closed: whatever still runs has nobody to answer.
        () = closed.cancelled() => Ok(()),
    }
}

/// Moves the socket away from descriptor 0 and points 0 and 1 at nothing, so that a library that reads or prints
/// cannot disturb the protocol.
fn take_standard_input() -> io::Result<UnixStream> {
    let socket = io::stdin().as_fd().try_clone_to_owned()?;
    let nothing = std::fs::File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nothing)?;
    rustix::stdio::dup2_stdout(&nothing)?;
    let socket = StdUnixStream::from(socket);
    socket.set_nonblocking(true)?;
    UnixStream::from_std(socket)
}

async fn accept_one(path: &Path) -> io::Result<UnixStream> {
    let (stream, _) = UnixListener::bind(path)?.accept().await?;
    // Nobody else can connect any more.
    std::fs::remove_file(path)?;
    Ok(stream)
}

/// A stream that tells when it is gone.
struct Connection<S> {
    stream: S,
    _closed: DropGuard,
}

impl<S> Connected for Connection<S> {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
