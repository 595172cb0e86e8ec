//! Arguments of `querybox shell`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::{
    documents::FormatArg,
    query::{OnErrorArg, SecretArgs},
    values::DeadlineArg,
};

/// Work with a saved connection, statement by statement, in one session.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(crate) struct ShellArgs {
    /// The connection's name; `querybox connections list` shows them.
    pub connection: String,
    /// Run the statements of a file instead of asking for them.
    #[arg(long, short, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// How results look [default: table on a terminal, else csv].
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<FormatArg>,
    /// Rows that each statement may return at most; reaching it is no failure.
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_rows: Option<u64>,
    /// Time that each entry may take: `30s`, `5m`, `none` [default: the connection's, else 30s].
    #[arg(long, value_name = "TIME")]
    pub deadline: Option<DeadlineArg>,
    /// What follows a statement of a script that the database rejects.
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = OnErrorArg::Stop)]
    pub on_error: OnErrorArg,
    /// Keep what is typed, in the clear, in the file shell_history of the home folder.
    #[arg(long)]
    pub plain_history: bool,
    #[command(flatten)]
    pub secret: SecretArgs,
    /// Tell the session's id, the server, the driver's process and more times, on standard error.
    #[arg(long, short)]
    pub verbose: bool,
}

pub(crate) const HELP: &str = "\
Examples:
  querybox shell sample
  querybox shell sample -f migration.sql
  generate-sql | querybox shell shop --on-error continue

The session is held until you leave: transactions, temporary tables and settings last from one statement to the
next. It ends by itself when it is not used for 10 minutes.

At the prompt:
  Enter runs what ends with a semicolon, and begins a new line else. Tab completes tables, columns and keywords.
  Ctrl-C stops the statement that runs and leaves the session; at the prompt it drops what is typed. Ctrl-D leaves.
  The prompt shows the transaction: `shop=>` none, `shop=*>` open, `shop=!>` failed, so that only ROLLBACK helps.
  What the session is notified of, after LISTEN, shows there; when more comes at once than can be kept, the shell
  says how many it missed. A script shows none of it.
  When the session is lost nothing is sent again by itself: the next statement opens a new session.

Commands:
  \\copy TABLE from 'FILE' [OPTIONS]
                    give a file of this machine to a table
  \\d [NAME]         list tables and views, or describe one
  \\dt               list tables
  \\e                edit the last statement with $VISUAL or $EDITOR, then run it
  \\i FILE           run the statements of a file
  \\refresh          read the names that Tab completes again
  \\timing [on|off]  show how long statements take, or not
  \\x [on|off]       show rows one column a line, or not
  \\q                leave
  \\?                show the commands

What is typed is remembered in memory only, unless --plain-history, or shell_history = \"plain\" in config.toml,
keeps it in a file; a line that begins with a space is never remembered. No statement goes into the file that
may hold a password: one with such a word, and something in quotes.

Without a terminal, statements and commands are read from standard input and run one after another without prompts.
With --password-stdin the first line is the password. A script that ends inside a transaction is rolled back, which
counts as rejected. Exit codes are those of `querybox query --help`.";
