//! Arguments of `querybox sessions`.

use clap::Subcommand;

use crate::cli::{JsonArg, values::DeadlineArg};

/// What is to be done with sessions of a server.
#[derive(Debug, Subcommand)]
#[command(after_long_help = HELP)]
pub(crate) enum Verb {
    /// List the sessions that run or are leased, the oldest first.
    List {
        #[command(flatten)]
        json: JsonArg,
    },
    /// Stop what sessions run, and tell how it went. A leased session can be used again.
    Cancel {
        /// Sessions, each by its id or the end of it.
        #[arg(required = true)]
        sessions: Vec<String>,
    },
    /// Give what a session runs more time.
    Extend {
        /// The session, by its id or the end of it.
        session: String,
        /// How much more than is left, such as `5m`; `none`: as long as it takes.
        by: DeadlineArg,
    },
}

const HELP: &str = "\
Examples:
  querybox sessions list
  querybox sessions cancel 5c1f02ab
  querybox sessions extend 5c1f02ab 10m

Sessions are a server's: that of the home, or of another one by `--server`. A command without a server runs its own, and Ctrl-C
stops them.";
