//! `querybox plugins`: the drivers that are there, and why others are not.

use querybox_contracts::{
    core::v1::{self as core, plugin::State, plugin_service_client::PluginServiceClient},
    plugin::v1::{self as plugin, FormFieldKind},
};
use serde_json::{Value, json};

use crate::{
    app::App, cli::PluginsVerb, composition::MESSAGE_BYTES_MAX, exit::Exit, failure::Failure, form, sanitize,
    screen::Paint, stdout,
};

/// Carries a verb out.
pub(crate) async fn run(verb: PluginsVerb, app: &App) -> Result<Exit, Failure> {
    let paint = app.messages.screen().stdout_paint;
    match verb {
        PluginsVerb::List { json } => {
            let found = form::plugins(app).await?;
            print(found.plugins, found.folders, json.json, paint)?;
        }
        PluginsVerb::Rescan { json } => {
            let mut client =
                PluginServiceClient::new(app.channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX);
            let found = client.rescan_plugins(core::RescanPluginsRequest {}).await?.into_inner();
            print(found.plugins, found.folders, json.json, paint)?;
        }
        PluginsVerb::Info { driver, json } => {
            let info = form::info_of_driver(app, &driver).await?;
            if json.json {
                stdout::print_json(&info)?;
            } else {
                stdout::print(&describe(&info, paint))?;
            }
        }
    }
    Ok(Exit::Done)
}

fn print(plugins: Vec<core::Plugin>, folders: Vec<String>, json: bool, paint: Paint) -> Result<(), Failure> {
    if json {
        let plugins = plugins.into_iter().map(document).collect::<Result<Vec<_>, _>>()?;
        return stdout::print_json(&json!({ "folders": folders, "plugins": plugins }));
    }
    if plugins.is_empty() {
        let looked = if folders.is_empty() {
            "no plugin folder exists".to_owned()
        } else {
            format!("looked in {}", folders.join(", "))
        };
        return stdout::print(&format!("no plugins; {}\n", sanitize::line(&looked)));
    }
    let rows: Vec<_> = plugins.into_iter().map(row).collect();
    stdout::print(&stdout::columns(["DRIVER", "NAME", "VERSION", "STATE", "FILE"], &rows, paint))
}

fn row(found: core::Plugin) -> [String; 5] {
    match found.state {
        Some(State::Usable(info)) => {
            [info.driver_type, info.name, info.version, "usable".to_owned(), found.path]
        }
        Some(State::Shadowed(core::ShadowedPlugin { info, shadowed_by })) => {
            let info = info.unwrap_or_default();
            let state = format!("shadowed by {shadowed_by}");
            [info.driver_type, info.name, info.version, state, found.path]
        }
        Some(State::Broken(core::BrokenPlugin { error })) => {
            ["-".to_owned(), "-".to_owned(), "-".to_owned(), format!("broken: {error}"), found.path]
        }
        None => ["-".to_owned(), "-".to_owned(), "-".to_owned(), "unknown".to_owned(), found.path],
    }
}

fn document(found: core::Plugin) -> Result<Value, Failure> {
    let info = |info: &plugin::PluginInfo| {
        serde_json::to_value(info).map_err(|error| Failure::machinery(format!("cannot write JSON: {error}")))
    };
    Ok(match &found.state {
        Some(State::Usable(usable)) => {
            json!({ "path": found.path, "state": "usable", "info": info(usable)? })
        }
        Some(State::Shadowed(shadowed)) => json!({
            "path": found.path,
            "state": "shadowed",
            "shadowed_by": shadowed.shadowed_by,
            "info": info(&shadowed.info.clone().unwrap_or_default())?,
        }),
        Some(State::Broken(broken)) => {
            json!({ "path": found.path, "state": "broken", "error": broken.error })
        }
        None => json!({ "path": found.path, "state": "unknown" }),
    })
}

fn describe(info: &plugin::PluginInfo, paint: Paint) -> String {
    let mut text = format!("{} {}\n", paint.bold(&sanitize::line(&info.name)), sanitize::line(&info.version));
    if !info.description.is_empty() {
        text.push_str(&format!("{}\n", sanitize::line(&info.description)));
    }
    let abilities: Vec<_> = info.capabilities().filter_map(ability).collect();
    let facts = [
        ("driver", info.driver_type.clone()),
        ("license", info.license.clone()),
        ("contract", info.contract_version.to_string()),
        ("can", abilities.join(", ")),
        ("URLs", info.url_schemes.iter().map(|scheme| format!("{scheme}:")).collect::<Vec<_>>().join(", ")),
    ];
    text.push('\n');
    for (label, fact) in facts {
        if !fact.is_empty() {
            text.push_str(&format!("{}  {}\n", paint.dim(&format!("{label:8}")), sanitize::line(&fact)));
        }
    }
    if !info.connection_form.is_empty() {
        let rows: Vec<_> = info.connection_form.iter().map(field_row).collect();
        text.push('\n');
        text.push_str(&stdout::columns(["PARAMETER", "TAKES", "DEFAULT", "MEANS"], &rows, paint));
    }
    text
}

fn field_row(field: &plugin::FormField) -> [String; 4] {
    let mut takes = match field.kind() {
        FormFieldKind::Unspecified | FormFieldKind::Text => "text".to_owned(),
        FormFieldKind::Number => "a number".to_owned(),
        FormFieldKind::Password => "a password".to_owned(),
        FormFieldKind::Select => {
            field.options.iter().map(|option| option.value.as_str()).collect::<Vec<_>>().join("|")
        }
        FormFieldKind::Checkbox => "true|false".to_owned(),
        FormFieldKind::FilePath => "a path".to_owned(),
    };
    if field.required {
        takes.push_str(", required");
    }
    if field.secret {
        takes.push_str(", secret");
    }
    let means = match field.help.as_str() {
        "" => field.label.clone(),
        help => format!("{}: {help}", field.label),
    };
    [field.name.clone(), takes, field.default_value.clone(), means]
}

fn ability(capability: plugin::Capability) -> Option<&'static str> {
    match capability {
        plugin::Capability::Unspecified => None,
        plugin::Capability::Cancel => Some("cancel"),
        plugin::Capability::Schema => Some("schema"),
        plugin::Capability::Transactions => Some("transactions"),
        plugin::Capability::ReadOnly => Some("read-only"),
        plugin::Capability::Bindings => Some("bindings"),
        plugin::Capability::DetachedCancel => Some("detached cancel"),
        plugin::Capability::Ddl => Some("ddl"),
        plugin::Capability::CopyIn => Some("copy in"),
        plugin::Capability::Notifications => Some("notifications"),
        plugin::Capability::ParallelRead => Some("parallel read"),
    }
}
