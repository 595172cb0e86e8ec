//! Parameters and secrets, checked against the driver's own form.

use std::{collections::HashMap, fmt};

use bytes::Bytes;
use querybox_contracts::plugin::v1 as pb;
use zeroize::Zeroizing;

use crate::Error;

/// The parameters of a connection: each is a field of the form, comes once, and fits its field's kind.
#[derive(Debug, Default)]
pub struct Parameters {
    texts: HashMap<String, String>,
    contents: HashMap<String, Bytes>,
}

impl Parameters {
    /// Checks what Core sent against the form, and puts the defaults of absent fields in.
    pub(crate) fn parse(form: &[pb::FormField], sent: Vec<pb::Parameter>) -> Result<Self, Error> {
        let mut parameters = Self::default();
        for parameter in sent {
            let name = parameter.name;
            let Some(field) = form.iter().find(|field| field.name == name) else {
                return Err(Error::parameter(&name, "is not one of this driver's"));
            };
            if field.secret {
                return Err(Error::parameter(&name, "is a secret and travels in the credential"));
            }
            if parameters.texts.contains_key(&name) || parameters.contents.contains_key(&name) {
                return Err(Error::parameter(&name, "is given twice"));
            }
            match parameter.value {
                None => return Err(Error::parameter(&name, "has no value")),
                Some(pb::parameter::Value::Text(text)) => {
                    check_text(field, &text)?;
                    parameters.texts.insert(name, text);
                }
                Some(pb::parameter::Value::Content(content)) => {
                    if field.kind() != pb::FormFieldKind::FilePath || field.role() == pb::FormFieldRole::File
                    {
                        return Err(Error::parameter(&name, "is not a file's content"));
                    }
                    parameters.contents.insert(name, content);
                }
            }
        }
        for field in form.iter().filter(|field| !field.secret) {
            let given = parameters.texts.get(&field.name).is_some_and(|text| !text.is_empty())
                || parameters.contents.contains_key(&field.name);
            if given {
                continue;
            }
            if !field.default_value.is_empty() {
                parameters.texts.insert(field.name.clone(), field.default_value.clone());
            } else if field.required {
                return Err(Error::parameter(&field.name, "is missing"));
            }
        }
        Ok(parameters)
    }

    /// The text of a field; none when it is absent or empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// The text of a field that the form requires or gives a default.
    ///
    /// # Errors
    ///
    /// When it is absent, which is a mistake of the form.
    pub fn required(&self, name: &str) -> Result<&str, Error> {
        self.text(name).ok_or_else(|| Error::parameter(name, "is missing"))
    }

    /// Whether a CHECKBOX field is ticked.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    /// The content of a FILE_PATH field that is not the database's file.
    #[must_use]
    pub fn content(&self, name: &str) -> Option<&Bytes> {
        self.contents.get(name)
    }
}

fn check_text(field: &pb::FormField, text: &str) -> Result<(), Error> {
    let name = &field.name;
    if text.is_empty() {
        return Ok(());
    }
    match field.kind() {
        pb::FormFieldKind::Number if text.parse::<i64>().is_err() => {
            Err(Error::parameter(name, format_args!("is {text:?}, which is not a whole number")))
        }
        pb::FormFieldKind::Checkbox if text != "true" && text != "false" => {
            Err(Error::parameter(name, format_args!("is {text:?}, neither true nor false")))
        }
        pb::FormFieldKind::Select if !field.options.iter().any(|option| option.value == text) => {
            let options: Vec<_> = field.options.iter().map(|option| option.value.as_str()).collect();
            Err(Error::parameter(name, format_args!("is {text:?}, not one of {}", options.join(", "))))
        }
        pb::FormFieldKind::FilePath if field.role() != pb::FormFieldRole::File => {
            Err(Error::parameter(name, "must travel as the file's content"))
        }
        _ => Ok(()),
    }
}

/// The secrets of a connection, wiped on drop.
#[derive(Default)]
pub struct Credential {
    fields: HashMap<String, Zeroizing<Vec<u8>>>,
}

