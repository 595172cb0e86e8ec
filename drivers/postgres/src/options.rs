//! What a connection is made with: the form, and its fields read into types that cannot be wrong.

use std::{fmt, net::IpAddr, path::Path};

use querybox_plugin::{
    Credential, Endpoint, Error, Open, Parameters,
    pb::{self, FormFieldKind as Kind, FormFieldRole as Role},
};
use zeroize::Zeroizing;

use crate::{
    target::Target,
    tls::{ClientCertificate, Manner, Negotiation, Tls},
};

const HOST: &str = "host";
const PORT: &str = "port";
const USER: &str = "user";
const PASSWORD: &str = "password";
const DATABASE: &str = "database";
// Named as in PostgreSQL's own URLs, so that these can be pasted.
const SSLMODE: &str = "sslmode";
const SSLROOTCERT: &str = "sslrootcert";
const SSLCERT: &str = "sslcert";
const SSLKEY: &str = "sslkey";
const SSLNEGOTIATION: &str = "sslnegotiation";
const CHANNEL_BINDING: &str = "channel_binding";
const TARGET_SESSION_ATTRS: &str = "target_session_attrs";

/// More servers than anybody has for one database.
const SERVERS_MAX: usize = 32;

/// Everything that is needed to log in.
pub(crate) struct Options {
    /// At least one, in the order in which they are tried.
    pub(crate) servers: Vec<Server>,
    pub(crate) target: Target,
    pub(crate) user: String,
    pub(crate) password: Option<Zeroizing<Vec<u8>>>,
    pub(crate) database: String,
    pub(crate) channel_binding: ChannelBinding,
}

/// Whether the log-in is tied to the TLS connection, so that nobody can pass it on from another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChannelBinding {
    Disable,
    /// Where server and certificate allow it.
    Prefer,
    Require,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("servers", &self.servers).finish_non_exhaustive()
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
        let client = client_certificate(parameters, credential)?;
        let user = no_zero(USER, parameters.required(USER)?)?;
        let database = match parameters.text(DATABASE) {
            Some(database) => no_zero(DATABASE, database)?,
            None => user.clone(),
        };
        Ok(Self {
            servers: Server::parse(parameters, client)?,
            target: match parameters.text(TARGET_SESSION_ATTRS) {
                Some("read-write") => Target::ReadWrite,
                Some("read-only") => Target::ReadOnly,
                Some("primary") => Target::Primary,
                Some("standby") => Target::Standby,
                Some("prefer-standby") => Target::PreferStandby,
                // The form lets nothing else through.
                None | Some(_) => Target::Any,
            },
            password: password(credential)?,
            user,
            database,
            channel_binding: match parameters.text(CHANNEL_BINDING) {
                Some("disable") => ChannelBinding::Disable,
                Some("require") => ChannelBinding::Require,
                None | Some(_) => ChannelBinding::Prefer,
            },
        })
    }
}

/// What is needed to reach a server, and to know that it is the right one.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    /// Its place among the connection's servers.
    pub(crate) number: u8,
    pub(crate) endpoint: Endpoint,
    pub(crate) tls: Tls,
}

impl Server {
    /// Reads the parameters of a connection: its servers in the order in which they are tried, at least one.
    ///
    /// # Errors
    ///
    /// A parameter that does not fit, by name.
    pub(crate) fn parse(
        parameters: &Parameters,
        client: Option<ClientCertificate>,
    ) -> Result<Vec<Self>, Error> {
        let negotiation = match parameters.text(SSLNEGOTIATION) {
            Some("direct") => Negotiation::Direct,
            None | Some(_) => Negotiation::Asked,
        };
        let manner = Manner { client, negotiation };
        let server =
            |(number, endpoint)| Ok(Self { number, tls: tls(parameters, &endpoint, &manner)?, endpoint });
        (0..).zip(endpoints(parameters)?).map(server).collect()
    }

