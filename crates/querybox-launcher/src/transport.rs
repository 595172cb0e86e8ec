//! gRPC over the one socket of a driver.

mod line;

use std::{
    future::{Future, Ready, ready},
    io,
    pin::Pin,
    sync::{Arc, Mutex},
};

use hyper_util::rt::TokioIo;
use querybox_contracts::plugin::v1::driver_service_client::DriverServiceClient;
use tokio::net::UnixStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::transport::{Channel, Endpoint, Uri};
use tower::{Service, service_fn};

use crate::{process::Nursery, transport::line::Line};

pub(crate) use line::Traffic;

/// The client of one driver.
pub(crate) type Client = DriverServiceClient<Channel>;

/// The largest message. Batches are some hundred kilobytes; one huge cell makes a batch of its own.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// What a driver may send of one stream before somebody reads it. It bounds what a slow reader costs Core, and holds several
/// batches so that a fast one never waits. Only Core opens streams, and it has two at a time: a result, and a cancel.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;

/// The window of all streams together bounds nothing more. It is this large because h2 takes half of it as the overhead
/// that small frames which nobody read yet may have, 256 bytes each, and gives the connection up beyond that: a window full
/// of the smallest messages, of seven bytes, has 37 MB of it.
const CONNECTION_WINDOW_BYTES: u32 = 128 << 20;

/// One batch in one frame: fewer copies and wake-ups than with 16 KiB.
const FRAME_BYTES_MAX: u32 = 256 << 10;

/// A failure's message travels in the trailers.
const HEADER_BYTES_MAX: u32 = 64 << 10;

/// The driver is the only one who can hear it; HTTP wants a name.
const ORIGIN: &str = "http://driver.invalid";

/// A client that begins with its first call.
pub(crate) fn connect(socket: UnixStream, nursery: &Nursery) -> Client {
    client(endpoint(nursery).connect_with_connector_lazy(connector(Line::new(socket))))
}

/// A client whose driver has answered the handshake already.
///
/// # Errors
///
/// The socket is closed. One on which the driver never answers is waited for.
pub(crate) async fn connect_now(
    socket: UnixStream,
    nursery: &Nursery,
) -> Result<(Client, Arc<Traffic>), tonic::transport::Error> {
    let line = Line::new(socket);
    let traffic = line.traffic();
    let channel = endpoint(nursery).connect_with_connector(connector(line)).await?;
    traffic.heard().await;
    Ok((client(channel), traffic))
}

/// Gives the one socket to whoever asks first.
fn connector(
    line: Line,
) -> impl Service<Uri, Response = TokioIo<Line>, Error = io::Error, Future = Ready<io::Result<TokioIo<Line>>>>
+ Send
+ 'static {
    let line = Mutex::new(Some(TokioIo::new(line)));
    service_fn(move |_| {
        let taken = line.lock().ok().and_then(|mut line| line.take());
        ready(taken.ok_or_else(|| io::Error::other("the driver's socket is closed")))
    })
}

fn endpoint(nursery: &Nursery) -> Endpoint {
    Endpoint::from_static(ORIGIN)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_frame_size(FRAME_BYTES_MAX)
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .executor(Tracked { tasks: nursery.tasks.clone(), shutdown: nursery.shutdown.clone() })
}

fn client(channel: Channel) -> Client {
    DriverServiceClient::new(channel)
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX)
}

/// Spawns what a connection needs where shutdown waits for it. Clients that somebody still holds must not make it wait, so
/// what they stand on ends with it.
struct Tracked {
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

impl hyper::rt::Executor<Pin<Box<dyn Future<Output = ()> + Send>>> for Tracked {
    fn execute(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        let shutdown = self.shutdown.clone();
        self.tasks.spawn(async move { shutdown.run_until_cancelled(task).await });
    }
}
