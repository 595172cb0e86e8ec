//! A driver's form, as the command line needs it: which parameters are paths, which are secrets.

use querybox_contracts::{
    core::v1::{self as core, plugin::State, plugin_service_client::PluginServiceClient},
    plugin::v1::{self as plugin, FormField, FormFieldKind},
};

use crate::{
    app::App,
    cli::values::ParamArg,
    composition::MESSAGE_BYTES_MAX,
    failure::{Failure, describe},
};

/// All plugins, in Core's order.
pub(crate) async fn plugins(app: &App) -> Result<core::ListPluginsResponse, Failure> {
    let mut client =
        PluginServiceClient::new(app.channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX);
    Ok(client.list_plugins(core::ListPluginsRequest {}).await?.into_inner())
}

/// What the driver of a type says of itself.
///
/// # Errors
///
/// A usage failure when there is none; one of the machinery when its file is there and broken.
pub(crate) async fn info_of_driver(app: &App, driver_type: &str) -> Result<plugin::PluginInfo, Failure> {
    let mut broken = None;
    for found in plugins(app).await?.plugins {
        match found.state {
            Some(State::Usable(info)) if info.driver_type == driver_type => return Ok(info),
            Some(State::Broken(fault)) if is_file_of(&found.path, driver_type) => {
                broken.get_or_insert((found.path, fault.error));
            }
            Some(State::Usable(_) | State::Shadowed(_) | State::Broken(_)) | None => {}
        }
    }
    Err(match broken {
        Some((path, error)) => {
            Failure::machinery(format!("the driver `{driver_type}` is broken: {path}: {error}"))
        }
        None => Failure::usage(format!("there is no driver `{driver_type}`"))
            .with_hint("`querybox plugins list` shows the drivers that are there"),
    })
}

/// The form of the driver of a type; for errors see [`info_of_driver`].
pub(crate) async fn of_driver(app: &App, driver_type: &str) -> Result<Vec<FormField>, Failure> {
    Ok(info_of_driver(app, driver_type).await?.connection_form)
}

fn is_file_of(path: &str, driver_type: &str) -> bool {
    path.rsplit('/').next().and_then(|name| name.strip_prefix("querybox-driver-")) == Some(driver_type)
}

/// Parameters as given on the command line. Paths become absolute: Core has no current folder of the user's.
///
/// # Errors
///
/// A usage failure when a secret is among them: what stands on a command line is not secret any more. Whatever else is wrong
/// is for Core to say.
pub(crate) fn parameters(given: &[ParamArg], form: &[FormField]) -> Result<Vec<plugin::Parameter>, Failure> {
    given.iter().map(|param| parameter(&param.name, &param.value, form)).collect()
}

/// One parameter; see [`parameters`].
pub(crate) fn parameter(name: &str, value: &str, form: &[FormField]) -> Result<plugin::Parameter, Failure> {
    let field = form.iter().find(|field| field.name == name);
    if field.is_some_and(|field| field.secret) {
        let failure = Failure::usage(format!("{name} is a secret and has no place on a command line"));
        let is_file = field.is_some_and(|field| field.kind() == FormFieldKind::FilePath);
        return Err(match is_file {
            // What stood there is the name of a file, which is none.
            true => failure.with_hint(format!(
                "leave it out, save the connection, and give it the file: \
                 `querybox credentials set NAME --field {name} --file FILE`"
            )),
            false => failure.with_hint(
                "leave it out; QueryBox asks for it, or takes it from `--password-stdin`. \
                 What stood there can be in the shell's history, so change it",
            ),
        });
    }
    let is_path = field.is_some_and(|field| field.kind() == FormFieldKind::FilePath);
    let value = if is_path { absolute(value)? } else { value.to_owned() };
    Ok(plugin::Parameter { name: name.to_owned(), value: Some(plugin::parameter::Value::Text(value)) })
}

fn absolute(path: &str) -> Result<String, Failure> {
    // An empty path is no path; Core says what it thinks of it.
    if path.is_empty() {
        return Ok(String::new());
    }
    let absolute = std::path::absolute(path)
        .map_err(|error| Failure::usage(format!("cannot find the current folder: {}", describe(&error))))?;
    absolute
        .into_os_string()
        .into_string()
        .map_err(|_| Failure::usage("the current folder's path is not UTF-8"))
}

/// A parameter's value for people.
pub(crate) fn text_of(parameter: &plugin::Parameter) -> &str {
    match &parameter.value {
        Some(plugin::parameter::Value::Text(text)) => text,
        Some(plugin::parameter::Value::Content(_)) => "(a file's content)",
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, kind: FormFieldKind, secret: bool) -> FormField {
        FormField { name: name.into(), kind: kind.into(), secret, ..FormField::default() }
    }

    #[test]
    fn paths_become_absolute_and_nothing_else_does() {
        let form = [field("file", FormFieldKind::FilePath, false), field("host", FormFieldKind::Text, false)];
        let here = std::env::current_dir().unwrap();
        let check = |name: &str, value: &str, expected: &str| {
            assert_eq!(text_of(&parameter(name, value, &form).unwrap()), expected);
        };
        check("file", "shop.db", here.join("shop.db").to_str().unwrap());
        check("file", "/data/shop.db", "/data/shop.db");
        check("host", "shop.db", "shop.db");
        check("unknown", "shop.db", "shop.db");
    }

    #[test]
    fn a_secret_on_the_command_line_is_refused_without_its_text() {
        let form = [field("password", FormFieldKind::Password, true)];
        let failure = parameter("password", "canary", &form).unwrap_err();
        assert_eq!(failure.exit.code(), 2);
        assert!(!format!("{failure:?}").contains("canary"));
        assert!(failure.hint.contains("--password-stdin"), "{}", failure.hint);
    }

    #[test]
    fn a_secret_that_is_a_file_goes_where_files_can_go() {
        let form = [field("sslkey", FormFieldKind::FilePath, true)];
        let failure = parameter("sslkey", "client.key", &form).unwrap_err();
        assert!(failure.hint.ends_with("`querybox credentials set NAME --field sslkey --file FILE`"));
    }

    #[test]
    fn a_broken_file_is_known_by_its_name() {
        assert!(is_file_of("/opt/plugins/querybox-driver-oracle", "oracle"));
        assert!(!is_file_of("/opt/plugins/querybox-driver-oracle", "sqlite"));
        assert!(!is_file_of("/opt/plugins/readme", "readme"));
    }
}
