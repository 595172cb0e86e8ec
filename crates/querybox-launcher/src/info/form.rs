//! The fields of a connection's form.

use std::collections::BTreeSet;

use querybox_contracts::plugin::v1 as pb;

use super::{InfoFault, NAME_CHARACTERS_MAX, SENTENCE_CHARACTERS_MAX, is_word, line};

/// Nobody fills in more.
const FIELDS_MAX: usize = 100;

/// One field. Its name is unique in the form, and so is its role unless it is OPTION or TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormField {
    /// The parameter's name.
    pub name: String,
    /// What people read beside it.
    pub label: String,
    /// What it takes.
    pub kind: FieldKind,
    /// What it means to Core.
    pub role: FieldRole,
    /// Whether it is a secret.
    pub secret: bool,
    /// Whether a connection needs it.
    pub required: bool,
    /// What the driver takes when it is left empty. Fits the kind; never of a secret.
    pub default: Option<String>,
    /// An example.
    pub placeholder: String,
    /// A sentence that helps.
    pub help: String,
}

/// What a field takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldKind {
    /// A line of text.
    Text,
    /// A whole number in decimal digits.
    Number,
    /// A line that is not shown. Its field is a secret.
    Password,
    /// One of these, of which there is at least one.
    Select(Vec<FieldOption>),
    /// "true" or "false".
    Checkbox,
    /// A path.
    FilePath,
}

/// One value to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldOption {
    /// What is sent.
    pub value: String,
    /// What people read.
    pub label: String,
}

/// What a field means to Core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldRole {
    /// A host name or address.
    Host,
    /// A port. Its field takes a number.
    Port,
    /// The user.
    User,
    /// The user's password. Its field is a secret.
    Password,
    /// The database's name.
    Database,
    /// The database's file. Its field takes a path.
    File,
    /// Anything else.
    Option,
    /// How the server proves who it is, and who can listen.
    Tls,
}

impl FieldKind {
    /// Whether a value is one that the field takes.
    pub fn accepts(&self, value: &str) -> bool {
        match self {
            Self::Text | Self::Password | Self::FilePath => !value.contains(['\n', '\0']),
            Self::Number => {
                let digits = value.strip_prefix('-').unwrap_or(value);
                digits.bytes().all(|byte| byte.is_ascii_digit()) && value.parse::<i64>().is_ok()
            }
            Self::Select(options) => options.iter().any(|option| option.value == value),
            Self::Checkbox => matches!(value, "true" | "false"),
        }
    }
}

pub(super) fn check(wire: &[pb::FormField]) -> Result<Vec<FormField>, InfoFault> {
    if wire.len() > FIELDS_MAX {
        return Err(InfoFault::new(format!("the form has more than {FIELDS_MAX} fields")));
    }
    let mut names = BTreeSet::new();
    let mut roles = BTreeSet::new();
    let mut form = Vec::with_capacity(wire.len());
    for field in wire {
        let field = check_field(field)
            .map_err(|fault| InfoFault::new(format!("field {:?}: {}", field.name, fault.what)))?;
        if !names.insert(field.name.clone()) {
            return Err(InfoFault::new(format!("field {:?} is there twice", field.name)));
        }
        let may_repeat = matches!(field.role, FieldRole::Option | FieldRole::Tls);
        if !may_repeat && !roles.insert(field.role) {
            return Err(InfoFault::new(format!("field {:?} has a role that another one has", field.name)));
        }
        form.push(field);
    }
    Ok(form)
}

fn check_field(wire: &pb::FormField) -> Result<FormField, InfoFault> {
    if !is_word(&wire.name, |byte| byte == b'_') {
        return Err(InfoFault::new(
            "its name is not lower case letters, digits and underscores, first a letter",
        ));
    }
    if wire.label.is_empty() {
        return Err(InfoFault::new("its label is empty"));
    }
    let kind = kind(wire)?;
    let role = role(wire)?;
    let needed = match role {
        FieldRole::Port => kind == FieldKind::Number,
        FieldRole::File => kind == FieldKind::FilePath && !wire.secret,
        FieldRole::Password => wire.secret,
        FieldRole::Host | FieldRole::User | FieldRole::Database | FieldRole::Option | FieldRole::Tls => true,
    };
    if !needed {
        return Err(InfoFault::new("its kind does not fit its role"));
    }
    if kind == FieldKind::Password && !wire.secret {
        return Err(InfoFault::new("it takes a password but is no secret"));
    }
    let default = (!wire.default_value.is_empty()).then(|| wire.default_value.clone());
    if default.is_some() && wire.secret {
        return Err(InfoFault::new("it is a secret and has a default"));
    }
    if default.as_ref().is_some_and(|value| !kind.accepts(value)) {
        return Err(InfoFault::new(format!("it does not take its own default {:?}", wire.default_value)));
    }
    Ok(FormField {
        name: wire.name.clone(),
        label: line("label", &wire.label, NAME_CHARACTERS_MAX)?,
        kind,
        role,
        secret: wire.secret,
        required: wire.required,
        default,
        placeholder: line("placeholder", &wire.placeholder, SENTENCE_CHARACTERS_MAX)?,
        help: line("help", &wire.help, SENTENCE_CHARACTERS_MAX)?,
    })
}

