//! What a session is named, how it opens and ends.

use std::time::Duration;

use querybox_contracts::{core::v1 as pb, plugin::v1 as plugin};
use querybox_core::{
    Cancelled, EndCause, Ended, Extension, Opened, Receipt, Rejection, ServerFacts, SessionAbout,
    SessionActivity, SessionError, SessionFacts, SessionId, SessionKind, TransactionState,
};

use super::{
    InvalidField,
    time::{span, timestamp},
};
use crate::status::Refused;

pub(crate) fn session_id(text: &str) -> Result<SessionId, Refused> {
    text.parse().map_err(|error| SessionError::Id(error).into())
}

pub(crate) fn opened_message(opened: Opened) -> pb::SessionOpened {
    pb::SessionOpened {
        server: opened.server.map(server_message),
        degraded: opened.degraded,
        driver_pid: opened.driver_pid,
    }
}

pub(crate) fn ended_message(ended: Ended) -> pb::SessionEnded {
    pb::SessionEnded {
        statements_done: ended.statements_done,
        statements_rejected: ended.statements_rejected,
        driver_memory_peak_bytes: ended.driver_memory_peak_bytes,
        cause: cause(ended.cause).into(),
    }
}

pub(crate) fn cause(cause: EndCause) -> pb::EndCause {
    match cause {
        EndCause::Done => pb::EndCause::Done,
        EndCause::Rejected => pb::EndCause::Rejected,
        EndCause::Cancelled => pb::EndCause::Cancelled,
        EndCause::Deadline(_) => pb::EndCause::Deadline,
        EndCause::Memory { .. } => pb::EndCause::Memory,
        EndCause::Idle(_) => pb::EndCause::Idle,
        EndCause::StreamIdle(_) => pb::EndCause::StreamIdle,
        EndCause::Unstoppable => pb::EndCause::Unstoppable,
        EndCause::DriverDied => pb::EndCause::DriverDied,
        EndCause::DriverFailed => pb::EndCause::DriverFailed,
        EndCause::ConnectionLost => pb::EndCause::ConnectionLost,
        EndCause::Closed => pb::EndCause::Closed,
        EndCause::ShuttingDown => pb::EndCause::ShuttingDown,
    }
}

pub(crate) fn cancel_message(cancelled: Cancelled) -> pb::CancelSessionResponse {
    let receipt = match cancelled.receipt {
        Receipt::Confirmed => pb::CancelReceipt::Confirmed,
        Receipt::AlreadyDone => pb::CancelReceipt::AlreadyDone,
        Receipt::Killed => pb::CancelReceipt::Killed,
    };
    pb::CancelSessionResponse { receipt: receipt.into(), elapsed: Some(span(cancelled.elapsed)) }
}

pub(crate) fn extension(
    message: Option<pb::extend_deadline_request::Extension>,
) -> Result<Extension, InvalidField> {
    use pb::extend_deadline_request::Extension as Message;
    match message {
        None => Err(InvalidField::missing("extension")),
        Some(Message::None(pb::NoDeadline {})) => Ok(Extension::Unlimited),
        Some(Message::By(by)) => match Duration::try_from(by) {
            Ok(by) if !by.is_zero() => Ok(Extension::By(by)),
            Ok(_) | Err(_) => Err(InvalidField::new("by", "is not a time above zero")),
        },
    }
}

pub(crate) fn remaining_message(remaining: Option<Duration>) -> pb::ExtendDeadlineResponse {
    pb::ExtendDeadlineResponse { remaining: remaining.map(span) }
}

pub(crate) fn session_facts_message(facts: SessionFacts) -> pb::SessionFacts {
    let SessionFacts { id, kind, activity, since, started, about, remaining } = facts;
    let (connection, driver_type) = match about {
        Some(SessionAbout { connection, driver_type }) => (connection, driver_type.to_string()),
        None => (None, String::new()),
    };
    let (kind, front_end, idle_limit, transaction) = match kind {
        SessionKind::OneRequest => (pb::SessionKind::OneRequest, None, None, TransactionState::Unknown),
        SessionKind::Opening(front_end) => {
            (pb::SessionKind::Leased, Some(front_end), None, TransactionState::Unknown)
        }
        SessionKind::Leased { front_end, idle_limit, transaction } => {
            (pb::SessionKind::Leased, Some(front_end), Some(idle_limit), transaction)
        }
    };
    let activity = match activity {
        SessionActivity::Opening => pb::SessionActivity::Opening,
        SessionActivity::Running => pb::SessionActivity::Running,
        SessionActivity::Idle => pb::SessionActivity::Idle,
        SessionActivity::Ending => pb::SessionActivity::Ending,
    };
    pb::SessionFacts {
        session_id: id.to_string(),
        kind: kind.into(),
        activity: activity.into(),
        since: Some(span(since)),
        started: Some(timestamp(started)),
        connection_id: connection.map(|id| id.to_string()).unwrap_or_default(),
        driver_type,
        front_end_id: front_end.map(|id| id.to_string()).unwrap_or_default(),
        remaining: remaining.map(span),
        idle_limit: idle_limit.map(span),
        transaction_state: transaction_state(transaction).into(),
    }
}

/// The refusal of Open, which travels as a part of the result. (Those of statements pass through unread.)
pub(crate) fn rejection_message(rejection: Rejection) -> plugin::Rejection {
    plugin::Rejection {
        statement: rejection.statement,
        sqlstate: rejection.sqlstate,
        vendor_code: rejection.vendor_code,
        severity: rejection.severity,
        message: rejection.message,
        detail: rejection.detail,
        hint: rejection.hint,
        position_byte: rejection.position_byte,
        context: rejection.context,
        transaction_state: transaction_state(rejection.transaction).into(),
        rolled_back_at_end: rejection.rolled_back_at_end,
        // It stands in no script.
        span: None,
    }
}

pub(super) fn transaction_state(state: TransactionState) -> plugin::TransactionState {
    match state {
        TransactionState::Unknown => plugin::TransactionState::Unspecified,
        TransactionState::Idle => plugin::TransactionState::Idle,
        TransactionState::Open => plugin::TransactionState::Open,
        TransactionState::Failed => plugin::TransactionState::Failed,
    }
}

fn server_message(server: ServerFacts) -> plugin::ServerFacts {
    let ServerFacts { product, version, user, database, tls } = server;
    plugin::ServerFacts { product, version, user, database, tls }
}
