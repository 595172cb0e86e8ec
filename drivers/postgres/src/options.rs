//! What a connection is made with: the form, and its fields read into types that cannot be wrong.

use std::{fmt, net::IpAddr, path::Path};

use querybox_plugin::{
    Credential, Endpoint, Error, Open, Parameters,
    pb::{self, FormFieldKind as Kind, FormFieldRole as Role},
};
use zeroize::Zeroizing;

use crate::tls::Tls;

const HOST: &str = "host";
const PORT: &str = "port";
const USER: &str = "user";
const PASSWORD: &str = "password";
const DATABASE: &str = "database";
// Named as in PostgreSQL's own URLs, so that these can be pasted.
const SSLMODE: &str = "sslmode";
const SSLROOTCERT: &str = "sslrootcert";

/// Everything that is needed to log in.
pub(crate) struct Options {
    pub(crate) endpoint: Endpoint,
    pub(crate) user: String,
    pub(crate) password: Option<Zeroizing<Vec<u8>>>,
    pub(crate) database: String,
    pub(crate) tls: Tls,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Options {
    /// Reads the parameters and secrets of a connection.
    ///
    /// # Errors
    ///
    /// A parameter that does not fit, by name.
    pub(crate) fn parse(open: &Open) -> Result<Self, Error> {
        let Open { parameters, credential, .. } = open;
        let Server { endpoint, tls } = Server::parse(parameters)?;
        let user = no_zero(USER, parameters.required(USER)?)?;
        let database = match parameters.text(DATABASE) {
            Some(database) => no_zero(DATABASE, database)?,
            None => user.clone(),
        };
        Ok(Self { password: password(credential)?, endpoint, user, database, tls })
    }

    /// Whether nobody but this machine can listen in or answer in the server's place.
    pub(crate) fn is_local(&self) -> bool {
        is_local(&self.endpoint)
    }
}

/// What is needed to reach a server, and to know that it is the right one.
pub(crate) struct Server {
    pub(crate) endpoint: Endpoint,
    pub(crate) tls: Tls,
}

impl Server {
    /// Reads the parameters of a connection.
    ///
    /// # Errors
    ///
    /// A parameter that does not fit, by name.
    pub(crate) fn parse(parameters: &Parameters) -> Result<Self, Error> {
        let endpoint = endpoint(parameters)?;
        Ok(Self { tls: tls(parameters, &endpoint)?, endpoint })
    }
}

/// The fields of the form.
pub(crate) fn form() -> Vec<pb::FormField> {
    let field = |name: &str, label: &str, kind: Kind, role: Role| pb::FormField {
        name: name.into(),
        label: label.into(),
        kind: kind.into(),
        role: role.into(),
        ..pb::FormField::default()
    };
    let mode = |value: &str, label: &str| pb::FormOption { value: value.into(), label: label.into() };
    vec![
        pb::FormField {
            default_value: "localhost".into(),
            help: "A name, an address, or the folder of a Unix socket, which begins with a slash.".into(),
            ..field(HOST, "Host", Kind::Text, Role::Host)
        },
        pb::FormField { default_value: "5432".into(), ..field(PORT, "Port", Kind::Number, Role::Port) },
        pb::FormField {
            required: true,
            placeholder: "postgres".into(),
            ..field(USER, "User", Kind::Text, Role::User)
        },
        pb::FormField { secret: true, ..field(PASSWORD, "Password", Kind::Password, Role::Password) },
        pb::FormField {
            help: "The user's name when it is left empty.".into(),
            ..field(DATABASE, "Database", Kind::Text, Role::Database)
        },
        pb::FormField {
            options: vec![
                mode("disable", "Off"),
                mode("require", "Encrypt, but believe any server, or any of the root certificates"),
                mode("verify-ca", "Check who signed the certificate"),
                mode("verify-full", "Check the certificate and the name in it"),
            ],
            help: "Left empty: verify-full; for localhost and Unix sockets: off.".into(),
            ..field(SSLMODE, "TLS", Kind::Select, Role::Option)
        },
        pb::FormField {
            help: "PEM file of the authorities that may sign the server's certificate. Left empty: the public ones, which \
                   do for verify-full alone."
                .into(),
            ..field(SSLROOTCERT, "Root certificates", Kind::FilePath, Role::Option)
        },
    ]
}

fn endpoint(parameters: &Parameters) -> Result<Endpoint, Error> {
    let host = no_zero(HOST, parameters.required(HOST)?)?;
    let port = parameters.required(PORT)?;
    let port = match port.parse::<u16>() {
        Ok(port) if port > 0 => port,
        _ => return Err(Error::parameter(PORT, format_args!("is {port}, not a port from 1 to 65535"))),
    };
    if host.starts_with('/') {
        return Ok(Endpoint::Unix { path: Path::new(&host).join(format!(".s.PGSQL.{port}")) });
    }
    if host.contains(',') {
        return Err(Error::parameter(HOST, "names several hosts, which is not supported"));
    }
    Ok(Endpoint::Tcp { host, port })
}

/// `verify-full` where somebody may stand between. On this machine nobody can who could not also read the memory of both
/// ends, so that encrypting there would only cost time. There is no `prefer`: who is to be kept out could strip it.
fn tls(parameters: &Parameters, endpoint: &Endpoint) -> Result<Tls, Error> {
    let roots = parameters.content(SSLROOTCERT).map(AsRef::<[u8]>::as_ref);
    // Who gives authorities wants somebody to be checked.
    let unused = |why: &str| Err(Error::parameter(SSLROOTCERT, format_args!("is given, but {why}")));
    let Endpoint::Tcp { host, .. } = endpoint else {
        return match (parameters.text(SSLMODE), roots) {
            (Some(mode), _) if mode != "disable" => {
                Err(Error::parameter(SSLMODE, format_args!("is {mode}, but a Unix socket has no TLS")))
            }
            (_, Some(_)) => unused("a Unix socket has no TLS"),
            (_, None) => Ok(Tls::Off),
        };
    };
    let tls = match (parameters.text(SSLMODE), roots) {
        (None, None) if is_local(endpoint) => Ok(Tls::Off),
        (Some("disable"), None) => Ok(Tls::Off),
        (Some("disable"), Some(_)) => return unused("sslmode is disable"),
        (Some("require"), None) => Tls::encrypt(host),
        // With authorities it is the same, as in PostgreSQL's own clients.
        (Some("require" | "verify-ca"), Some(roots)) => Tls::verify_authority(host, roots),
        // Each of the public authorities signs for anybody, who could then be this server.
        (Some("verify-ca"), None) => {
            return Err(Error::parameter(
                SSLROOTCERT,
                "is missing: verify-ca asks for the authority of this server; verify-full takes the public ones",
            ));
        }
        // The form lets no other mode through.
        (None | Some(_), roots) => Tls::verify_full(host, roots),
    };
    tls.map_err(|fault| fault.into_error(HOST, SSLROOTCERT))
}

fn is_local(endpoint: &Endpoint) -> bool {
    match endpoint {
        Endpoint::Unix { .. } => true,
        Endpoint::Tcp { host, .. } => {
            host.eq_ignore_ascii_case("localhost")
                || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
        }
    }
}

fn password(credential: &Credential) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    let Some(password) = credential.text(PASSWORD)? else { return Ok(None) };
    if password.contains('\0') {
        return Err(Error::parameter(PASSWORD, "has a zero byte in it"));
    }
    Ok(Some(Zeroizing::new(password.as_bytes().to_vec())).filter(|password| !password.is_empty()))
}

/// The protocol ends each text with a zero byte, so that none may be inside.
fn no_zero(name: &str, text: &str) -> Result<String, Error> {
    if text.contains('\0') {
        return Err(Error::parameter(name, "has a zero byte in it"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str) -> Endpoint {
        Endpoint::Tcp { host: host.into(), port: 5432 }
    }

    #[test]
    fn only_this_machine_is_local() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"] {
            assert!(is_local(&tcp(host)), "{host}");
        }
        for host in ["localhost.example.com", "10.0.0.1", "db", "0.0.0.0", "128.0.0.1"] {
            assert!(!is_local(&tcp(host)), "{host}");
        }
    }

    #[test]
    fn a_server_elsewhere_must_prove_who_it_is_unless_that_is_switched_off() {
        let tls = |endpoint: &Endpoint| tls(&Parameters::default(), endpoint).unwrap();
        assert!(matches!(tls(&tcp("db.example.com")), Tls::Verified(_)));
        assert!(matches!(tls(&tcp("10.0.0.1")), Tls::Verified(_)));
        assert!(matches!(tls(&tcp("localhost")), Tls::Off));
        assert!(matches!(tls(&Endpoint::Unix { path: "/run/.s.PGSQL.5432".into() }), Tls::Off));
    }
}
