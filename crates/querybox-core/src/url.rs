//! Reads a URL into the parameters of a connection.
//!
//! The plugin says which scheme is its own and, by the roles of its form, where each part of the URL goes. A driver with a
//! FILE field takes `scheme:path`, any other `scheme://user@host:port/database`; both take `?option=value`, where an option is
//! a field of the form. Several hosts, parted by commas, each with its port, are one value of the HOST field. All parts are percent-decoded. A driver with a HOST field also takes `host=… port=… dbname=… user=…`,
//! with its scheme before or, where no other driver has such fields, without. Nothing of a URL is in an error but the scheme and the names of
//! options, because a password may stand anywhere else.

mod keywords;
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
    #[error("no driver takes keywords such as host=…")]
    NoKeywords,
    /// The schemes of the drivers.
    #[error("several drivers take these keywords: write {} before them", .0.join(" or "))]
    Ambiguous(Vec<String>),
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
    if takes_keywords(driver) && keywords::is_list(rest) {
        return parse_keywords(rest, driver);
    }
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

/// Whether the text is a list of keywords without a scheme before it.
pub(crate) fn is_keywords(text: &str) -> bool {
    keywords::is_list(text)
}

/// Whether the driver can be given keywords instead of a URL.
fn takes_keywords(driver: &DriverInfo) -> bool {
    field_of(&driver.form, FieldRole::Host).is_some()
}

/// The keywords, by the driver's form: those of libpq's that have a role, and the names of fields.
fn parse_keywords(text: &str, driver: &DriverInfo) -> Result<Vec<Given>, UrlError> {
    let form = &driver.form;
    let mut given = Vec::new();
    let mut words = keywords::read(text)?;
    if words.iter().any(|(word, _)| is_secret(word, form)) {
        return Err(UrlError::Password);
    }
    pair_ports(&mut words)?;
    for (word, value) in words {
        let role = match word.as_str() {
            "host" => Some(FieldRole::Host),
            "port" => Some(FieldRole::Port),
            "user" => Some(FieldRole::User),
            "dbname" => Some(FieldRole::Database),
            _ => None,
        };
        let field = role.and_then(|role| field_of(form, role));
        let name = field.map_or(word, |field| field.name.clone());
        given.push(Given { name, value: GivenValue::Text(value) });
    }
    check_given(form, given, Paths::AnyForm).map_err(UrlError::Option)
}

/// Puts a port of its own behind each of several hosts.
fn pair_ports(words: &mut Vec<(String, String)>) -> Result<(), UrlError> {
    let place = |words: &[(String, String)], name: &str| words.iter().position(|(word, _)| word == name);
    let Some(port_at) = place(words, "port").filter(|&at| words[at].1.contains(',')) else { return Ok(()) };
    let (_, ports) = words.remove(port_at);
    let mismatch = UrlError::Malformed("there are as many ports as hosts, or one for all");
    let Some(host_at) = place(words, "host") else { return Err(mismatch) };
    let hosts: Vec<&str> = words[host_at].1.split(',').collect();
    let ports: Vec<&str> = ports.split(',').collect();
    if hosts.len() != ports.len() || ports.iter().any(|port| !parts::is_port(port)) {
        return Err(mismatch);
    }
    let pair = |(host, port): (&str, &str)| (host.to_owned(), Some(port.to_owned()));
    words[host_at].1 = parts::join_hosts(hosts.into_iter().zip(ports).map(pair).collect())?;
    Ok(())
}

/// Whether a keyword names a secret. A password is one whether the driver has a field for it or not.
fn is_secret(word: &str, form: &[FormField]) -> bool {
    word == "password" || form.iter().any(|field| field.secret && field.name == word)
}

/// Reads keywords that name no driver: they are for the only one that takes them.
pub(crate) fn parse_bare_keywords<'d>(
    text: &str,
    drivers: impl Iterator<Item = &'d DriverInfo>,
) -> Result<(&'d DriverInfo, Vec<Given>), UrlError> {
    let mut taken = Vec::new();
    let mut refused = Vec::new();
    for driver in drivers.filter(|driver| takes_keywords(driver)) {
        match parse_keywords(text, driver) {
            Ok(given) => taken.push((driver, given)),
            // Whoever takes them, it stays one.
            Err(UrlError::Password) => return Err(UrlError::Password),
            Err(error) => refused.push((driver, error)),
        }
    }
    match (taken.len(), refused.len()) {
        (1, _) => Ok(taken.swap_remove(0)),
        (0, 0) => Err(UrlError::NoKeywords),
        (0, 1) => Err(refused.swap_remove(0).1),
        (0, _) => Err(ambiguous(refused.iter().map(|(driver, _)| *driver))),
        (_, _) => Err(ambiguous(taken.iter().map(|(driver, _)| *driver))),
    }
}

fn ambiguous<'d>(drivers: impl Iterator<Item = &'d DriverInfo>) -> UrlError {
    let scheme = |driver: &DriverInfo| {
        driver.url_schemes.first().map(|scheme| format!("\"{scheme}:\"")).unwrap_or_default()
    };
    UrlError::Ambiguous(drivers.map(scheme).filter(|scheme| !scheme.is_empty()).collect())
}

fn field_of(form: &[FormField], role: FieldRole) -> Option<&FormField> {
    form.iter().find(|field| field.role == role && !field.secret)
}
