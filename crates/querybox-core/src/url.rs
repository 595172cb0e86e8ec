//! Reads a URL into the parameters of a connection.
//!
//! The plugin says which scheme is its own and, by the roles of its form, where each part of the URL goes. A driver with a
//! FILE field takes `scheme:path`, any other `scheme://user@host:port/database`; both take `?option=value`, where an option is
//! a field of the form. All parts are percent-decoded. Nothing of a URL is in an error but the scheme and the names of
//! options, because a password may stand anywhere else.

mod parts;
#[cfg(test)]
mod tests;

use querybox_launcher::{DriverInfo, FieldRole, FormField};

use crate::form::{Given, GivenValue, ParameterError, Paths, check_given};
use parts::{Parts, split_network, split_path};

/// Why a URL cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    #[error("this is not a URL: it begins with no scheme such as \"sqlite:\"")]
    NoScheme,
    #[error("no driver takes URLs that begin with {0:?}")]
    UnknownScheme(String),
    /// A password, or an `@` behind the host, which an unescaped password with a slash looks like.
    #[error(
        "a URL with a password is refused: leave it out, and give it when you are asked (an @ in another place is written %40)"
    )]
    Password,
    #[error("the URL is malformed: {0}")]
    Malformed(&'static str),
    #[error("a URL of this driver has no {0}")]
    NoField(&'static str),
    #[error("the URL's option does not fit")]
    Option(#[source] ParameterError),
}

/// The scheme of a URL in lower case.
pub(crate) fn scheme(url: &str) -> Result<(String, &str), UrlError> {
    let (scheme, rest) = url.split_once(':').ok_or(UrlError::NoScheme)?;
    let starts_well = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    let goes_on_well = scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    if !starts_well || !goes_on_well {
        return Err(UrlError::NoScheme);
    }
    Ok((scheme.to_ascii_lowercase(), rest))
}

/// Reads what follows the scheme for a driver that takes it. A relative path stays relative.
pub(crate) fn parse(rest: &str, driver: &DriverInfo) -> Result<Vec<Given>, UrlError> {
    let form = &driver.form;
    let parts =
        if field_of(form, FieldRole::File).is_some() { split_path(rest)? } else { split_network(rest)? };
    let Parts { user, host, port, database, path, options } = parts;
    let mut given = Vec::new();
    for (value, role, word) in [
        (path, FieldRole::File, "path"),
        (host, FieldRole::Host, "host"),
        (port, FieldRole::Port, "port"),
        (user, FieldRole::User, "user"),
        (database, FieldRole::Database, "database"),
    ] {
        let Some(value) = value else { continue };
        let field = field_of(form, role).ok_or(UrlError::NoField(word))?;
        given.push(Given { name: field.name.clone(), value: GivenValue::Text(value) });
    }
    for (name, value) in options {
        if form.iter().any(|field| field.secret && field.name == name) {
            return Err(UrlError::Password);
        }
        given.push(Given { name, value: GivenValue::Text(value) });
    }
    check_given(form, given, Paths::AnyForm).map_err(UrlError::Option)
}

fn field_of(form: &[FormField], role: FieldRole) -> Option<&FormField> {
    form.iter().find(|field| field.role == role && !field.secret)
}
