//! Master keys, as they are told of.

use querybox_contracts::core::v1 as pb;
use querybox_core::{
    Key, KeyError, KeyId, KeyListing, KeyRecord, KeyState, Registering, RotationReport, RotationStep,
    TextKeyUse,
};

use super::{InvalidField, credential::vault_state, time::timestamp};
use crate::status::{Refused, chain};

/// A text that cannot be the id of a key names none that exists.
pub(crate) fn key_id(text: String) -> Result<KeyId, Refused> {
    text.parse().map_err(|_| KeyError::NotFound(text).into())
}

pub(crate) fn key_record(record: Option<pb::KeyRecord>) -> Result<KeyRecord, InvalidField> {
    let pb::KeyRecord { id, salt, check } = record.ok_or(InvalidField::missing("record"))?;
    Ok(KeyRecord {
        id: KeyId::from(sized::<8>(&id, "record.id")?),
        salt: sized(&salt, "record.salt")?,
        check: sized(&check, "record.check")?,
    })
}

pub(crate) fn registering(must_be_first: bool, replace_unused: bool) -> Registering {
    match (replace_unused, must_be_first) {
        (true, _) => Registering::ReplacingUnused,
        (false, true) => Registering::First,
        (false, false) => Registering::Beside,
    }
}

fn sized<const N: usize>(bytes: &[u8], field: &'static str) -> Result<[u8; N], InvalidField> {
    bytes.try_into().map_err(|_| InvalidField::new(field, format!("has not {N} bytes")))
}

/// A key of which it is not asked whether the source gives it.
pub(crate) fn key_message(key: Key) -> pb::Key {
    let state = match key.state {
        KeyState::Primary => pb::KeyState::Primary,
        KeyState::DecryptOnly => pb::KeyState::DecryptOnly,
        KeyState::Retired => pb::KeyState::Retired,
    };
    pb::Key {
        id: key.record.id.to_string(),
        state: state.into(),
        created: Some(timestamp(key.created)),
        emptied: key.emptied.map(timestamp),
        retired: key.retired.map(timestamp),
        credentials: key.credentials,
        is_at_hand: None,
    }
}

pub(crate) fn key_listing_message(listing: KeyListing) -> pb::ListKeysResponse {
    let KeyListing { keys, vault, text_key } = listing;
    let keys = keys.into_iter().map(|(key, is_at_hand)| pb::Key { is_at_hand, ..key_message(key) }).collect();
    let text_key = text_key.map(|(usage, opens)| {
        let TextKeyUse { key, drafts, runs } = usage;
        pb::TextKey { key_id: key.key.to_string(), opens, drafts, runs }
    });
    pb::ListKeysResponse { keys, vault: Some(vault_state(vault)), text_key }
}

pub(crate) fn rotation_message(step: RotationStep) -> pb::RotateKeysResponse {
    use pb::rotate_keys_response::Part;

    let progress = |done, total, phase: pb::RotationPhase| {
        Part::Progress(pb::RotationProgress { done, total, phase: phase.into() })
    };
    let part = match step {
        RotationStep::Sealed { done, total } => progress(done, total, pb::RotationPhase::Seal),
        RotationStep::Verified { done, total } => progress(done, total, pb::RotationPhase::Verify),
        RotationStep::Ended(report) => Part::Ended(ended(report)),
    };
    pb::RotateKeysResponse { part: Some(part) }
}

fn ended(report: RotationReport) -> pb::RotationEnded {
    let failures = report.failures.into_iter().map(|failure| pb::RotationFailure {
        credential: Some(super::stored_message(&failure.connection, failure.credential)),
        message: chain(&failure.error),
    });
    pb::RotationEnded {
        key_id: report.key.to_string(),
        sealed: report.sealed,
        verified: report.verified,
        failures: failures.collect(),
        text_key_failure: report.text_key_failure.as_ref().map(|error| chain(error)).unwrap_or_default(),
    }
}
