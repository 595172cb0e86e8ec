//! Arguments of `querybox query` and `querybox exec`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::{
    documents::{DocumentArg, DocumentArgs, FormatArg},
    values::{DeadlineArg, ParamArg},
};

/// Run SQL on a saved connection.
#[derive(Debug, Args)]
#[command(after_long_help = QUERY_HELP)]
pub(crate) struct QueryArgs {
    /// The connection's name; `querybox connections list` shows them.
    pub connection: String,
    /// One or more statements. Without it, and without -f, they are read from standard input.
    #[arg(conflicts_with = "file")]
    pub sql: Option<String>,
    /// Let a server keep the results, and print the id by which `querybox results` finds them. What runs goes on when this
    /// command has ended, which does not wait for it: exit code 0 says that a result is kept, also of what was rejected meanwhile.
    #[arg(long, conflicts_with_all = ["format", "output", "result", "copy_from"])]
    pub keep: bool,
    #[command(flatten)]
    pub run: RunArgs,
}

/// Run SQL with a driver directly, without saving a connection.
#[derive(Debug, Args)]
#[command(after_long_help = EXEC_HELP)]
pub(crate) struct ExecArgs {
    /// The driver's type, for instance `sqlite`; `querybox plugins list` shows them.
    pub driver: String,
    /// One or more statements. Without it, and without -f, they are read from standard input.
    #[arg(conflicts_with = "file")]
    pub sql: Option<String>,
    /// A parameter of the driver's form; `querybox plugins info DRIVER` shows them. Can be repeated.
    #[arg(long = "param", short = 'p', value_name = "NAME=VALUE")]
    pub params: Vec<ParamArg>,
    /// Let the database refuse every write.
    #[arg(long)]
    pub read_only: bool,
    #[command(flatten)]
    pub run: RunArgs,
}

/// How SQL is run, and what becomes of its results.
#[derive(Debug, Clone, Args)]
pub(crate) struct RunArgs {
    /// Read the SQL from a file in UTF-8; `-` is standard input.
    #[arg(long, short, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// How results look [default: table on a terminal, else by the ending of -o's file, else csv].
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<FormatArg>,
    /// Write results to a file; `-` is standard output. It appears, or is replaced, only when all was done.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Rows that each statement may return at most; reaching it is no failure.
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_rows: Option<u64>,
    /// Time that everything may take together: `30s`, `5m`, `none` [default: the connection's, else 30s].
    #[arg(long, value_name = "TIME")]
    pub deadline: Option<DeadlineArg>,
    /// A value for a parameter of the statement, `:name` or `$1`; the database gives it the parameter's type. Empty is the
    /// empty text. Only for one statement; can be repeated.
    #[arg(long = "bind", short = 'b', value_name = "NAME=VALUE")]
    pub binds: Vec<ParamArg>,
    /// NULL for a parameter of the statement. Can be repeated.
    #[arg(long = "bind-null", value_name = "NAME")]
    pub null_binds: Vec<String>,
    /// Write only this result of a script that returns several, counted from 1.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub result: Option<u64>,
    /// Give a file to the `COPY … FROM STDIN` among the statements, as it is; `-` is standard input. It is an error when there
    /// is none.
    #[arg(long, value_name = "FILE")]
    pub copy_from: Option<PathBuf>,
    /// Read a plain table, `select * from t` or `table t`, over so many connections at the same time, in one snapshot. Its
    /// rows then come in no order.
    #[arg(long, value_name = "CONNECTIONS", value_parser = clap::value_parser!(u32).range(1..=16))]
    pub parallel: Option<u32>,
    /// Run all statements in one transaction: all of them count, or none.
    #[arg(long)]
    pub single_transaction: bool,
    /// What follows a statement that the database rejects.
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = OnErrorArg::Stop)]
    pub on_error: OnErrorArg,
    #[command(flatten)]
    pub secret: SecretArgs,
    /// Tell the session's id, the server, the driver's process and more times, on standard error.
    #[arg(long, short)]
    pub verbose: bool,
    #[command(flatten)]
    pub document: DocumentArgs,
}

