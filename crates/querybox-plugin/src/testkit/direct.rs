//! A driver called without gRPC between, which would take most of the time where thousands of sessions a second are opened.

use std::{ops::ControlFlow, pin::pin};

use querybox_contracts::plugin::v1::{self as pb, execute_response::Part};
use tokio::sync::mpsc;

use super::Answer;
use crate::{
    Driver, ExecuteError, OpenError, Query, Results, Session, results::PARTS_WAITING_MAX, rows::RowLimits,
    service::parse_open,
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

/// Runs a script, checks the order of its parts, and gathers them. `each` sees a part first, and says whether more is
/// listened to.
///
/// # Panics
///
/// When the parts break the contract.
pub async fn execute_directly<S: Session>(
    session: &S,
    query: Query,
    cell_bytes_max: usize,
    mut each: impl FnMut(&Part) -> ControlFlow<()>,
) -> Heard {
    let limits = RowLimits { rows_max: query.rows_max, bytes_max: query.bytes_max, cell_bytes_max };
    let (tx, mut rx) = mpsc::channel(PARTS_WAITING_MAX);
    let mut call = pin!(session.execute(query, Results::new(tx, limits, None)));
    let mut answer = Answer::default();
    let mut is_heard_out = true;
    let listen = async {
        while let Some(part) = rx.recv().await {
            let part = part.expect("a driver tells parts").part.expect("a response holds a part");
            let flow = each(&part);
            answer.take(part);
            if flow.is_break() {
                is_heard_out = false;
                rx.close();
                return;
            }
        }
    };
    let (ended, ()) = futures::join!(&mut call, listen);
    if ended.is_ok() && is_heard_out {
        answer.end();
    }
    Heard { answer, ended }
}
