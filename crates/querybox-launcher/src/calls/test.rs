//! The test of a connection, stage by stage.

use std::{os::fd::OwnedFd, sync::Arc, time::Duration};

use querybox_contracts::plugin::v1::{self as pb, test_connection_response::Outcome as Wire};
use tonic::Streaming;

use crate::{
    calls::{
        error::{BrokenContract, CallError, Reason},
        failure::{explain, readable},
        open::ServerFacts,
        part::{Rejection, span},
    },
    process::Process,
};

/// A stage that a driver tells of, in the order in which they come. (The start of the driver is told by Core.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The host's name was resolved.
    Resolve,
    /// The server was reached, or the file opened.
    Dial,
    /// TLS was agreed on.
    Tls,
    /// The user was logged in.
    Login,
    /// The server told its version.
    Version,
}

/// One stage that ended.
#[derive(Debug, Clone, PartialEq)]
pub struct TestPart {
    /// Which.
    pub stage: Stage,
    /// How long it took.
    pub elapsed: Duration,
    /// What was found, for people.
    pub detail: String,
    /// How it ended.
    pub outcome: StageOutcome,
    /// The message as the driver sent it.
    pub wire: pb::TestConnectionResponse,
}

/// How a stage ended.
#[derive(Debug, Clone, PartialEq)]
pub enum StageOutcome {
    /// It was passed. The last one tells what the server is.
    Passed(Option<ServerFacts>),
    /// The database refused. Nothing follows.
    Rejected(Box<Rejection>),
    /// The machinery failed. Nothing follows.
    Failed {
        /// Why.
        reason: Reason,
        /// For people, made printable.
        message: String,
    },
}

/// The running test. Dropping it ends the driver.
pub struct TestParts {
    stream: Streaming<pb::TestConnectionResponse>,
    process: Arc<Process>,
    progress: Progress,
    _dial: OwnedFd,
}

#[derive(Clone, Copy)]
enum Progress {
    /// The stage that ended last, if one did.
    After(Option<Stage>),
    Failed,
    Done,
}

impl TestParts {
    pub(crate) fn new(
        stream: Streaming<pb::TestConnectionResponse>,
        process: Arc<Process>,
        dial: OwnedFd,
    ) -> Self {
        Self { stream, process, progress: Progress::After(None), _dial: dial }
    }

    /// The next stage; None after the last.
    ///
    /// # Errors
    ///
    /// See [`CallError`]. Nothing follows an error.
    pub async fn next(&mut self) -> Result<Option<TestPart>, CallError> {
        if matches!(self.progress, Progress::Done) {
            return Ok(None);
        }
        let message = self.stream.message().await;
        let progress = std::mem::replace(&mut self.progress, Progress::Done);
        match message {
            Err(status) => Err(explain(&self.process, status).await),
            Ok(None) => Ok(None),
            Ok(Some(wire)) => match check(wire, progress) {
                Ok((part, progress)) => {
                    self.progress = progress;
                    Ok(Some(part))
                }
                Err(broken) => Err(broken.found_in(&self.process)),
            },
        }
    }
}

fn check(
    wire: pb::TestConnectionResponse,
    progress: Progress,
) -> Result<(TestPart, Progress), BrokenContract> {
    let broken = |what| Err(BrokenContract::new(what));
    let Progress::After(before) = progress else { return broken("a stage after one that failed") };
    let stage = match wire.stage() {
        pb::TestStage::Unspecified | pb::TestStage::DriverStart => {
            return broken("a stage that is not a driver's");
        }
        pb::TestStage::Resolve => Stage::Resolve,
        pb::TestStage::Dial => Stage::Dial,
        pb::TestStage::Tls => Stage::Tls,
        pb::TestStage::Login => Stage::Login,
        pb::TestStage::Version => Stage::Version,
    };
    if before.is_some_and(|before| before >= stage) {
        return broken("stages out of order");
    }
    let (outcome, progress) = match &wire.outcome {
        None => return broken("a stage without an outcome"),
        Some(Wire::Passed(passed)) => {
            let server = passed.server.clone().map(ServerFacts::from);
            (StageOutcome::Passed(server), Progress::After(Some(stage)))
        }
        Some(Wire::Rejection(rejection)) => {
            (StageOutcome::Rejected(Box::new(rejection.clone().into())), Progress::Failed)
        }
        Some(Wire::Failed(failed)) => {
            let Some(reason) = Reason::parse(&failed.reason) else {
                return broken("a stage with an unknown reason");
            };
            (StageOutcome::Failed { reason, message: readable(&failed.message) }, Progress::Failed)
        }
    };
    let part = TestPart { stage, elapsed: span(wire.elapsed), detail: readable(&wire.detail), outcome, wire };
    Ok((part, progress))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(stages: &[(pb::TestStage, Option<Wire>)]) -> Result<usize, BrokenContract> {
        let mut progress = Progress::After(None);
        for (stage, outcome) in stages {
            let wire = pb::TestConnectionResponse {
                stage: (*stage).into(),
                outcome: outcome.clone(),
                ..pb::TestConnectionResponse::default()
            };
            (_, progress) = check(wire, progress)?;
        }
        Ok(stages.len())
    }

    #[test]
    fn stages_come_in_order_and_end_at_the_first_failure() {
        use pb::TestStage::{DriverStart, Login, Resolve, Version};
        let passed = || Some(Wire::Passed(pb::TestPassed::default()));
        let failed = |reason: &str| {
            Some(Wire::Failed(pb::TestFailed { reason: reason.to_owned(), message: "no answer".to_owned() }))
        };
        assert_eq!(run(&[(Resolve, passed()), (Version, passed())]), Ok(2));
        assert_eq!(run(&[(Resolve, passed()), (Login, failed("CONNECTION_LOST"))]), Ok(2));
        let broken = |stages: &[_], what: &str| assert_eq!(run(stages).unwrap_err().what, what);
        broken(&[(Version, passed()), (Resolve, passed())], "stages out of order");
        broken(&[(Resolve, failed("RESOLVE_FAILED")), (Login, passed())], "a stage after one that failed");
        broken(&[(Resolve, failed("BAD_LUCK"))], "a stage with an unknown reason");
        broken(&[(Resolve, None)], "a stage without an outcome");
        broken(&[(DriverStart, passed())], "a stage that is not a driver's");
    }
}
