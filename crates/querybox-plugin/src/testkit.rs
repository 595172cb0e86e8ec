//! For a driver's tests: the driver served over an in-memory stream, and the checks that any driver must pass.
//!
//! ```no_run
//! # async fn example<D: querybox_plugin::Driver>(make: fn() -> D) {
//! use querybox_plugin::testkit::{Cases, Client, check};
//!
//! // One call of its own:
//! let mut client = Client::connect(make());
//! client.open(vec![("file".into(), "/tmp/shop.sqlite".into())], vec![]).await.unwrap();
//! let answer = client.execute("select 1").await.unwrap();
//! assert_eq!(answer.statements[0].rows(), 1);
//!
//! // All that any driver must hold:
//! check(make, &Cases {
//!     parameters: vec![("file".into(), "/tmp/shop.sqlite".into())],
//!     secrets: vec![],
//!     one_row: "select 1",
//!     syntax_error: "selekt 1",
//!     empty_result: "select 1 where false",
//!     zero_columns: None,
//!     duplicate_names: "select 1 as a, 2 as a",
//!     wide_row: ("select 1, 2, 3".to_owned(), 3),
//!     huge_cell: ("select hex(zeroblob(20000000))", 40_000_000),
//!     noted_cell: None,
//!     endless: "with recursive n(i) as (select 1 union all select i + 1 from n) select i from n",
//! }).await;
//! # }
//! ```

mod answer;
mod checks;
mod direct;

use std::{io, sync::Arc};

use futures::StreamExt as _;
use hyper_util::rt::TokioIo;
use querybox_contracts::plugin::v1::{self as pb, driver_service_client::DriverServiceClient};
use tokio::task::JoinSet;
use tonic::{
    Status,
    transport::{Channel, Endpoint},
};

use crate::{Driver, serve::serve_stream, service::MESSAGE_BYTES_MAX};

pub use answer::{Answer, Statement};
pub use checks::{Cases, check};
pub use direct::{Heard, execute_directly, open_directly};

/// A driver in this process, and a client of it. Dropping it closes the driver's socket.
#[derive(Debug)]
pub struct Client {
    /// The generated client, for calls that the methods here do not cover.
    pub grpc: DriverServiceClient<Channel>,
    /// The id that every call sends.
    pub session_id: String,
    server: JoinSet<io::Result<()>>,
}

