//! Cancel through another process, when the one that opened the session was killed.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use querybox_contracts::plugin::v1 as pb;
use tokio::time::timeout;

use crate::{
    calls::error::CallError,
    driver::{CancelOutcome, Driver, cancel_outcome},
    start::StartError,
    transport::Client,
};

/// For the start of the process and its answer. A server that does not take a request in this time will not: the driver
/// itself gives up earlier, and says why.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);

/// What a process that was never opened needs to stop what another one left running. It holds no credential, and is cheap
/// to clone.
#[derive(Clone)]
pub struct DetachedCancel {
    pub(super) session_id: String,
    /// Empty until the session is open, and for good when the driver gives none.
    pub(super) cancel_token: Bytes,
    parameters: Arc<[pb::Parameter]>,
    limits: Option<pb::Limits>,
}

/// Why the database was not asked.
#[derive(Debug, thiserror::Error)]
pub enum DetachedError {
    /// There was no process to ask it.
    #[error("no driver could be started to cancel")]
    Start(#[from] StartError),
    /// The process could not, or its database did not listen.
    #[error("the cancel failed")]
    Call(#[from] CallError),
    /// The process said nothing, and was killed.
    #[error("the driver did not answer the cancel within {waited:?}")]
    Silent {
        /// How long was waited.
        waited: Duration,
    },
}

impl DetachedCancel {
    /// What is known before the session is open.
    pub(super) fn of(request: &pb::OpenRequest) -> Self {
        Self {
            session_id: request.session_id.clone(),
            cancel_token: Bytes::new(),
            parameters: request.parameters.clone().into(),
            limits: request.limits,
        }
    }

    /// The request to the process that opened the session.
    pub(super) fn attached_request(&self) -> pb::CancelRequest {
        pb::CancelRequest {
            session_id: self.session_id.clone(),
            cancel_token: self.cancel_token.clone(),
            parameters: Vec::new(),
            limits: None,
        }
    }

    fn into_request(self) -> pb::CancelRequest {
        let Self { session_id, cancel_token, parameters, limits } = self;
        pb::CancelRequest { session_id, cancel_token, parameters: parameters.to_vec(), limits }
    }
}

impl fmt::Debug for DetachedCancel {
    /// Without the token: whoever has it can cancel.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DetachedCancel").field("session_id", &self.session_id).finish_non_exhaustive()
    }
}

/// Lets a fresh process ask, which is killed afterwards.
pub(crate) async fn cancel_detached(
    starting: impl Future<Output = Result<Driver, StartError>>,
    cancelled: DetachedCancel,
) -> Result<CancelOutcome, DetachedError> {
    let call = |mut client: Client, request| async move { client.cancel(request).await };
    let asking = async {
        let (driver, response) = starting.await?.first_call(cancelled.into_request(), call).await?;
        Ok(cancel_outcome(&driver.process, response)?)
    };
    // Dropping what is under way kills the process.
    timeout(ANSWER_WITHIN, asking).await.unwrap_or(Err(DetachedError::Silent { waited: ANSWER_WITHIN }))
}
