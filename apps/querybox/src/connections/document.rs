//! Connections as documents: JSON for programs, TOML to be kept. The keys are those of the command line.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use querybox_contracts::core::v1 as core;
use serde::Serialize;

use crate::form;

/// A set of connections.
#[derive(Serialize)]
pub(crate) struct Export {
    pub connection: Vec<Document>,
}

/// One connection. It never holds a secret.
#[derive(Serialize)]
pub(crate) struct Document {
    name: String,
    driver: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    folder: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<&'static str>,
    read_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_bytes: Option<u64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    startup_sql: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    default_schema: String,
    secret: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<&'static str>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    kept: Option<Kept>,
    // Tables stand last in TOML.
    params: serde_json::Map<String, serde_json::Value>,
}

/// What Core gave a connection; another Core gives something else.
#[derive(Serialize)]
struct Kept {
    id: String,
    revision: u64,
    created: Option<String>,
    updated: Option<String>,
    last_access: Option<String>,
}

impl Document {
    /// Everything that is known of a connection.
    pub(crate) fn full(connection: &core::Connection) -> Document {
        let kept = Kept {
            id: connection.id.clone(),
            revision: connection.revision,
            created: time(connection.created.as_ref()),
            updated: time(connection.updated.as_ref()),
            last_access: time(connection.last_access.as_ref()),
        };
        Document { kept: Some(kept), ..Document::exported(connection) }
    }

    /// What people decided about a connection.
    pub(crate) fn exported(connection: &core::Connection) -> Document {
        let spec = connection.spec.clone().unwrap_or_default();
        Document {
            color: color(spec.color()),
            deadline: spec.deadline.as_ref().and_then(deadline),
            secret: secret(spec.secret_place()),
            secret_scope: match spec.secret_scope() {
                core::SecretScope::Unspecified | core::SecretScope::Shared => None,
                core::SecretScope::EachUser => Some("each-user"),
            },
            history: history(spec.history()),
            params: spec
                .parameters
                .iter()
                .map(|parameter| (parameter.name.clone(), form::text_of(parameter).into()))
                .collect(),
            name: spec.name,
            driver: spec.driver_type,
            folder: spec.folder,
            read_only: spec.read_only,
            max_rows: spec.rows_max,
            max_bytes: spec.bytes_max,
            startup_sql: spec.startup_sql,
            default_schema: spec.default_schema,
            kept: None,
        }
    }
}

/// The word of the command line. `None`: no color.
pub(crate) fn color(color: core::EnvironmentColor) -> Option<&'static str> {
    match color {
        core::EnvironmentColor::Unspecified => None,
        core::EnvironmentColor::Green => Some("green"),
        core::EnvironmentColor::Amber => Some("amber"),
        core::EnvironmentColor::Red => Some("red"),
    }
}

/// As the command line takes it. `None`: the default.
pub(crate) fn deadline(deadline: &core::Deadline) -> Option<String> {
    match deadline.limit.as_ref()? {
        core::deadline::Limit::None(_) => Some("none".to_owned()),
        core::deadline::Limit::After(time) => {
            let time = SignedDuration::try_from(Duration::try_from(*time).ok()?).ok()?;
            Some(format!("{time:#}"))
        }
    }
}

/// The word of the command line.
pub(crate) fn secret(place: core::SecretPlace) -> &'static str {
    match place {
        core::SecretPlace::Unspecified => "none",
        core::SecretPlace::Ask => "ask",
        core::SecretPlace::Keyring => "keyring",
        core::SecretPlace::Vault => "vault",
    }
}

/// The word of the command line. `None`: the default.
pub(crate) fn history(level: core::HistoryLevel) -> Option<&'static str> {
    match level {
        core::HistoryLevel::Unspecified | core::HistoryLevel::Texts => None,
        core::HistoryLevel::Facts => Some("facts"),
        core::HistoryLevel::Off => Some("off"),
    }
}

/// A time in UTC, to the second.
pub(crate) fn time(time: Option<&prost_types::Timestamp>) -> Option<String> {
    let time = time?;
    let time = Timestamp::new(time.seconds, 0).ok()?;
    Some(time.to_string())
}
