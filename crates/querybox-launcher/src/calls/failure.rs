//! From a gRPC status to what happened.

use std::{error::Error, time::Duration};

use tokio::time::timeout;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::{
    calls::error::{BrokenContract, CallError, Reason},
    printable::printable,
    process::Process,
};

/// A process that dies takes its socket with it, and the two are heard of in any order. This long after a lost socket the
/// process counts as alive.
const END_SHOWS_WITHIN: Duration = Duration::from_millis(500);

/// A message of a driver that is longer than this is cut: it is a sentence for people.
const MESSAGE_CHARACTERS_MAX: usize = 4096;

/// What a failed call means. A driver's own word counts first; then the end of its process; what is left is broken.
pub(crate) async fn explain(process: &Process, status: Status) -> CallError {
    if let Some(info) = status.get_details_error_info()
        && info.domain == "querybox"
    {
        return match Reason::parse(&info.reason) {
            Some(reason) => CallError::Driver { reason, message: readable(status.message()) },
            None => {
                BrokenContract::new(format!("unknown reason {}", readable(&info.reason))).found_in(process)
            }
        };
    }
    if let Ok(ending) = timeout(END_SHOWS_WITHIN, process.ended()).await {
        return CallError::Ended(ending);
    }
    if status.source().is_none() && !is_made_here(&status) {
        return CallError::Driver { reason: Reason::DriverBroken, message: readable(status.message()) };
    }
    BrokenContract::new(format!("its answer cannot be read: {}", readable(status.message())))
        .found_in(process)
}

/// Codes of the client's own for answers that it cannot read: a message too long, or one that does not decode.
fn is_made_here(status: &Status) -> bool {
    matches!(status.code(), Code::OutOfRange | Code::Internal)
        && (status.message().contains("message length too large") || status.message().contains("decode"))
}

pub(crate) fn readable(message: &str) -> String {
    let printable = printable(message.as_bytes());
    match printable.char_indices().nth(MESSAGE_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &printable[..end]),
        None => printable,
    }
}
