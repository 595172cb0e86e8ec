//! Data for a statement that asked for it.

use std::sync::{Arc, Weak};

use bytes::Bytes;
use querybox_contracts::plugin::v1 as pb;

use crate::{
    calls::{
        error::{BrokenContract, CallError},
        failure::explain,
    },
    process::Process,
    transport::Client,
};

/// What gives data to the statements of a session, for those who do not hold its driver. It keeps the driver's socket open,
/// and not its process.
#[derive(Clone)]
pub struct CopySender {
    client: Client,
    process: Weak<Process>,
    session_id: String,
}

/// A piece of data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyPiece {
    /// The statement that asked.
    pub statement: u32,
    /// At most 1 MiB, cut anywhere.
    pub data: Bytes,
    /// What follows.
    pub end: CopyEnd,
}

/// What follows a piece of data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyEnd {
    /// More data.
    More,
    /// Nothing: it is whole.
    Done,
    /// Nothing: it is not whole, for this reason.
    Failed(String),
}

/// What became of a piece of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyOutcome {
    /// It is on its way to the database.
    Taken,
    /// No statement asks for it.
    Unwanted,
}

impl CopySender {
    pub(crate) fn new(client: &Client, process: &Arc<Process>, session_id: String) -> Self {
        Self { client: client.clone(), process: Arc::downgrade(process), session_id }
    }

    /// Gives a piece. Resolves when the driver has taken it.
    ///
    /// # Errors
    ///
    /// See [`CallError`].
    pub async fn send(&self, piece: CopyPiece) -> Result<CopyOutcome, CallError> {
        let CopyPiece { statement, data, end } = piece;
        let (end, failure) = match end {
            CopyEnd::More => (pb::CopyDataEnd::Unspecified, String::new()),
            CopyEnd::Done => (pb::CopyDataEnd::Done, String::new()),
            CopyEnd::Failed(failure) => (pb::CopyDataEnd::Failed, failure),
        };
        let session_id = self.session_id.clone();
        let request = pb::SendCopyDataRequest { session_id, statement, data, end: end.into(), failure };
        let answer = self.client.clone().send_copy_data(request).await;
        // Whoever held the driver has let it go: nothing asks any more.
        let Some(process) = self.process.upgrade() else { return Ok(CopyOutcome::Unwanted) };
        match answer {
            Ok(response) => match response.get_ref().outcome() {
                pb::CopyDataOutcome::Taken => Ok(CopyOutcome::Taken),
                pb::CopyDataOutcome::Unwanted => Ok(CopyOutcome::Unwanted),
                pb::CopyDataOutcome::Unspecified => {
                    Err(BrokenContract::new("data was answered with no outcome").found_in(&process))
                }
            },
            Err(status) => Err(explain(&process, status).await),
        }
    }
}
