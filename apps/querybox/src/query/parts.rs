//! The parts of an answer, the same for saved connections and for drivers that are named directly.

use futures::{Stream, StreamExt};
use querybox_contracts::{
    core::v1::{self as core, execute_in_session_response, execute_plugin_response, execute_response},
    plugin::v1 as plugin,
};
use tonic::Status;

/// One part of an answer.
pub(crate) enum Part {
    /// The session is open.
    Opened(core::SessionOpened),
    /// A part of a result.
    Result(plugin::execute_response::Part),
    /// The session is closed.
    Ended(core::SessionEnded),
}

/// The parts of [`core::ExecuteResponse`]s.
pub(crate) fn of_connection(
    stream: impl Stream<Item = Result<core::ExecuteResponse, Status>>,
) -> impl Stream<Item = Result<Part, Status>> {
    use execute_response::Part as P;

    stream.map(|response| match response?.part {
        Some(P::Session(session)) => Ok(Part::Opened(session)),
        Some(P::Result(result)) => of_result(result),
        Some(P::Ended(ended)) => Ok(Part::Ended(ended)),
        None => Err(unknown()),
    })
}

/// The parts of [`core::ExecutePluginResponse`]s.
pub(crate) fn of_driver(
    stream: impl Stream<Item = Result<core::ExecutePluginResponse, Status>>,
) -> impl Stream<Item = Result<Part, Status>> {
    use execute_plugin_response::Part as P;

    stream.map(|response| match response?.part {
        Some(P::Session(session)) => Ok(Part::Opened(session)),
        Some(P::Result(result)) => of_result(result),
        Some(P::Ended(ended)) => Ok(Part::Ended(ended)),
        None => Err(unknown()),
    })
}

/// The parts of [`core::ExecuteInSessionResponse`]s.
pub(crate) fn of_session(
    stream: impl Stream<Item = Result<core::ExecuteInSessionResponse, Status>>,
) -> impl Stream<Item = Result<Part, Status>> {
    use execute_in_session_response::Part as P;

    stream.map(|response| match response?.part {
        Some(P::Result(result)) => of_result(result),
        None => Err(unknown()),
    })
}

fn of_result(result: plugin::ExecuteResponse) -> Result<Part, Status> {
    result.part.map(Part::Result).ok_or_else(unknown)
}

fn unknown() -> Status {
    Status::internal("Core sent a part that this program does not know")
}
