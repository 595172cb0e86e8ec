//! What `serve` goes by: flags over environment (both by clap) over `config.toml` over defaults.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use querybox_core::QueryText;
use serde::Deserialize;

use super::tls;
use crate::{
    cli::{
        serve::{LogFormat, QueryTextArg, ServeArgs},
        values::DeadlineArg,
    },
    failure::Failure,
};

const LISTEN_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8210);
/// As long as a request may take by default.
const DRAIN_DEFAULT: Duration = Duration::from_secs(30);

/// The table `serve` of `config.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    listen: Option<SocketAddr>,
    hosts: Option<Vec<String>>,
    drain: Option<String>,
    log_format: Option<LogFormat>,
    query_text: Option<QueryTextArg>,
    audit: Option<PathBuf>,
    tls_certificate: Option<PathBuf>,
    tls_key: Option<PathBuf>,
}

/// How to serve.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Settings {
    /// A loopback address.
    pub listen: SocketAddr,
    /// Names that the server goes by, beside its own.
    pub hosts: Vec<String>,
    /// Time for what runs to finish.
    pub drain: Duration,
    pub log_format: LogFormat,
    pub query_text: QueryText,
    /// Where the audit file lies. `None`: there is none.
    pub audit: Option<PathBuf>,
    /// `None`: connections are plain.
    pub tls: Option<tls::Files>,
}

impl Settings {
    /// `home`: paths in its `config.toml` begin there.
    pub(super) fn layer(args: ServeArgs, file: File, home: &Path) -> Result<Settings, Failure> {
        let listen = args.listen.or(file.listen).unwrap_or(LISTEN_DEFAULT);
        if !listen.ip().is_loopback() {
            return Err(Failure::usage(format!(
                "will not listen on {listen}: whoever reaches it would be the owner of all connections"
            ))
            .with_hint(
                "there are no users yet, so that it serves this machine alone; from another one use a tunnel, such as `ssh -L 8210:127.0.0.1:8210`",
            ));
        }
        let hosts = if args.hosts.is_empty() { file.hosts.unwrap_or_default() } else { args.hosts };
        let drain = match (args.drain, file.drain) {
            (Some(drain), _) => drain,
            (None, Some(text)) => text
                .parse()
                .map_err(|_| Failure::usage("config.toml: serve.drain: give a time such as `30s` or `5m`"))?,
            (None, None) => DeadlineArg::After(DRAIN_DEFAULT),
        };
        let DeadlineArg::After(drain) = drain else {
            return Err(Failure::usage("a server that is told to end ends: the drain time has to be one")
                .with_hint("give a time such as `30s` or `5m`"));
        };
        let log_format = args.log_format.or(file.log_format).unwrap_or_default();
        let query_text = match args.query_text.or(file.query_text).unwrap_or_default() {
            QueryTextArg::Off => QueryText::Off,
            QueryTextArg::Redacted => QueryText::Redacted,
            QueryTextArg::Full => QueryText::Full,
        };
        let audit = args.audit.or_else(|| file.audit.map(|path| home.join(path)));
        let certificate = args.tls_certificate.or_else(|| file.tls_certificate.map(|path| home.join(path)));
        let key = args.tls_key.or_else(|| file.tls_key.map(|path| home.join(path)));
        let tls = match (certificate, key) {
            (Some(certificate), Some(key)) => Some(tls::Files { certificate, key }),
            (None, None) => None,
            (Some(_), None) => return Err(Failure::usage("TLS needs the certificate's key: `--tls-key`")),
            (None, Some(_)) => return Err(Failure::usage("TLS needs a certificate: `--tls-certificate`")),
        };
        Ok(Settings { listen, hosts, drain, log_format, query_text, audit, tls })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(args: ServeArgs, file: &str) -> Result<Settings, Failure> {
        Settings::layer(args, toml::from_str(file).unwrap(), Path::new("/home/ada/qb"))
    }

    fn nothing() -> ServeArgs {
        ServeArgs {
            listen: None,
            hosts: Vec::new(),
            drain: None,
            log_format: None,
            query_text: None,
            audit: None,
            tls_certificate: None,
            tls_key: None,
        }
    }

    #[test]
    fn what_is_given_wins_over_the_file_and_the_file_over_defaults() {
        let settings = layer(nothing(), "").unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8210");
        assert_eq!((settings.drain, settings.log_format), (DRAIN_DEFAULT, LogFormat::Text));
        assert_eq!((settings.query_text, settings.audit), (QueryText::Off, None));
        let file = "listen = '[::1]:1'\nhosts = ['a:1']\ndrain = '5s'\nlog_format = 'json'\nquery_text = 'redacted'\naudit = 'a'\ntls_certificate = 'c'\ntls_key = 'k'";
        let settings = layer(nothing(), file).unwrap();
        assert_eq!(settings.listen.to_string(), "[::1]:1");
        assert_eq!((settings.drain.as_secs(), settings.log_format), (5, LogFormat::Json));
        assert_eq!(settings.hosts, ["a:1"]);
        assert_eq!(settings.query_text, QueryText::Redacted);
        assert_eq!(settings.audit.as_deref(), Some(Path::new("/home/ada/qb/a")));
        let in_home = |name| Path::new("/home/ada/qb").join(name);
        assert_eq!(settings.tls, Some(tls::Files { certificate: in_home("c"), key: in_home("k") }));
        let args = ServeArgs {
            listen: Some("127.0.0.2:2".parse().unwrap()),
            hosts: vec!["b".to_owned()],
            drain: Some("1s".parse().unwrap()),
            log_format: Some(LogFormat::Text),
            query_text: Some(QueryTextArg::Full),
            audit: Some("here".into()),
            tls_certificate: Some("cert".into()),
            tls_key: None,
        };
        let settings = layer(args, file).unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.2:2");
        assert_eq!((settings.drain.as_secs(), settings.log_format), (1, LogFormat::Text));
        assert_eq!(settings.hosts, ["b"]);
        assert_eq!((settings.query_text, settings.audit), (QueryText::Full, Some("here".into())));
        assert_eq!(
            settings.tls,
            Some(tls::Files { certificate: "cert".into(), key: Path::new("/home/ada/qb/k").into() })
        );
    }

    #[test]
    fn an_address_that_others_reach_is_refused() {
        for listen in ["0.0.0.0:8210", "192.168.1.2:8210", "[::]:8210"] {
            let failure = layer(nothing(), &format!("listen = '{listen}'")).unwrap_err();
            assert_eq!(failure.exit.code(), 2, "{listen}");
            assert!(failure.message.contains(listen), "{failure}");
        }
    }

    #[test]
    fn a_drain_without_an_end_and_unknown_keys_are_refused() {
        assert!(layer(nothing(), "drain = 'none'").is_err());
        assert!(layer(nothing(), "drain = 'soon'").is_err());
        assert!(toml::from_str::<File>("query_text = 'some'").is_err());
        // A certificate without its key, and the other way round.
        assert!(layer(nothing(), "tls_certificate = 'c'").is_err());
        assert!(layer(nothing(), "tls_key = 'k'").is_err());
        assert!(toml::from_str::<File>("port = 1").is_err());
    }
}
