//! Checks what people give for a connection against its driver's form.

use std::{collections::HashSet, path::Path};

use bytes::Bytes;
use querybox_launcher::{FieldKind, FieldRole, FormField};

/// A value for one field of a form that is not secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The field's name.
    pub name: String,
    pub value: GivenValue,
}

/// What was given for a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GivenValue {
    /// As the field's kind says.
    Text(String),
    /// The content of a file, for a field that takes a path and is not the database's file. Never saved.
    Content(Bytes),
}

/// A field that does not fit the form. It names the field, and never repeats the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parameter {name:?} {problem}")]
pub struct ParameterError {
    pub name: String,
    pub problem: ParameterProblem,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterProblem {
    #[error("is not one of this driver's")]
    Unknown,
    #[error("is given twice")]
    Repeated,
    #[error("is missing")]
    Missing,
    #[error("is not a whole number")]
    NotNumber,
    #[error("is neither true nor false")]
    NotCheckbox,
    #[error("is not one of {}", .0.join(", "))]
    NotOption(Vec<String>),
    #[error("is more than one line, or holds a zero byte")]
    NotOneLine,
    #[error("is a secret and is never kept with the connection")]
    Secret,
    #[error("is not one of this driver's secrets")]
    NotSecret,
    /// The connection says that it has no secret.
    #[error("is a secret that every connection of this driver needs")]
    SecretPlace,
    #[error("is not an absolute path")]
    RelativePath,
    #[error("does not take a file's content")]
    Content,
}

impl ParameterError {
    pub(crate) fn new(name: &str, problem: ParameterProblem) -> Self {
        Self { name: name.to_owned(), problem }
    }
}

/// Whether a path may be relative: in a URL it may, because whoever read the URL makes it absolute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paths {
    Absolute,
    AnyForm,
}

/// Checks all that is given for a connection. An empty text is a field that was left empty: it is taken out.
pub(crate) fn check(form: &[FormField], given: Vec<Given>) -> Result<Vec<Given>, ParameterError> {
    let given = check_given(form, given, Paths::Absolute)?;
    for field in form.iter().filter(|field| field.required && !field.secret) {
        let has_value = field.default.is_some() || given.iter().any(|one| one.name == field.name);
        if !has_value {
            return Err(ParameterError::new(&field.name, ParameterProblem::Missing));
        }
    }
    Ok(given)
}

/// As [`check`], of a part of what will be given: nothing is missing yet.
pub(crate) fn check_given(
    form: &[FormField],
    given: Vec<Given>,
    paths: Paths,
) -> Result<Vec<Given>, ParameterError> {
    let mut seen = HashSet::new();
    let mut checked = Vec::with_capacity(given.len());
    for one in given {
        let fail = |problem| ParameterError::new(&one.name, problem);
        let field = form
            .iter()
            .find(|field| field.name == one.name)
            .ok_or_else(|| fail(ParameterProblem::Unknown))?;
        if field.secret {
            return Err(fail(ParameterProblem::Secret));
        }
        if !seen.insert(one.name.clone()) {
            return Err(fail(ParameterProblem::Repeated));
        }
        match &one.value {
            GivenValue::Text(text) if text.is_empty() => continue,
            GivenValue::Text(text) => check_text(field, text, paths).map_err(fail)?,
            GivenValue::Content(_) if takes_content(field) => {}
            GivenValue::Content(_) => return Err(fail(ParameterProblem::Content)),
        }
        checked.push(one);
    }
    Ok(checked)
}

/// Checks that a connection which is to be used without secrets can be.
pub(crate) fn check_no_secret_needed(form: &[FormField]) -> Result<(), ParameterError> {
    match form.iter().find(|field| field.secret && field.required) {
        Some(field) => Err(ParameterError::new(&field.name, ParameterProblem::SecretPlace)),
        None => Ok(()),
    }
}

/// Checks the names of secrets: each is a secret field of the form and comes once.
pub(crate) fn check_secrets<'a>(
    form: &[FormField],
    names: impl IntoIterator<Item = &'a str>,
) -> Result<(), ParameterError> {
    let mut seen = HashSet::new();
    for name in names {
        if !form.iter().any(|field| field.secret && field.name == name) {
            return Err(ParameterError::new(name, ParameterProblem::NotSecret));
        }
        if !seen.insert(name) {
            return Err(ParameterError::new(name, ParameterProblem::Repeated));
        }
    }
    Ok(())
}

/// Whether the field is a path whose file reaches the driver as its content: a certificate, not the database.
pub(crate) fn takes_content(field: &FormField) -> bool {
    field.kind == FieldKind::FilePath && field.role != FieldRole::File
}

