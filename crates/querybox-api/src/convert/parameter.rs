//! Parameters and secrets.

use querybox_contracts::plugin::v1 as plugin;
use querybox_core::{Given, GivenValue, Secret};

use super::InvalidField;

pub(crate) fn given(parameters: Vec<plugin::Parameter>) -> Result<Vec<Given>, InvalidField> {
    parameters
        .into_iter()
        .map(|plugin::Parameter { name, value }| {
            let value = match value {
                Some(plugin::parameter::Value::Text(text)) => GivenValue::Text(text),
                Some(plugin::parameter::Value::Content(content)) => GivenValue::Content(content),
                None => {
                    return Err(InvalidField::new("parameters", format!("has no value for {name:?}")));
                }
            };
            Ok(Given { name, value })
        })
        .collect()
}

pub(crate) fn parameter_messages(given: Vec<Given>) -> Vec<plugin::Parameter> {
    given
        .into_iter()
        .map(|Given { name, value }| {
            let value = match value {
                GivenValue::Text(text) => plugin::parameter::Value::Text(text),
                GivenValue::Content(content) => plugin::parameter::Value::Content(content),
            };
            plugin::Parameter { name, value: Some(value) }
        })
        .collect()
}

/// Takes the secrets out of the message. Nothing of them stays in it.
pub(crate) fn secrets(credential: Option<plugin::Credential>) -> Vec<(String, Secret)> {
    let fields = credential.unwrap_or_default().fields;
    fields
        .into_iter()
        .map(|plugin::SecretField { name, value }| (name, Secret::new(Vec::from(value))))
        .collect()
}
