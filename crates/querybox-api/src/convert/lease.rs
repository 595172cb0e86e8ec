//! Requests for leased sessions, and their answers.

use std::time::Duration;

use querybox_contracts::core::v1 as pb;
use querybox_core::{FrontEndId, FrontEndIdError, LeaseOutcome, LeaseRequest, Target};

use super::{InvalidField, key, opened_message, rejection_message, secrets, session_id, time::span, unsaved};
use crate::status::Refused;

pub(crate) fn lease_request(message: pb::OpenSessionRequest) -> Result<LeaseRequest, Refused> {
    let pb::OpenSessionRequest { session_id: id, target, credential, idle_limit, front_end_id } = message;
    let secrets = secrets(credential);
    let target = match target {
        None => return Err(InvalidField::missing("target").into()),
        Some(pb::open_session_request::Target::Connection(connection)) => {
            Target::Saved(key(Some(connection))?)
        }
        Some(pb::open_session_request::Target::Unsaved(spec)) => Target::Unsaved(Box::new(unsaved(spec)?)),
    };
    let idle_limit = idle_limit.map(idle).transpose()?;
    let front_end = front_end(&front_end_id)?;
    Ok(LeaseRequest { session_id: session_id(&id)?, front_end, target, secrets, idle_limit })
}

pub(crate) fn front_end(text: &str) -> Result<FrontEndId, InvalidField> {
    text.parse().map_err(|error: FrontEndIdError| InvalidField::new("front_end_id", error.to_string()))
}

fn idle(limit: prost_types::Duration) -> Result<Duration, InvalidField> {
    match Duration::try_from(limit) {
        Ok(limit) if !limit.is_zero() => Ok(limit),
        Ok(_) | Err(_) => Err(InvalidField::new("idle_limit", "is not a time above zero")),
    }
}

pub(crate) fn leased_message(outcome: LeaseOutcome) -> pb::OpenSessionResponse {
    let outcome = match outcome {
        LeaseOutcome::Leased(leased) => pb::open_session_response::Outcome::Leased(pb::SessionLeased {
            session: Some(opened_message(leased.opened)),
            driver: Some(leased.driver.wire.clone()),
            idle_limit: Some(span(leased.idle_limit)),
        }),
        LeaseOutcome::Refused(rejection) => {
            pb::open_session_response::Outcome::Rejection(rejection_message(*rejection))
        }
    };
    pb::OpenSessionResponse { outcome: Some(outcome) }
}
