//! From the command line to what is saved of a connection.

use querybox_contracts::{
    core::v1 as core,
    plugin::v1::{FormField, FormFieldKind, Parameter},
};

use crate::{
    cli::connections::{AddArgs, ColorArg, EditArgs, HistoryArg, KeepArg, ScopeArg},
    failure::Failure,
    form,
};

/// A new connection. Parameters that are given override those of the URL.
pub(crate) fn new(
    args: AddArgs,
    driver_type: String,
    from_url: Vec<Parameter>,
    form: &[FormField],
) -> Result<core::ConnectionSpec, Failure> {
    let mut parameters = Vec::new();
    for parameter in from_url {
        parameters.push(form::parameter(&parameter.name, form::text_of(&parameter), form)?);
    }
    // One that is given twice is Core's to refuse.
    parameters.retain(|parameter: &Parameter| args.params.iter().all(|given| given.name != parameter.name));
    parameters.extend(form::parameters(&args.params, form)?);
    let has_password = form.iter().any(|field| field.secret && field.kind() == FormFieldKind::Password);
    let keep = args.keep.unwrap_or(if has_password { KeepArg::Ask } else { KeepArg::None });
    Ok(core::ConnectionSpec {
        name: args.name,
        driver_type,
        parameters,
        folder: args.folder.unwrap_or_default(),
        color: color(args.color.unwrap_or(ColorArg::None)).into(),
        read_only: args.read_only,
        deadline: args.deadline.map(core::Deadline::from),
        rows_max: args.max_rows.and_then(|limit| limit.0),
        bytes_max: args.max_bytes.and_then(|limit| limit.0),
        startup_sql: args.startup_sql.unwrap_or_default(),
        default_schema: args.default_schema.unwrap_or_default(),
        secret_place: secret_place(keep).into(),
        secret_scope: secret_scope(args.secret_scope.unwrap_or(ScopeArg::Shared)).into(),
        history: history(args.history.unwrap_or(HistoryArg::Texts)).into(),
    })
}

/// A connection with what is given changed.
pub(crate) fn edited(
    old: core::ConnectionSpec,
    args: EditArgs,
    form: &[FormField],
) -> Result<core::ConnectionSpec, Failure> {
    let mut spec = old;
    for given in &args.params {
        let parameter = form::parameter(&given.name, &given.value, form)?;
        match spec.parameters.iter_mut().find(|old| old.name == given.name) {
            Some(old) => *old = parameter,
            None => spec.parameters.push(parameter),
        }
    }
    for name in &args.unset_params {
        let count = spec.parameters.len();
        spec.parameters.retain(|parameter| parameter.name != *name);
        if spec.parameters.len() == count {
            return Err(Failure::usage(format!("the connection has no parameter {name}")));
        }
    }
    replace(&mut spec.name, args.name);
    replace(&mut spec.folder, args.folder);
    replace(&mut spec.color, args.color.map(|arg| color(arg).into()));
    replace(&mut spec.read_only, args.read_only);
    replace(&mut spec.deadline, args.deadline.map(|change| change.0.map(core::Deadline::from)));
    replace(&mut spec.rows_max, args.max_rows.map(|limit| limit.0));
    replace(&mut spec.bytes_max, args.max_bytes.map(|limit| limit.0));
    replace(&mut spec.startup_sql, args.startup_sql);
    replace(&mut spec.default_schema, args.default_schema);
    replace(&mut spec.secret_place, args.keep.map(|arg| secret_place(arg).into()));
    replace(&mut spec.secret_scope, args.secret_scope.map(|arg| secret_scope(arg).into()));
    replace(&mut spec.history, args.history.map(|arg| history(arg).into()));
    Ok(spec)
}

fn replace<T>(field: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *field = given;
    }
}

fn color(arg: ColorArg) -> core::EnvironmentColor {
    match arg {
        ColorArg::None => core::EnvironmentColor::Unspecified,
        ColorArg::Green => core::EnvironmentColor::Green,
        ColorArg::Amber => core::EnvironmentColor::Amber,
        ColorArg::Red => core::EnvironmentColor::Red,
    }
}

fn secret_place(arg: KeepArg) -> core::SecretPlace {
    match arg {
        KeepArg::Keyring => core::SecretPlace::Keyring,
        KeepArg::Vault => core::SecretPlace::Vault,
        KeepArg::Ask => core::SecretPlace::Ask,
        KeepArg::None => core::SecretPlace::Unspecified,
    }
}

fn history(arg: HistoryArg) -> core::HistoryLevel {
    match arg {
        HistoryArg::Texts => core::HistoryLevel::Texts,
        HistoryArg::Facts => core::HistoryLevel::Facts,
        HistoryArg::Off => core::HistoryLevel::Off,
    }
}

fn secret_scope(arg: ScopeArg) -> core::SecretScope {
    match arg {
        ScopeArg::Shared => core::SecretScope::Shared,
        ScopeArg::EachUser => core::SecretScope::EachUser,
    }
}
