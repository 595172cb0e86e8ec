//! Requests to run something.

use querybox_contracts::{core::v1 as pb, plugin::v1 as plugin};
use querybox_core::{Deadline, ExecuteOptions, HistoryLevel, OnError, SecretPlace, Unsaved};

use super::{
    InvalidField,
    connection::{invalid, limit},
    given,
    time::deadline,
};

/// More connections than this make nothing faster, and a server has few for all.
const CONNECTIONS_MAX: u32 = 16;

/// How a script is run in a leased session: that has one connection, whose settings and transaction are the user's.
pub(crate) fn execute_options_in_lease(
    message: Option<pb::ExecuteOptions>,
) -> Result<ExecuteOptions, InvalidField> {
    let options = execute_options(message)?;
    if options.connections_max > 1 {
        return Err(InvalidField::new("options.connections_max", "is not for leased sessions"));
    }
    Ok(options)
}

pub(crate) fn execute_options(message: Option<pb::ExecuteOptions>) -> Result<ExecuteOptions, InvalidField> {
    let message = message.unwrap_or_default();
    let on_error = match plugin::OnError::try_from(message.on_error) {
        Ok(plugin::OnError::Unspecified | plugin::OnError::Stop) => OnError::Stop,
        Ok(plugin::OnError::Continue) => OnError::Continue,
        Err(_) => return Err(InvalidField::new("options.on_error", "is none that this version knows")),
    };
    if message.connections_max > CONNECTIONS_MAX {
        return Err(InvalidField::new("options.connections_max", format!("is more than {CONNECTIONS_MAX}")));
    }
    Ok(ExecuteOptions {
        on_error,
        single_transaction: message.single_transaction,
        rows_max: limit(message.rows_max),
        bytes_max: limit(message.bytes_max),
        deadline: deadline(message.deadline, "options.deadline")?.unwrap_or(Deadline::Default),
        bindings: message.bindings.into_iter().map(|plugin::Binding { name, text }| (name, text)).collect(),
        gives_copy_data: message.gives_copy_data,
        connections_max: message.connections_max.max(1),
        column_facts: message.column_facts,
    })
}

/// The connection of an ExecutePlugin, which has no settings beyond its parameters.
pub(crate) fn unsaved_plugin(
    driver_type: &str,
    parameters: Vec<plugin::Parameter>,
    read_only: bool,
) -> Result<Unsaved, InvalidField> {
    Ok(Unsaved {
        driver_type: driver_type.parse().map_err(|error| invalid("driver_type", error))?,
        given: given(parameters)?,
        read_only,
        deadline: Deadline::Default,
        rows_max: None,
        bytes_max: None,
        startup_sql: None,
        default_schema: None,
        secret_place: SecretPlace::NotNeeded,
        history: HistoryLevel::Texts,
    })
}
