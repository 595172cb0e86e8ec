//! A driver called without gRPC between, which would take most of the time where thousands of sessions a second are opened.

use std::{ops::ControlFlow, pin::pin, sync::Arc};

use bytes::Bytes;
use querybox_contracts::plugin::v1::{self as pb, execute_response::Part};
use tokio::sync::mpsc;

use super::Answer;
use crate::{
    Driver, ExecuteError, OpenError, Query, Results, Session, copy_input::CopyDoor,
    results::PARTS_WAITING_MAX, rows::RowLimits, service::parse_open,
};

/// Opens a session with a request as Core sends it.
///
/// # Errors
///
/// As [`Driver::open`], or when the request does not fit the form.
pub async fn open_directly<D: Driver>(driver: &D, request: pb::OpenRequest) -> Result<D::Session, OpenError> {
    let form = driver.info().connection_form;
    driver.open(parse_open(&form, request)?).await
}

/// What an execution told.
#[derive(Debug)]
pub struct Heard {
    /// The parts, in the contract's order, as far as somebody listened.
    pub answer: Answer,
    /// How the call ended.
    pub ended: Result<(), ExecuteError>,
}

/// Runs a script, checks the order of its parts, and gathers them. Statements that ask for data are given `data`, if there is
/// any. `each` sees a part first, and says whether more is listened to.
///
/// # Panics
///
/// When the parts break the contract.
pub async fn execute_directly<S: Session>(
    session: &S,
    query: Query,
    cell_bytes_max: usize,
    data: Option<&'static [u8]>,
    mut each: impl FnMut(&Part) -> ControlFlow<()>,
) -> Heard {
    let limits = RowLimits { rows_max: query.rows_max, bytes_max: query.bytes_max, cell_bytes_max };
    let (tx, mut rx) = mpsc::channel(PARTS_WAITING_MAX);
    let door = Arc::new(CopyDoor::default());
    let copy = data.is_some().then(|| Arc::clone(&door));
    let mut call = pin!(session.execute(query, Results::new(tx, limits, copy)));
    // One statement asks at a time, and has ended before the next does.
    let (asks, mut asked) = mpsc::channel(1);
    let mut answer = Answer::default();
    let listen = async move {
        while let Some(part) = rx.recv().await {
            let part = part.expect("a driver tells parts").part.expect("a response holds a part");
            let flow = each(&part);
            if let Part::CopyIn(copy_in) = &part {
                asks.try_send(copy_in.statement).ok();
            }
            answer.take(part);
            if flow.is_break() {
                return (answer, false);
            }
        }
        (answer, true)
    };
    let give = async {
        while let Some(statement) = asked.recv().await {
            let piece = |data, end: pb::CopyDataEnd| pb::SendCopyDataRequest {
                statement,
                data,
                end: end.into(),
                ..pb::SendCopyDataRequest::default()
            };
            let data = data.map(Bytes::from_static).unwrap_or_default();
            // Whether it is wanted is the driver's business.
            door.give(piece(data, pb::CopyDataEnd::Unspecified)).await.ok();
            door.give(piece(Bytes::new(), pb::CopyDataEnd::Done)).await.ok();
        }
    };
    let (ended, (answer, is_heard_out), ()) = futures::join!(&mut call, listen, give);
    if ended.is_ok() && is_heard_out {
        answer.end();
    }
    Heard { answer, ended }
}