fn check_text(field: &FormField, text: &str, paths: Paths) -> Result<(), ParameterProblem> {
    if text.contains(['\n', '\r', '\0']) {
        return Err(ParameterProblem::NotOneLine);
    }
    match &field.kind {
        FieldKind::Number if text.starts_with('+') || text.parse::<i64>().is_err() => {
            Err(ParameterProblem::NotNumber)
        }
        FieldKind::Checkbox if text != "true" && text != "false" => Err(ParameterProblem::NotCheckbox),
        FieldKind::Select(options) if !options.iter().any(|option| option.value == text) => {
            Err(ParameterProblem::NotOption(options.iter().map(|option| option.value.clone()).collect()))
        }
        FieldKind::FilePath if paths == Paths::Absolute && !Path::new(text).is_absolute() => {
            Err(ParameterProblem::RelativePath)
        }
        FieldKind::Text
        | FieldKind::Number
        | FieldKind::Password
        | FieldKind::Select(_)
        | FieldKind::Checkbox
        | FieldKind::FilePath => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use querybox_launcher::FieldOption;

    use super::*;

    fn field(name: &str, kind: FieldKind) -> FormField {
        FormField {
            name: name.into(),
            label: name.into(),
            kind,
            role: FieldRole::Option,
            secret: false,
            required: false,
            default: None,
            placeholder: String::new(),
            help: String::new(),
        }
    }

    fn form() -> Vec<FormField> {
        let option = |value: &str| FieldOption { value: value.into(), label: value.into() };
        vec![
            FormField { required: true, role: FieldRole::Host, ..field("host", FieldKind::Text) },
            FormField {
                required: true,
                role: FieldRole::Port,
                default: Some("5432".into()),
                ..field("port", FieldKind::Number)
            },
            field("tls", FieldKind::Select(vec![option("require"), option("off")])),
            field("compress", FieldKind::Checkbox),
            FormField { role: FieldRole::File, ..field("path", FieldKind::FilePath) },
            field("root_certificate", FieldKind::FilePath),
            FormField { secret: true, role: FieldRole::Password, ..field("password", FieldKind::Password) },
            FormField { secret: true, ..field("key", FieldKind::FilePath) },
        ]
    }

    fn text(name: &str, value: &str) -> Given {
        Given { name: name.into(), value: GivenValue::Text(value.into()) }
    }

    fn content(name: &str) -> Given {
        Given { name: name.into(), value: GivenValue::Content("bytes".into()) }
    }

    #[track_caller]
    fn refused(mut given: Vec<Given>, message: &str) {
        given.insert(0, text("host", "db"));
        assert_eq!(check(&form(), given).unwrap_err().to_string(), message);
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused_by_name_and_not_repeated() {
        refused(vec![text("user", "canary")], r#"parameter "user" is not one of this driver's"#);
        refused(vec![text("host", "canary")], r#"parameter "host" is given twice"#);
        refused(vec![text("port", "canary")], r#"parameter "port" is not a whole number"#);
        refused(vec![text("port", "99999999999999999999")], r#"parameter "port" is not a whole number"#);
        refused(vec![text("tls", "canary")], r#"parameter "tls" is not one of require, off"#);
        refused(vec![text("compress", "TRUE")], r#"parameter "compress" is neither true nor false"#);
        refused(vec![text("path", "canary.db")], r#"parameter "path" is not an absolute path"#);
        refused(
            vec![text("root_certificate", "canary.pem")],
            r#"parameter "root_certificate" is not an absolute path"#,
        );
        refused(
            vec![text("path", "/a\n")],
            r#"parameter "path" is more than one line, or holds a zero byte"#,
        );
        refused(
            vec![text("password", "canary")],
            r#"parameter "password" is a secret and is never kept with the connection"#,
        );
        refused(vec![content("path")], r#"parameter "path" does not take a file's content"#);
        refused(vec![content("tls")], r#"parameter "tls" does not take a file's content"#);
        refused(vec![text("port", ""), text("port", "1")], r#"parameter "port" is given twice"#);
    }

    #[test]
    fn a_required_field_is_given_or_has_a_default() {
        let missing = r#"parameter "host" is missing"#;
        assert_eq!(check(&form(), vec![]).unwrap_err().to_string(), missing);
        assert_eq!(check(&form(), vec![text("host", "")]).unwrap_err().to_string(), missing);
        let given =
            vec![text("host", "db"), text("port", ""), text("path", "/shop.db"), content("root_certificate")];
        let kept: Vec<_> = check(&form(), given).unwrap().into_iter().map(|one| one.name).collect();
        assert_eq!(kept, ["host", "path", "root_certificate"], "what was left empty is taken out");
    }

    #[test]
    fn secrets_are_secret_fields_and_come_once() {
        let message =
            |names: &[&str]| check_secrets(&form(), names.iter().copied()).map_err(|error| error.to_string());
        assert_eq!(message(&["password", "key"]), Ok(()));
        assert_eq!(
            message(&["host"]),
            Err(r#"parameter "host" is not one of this driver's secrets"#.to_owned())
        );
        assert_eq!(check_no_secret_needed(&form()), Ok(()));
        let mut strict = form();
        strict.iter_mut().for_each(|field| field.required |= field.name == "key");
        let needed = r#"parameter "key" is a secret that every connection of this driver needs"#;
        assert_eq!(check_no_secret_needed(&strict).unwrap_err().to_string(), needed);
        assert_eq!(message(&["key", "key"]), Err(r#"parameter "key" is given twice"#.to_owned()));
    }
}
