//! Credentials, as they are told of.

use querybox_contracts::core::v1 as pb;
use querybox_core::{
    Connection, Credential, Kept, Migrated, MigrationOutcome, NewSecret, Secret, SecretPlaces, StoredPlace,
    VaultError,
};

use super::{InvalidField, connection::text, time::timestamp};
use crate::status::Refused;

/// A field of a form. `None`: the request names none.
pub(crate) fn optional_field(field: String) -> Option<String> {
    text(field)
}

/// A place that a request has to name.
pub(crate) fn stored_place(place: i32, field: &'static str) -> Result<StoredPlace, InvalidField> {
    stored_place_or_usual(place, field)?.ok_or(InvalidField::missing(field))
}

/// A place that a request may name.
pub(crate) fn stored_place_or_usual(
    place: i32,
    field: &'static str,
) -> Result<Option<StoredPlace>, InvalidField> {
    match pb::SecretPlace::try_from(place) {
        Ok(pb::SecretPlace::Unspecified) => Ok(None),
        Ok(pb::SecretPlace::Keyring) => Ok(Some(StoredPlace::Keyring)),
        Ok(pb::SecretPlace::Vault) => Ok(Some(StoredPlace::Vault)),
        Ok(pb::SecretPlace::Ask) => Err(InvalidField::new(field, "is no place where secrets are stored")),
        Err(_) => Err(InvalidField::new(field, "is none that this version knows")),
    }
}

/// A secret that is given with a new connection.
pub(crate) fn new_secret(message: pb::NewSecret) -> Result<NewSecret, InvalidField> {
    let pb::NewSecret { field, secret, place } = message;
    Ok(NewSecret {
        field: optional_field(field),
        // Nothing of it stays in the message.
        secret: Secret::new(Vec::from(secret)),
        place: stored_place_or_usual(place, "secret.place")?,
    })
}

pub(crate) fn stored_message(connection: &Connection, credential: Credential) -> pb::StoredCredential {
    let (place, key_id) = match &credential.kept {
        Kept::Sealed { key, .. } => (pb::SecretPlace::Vault, key.to_string()),
        Kept::Keyring(_) => (pb::SecretPlace::Keyring, String::new()),
    };
    pb::StoredCredential {
        connection_id: connection.id.to_string(),
        connection_name: connection.settings.name.to_string(),
        owner: credential.key.owner.to_string(),
        field: credential.key.field,
        place: place.into(),
        key_id,
        created: Some(timestamp(credential.created)),
        updated: Some(timestamp(credential.updated)),
        last_access: credential.last_access.map(timestamp),
        last_rotated: credential.last_rotated.map(timestamp),
    }
}

pub(crate) fn places_message(places: SecretPlaces) -> pb::SecretPlaces {
    pb::SecretPlaces {
        keyring: Some(state(places.keyring.map_err(Refused::from))),
        vault: Some(vault_state(places.vault)),
        keyring_entries_left: u32::try_from(places.keyring_entries_left).unwrap_or(u32::MAX),
    }
}

pub(super) fn vault_state(vault: Result<(), VaultError>) -> pb::PlaceState {
    state(vault.map_err(Refused::from))
}

fn state(usable: Result<(), Refused>) -> pb::PlaceState {
    let is_usable = usable.is_ok();
    let (reason, message) = usable.err().map(Refused::told).unwrap_or_default();
    pb::PlaceState { is_usable, reason, message }
}

pub(crate) fn migrated_message(migrated: Migrated) -> pb::MigrateCredentialsResponse {
    let Migrated { connection, credential, outcome } = migrated;
    let (outcome, failure) = match outcome {
        MigrationOutcome::Moved => (pb::MigrationOutcome::Moved, None),
        MigrationOutcome::AlreadyThere => (pb::MigrationOutcome::AlreadyThere, None),
        MigrationOutcome::WouldMove => (pb::MigrationOutcome::WouldMove, None),
        MigrationOutcome::Changed => (pb::MigrationOutcome::Changed, None),
        MigrationOutcome::Failed(error) => (pb::MigrationOutcome::Failed, Some(Refused::from(error))),
    };
    let (reason, message) = failure.map(Refused::told).unwrap_or_default();
    pb::MigrateCredentialsResponse {
        credential: Some(stored_message(&connection, credential)),
        outcome: outcome.into(),
        reason,
        message,
    }
}
