//! The stream of parts that answers a script, each checked against the contract before it is given on.

mod order;

use std::sync::Arc;

use querybox_contracts::plugin::v1 as pb;
use tonic::Streaming;
use tracing::{Instrument as _, trace_span};

use crate::{
    calls::{error::CallError, failure::explain, part::Part, parts::order::PartOrder},
    process::Process,
};

/// Spans of batches on their way, which a bench can look at.
const HOPS: &str = "querybox::hops";

/// The parts of a running script. Dropping it asks the database to stop; it keeps the process, too, until then.
pub struct Parts {
    stream: Streaming<pb::ExecuteResponse>,
    order: PartOrder,
    process: Arc<Process>,
    done: bool,
}

impl Parts {
    pub(crate) fn new(
        stream: Streaming<pb::ExecuteResponse>,
        process: Arc<Process>,
        gives_copy_data: bool,
    ) -> Self {
        Self { stream, order: PartOrder::new(gives_copy_data), process, done: false }
    }

    /// The next part; None after the last. A slow caller slows the driver down; nothing is kept for it beyond the window of
    /// the connection. Cancel-safe, but for the cause of a failure that is being found out.
    ///
    /// # Errors
    ///
    /// See [`CallError`]. Nothing follows an error.
    pub async fn next(&mut self) -> Result<Option<Part>, CallError> {
        if self.done {
            return Ok(None);
        }
        let receiving = self.stream.message();
        let message = receiving.instrument(trace_span!(target: HOPS, "Core receives")).await;
        let outcome = match message {
            Ok(Some(wire)) => match self.order.check(&wire) {
                Ok(fact) => return Ok(Some(Part { fact, wire })),
                Err(broken) => Err(broken.found_in(&self.process)),
            },
            Ok(None) => self.order.finish().map(|()| None).map_err(|broken| broken.found_in(&self.process)),
            Err(status) => Err(explain(&self.process, status).await),
        };
        self.done = true;
        outcome
    }
}
