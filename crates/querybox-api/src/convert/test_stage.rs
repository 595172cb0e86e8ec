//! Stages of a test.

use querybox_contracts::{core::v1 as pb, plugin::v1 as plugin};
use querybox_core::TestStep;

use super::time::span;
use crate::status::{Reason, chain};

pub(crate) fn stage_message(step: TestStep) -> pb::TestConnectionResponse {
    let stage = match step {
        TestStep::Stage(part) => part.wire,
        TestStep::DriverStart { elapsed, outcome } => plugin::TestConnectionResponse {
            stage: plugin::TestStage::DriverStart.into(),
            elapsed: Some(span(elapsed)),
            detail: String::new(),
            outcome: Some(match outcome {
                Ok(()) => {
                    plugin::test_connection_response::Outcome::Passed(plugin::TestPassed { server: None })
                }
                Err(error) => plugin::test_connection_response::Outcome::Failed(plugin::TestFailed {
                    reason: Reason::DriverStartFailed.as_str().to_owned(),
                    message: chain(&error),
                }),
            }),
        },
    };
    pb::TestConnectionResponse { stage: Some(stage) }
}