    /// Whether nobody but this machine can listen in or answer in the server's place.
    pub(crate) fn is_local(&self) -> bool {
        is_local(&self.endpoint)
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
            help: "A name, an address, or the folder of a Unix socket, which begins with a slash. Several, each with a port \
                   of its own behind a colon if need be, are separated by commas and tried in this order."
                .into(),
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
                mode("require", "Encrypt, but believe any server, or any of the given roots"),
                mode("verify-ca", "Check who signed the certificate"),
                mode("verify-full", "Check the certificate and the name in it"),
            ],
            help: "Left empty: verify-full; for localhost and Unix sockets: off.".into(),
            ..field(SSLMODE, "TLS", Kind::Select, Role::Tls)
        },
        pb::FormField {
            help: "PEM file of the authorities that may sign the server's certificate. Left empty: the public ones, which \
                   do for verify-full alone."
                .into(),
            ..field(SSLROOTCERT, "Root certificates", Kind::FilePath, Role::Tls)
        },
        pb::FormField {
            help: "PEM file of the certificate, and those that lead to its authority, by which the server knows the user."
                .into(),
            ..field(SSLCERT, "Client certificate", Kind::FilePath, Role::Option)
        },
        pb::FormField {
            secret: true,
            help: "PEM file of the client certificate's key, not encrypted.".into(),
            ..field(SSLKEY, "Client key", Kind::FilePath, Role::Option)
        },
        pb::FormField {
            options: vec![
                mode("postgres", "Ask the server for TLS first"),
                mode("direct", "Begin with TLS (version 17 and later)"),
            ],
            ..field(SSLNEGOTIATION, "TLS begins", Kind::Select, Role::Tls)
        },
        pb::FormField {
            options: vec![
                mode("disable", "Off"),
                mode("prefer", "Where the server can"),
                mode("require", "Refuse other log-ins"),
            ],
            help: "Ties the log-in to this TLS connection. Left empty: where the server can.".into(),
            ..field(CHANNEL_BINDING, "Channel binding", Kind::Select, Role::Tls)
        },
        pb::FormField {
            options: vec![
                mode("any", "Whichever answers"),
                mode("read-write", "One that takes writes"),
                mode("read-only", "One that takes no writes"),
                mode("primary", "The primary"),
                mode("standby", "A standby"),
                mode("prefer-standby", "A standby, else any"),
            ],
            help: "Which of several hosts will do. Left empty: whichever answers first.".into(),
            ..field(TARGET_SESSION_ATTRS, "Kind of server", Kind::Select, Role::Option)
        },
    ]
}

/// The servers of a list, in its order.
fn endpoints(parameters: &Parameters) -> Result<Vec<Endpoint>, Error> {
    let port = port(PORT, parameters.required(PORT)?)?;
    let hosts = parameters.required(HOST)?;
    if hosts.split(',').count() > SERVERS_MAX {
        return Err(Error::parameter(HOST, format_args!("names more than {SERVERS_MAX} hosts")));
    }
    hosts.split(',').map(|host| endpoint(host.trim(), port)).collect()
}

fn endpoint(host: &str, default_port: u16) -> Result<Endpoint, Error> {
    let host = no_zero(HOST, host)?;
    if host.starts_with('/') {
        return Ok(Endpoint::Unix { path: Path::new(&host).join(format!(".s.PGSQL.{default_port}")) });
    }
    // An address of version 6 has colons of its own, and takes a port in brackets alone.
    let (name, own_port) = match host.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((address, ""))) => (address, None),
        Some(Some((address, rest))) if rest.starts_with(':') => (address, Some(&rest[1..])),
        Some(_) => return Err(Error::parameter(HOST, format_args!("has no host in {host:?}"))),
        None => match host.split_once(':') {
            Some((name, port)) if !port.contains(':') => (name, Some(port)),
            Some(_) | None => (host.as_str(), None),
        },
    };
    if name.is_empty() {
        return Err(Error::parameter(HOST, "has an empty name in it"));
    }
    let port = own_port.map_or(Ok(default_port), |own_port| port(HOST, own_port))?;
    Ok(Endpoint::Tcp { host: name.to_owned(), port })
}

