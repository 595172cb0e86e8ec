//! Arguments of `querybox history`.

use clap::{Args, Subcommand, ValueEnum};
use querybox_contracts::core::v1::RunOutcome;

use crate::cli::{
    JsonArg,
    values::{LimitArg, MomentArg},
};

/// What is to be done with what ran.
#[derive(Debug, Subcommand)]
#[command(after_long_help = HELP)]
pub(crate) enum Verb {
    /// List what ran, the last first.
    List(ListArgs),
    /// List what ran and has all of these words, in any case.
    Search {
        /// Words.
        #[arg(required = true)]
        words: Vec<String>,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Show a run, with all that is kept of what was run.
    Show {
        /// The run, by its id or the end of it, or `last`.
        run: String,
        #[command(flatten)]
        json: JsonArg,
    },
    Delete(DeleteArgs),
}

/// Which runs are listed.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only those on this connection, which may be gone.
    #[arg(long, short, value_name = "NAME")]
    pub connection: Option<String>,
    /// Only those that ended so. Can be repeated.
    #[arg(long = "outcome", value_enum, value_name = "OUTCOME")]
    pub outcomes: Vec<OutcomeArg>,
    /// Only those that began since: `2h`, `3d`, `2026-01-31`.
    #[arg(long, value_name = "WHEN")]
    pub since: Option<MomentArg>,
    /// Only those that began before.
    #[arg(long, value_name = "WHEN")]
    pub before: Option<MomentArg>,
    /// How many, or `none` for all.
    #[arg(long, default_value = "50", value_name = "RUNS")]
    pub limit: LimitArg,
    #[command(flatten)]
    pub json: JsonArg,
}

/// Forget runs, and what was run.
#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    /// Runs, each by its id or the end of it.
    #[arg(
        required_unless_present_any = ["all", "before", "connection"],
        conflicts_with_all = ["all", "before", "connection"]
    )]
    pub runs: Vec<String>,
    /// All that ran on this connection, which may be gone.
    #[arg(long, short, value_name = "NAME", conflicts_with_all = ["all", "before"])]
    pub connection: Option<String>,
    /// All that began before: `30d`, `2026-01-31`.
    #[arg(long = "older-than", value_name = "WHEN", conflicts_with = "all")]
    pub before: Option<MomentArg>,
    /// All.
    #[arg(long)]
    pub all: bool,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutcomeArg {
    /// All was done.
    Done,
    /// The database refused a statement.
    Rejected,
    /// A driver, the network or a disk failed.
    Failed,
    /// A deadline or another limit was reached.
    Limited,
    /// It was cancelled.
    Cancelled,
    /// It has not ended.
    Unfinished,
}

impl OutcomeArg {
    pub(crate) fn wire(self) -> RunOutcome {
        match self {
            Self::Done => RunOutcome::Done,
            Self::Rejected => RunOutcome::Rejected,
            Self::Failed => RunOutcome::Failed,
            Self::Limited => RunOutcome::Limited,
            Self::Cancelled => RunOutcome::Cancelled,
            Self::Unfinished => RunOutcome::Unfinished,
        }
    }
}

const HELP: &str = "\
Examples:
  querybox history list --connection shop --since 2d
  querybox history search customers delete
  querybox history show last
  querybox history delete --older-than 30d
  querybox connections edit shop --history off

What was run is kept sealed under the master key (`querybox keys --help`), 64
KiB of it at most; without a key a server keeps it in memory, and a command not
at all. Values of parameters and answers of databases are never kept.
`[history]` in config.toml says how much is kept, and for how long; a
connection can say less.";
