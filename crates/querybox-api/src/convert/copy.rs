//! Data for statements that ask for it.

use querybox_contracts::{core::v1 as pb, plugin::v1 as plugin};
use querybox_core::{CopyEnd, CopyOutcome, CopyPiece, SessionId};

use super::{InvalidField, session_id};
use crate::status::Refused;

pub(crate) fn copy_piece(message: pb::SendCopyDataRequest) -> Result<(SessionId, CopyPiece), Refused> {
    let pb::SendCopyDataRequest { session_id: id, statement, data, end, failure } = message;
    let end = match plugin::CopyDataEnd::try_from(end) {
        Ok(plugin::CopyDataEnd::Unspecified) => CopyEnd::More,
        Ok(plugin::CopyDataEnd::Done) => CopyEnd::Done,
        Ok(plugin::CopyDataEnd::Failed) => CopyEnd::Failed(failure),
        Err(_) => return Err(InvalidField::new("end", "is none that this version knows").into()),
    };
    Ok((session_id(&id)?, CopyPiece { statement, data, end }))
}

pub(crate) fn copy_outcome_message(outcome: CopyOutcome) -> pb::SendCopyDataResponse {
    let outcome = match outcome {
        CopyOutcome::Taken => plugin::CopyDataOutcome::Taken,
        CopyOutcome::Unwanted => plugin::CopyDataOutcome::Unwanted,
    };
    pb::SendCopyDataResponse { outcome: outcome.into() }
}
