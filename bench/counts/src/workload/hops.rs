//! Two gRPC connections in memory, with the windows and frames of the real ones, and who passes batches on between them.

use std::{io, pin::Pin};

use anyhow::{Context as _, ensure};
use futures::{Stream, StreamExt as _, stream};
use hyper_util::rt::TokioIo;
use querybox_contracts::{
    core::v1::{
        ExecutePluginRequest, ExecutePluginResponse, ExecuteRequest, ExecuteResponse,
        execute_response::Part,
        query_service_client::QueryServiceClient,
        query_service_server::{QueryService, QueryServiceServer},
    },
    plugin::v1::{self as plugin, execute_response::Part as ResultPart},
};
use tokio::{io::DuplexStream, runtime::Runtime, task::JoinSet};
use tonic::{
    Request, Response, Status,
    transport::{Channel, Endpoint, Server, Uri},
};
use tower::service_fn;

use super::{ROWS, counted_by_callgrind, fixed};

/// As drivers and Core have them.
const WINDOW_BYTES: u32 = 1 << 20;
const FRAME_BYTES_MAX: u32 = 256 << 10;
/// What a socket holds, about.
const PIPE_BYTES: usize = 256 << 10;

type Messages<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Who answers.
enum Answering {
    /// With these batches.
    Batches(Vec<plugin::Batch>),
    /// With what this one answers, as it came.
    On(QueryServiceClient<Channel>),
}

/// Counts batches on their way over both.
pub(super) fn relay(runtime: &Runtime) -> anyhow::Result<u64> {
    let (_, batches) = fixed::parts();
    let count = batches.len() as u64;
    let mut servers = JoinSet::new();
    let mut far = {
        let _runtime = runtime.enter();
        let near = serve(&mut servers, Answering::Batches(batches));
        serve(&mut servers, Answering::On(near))
    };
    // Once before: both connections are there, and have told each other what they may.
    runtime.block_on(read(&mut far)).context("the first stream broke")?;
    let rows = counted_by_callgrind(|| runtime.block_on(read(&mut far))).context("the stream broke")?;
    ensure!(rows == ROWS, "{rows} rows came");
    Ok(count)
}

/// Reads all batches, and drops them.
async fn read(far: &mut QueryServiceClient<Channel>) -> Result<u64, Status> {
    let mut stream = far.execute(ExecuteRequest::default()).await?.into_inner();
    let mut rows = 0;
    while let Some(message) = stream.message().await? {
        if let Some(Part::Result(plugin::ExecuteResponse { part: Some(ResultPart::Batch(batch)) })) =
            message.part
        {
            rows += u64::from(batch.row_count);
        }
    }
    Ok(rows)
}

/// Serves on one end of a stream in memory, and answers with a client on the other.
fn serve(
    servers: &mut JoinSet<Result<(), tonic::transport::Error>>,
    answering: Answering,
) -> QueryServiceClient<Channel> {
    let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
    let incoming = stream::iter([Ok::<_, io::Error>(theirs)]).chain(stream::pending());
    let server = Server::builder()
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES * 2)
        .max_frame_size(FRAME_BYTES_MAX)
        .add_service(QueryServiceServer::new(answering))
        .serve_with_incoming(incoming);
    servers.spawn(server);
    let mut ours: Option<DuplexStream> = Some(ours);
    let endpoint = Endpoint::from_static("http://memory.invalid")
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES * 2)
        .max_frame_size(FRAME_BYTES_MAX);
    let channel = endpoint.connect_with_connector_lazy(service_fn(move |_: Uri| {
        let stream = ours.take().map(TokioIo::new);
        async move { stream.ok_or_else(|| io::Error::other("there is one stream")) }
    }));
    QueryServiceClient::new(channel)
}

#[tonic::async_trait]
impl QueryService for Answering {
    type ExecuteStream = Messages<ExecuteResponse>;

    async fn execute(&self, _: Request<ExecuteRequest>) -> Result<Response<Self::ExecuteStream>, Status> {
        Ok(Response::new(match self {
            Self::Batches(batches) => Box::pin(stream::iter(batches.clone()).map(|batch| {
                let part = plugin::ExecuteResponse { part: Some(ResultPart::Batch(batch)) };
                Ok(ExecuteResponse { part: Some(Part::Result(part)) })
            })),
            Self::On(next) => Box::pin(next.clone().execute(ExecuteRequest::default()).await?.into_inner()),
        }))
    }

    type ExecutePluginStream = Messages<ExecutePluginResponse>;

    async fn execute_plugin(
        &self,
        _: Request<ExecutePluginRequest>,
    ) -> Result<Response<Self::ExecutePluginStream>, Status> {
        Err(Status::unimplemented("nobody asks"))
    }
}
