//! From a gRPC status to what happened.

use std::{error::Error, time::Duration};

use tokio::time::timeout;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::{
    calls::error::{BrokenContract, CallError, Reason},
    printable::printable,
    process::{Process, ending::Cause},
};

/// A process that dies takes its socket with it, and the two are heard of in any order. One that is not gone this long after
/// a lost socket is killed.
const END_SHOWS_WITHIN: Duration = Duration::from_millis(500);

/// A message of a driver that is longer than this is cut: it is a sentence for people.
const MESSAGE_CHARACTERS_MAX: usize = 4096;

/// What a failed call means. A driver's own word counts first, then the end of its process; what is left is broken.
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
    // What gRPC's own code says of a method that a driver does not have.
    if status.code() == Code::Unimplemented {
        return CallError::Driver { reason: Reason::Unsupported, message: readable(status.message()) };
    }
    let found = whole_message(&status);
    let shown = timeout(END_SHOWS_WITHIN, process.ended()).await;
    let is_late = shown.is_err();
    let ending = match shown {
        Ok(ending) => ending,
        // It lives without its socket. Or the machine is slow to bury it: then what ended it is told all the same, for a kill
        // that comes too late ends nothing.
        Err(_) => {
            process.kill();
            process.ended().await
        }
    };
    match ending.cause {
        // A driver that finds its socket closed exits so; it was closed because of what the driver had sent.
        Cause::Exited(0) => BrokenContract::new(format!("it exited in the middle of a call: {found}")).into(),
        Cause::Killed if is_late => {
            BrokenContract::new(format!("a failure without a reason: {found}")).into()
        }
        Cause::Exited(_)
        | Cause::Signal(_)
        | Cause::Deadline(_)
        | Cause::Memory { .. }
        | Cause::FileSize { .. }
        | Cause::Killed => CallError::Ended(ending),
    }
}

/// The message with its causes, which say what was wrong with the bytes.
fn whole_message(status: &Status) -> String {
    let mut message = status.message().to_owned();
    let mut source = status.source();
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    readable(&message)
}

pub(crate) fn readable(message: &str) -> String {
    let printable = printable(message.as_bytes());
    match printable.char_indices().nth(MESSAGE_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &printable[..end]),
        None => printable,
    }
}