/// Where a password comes from that is kept nowhere.
#[derive(Debug, Clone, Args)]
pub(crate) struct SecretArgs {
    /// Read the password from the first line of standard input instead of asking for it.
    #[arg(long)]
    pub password_stdin: bool,
}

/// What follows a rejected statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnErrorArg {
    /// No later statement runs.
    Stop,
    /// The next statement runs.
    Continue,
}

impl RunArgs {
    /// The format, chosen or by where the data goes.
    pub(crate) fn format_of_output(&self, to_terminal: bool) -> FormatArg {
        self.format.unwrap_or_else(|| match &self.output {
            Some(path) => FormatArg::by_ending(path),
            None if to_terminal => FormatArg::Table,
            None => FormatArg::Document(DocumentArg::Csv),
        })
    }
}

const QUERY_HELP: &str = "\
Examples:
  querybox query sample 'select * from customers limit 10'
  querybox query sample -f report.sql -o report.csv
  echo 'select 1' | querybox query sample --format json
  querybox query sample --deadline none --max-rows 500 'select * from events'
  querybox query shop 'copy orders from stdin (format csv, header)' --copy-from orders.csv
  querybox query sample --bind country=DE 'select * from customers where country = :country'
  querybox query sample 'select * from orders' -o orders.parquet
  querybox query sample 'select * from orders' -o orders.csv --delimiter ';' --neutralize-formulas
  querybox query sample 'select * from products' --format sql --table shop.products
  querybox query sample 'select * from events' --keep

Output:
  Only data goes to standard output. Row counts, command tags, notices and
  errors go to standard error.
  Several results follow one another, parted by an empty line. What this
  machine cannot enforce on drivers is told once, and with --verbose.
  In tables NULL is a dim NULL, or ∅ without colors; a cell is cut, with …,
  only when the terminal is too narrow; control characters show as escapes
  such as \\n or \\x1b. CSV, TSV and JSON are exact.
  A cell of more than 16 MiB is cut, and a warning counts such cells. A table
  then counts as done; every other format ends with exit code 4, because a
  program would take the beginning for the whole.
  So it is with text in an encoding that the driver does not know, in place of
  which stand \\x and its bytes.
  Arrow, Parquet, workbooks and INSERT statements are of one result. Arrow and
  Parquet have the types that the driver sent; a value that its column's type
  does not hold (numeric NaN, a date beyond the range, an integer in a text
  column) is null there, and a warning counts them with exit code 4: a result
  that is kept (--keep, `results export`) is known to its end, and has such a
  column as text. A workbook shortens text of more than 32,767 characters, and begins
  another sheet when one is full. INSERT statements quote names, text and
  bytes as the database does that the rows are from.
  Binary formats are not written to a terminal.
  A file named by -o appears whole or not at all, with mode 0600 or that of
  the file it replaces. A symbolic link is followed; devices and FIFOs are
  written as they are. When the database rejects a statement the file stays as
  it was, unless --on-error continue asks for the rest.

Ctrl-C asks the database to stop and tells what it answered; a second one ends
everything at once. SIGTERM counts as Ctrl-C, and so does SIGHUP unless it is
ignored, as under nohup.

Exit codes:
  0    done (also when --max-rows was reached); with --keep: a result is kept,
       and `results show` and `results list` tell what came of it
  1    rejected by the database
  2    usage, unknown connection or driver, unreadable -f, unwritable -o, text
       that is not UTF-8
  3    the machinery failed: broken plugin, server out of reach, connection lost,
       disk full
  4    a limit or the deadline was reached, or a cell of another format than a
       table was cut, shortened, left null or undecodable
  130  cancelled
  141  the reader of standard output has gone";

const EXEC_HELP: &str = "\
Examples:
  querybox exec sqlite --param file=shop.db 'select * from products'
  querybox exec sqlite -p file=shop.db --read-only -f report.sql --format ndjson

Relative paths are taken from the current folder. For output, Ctrl-C and exit
codes see `querybox query --help`.";