fn kind(wire: &pb::FormField) -> Result<FieldKind, InfoFault> {
    let kind = match wire.kind() {
        pb::FormFieldKind::Unspecified => return Err(InfoFault::new("its kind is not said")),
        pb::FormFieldKind::Select => return Ok(FieldKind::Select(options(&wire.options)?)),
        pb::FormFieldKind::Text => FieldKind::Text,
        pb::FormFieldKind::Number => FieldKind::Number,
        pb::FormFieldKind::Password => FieldKind::Password,
        pb::FormFieldKind::Checkbox => FieldKind::Checkbox,
        pb::FormFieldKind::FilePath => FieldKind::FilePath,
    };
    if !wire.options.is_empty() {
        return Err(InfoFault::new("it has options but is no SELECT"));
    }
    Ok(kind)
}

fn options(wire: &[pb::FormOption]) -> Result<Vec<FieldOption>, InfoFault> {
    if wire.is_empty() {
        return Err(InfoFault::new("it is a SELECT without options"));
    }
    let mut values = BTreeSet::new();
    wire.iter()
        .map(|option| {
            if !values.insert(&option.value) {
                return Err(InfoFault::new(format!("the option {:?} is there twice", option.value)));
            }
            let value = line("option", &option.value, NAME_CHARACTERS_MAX)?;
            Ok(FieldOption { value, label: line("label of an option", &option.label, NAME_CHARACTERS_MAX)? })
        })
        .collect()
}

fn role(wire: &pb::FormField) -> Result<FieldRole, InfoFault> {
    Ok(match wire.role() {
        pb::FormFieldRole::Unspecified => return Err(InfoFault::new("its role is not said")),
        pb::FormFieldRole::Host => FieldRole::Host,
        pb::FormFieldRole::Port => FieldRole::Port,
        pb::FormFieldRole::User => FieldRole::User,
        pb::FormFieldRole::Password => FieldRole::Password,
        pb::FormFieldRole::Database => FieldRole::Database,
        pb::FormFieldRole::File => FieldRole::File,
        pb::FormFieldRole::Option => FieldRole::Option,
        pb::FormFieldRole::Tls => FieldRole::Tls,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: pb::FormFieldKind, role: pb::FormFieldRole) -> pb::FormField {
        pb::FormField {
            name: "field".to_owned(),
            label: "Field".to_owned(),
            kind: kind.into(),
            role: role.into(),
            secret: kind == pb::FormFieldKind::Password,
            ..pb::FormField::default()
        }
    }

    #[track_caller]
    fn check_fault(form: &[pb::FormField], what: &str) {
        let fault = check(form).unwrap_err().to_string();
        assert!(fault.contains(what), "{fault}");
    }

    #[test]
    fn defaults_fit_their_kind() {
        use pb::{FormFieldKind as Kind, FormFieldRole as Role};
        let with_default = |kind, role, value: &str| {
            let mut field = field(kind, role);
            field.default_value = value.to_owned();
            field
        };
        assert!(check(&[with_default(Kind::Number, Role::Port, "5432")]).is_ok());
        check_fault(&[with_default(Kind::Number, Role::Port, "many")], "its own default");
        check_fault(&[with_default(Kind::Number, Role::Port, "+1")], "its own default");
        assert!(check(&[with_default(Kind::Checkbox, Role::Option, "true")]).is_ok());
        check_fault(&[with_default(Kind::Checkbox, Role::Option, "yes")], "its own default");
        check_fault(
            &[with_default(Kind::Password, Role::Password, "secret")],
            "is a secret and has a default",
        );
    }

    #[test]
    fn a_select_has_options_and_nothing_else_has() {
        use pb::{FormFieldKind as Kind, FormFieldRole as Role};
        let option = |value: &str| pb::FormOption { value: value.to_owned(), label: value.to_owned() };
        let mut select = field(Kind::Select, Role::Option);
        check_fault(std::slice::from_ref(&select), "a SELECT without options");
        select.options = vec![option("a"), option("b")];
        select.default_value = "b".to_owned();
        assert!(check(std::slice::from_ref(&select)).is_ok());
        select.default_value = "c".to_owned();
        check_fault(std::slice::from_ref(&select), "its own default");
        select.options = vec![option("a"), option("a")];
        check_fault(&[select], "is there twice");
        let mut text = field(Kind::Text, Role::Option);
        text.options = vec![option("a")];
        check_fault(&[text], "has options but is no SELECT");
    }

    #[test]
    fn names_and_roles_are_unique_and_roles_fit() {
        use pb::{FormFieldKind as Kind, FormFieldRole as Role};
        let text = field(Kind::Text, Role::Option);
        check_fault(&[text.clone(), text], "is there twice");
        let mut second = field(Kind::Text, Role::Host);
        second.name = "other".to_owned();
        check_fault(&[field(Kind::Text, Role::Host), second], "has a role that another one has");
        check_fault(&[field(Kind::Text, Role::Port)], "its kind does not fit its role");
        check_fault(&[field(Kind::Text, Role::File)], "its kind does not fit its role");
        check_fault(&[field(Kind::Text, Role::Password)], "its kind does not fit its role");
        let mut shown = field(Kind::Password, Role::Option);
        shown.secret = false;
        check_fault(&[shown], "takes a password but is no secret");
    }
}