impl Credential {
    pub(crate) fn parse(form: &[pb::FormField], sent: Option<pb::Credential>) -> Result<Self, Error> {
        let mut credential = Self::default();
        for pb::SecretField { name, value } in sent.unwrap_or_default().fields {
            if !form.iter().any(|field| field.secret && field.name == name) {
                return Err(Error::parameter(&name, "is not one of this driver's secrets"));
            }
            let value = Zeroizing::new(Vec::from(value));
            if credential.fields.insert(name.clone(), value).is_some() {
                return Err(Error::parameter(&name, "is given twice"));
            }
        }
        Ok(credential)
    }

    /// A secret that is text, for instance a password; none when it was not given.
    ///
    /// # Errors
    ///
    /// When it is not UTF-8. The error says nothing of its bytes.
    pub fn text(&self, name: &str) -> Result<Option<&str>, Error> {
        self.bytes(name)
            .map(|bytes| std::str::from_utf8(bytes).map_err(|_| Error::parameter(name, "is not valid UTF-8")))
            .transpose()
    }

    /// A secret's bytes, for instance a private key; none when it was not given.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.fields.get(name).map(|value| value.as_slice())
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pb::{FormFieldKind as Kind, FormFieldRole as Role};

    fn field(name: &str, kind: Kind) -> pb::FormField {
        pb::FormField { name: name.into(), kind: kind.into(), ..pb::FormField::default() }
    }

    fn form() -> Vec<pb::FormField> {
        vec![
            pb::FormField { required: true, ..field("host", Kind::Text) },
            pb::FormField { default_value: "5432".into(), ..field("port", Kind::Number) },
            pb::FormField {
                options: vec![pb::FormOption { value: "require".into(), label: "Require".into() }],
                ..field("tls", Kind::Select)
            },
            field("compress", Kind::Checkbox),
            pb::FormField { role: Role::Option.into(), ..field("root_certificate", Kind::FilePath) },
            pb::FormField { secret: true, ..field("password", Kind::Password) },
        ]
    }

    fn text(name: &str, value: &str) -> pb::Parameter {
        pb::Parameter { name: name.into(), value: Some(pb::parameter::Value::Text(value.into())) }
    }

    #[track_caller]
    fn refused(sent: Vec<pb::Parameter>, message: &str) {
        let error = Parameters::parse(&form(), sent).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert_eq!(error.reason(), crate::Reason::ParameterInvalid);
    }

    #[test]
    fn a_parameter_that_does_not_fit_is_refused_by_name() {
        let host = || text("host", "db");
        refused(vec![], r#"parameter "host" is missing"#);
        refused(vec![text("host", "")], r#"parameter "host" is missing"#);
        refused(vec![host(), text("user", "ada")], r#"parameter "user" is not one of this driver's"#);
        refused(vec![host(), host()], r#"parameter "host" is given twice"#);
        refused(vec![host(), text("port", "x")], r#"parameter "port" is "x", which is not a whole number"#);
        refused(vec![host(), text("tls", "off")], r#"parameter "tls" is "off", not one of require"#);
        refused(
            vec![host(), text("compress", "yes")],
            r#"parameter "compress" is "yes", neither true nor false"#,
        );
        refused(
            vec![host(), text("password", "canary")],
            r#"parameter "password" is a secret and travels in the credential"#,
        );
        refused(
            vec![host(), text("root_certificate", "/etc/ca.pem")],
            r#"parameter "root_certificate" must travel as the file's content"#,
        );
    }

    #[test]
    fn absent_fields_take_their_defaults() {
        let parameters = Parameters::parse(&form(), vec![text("host", "db"), text("port", "")]).unwrap();
        assert_eq!(parameters.text("port"), Some("5432"));
        assert_eq!(parameters.text("tls"), None);
        assert!(!parameters.flag("compress"));
    }

    #[test]
    fn a_credential_never_prints() {
        let sent = pb::Credential {
            fields: vec![pb::SecretField { name: "password".into(), value: "canary".into() }],
        };
        let credential = Credential::parse(&form(), Some(sent)).unwrap();
        assert_eq!(credential.text("password").unwrap(), Some("canary"));
        assert_eq!(format!("{credential:?}"), "Credential(..)");
    }

    #[test]
    fn a_secret_that_is_no_field_is_refused_by_name_alone() {
        let sent =
            pb::Credential { fields: vec![pb::SecretField { name: "host".into(), value: "canary".into() }] };
        let error = Credential::parse(&form(), Some(sent)).unwrap_err();
        assert_eq!(error.to_string(), r#"parameter "host" is not one of this driver's secrets"#);
    }
}