fn port(parameter: &str, text: &str) -> Result<u16, Error> {
    match text.parse::<u16>() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(Error::parameter(parameter, format_args!("is {text}, not a port from 1 to 65535"))),
    }
}

fn client_certificate(
    parameters: &Parameters,
    credential: &Credential,
) -> Result<Option<ClientCertificate>, Error> {
    let (certificate, key) = (parameters.content(SSLCERT), credential.bytes(SSLKEY));
    let (Some(certificate), Some(key)) = (certificate, key) else {
        return match (certificate, key) {
            (Some(_), None) => {
                Err(Error::parameter(SSLKEY, "is missing: the client certificate needs its key"))
            }
            (None, Some(_)) => {
                Err(Error::parameter(SSLCERT, "is missing: the client key needs its certificate"))
            }
            _ => Ok(None),
        };
    };
    let client = ClientCertificate::parse(certificate, key);
    client.map(Some).map_err(|fault| fault.into_error(SSLCERT, SSLCERT, SSLKEY))
}

/// `verify-full` where somebody may stand between. On this machine nobody can who could not also read the memory of both
/// ends, so that encrypting there would only cost time. There is no `prefer`: who is to be kept out could strip it.
fn tls(parameters: &Parameters, endpoint: &Endpoint, manner: &Manner) -> Result<Tls, Error> {
    let tls = verification(parameters, endpoint, manner)?;
    if matches!(tls, Tls::Off) && manner.negotiation == Negotiation::Direct {
        return Err(Error::parameter(SSLNEGOTIATION, "is direct, but there is no TLS to begin with"));
    }
    Ok(tls)
}

fn verification(parameters: &Parameters, endpoint: &Endpoint, manner: &Manner) -> Result<Tls, Error> {
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
        (Some("require"), None) => Tls::encrypt(host, manner),
        // With authorities it is the same, as in PostgreSQL's own clients.
        (Some("require" | "verify-ca"), Some(roots)) => Tls::verify_authority(host, roots, manner),
        // Each of the public authorities signs for anybody, who could then be this server.
        (Some("verify-ca"), None) => {
            return Err(Error::parameter(
                SSLROOTCERT,
                "is missing: verify-ca asks for the authority of this server; verify-full takes the public ones",
            ));
        }
        // The form lets no other mode through.
        (None | Some(_), roots) => Tls::verify_full(host, roots, manner),
    };
    tls.map_err(|fault| fault.into_error(HOST, SSLROOTCERT, SSLKEY))
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
    fn each_of_several_hosts_may_have_its_own_port() {
        let read =
            |host| endpoint(host, 5432).map(|endpoint| endpoint.to_string()).map_err(|e| e.to_string());
        for (host, expected) in [
            ("db", "db:5432"),
            ("db:5433", "db:5433"),
            ("::1", "[::1]:5432"),
            ("[::1]", "[::1]:5432"),
            ("[fe80::1%3]:5434", "[fe80::1%3]:5434"),
            ("/run/postgresql", "/run/postgresql/.s.PGSQL.5432"),
        ] {
            assert_eq!(read(host).unwrap(), expected);
        }
        for host in ["", "db:", "db:0", "db:65536", "db:x", "[::1", "[::1]5432", "a\0b"] {
            assert!(read(host).is_err(), "{host}");
        }
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
        let manner = Manner { client: None, negotiation: Negotiation::Asked };
        let tls = |endpoint: &Endpoint| tls(&Parameters::default(), endpoint, &manner).unwrap();
        assert!(matches!(tls(&tcp("db.example.com")), Tls::Verified(_)));
        assert!(matches!(tls(&tcp("10.0.0.1")), Tls::Verified(_)));
        assert!(matches!(tls(&tcp("localhost")), Tls::Off));
        assert!(matches!(tls(&Endpoint::Unix { path: "/run/.s.PGSQL.5432".into() }), Tls::Off));
    }
}
