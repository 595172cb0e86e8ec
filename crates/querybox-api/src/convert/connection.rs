//! Connections.

use querybox_contracts::core::v1 as pb;
use querybox_core::{
    Connection, ConnectionError, ConnectionId, ConnectionKey, ConnectionName, ConnectionSettings, Deadline,
    Environment, Given, GivenValue, SecretPlace, SecretScope, Unsaved, to_saved,
};

use super::{
    InvalidField, given,
    history::{history_level, history_level_message},
    parameter_messages,
    time::{deadline, deadline_message, timestamp},
};
use crate::status::Refused;

/// What a request names. A text that cannot be an id or a name names nothing that exists.
pub(crate) fn key(message: Option<pb::ConnectionRef>) -> Result<ConnectionKey, Refused> {
    let key = message.and_then(|message| message.key).ok_or(InvalidField::missing("connection"))?;
    match key {
        pb::connection_ref::Key::Id(id) => Ok(ConnectionKey::Id(connection_id(id)?)),
        pb::connection_ref::Key::Name(name) => match name.parse() {
            Ok(parsed) => Ok(ConnectionKey::Name(parsed)),
            Err(_) => Err(ConnectionError::NotFound(name).into()),
        },
    }
}

/// An id that a request names without a choice of a name.
pub(crate) fn connection_id(text: String) -> Result<ConnectionId, Refused> {
    text.parse().map_err(|_| ConnectionError::NotFound(text).into())
}

pub(crate) fn name(text: &str) -> Result<ConnectionName, InvalidField> {
    text.parse().map_err(|error| invalid("name", error))
}

pub(crate) fn settings(spec: Option<pb::ConnectionSpec>) -> Result<ConnectionSettings, Refused> {
    let spec = spec.ok_or(InvalidField::missing("spec"))?;
    let color = spec.color();
    let place = spec.secret_place();
    let scope = spec.secret_scope();
    let history = spec.history();
    check_enums(&spec)?;
    Ok(ConnectionSettings {
        name: spec.name.parse().map_err(|error| invalid("spec.name", error))?,
        driver_type: spec.driver_type.parse().map_err(|error| invalid("spec.driver_type", error))?,
        parameters: to_saved(given(spec.parameters)?).map_err(ConnectionError::from)?,
        folder: spec.folder.parse().map_err(|error| invalid("spec.folder", error))?,
        environment: environment(color),
        read_only: spec.read_only,
        deadline: deadline(spec.deadline, "spec.deadline")?.unwrap_or(Deadline::Default),
        rows_max: limit(spec.rows_max),
        bytes_max: limit(spec.bytes_max),
        startup_sql: text(spec.startup_sql),
        default_schema: text(spec.default_schema),
        secret_place: secret_place(place),
        secret_scope: match scope {
            pb::SecretScope::Unspecified | pb::SecretScope::Shared => SecretScope::Shared,
            pb::SecretScope::EachUser => SecretScope::EachUser,
        },
        history: history_level(history),
    })
}

/// A connection that is being written. It needs no name yet.
pub(crate) fn unsaved(spec: pb::ConnectionSpec) -> Result<Unsaved, Refused> {
    check_enums(&spec)?;
    let place = spec.secret_place();
    let history = spec.history();
    Ok(Unsaved {
        driver_type: spec.driver_type.parse().map_err(|error| invalid("unsaved.driver_type", error))?,
        given: given(spec.parameters)?,
        read_only: spec.read_only,
        deadline: deadline(spec.deadline, "unsaved.deadline")?.unwrap_or(Deadline::Default),
        rows_max: limit(spec.rows_max),
        bytes_max: limit(spec.bytes_max),
        startup_sql: text(spec.startup_sql),
        default_schema: text(spec.default_schema),
        secret_place: secret_place(place),
        history: history_level(history),
    })
}

