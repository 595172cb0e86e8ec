//! Where events go: standard error.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

use crate::{cli::serve::LogFormat, failure::Failure};

/// Logs as QUERYBOX_LOG says, for instance `debug`; else as `otherwise` does. `None`: then nothing is logged, for what people
/// have to know they are told.
pub(crate) fn to_stderr(otherwise: Option<&str>, format: LogFormat) -> Result<(), Failure> {
    let wished = std::env::var_os("QUERYBOX_LOG").filter(|filter| !filter.is_empty());
    let wished = match &wished {
        None => None,
        Some(filter) => Some(filter.to_str().ok_or_else(no_filter)?),
    };
    let Some(filter) = wished.or(otherwise) else { return Ok(()) };
    let filter = filter.parse::<EnvFilter>().map_err(|_| no_filter())?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(stderr().is_terminal())
        .with_writer(stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    Ok(())
}

fn no_filter() -> Failure {
    Failure::usage("QUERYBOX_LOG is no filter; `debug` is one")
}
