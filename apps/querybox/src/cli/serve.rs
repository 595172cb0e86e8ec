//! `serve` and `link`: flags and help.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, ValueEnum};
use serde::Deserialize;

use crate::cli::values::DeadlineArg;

/// Serve connections and queries to front ends on this machine.
///
/// One port has gRPC, gRPC-web, /healthz, /readyz and /metrics. Who calls needs a token, which each start makes anew: it lies in
/// the home folder for commands with `--server`, and a browser comes by it through the link that is printed, once and within five
/// minutes (`querybox link` prints another).
///
/// SIGTERM and Ctrl-C let what runs finish within the drain time; a second one ends everything at once.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  querybox serve
  querybox serve --listen 127.0.0.1:9000 --log-format json
  querybox query --server http://127.0.0.1:8210 sample 'select 1'

The same settings in config.toml in the home folder:
  [serve]
  listen = \"127.0.0.1:8210\"
  hosts = [\"localhost:9000\"]
  drain = \"30s\"
  log_format = \"json\"
  query_text = \"redacted\"
  audit = \"audit.jsonl\"
  tls_certificate = \"chain.pem\"
  tls_key = \"key.pem\"")]
pub(crate) struct ServeArgs {
    /// The address and port to listen on: one of this machine's loopback addresses [default: 127.0.0.1:8210].
    #[arg(long, env = "QUERYBOX_LISTEN", hide_env_values = true, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Another name that browsers may call the server by, as they send it, for instance `localhost:9000` for a tunnel. Can be
    /// repeated.
    #[arg(
        long = "host",
        env = "QUERYBOX_HOSTS",
        hide_env_values = true,
        value_name = "NAME",
        value_delimiter = ','
    )]
    pub hosts: Vec<String>,
    /// Time for what runs to finish when the server is told to end [default: 30s].
    #[arg(long, env = "QUERYBOX_DRAIN", hide_env_values = true, value_name = "TIME")]
    pub drain: Option<DeadlineArg>,
    /// How the log on standard error is written; QUERYBOX_LOG says what is in it [default: text].
    #[arg(long, env = "QUERYBOX_LOG_FORMAT", hide_env_values = true, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// What the log shows of the statements that people run [default: off].
    #[arg(long, env = "QUERYBOX_QUERY_TEXT", hide_env_values = true, value_name = "WHAT")]
    pub query_text: Option<QueryTextArg>,
    /// A file that tells what happened to which session, a JSON object a line, with counts and without statements, values and
    /// names. At 64 MiB a new one begins, and the older one stays beside it.
    #[arg(long, env = "QUERYBOX_AUDIT", hide_env_values = true, value_name = "FILE")]
    pub audit: Option<PathBuf>,
    /// Speak TLS, with this certificate in PEM and those between it and its authority. A file that changes is read anew.
    #[arg(long, env = "QUERYBOX_TLS_CERTIFICATE", hide_env_values = true, value_name = "FILE")]
    pub tls_certificate: Option<PathBuf>,
    /// The private key of the certificate, in PEM. Not everybody may read it.
    #[arg(long, env = "QUERYBOX_TLS_KEY", hide_env_values = true, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
}

/// What a log shows of statements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum QueryTextArg {
    /// Nothing.
    #[default]
    Off,
    /// Statements with a `?` in the place of each literal; nothing where it is not sure what is one.
    Redacted,
    /// Statements as they are, with whatever stands in them.
    Full,
}

/// How a log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// A line for people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}