impl Client {
    /// Serves the driver on one end of an in-memory stream and connects to the other.
    pub fn connect<D: Driver>(driver: D) -> Self {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let mut server = JoinSet::new();
        server.spawn(serve_stream(Arc::new(driver), theirs));
        let mut ours = Some(ours);
        let channel = Endpoint::from_static("http://driver").connect_with_connector_lazy(tower::service_fn(
            move |_: tonic::transport::Uri| {
                let stream = ours.take().map(TokioIo::new);
                async move { stream.ok_or_else(|| io::Error::other("the driver's stream is closed")) }
            },
        ));
        let grpc = DriverServiceClient::new(channel)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX);
        Self { grpc, session_id: uuid::Uuid::now_v7().to_string(), server }
    }

    /// Opens the session with parameters and secrets by name.
    ///
    /// # Errors
    ///
    /// The driver's status. A refusal of the database is the outcome.
    pub async fn open(
        &mut self,
        parameters: Vec<(String, String)>,
        secrets: Vec<(String, Vec<u8>)>,
    ) -> Result<pb::open_response::Outcome, Status> {
        self.open_with(self.open_request(parameters, secrets)).await
    }

    /// The request that [`open`](Self::open) sends, to be changed before it is sent.
    #[must_use]
    pub fn open_request(
        &self,
        parameters: Vec<(String, String)>,
        secrets: Vec<(String, Vec<u8>)>,
    ) -> pb::OpenRequest {
        let parameter = |(name, text)| pb::Parameter { name, value: Some(pb::parameter::Value::Text(text)) };
        let secret = |(name, value): (_, Vec<u8>)| pb::SecretField { name, value: value.into() };
        pb::OpenRequest {
            session_id: self.session_id.clone(),
            parameters: parameters.into_iter().map(parameter).collect(),
            credential: Some(pb::Credential { fields: secrets.into_iter().map(secret).collect() }),
            options: None,
            limits: None,
        }
    }

    /// Opens the session with a request of one's own.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub async fn open_with(
        &mut self,
        request: pb::OpenRequest,
    ) -> Result<pb::open_response::Outcome, Status> {
        let response = self.grpc.open(request).await?.into_inner();
        Ok(response.outcome.expect("an answer to Open says how it went"))
    }

    /// The request that [`execute`](Self::execute) sends, to be changed before it is sent.
    #[must_use]
    pub fn execute_request(&self, sql: &str) -> pb::ExecuteRequest {
        pb::ExecuteRequest {
            session_id: self.session_id.clone(),
            sql: sql.to_owned(),
            ..pb::ExecuteRequest::default()
        }
    }

    /// Runs a script, checks the order of its parts, and gathers them.
    ///
    /// # Errors
    ///
    /// The status that ended the stream.
    pub async fn execute(&mut self, sql: &str) -> Result<Answer, Status> {
        self.execute_with(self.execute_request(sql)).await
    }

    /// Runs a request of one's own, checks the order of its parts, and gathers them.
    ///
    /// # Errors
    ///
    /// The status that ended the stream.
    pub async fn execute_with(&mut self, request: pb::ExecuteRequest) -> Result<Answer, Status> {
        let mut parts = self.grpc.execute(request).await?.into_inner();
        let mut answer = Answer::default();
        while let Some(part) = parts.next().await {
            answer.take(part?.part.expect("a response holds a part"));
        }
        answer.end();
        Ok(answer)
    }

    /// Cancels what runs in the session of `open`, which another client opened and got `cancel_token` for.
    ///
    /// # Errors
    ///
    /// The driver's status.
    pub async fn cancel_detached(
        &mut self,
        open: pb::OpenRequest,
        cancel_token: bytes::Bytes,
    ) -> Result<pb::CancelOutcome, Status> {
        let pb::OpenRequest { session_id, parameters, limits, .. } = open;
        let request = pb::CancelRequest { session_id, cancel_token, parameters, limits };
        Ok(self.grpc.cancel(request).await?.into_inner().outcome())
    }

    /// Asks for the schema and gathers its objects.
    ///
    /// # Errors
    ///
    /// The status that ended the stream.
    pub async fn schema(
        &mut self,
        request: pb::GetSchemaRequest,
    ) -> Result<Vec<pb::schema_object::Object>, Status> {
        let request = pb::GetSchemaRequest { session_id: self.session_id.clone(), ..request };
        let mut parts = self.grpc.get_schema(request).await?.into_inner();
        let mut objects = Vec::new();
        while let Some(part) = parts.next().await {
            let part = part?;
            assert_eq!(part.rejection, None, "the database refused to tell its schema");
            assert!(part.objects.len() <= 1_000, "a message holds at most 1,000 objects");
            objects.extend(
                part.objects.into_iter().map(|object| object.object.expect("an object is something")),
            );
        }
        Ok(objects)
    }

    /// Asks for the statements that make objects again.
    ///
    /// # Errors
    ///
    /// The status that ended the stream.
    pub async fn ddl(&mut self, objects: Vec<pb::ObjectRef>) -> Result<Vec<pb::Ddl>, Status> {
        let request = pb::GetDdlRequest { session_id: self.session_id.clone(), objects };
        let mut parts = self.grpc.get_ddl(request).await?.into_inner();
        let mut told: Vec<pb::Ddl> = Vec::new();
        while let Some(part) = parts.next().await {
            let part = part?;
            assert_eq!(part.rejection, None, "the database refused to tell its statements");
            assert!(part.ddl.len() <= 1_000, "a message holds at most 1,000 objects");
            told.extend(part.ddl);
        }
        assert!(told.is_sorted_by_key(|ddl| ddl.object), "answers come in the order of the request");
        assert!(told.iter().all(|ddl| ddl.found.is_some()), "an answer says what was found");
        Ok(told)
    }

    /// Closes the socket and waits for the driver to end.
    ///
    /// # Panics
    ///
    /// When it does not within five seconds.
    pub async fn close(self) {
        let Self { grpc, mut server, .. } = self;
        drop(grpc);
        tokio::time::timeout(std::time::Duration::from_secs(5), server.join_next())
            .await
            .expect("the driver ends when its socket closes");
    }
}
