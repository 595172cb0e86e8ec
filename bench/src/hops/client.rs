//! A client of a Core in another process.

use std::path::Path;

use anyhow::{Context as _, bail};
use hyper_util::rt::TokioIo;
use querybox_api::MESSAGE_BYTES_MAX;
use querybox_contracts::{
    core::v1::{
        self as pb, execute_in_session_response::Part as LeasePart, execute_response::Part,
        query_service_client::QueryServiceClient, schema_service_client::SchemaServiceClient,
        session_service_client::SessionServiceClient,
    },
    plugin::v1::{ExecuteResponse, execute_response::Part as ResultPart},
};
use tokio::net::UnixStream;
use tonic::{
    Code, Streaming,
    transport::{Channel, Endpoint, Uri},
};
use tower::service_fn;

use super::host::{FRAME_BYTES_MAX, WINDOW_BYTES};
use crate::site::{in_lease, lease_request, leased, one_shot, session_id};

/// HTTP wants a name; there is one listener only.
const ORIGIN: &str = "http://core.invalid";

/// A connection to Core.
#[derive(Clone)]
pub(crate) struct Client {
    channel: Channel,
}

/// What was read of a result.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) rows: u64,
    /// Of the first column, which is a bigint without NULLs: each row came, and came once.
    pub(crate) sum: i64,
    /// As Core saw it. 0: it was not told.
    pub(crate) driver_peak_bytes: u64,
}

impl Client {
    pub(crate) async fn connect(socket: &Path) -> anyhow::Result<Self> {
        let socket = socket.to_owned();
        let connector = service_fn(move |_: Uri| {
            let socket = socket.clone();
            async move { UnixStream::connect(socket).await.map(TokioIo::new) }
        });
        let endpoint = Endpoint::from_static(ORIGIN)
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(WINDOW_BYTES * 2)
            .max_frame_size(FRAME_BYTES_MAX);
        let channel = endpoint.connect_with_connector(connector).await.context("no Core answers")?;
        Ok(Self { channel })
    }

    pub(crate) fn sessions(&self) -> SessionServiceClient<Channel> {
        SessionServiceClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    pub(crate) fn schemas(&self) -> SchemaServiceClient<Channel> {
        SchemaServiceClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// Runs a query as a session of its own, to the last word.
    pub(crate) async fn read(&self, sql: &str) -> anyhow::Result<Read> {
        let mut queries =
            QueryServiceClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX);
        let mut stream = queries.execute(one_shot(&session_id(), sql)).await?.into_inner();
        let mut read = Read::default();
        while let Some(message) = stream.message().await? {
            match message.part {
                Some(Part::Session(_)) | None => {}
                Some(Part::Result(part)) => read.take(part)?,
                Some(Part::Ended(ended)) => {
                    read.driver_peak_bytes = ended.driver_memory_peak_bytes;
                    return Ok(read);
                }
            }
        }
        bail!("the session did not say how it ended")
    }

    /// Leases a session.
    pub(crate) async fn lease(&self) -> anyhow::Result<String> {
        let session_id = session_id();
        leased(self.sessions().open_session(lease_request(&session_id)).await?.into_inner())?;
        Ok(session_id)
    }

    /// Begins a script in a leased session.
    pub(crate) async fn begin(
        &self,
        lease: &str,
        sql: &str,
    ) -> anyhow::Result<Streaming<pb::ExecuteInSessionResponse>> {
        Ok(self.sessions().execute_in_session(in_lease(lease, sql)).await?.into_inner())
    }

    /// Stops what runs in a leased session, and reads the rest of it.
    pub(crate) async fn stop(
        &self,
        lease: &str,
        mut stream: Streaming<pb::ExecuteInSessionResponse>,
    ) -> anyhow::Result<()> {
        let request = pb::CancelSessionRequest { session_id: lease.to_owned() };
        let (mut sessions, rest) = (self.sessions(), async {
            loop {
                match stream.message().await {
                    Ok(Some(_)) => {}
                    Ok(None) => return Ok(()),
                    // What was on its way when the cancel came did not fit.
                    Err(status) if status.code() == Code::Cancelled => return Ok(()),
                    Err(status) => return Err(status),
                }
            }
        });
        tokio::try_join!(sessions.cancel_session(request), rest)?;
        Ok(())
    }

    /// Runs a script in a leased session to its end. What the database refuses is an error.
    pub(crate) async fn run_in(&self, lease: &str, sql: &str) -> anyhow::Result<()> {
        let mut stream = self.begin(lease, sql).await?;
        while let Some(message) = stream.message().await? {
            if let Some(LeasePart::Result(ExecuteResponse { part: Some(ResultPart::Rejection(rejection)) })) =
                message.part
            {
                bail!("rejected: {} ({})", rejection.message, rejection.sqlstate)
            }
        }
        Ok(())
    }
}

impl Read {
    /// Takes the next part.
    pub(crate) fn take(&mut self, part: ExecuteResponse) -> anyhow::Result<()> {
        match part.part {
            Some(ResultPart::Batch(batch)) => {
                self.rows += u64::from(batch.row_count);
                // A column without NULLs has no buffer before that of its values.
                let values =
                    batch.arrow_body.get(..batch.row_count as usize * 8).context("a bigint a row")?;
                let (values, _) = values.as_chunks::<8>();
                self.sum += values.iter().map(|value| i64::from_le_bytes(*value)).sum::<i64>();
            }
            Some(ResultPart::Rejection(rejection)) => {
                bail!("rejected: {} ({})", rejection.message, rejection.sqlstate)
            }
            Some(
                ResultPart::Header(_)
                | ResultPart::Summary(_)
                | ResultPart::Notice(_)
                | ResultPart::Progress(_)
                | ResultPart::ColumnFacts(_)
                | ResultPart::CopyIn(_),
            )
            | None => {}
        }
        Ok(())
    }
}

/// The whole process of a client: reads a query's result, and says what it has read and how much memory the driver took.
///
/// # Errors
///
/// The query fails.
pub async fn read(socket: &Path, sql: &str) -> anyhow::Result<String> {
    let Read { rows, sum, driver_peak_bytes } = Client::connect(socket).await?.read(sql).await?;
    Ok(format!("{rows} {sum} {driver_peak_bytes}\n"))
}
