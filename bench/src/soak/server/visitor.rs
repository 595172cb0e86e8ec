//! A front end: its connection, its token, and patience where the house is full.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use anyhow::Context as _;
use querybox_api::MESSAGE_BYTES_MAX;
use querybox_contracts::core::v1::{
    query_service_client::QueryServiceClient, result_service_client::ResultServiceClient,
    schema_service_client::SchemaServiceClient, session_service_client::SessionServiceClient,
};
use tokio::time::sleep;
use tonic::{
    Code, Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};

const CONNECT_WITHIN: Duration = Duration::from_secs(60);
/// As `querybox --server` has them.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
/// Who is turned away comes again after this.
const COMES_AGAIN: Duration = Duration::from_millis(200);

pub(super) struct Visitor {
    channel: Channel,
    shown: Shown,
    /// Whose leases these are.
    pub(super) front_end_id: String,
    noted: Noted,
}

/// What is no failure in a house that is full, and no praise either.
#[derive(Debug, Default)]
pub(super) struct Noted {
    /// How often there was no room.
    pub(super) turned_away: AtomicU64,
    /// How often a cancel was not confirmed in time, so that the driver was killed.
    pub(super) killed: AtomicU64,
}

/// Shows the token with each call.
#[derive(Clone)]
pub(super) struct Shown(MetadataValue<Ascii>);

impl Interceptor for Shown {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

type Shows = InterceptedService<Channel, Shown>;

impl Visitor {
    pub(super) async fn connect(url: &str, authorization: &str) -> anyhow::Result<Self> {
        let endpoint = Endpoint::from_shared(url.to_owned())?
            .connect_timeout(CONNECT_WITHIN)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(4 * STREAM_WINDOW_BYTES);
        Ok(Self {
            channel: endpoint.connect().await.context("no connection")?,
            shown: Shown(authorization.parse()?),
            front_end_id: uuid::Uuid::now_v7().to_string(),
            noted: Noted::default(),
        })
    }

    pub(super) fn noted(&self) -> &Noted {
        &self.noted
    }

    pub(super) fn queries(&self) -> QueryServiceClient<Shows> {
        QueryServiceClient::with_interceptor(self.channel.clone(), self.shown.clone())
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    pub(super) fn sessions(&self) -> SessionServiceClient<Shows> {
        SessionServiceClient::with_interceptor(self.channel.clone(), self.shown.clone())
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    pub(super) fn results(&self) -> ResultServiceClient<Shows> {
        ResultServiceClient::with_interceptor(self.channel.clone(), self.shown.clone())
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    pub(super) fn schemas(&self) -> SchemaServiceClient<Shows> {
        SchemaServiceClient::with_interceptor(self.channel.clone(), self.shown.clone())
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// Asks until there is room. A house that is full says so at once, and nothing has been begun.
    pub(super) async fn once_there_is_room<T, F>(&self, ask: impl Fn() -> F) -> Result<T, Status>
    where
        F: Future<Output = Result<T, Status>>,
    {
        loop {
            match ask().await {
                Err(status) if status.code() == Code::ResourceExhausted => {
                    self.noted.turned_away.fetch_add(1, Ordering::Relaxed);
                    sleep(COMES_AGAIN).await;
                }
                answer => return answer,
            }
        }
    }
}