pub(crate) fn connection_message(connection: Connection) -> pb::Connection {
    let settings = connection.settings;
    let parameters = settings
        .parameters
        .into_iter()
        .map(|parameter| Given { name: parameter.name, value: GivenValue::Text(parameter.value) })
        .collect();
    pb::Connection {
        id: connection.id.to_string(),
        revision: connection.revision,
        created: Some(timestamp(connection.created)),
        updated: Some(timestamp(connection.updated)),
        last_access: connection.last_access.map(timestamp),
        spec: Some(pb::ConnectionSpec {
            name: settings.name.to_string(),
            driver_type: settings.driver_type.to_string(),
            parameters: parameter_messages(parameters),
            folder: settings.folder.to_string(),
            color: color(settings.environment).into(),
            read_only: settings.read_only,
            deadline: deadline_message(settings.deadline),
            rows_max: settings.rows_max,
            bytes_max: settings.bytes_max,
            startup_sql: settings.startup_sql.unwrap_or_default(),
            default_schema: settings.default_schema.unwrap_or_default(),
            secret_place: secret_place_message(settings.secret_place).into(),
            secret_scope: match settings.secret_scope {
                SecretScope::Shared => pb::SecretScope::Shared,
                SecretScope::EachUser => pb::SecretScope::EachUser,
            }
            .into(),
            history: history_level_message(settings.history).into(),
        }),
    }
}

/// A limit of nothing is no limit, as in the contract with drivers.
pub(super) fn limit(limit: Option<u64>) -> Option<u64> {
    limit.filter(|limit| *limit > 0)
}

pub(super) fn text(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

pub(super) fn invalid(field: &'static str, error: impl std::error::Error) -> InvalidField {
    InvalidField::new(field, format!("is not valid: {}", crate::status::chain(&error)))
}

/// The accessors of generated code take a value of a later version as UNSPECIFIED, which means something here.
fn check_enums(spec: &pb::ConnectionSpec) -> Result<(), InvalidField> {
    if pb::EnvironmentColor::try_from(spec.color).is_err() {
        return Err(InvalidField::new("spec.color", "is none that this version knows"));
    }
    if pb::SecretScope::try_from(spec.secret_scope).is_err() {
        return Err(InvalidField::new("spec.secret_scope", "is none that this version knows"));
    }
    if pb::HistoryLevel::try_from(spec.history).is_err() {
        return Err(InvalidField::new("spec.history", "is none that this version knows"));
    }
    if pb::SecretPlace::try_from(spec.secret_place).is_err() {
        return Err(InvalidField::new("spec.secret_place", "is none that this version knows"));
    }
    Ok(())
}

fn environment(color: pb::EnvironmentColor) -> Environment {
    match color {
        pb::EnvironmentColor::Unspecified => Environment::None,
        pb::EnvironmentColor::Green => Environment::Green,
        pb::EnvironmentColor::Amber => Environment::Amber,
        pb::EnvironmentColor::Red => Environment::Red,
    }
}

fn color(environment: Environment) -> pb::EnvironmentColor {
    match environment {
        Environment::None => pb::EnvironmentColor::Unspecified,
        Environment::Green => pb::EnvironmentColor::Green,
        Environment::Amber => pb::EnvironmentColor::Amber,
        Environment::Red => pb::EnvironmentColor::Red,
    }
}

fn secret_place(place: pb::SecretPlace) -> SecretPlace {
    match place {
        pb::SecretPlace::Unspecified => SecretPlace::NotNeeded,
        pb::SecretPlace::Ask => SecretPlace::Ask,
        pb::SecretPlace::Keyring => SecretPlace::Keyring,
        pb::SecretPlace::Vault => SecretPlace::Vault,
    }
}

fn secret_place_message(place: SecretPlace) -> pb::SecretPlace {
    match place {
        SecretPlace::NotNeeded => pb::SecretPlace::Unspecified,
        SecretPlace::Ask => pb::SecretPlace::Ask,
        SecretPlace::Keyring => pb::SecretPlace::Keyring,
        SecretPlace::Vault => pb::SecretPlace::Vault,
    }
}
