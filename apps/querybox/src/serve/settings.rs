//! What `serve` goes by: flags over environment (both by clap) over `config.toml` over defaults.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use serde::Deserialize;

use crate::{
    cli::{
        serve::{LogFormat, ServeArgs},
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
}

impl Settings {
    pub(super) fn layer(args: ServeArgs, file: File) -> Result<Settings, Failure> {
        let listen = args.listen.or(file.listen).unwrap_or(LISTEN_DEFAULT);
        if !listen.ip().is_loopback() {
            return Err(Failure::usage(format!(
                "will not listen on {listen}: whoever reaches it would be the owner of all connections"
            ))
            .with_hint(
                "there are no users and no TLS yet, so that it serves this machine alone; from another one use a tunnel, such as `ssh -L 8210:127.0.0.1:8210`",
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
        Ok(Settings { listen, hosts, drain, log_format })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(args: ServeArgs, file: &str) -> Result<Settings, Failure> {
        Settings::layer(args, toml::from_str(file).unwrap())
    }

    fn nothing() -> ServeArgs {
        ServeArgs { listen: None, hosts: Vec::new(), drain: None, log_format: None }
    }

    #[test]
    fn what_is_given_wins_over_the_file_and_the_file_over_defaults() {
        let settings = layer(nothing(), "").unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8210");
        assert_eq!((settings.drain, settings.log_format), (DRAIN_DEFAULT, LogFormat::Text));
        let file = "listen = '[::1]:1'\nhosts = ['a:1']\ndrain = '5s'\nlog_format = 'json'";
        let settings = layer(nothing(), file).unwrap();
        assert_eq!(settings.listen.to_string(), "[::1]:1");
        assert_eq!((settings.drain.as_secs(), settings.log_format), (5, LogFormat::Json));
        assert_eq!(settings.hosts, ["a:1"]);
        let args = ServeArgs {
            listen: Some("127.0.0.2:2".parse().unwrap()),
            hosts: vec!["b".to_owned()],
            drain: Some("1s".parse().unwrap()),
            log_format: Some(LogFormat::Text),
        };
        let settings = layer(args, file).unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.2:2");
        assert_eq!((settings.drain.as_secs(), settings.log_format), (1, LogFormat::Text));
        assert_eq!(settings.hosts, ["b"]);
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
        assert!(toml::from_str::<File>("port = 1").is_err());
    }
}
