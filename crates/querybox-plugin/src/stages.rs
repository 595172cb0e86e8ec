//! Where a driver tells how far a connection test has come.

use std::time::{Duration, Instant};

use querybox_contracts::plugin::v1::{self as pb, TestStage, test_connection_response::Outcome};
use tokio::sync::mpsc;
use tonic::Status;

use crate::OpenError;

/// The stages of a connection test. The clock of the first one starts when the test starts.
#[derive(Debug)]
pub struct Stages {
    tx: mpsc::Sender<Result<pb::TestConnectionResponse, Status>>,
    running: TestStage,
    since: Instant,
}

impl Stages {
    pub(crate) fn new(tx: mpsc::Sender<Result<pb::TestConnectionResponse, Status>>) -> Self {
        Self { tx, running: TestStage::Dial, since: Instant::now() }
    }

    /// Begins a stage; the test fails in the stage that was begun last.
    pub fn begin(&mut self, stage: TestStage) {
        self.running = stage;
        self.since = Instant::now();
    }

    /// Tells that the stage was passed; `detail` says what was found, in a few words or none.
    pub async fn passed(&mut self, detail: impl Into<String>) {
        self.end(detail.into(), Outcome::Passed(pb::TestPassed { server: None })).await;
    }

    /// The last stage: the server told what it is.
    pub(crate) async fn found(&mut self, server: pb::ServerFacts) {
        self.running = TestStage::Version;
        let detail = format!("{} {}", server.product, server.version);
        self.end(detail.trim().to_owned(), Outcome::Passed(pb::TestPassed { server: Some(server) })).await;
    }

    pub(crate) async fn failed(&mut self, error: OpenError) {
        let outcome = match error {
            OpenError::Rejected(rejection) => Outcome::Rejection(*rejection),
            OpenError::Failed(error) => Outcome::Failed(pb::TestFailed {
                reason: error.reason().as_str().into(),
                message: error.to_string(),
            }),
        };
        self.end(String::new(), outcome).await;
    }

    async fn end(&mut self, detail: String, outcome: Outcome) {
        let elapsed: Duration = self.since.elapsed();
        let told = self
            .tx
            .send(Ok(pb::TestConnectionResponse {
                stage: self.running.into(),
                elapsed: Some(elapsed.try_into().expect("a stage is shorter than 292 billion years")),
                detail,
                outcome: Some(outcome),
            }))
            .await;
        // Nobody listens any more: the test's future is dropped together with the stream.
        drop(told);
        self.since = Instant::now();
    }
}
