//! The command line: verbs, flags, and the help that people read.

pub(crate) mod connections;
pub(crate) mod credentials;
pub(crate) mod documents;
pub(crate) mod history;
pub(crate) mod keys;
pub(crate) mod query;
pub(crate) mod results;
pub(crate) mod serve;
pub(crate) mod sessions;
pub(crate) mod shell;
pub(crate) mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use querybox_contracts::plugin::v1::SchemaObjectKind;

use crate::{cli::query::SecretArgs, remote::ServerUrl};

/// A database client whose passwords never live longer than one session, and whose memory never depends on a result's size.
///
/// QueryBox runs every query in a driver process of its own, which is confined, gets what it needs for this one request, and
/// is gone when the request has ended.
#[derive(Debug, Parser)]
#[command(name = "querybox", version, propagate_version = true, after_long_help = HELP)]
pub(crate) struct Cli {
    /// Where connections and the sample database are kept [default: QueryBox's folder among the user's data].
    #[arg(
        long,
        global = true,
        env = "QUERYBOX_HOME",
        hide_env_values = true,
        value_name = "FOLDER",
        display_order = 1000
    )]
    pub home: Option<PathBuf>,
    /// Let the server at this address do it, in place of a Core of this command's own. Its token is taken from QUERYBOX_TOKEN,
    /// or for a server on this machine from the home that it serves.
    #[arg(
        long,
        global = true,
        env = "QUERYBOX_SERVER",
        hide_env_values = true,
        value_name = "URL",
        display_order = 1001
    )]
    pub server: Option<ServerUrl>,
    /// Trust a server at `https://…` whose certificate an authority of this file signed, in PEM, in place of those that browsers
    /// trust.
    #[arg(
        long,
        global = true,
        env = "QUERYBOX_CA",
        hide_env_values = true,
        value_name = "FILE",
        display_order = 1002
    )]
    pub ca: Option<PathBuf>,
    #[command(subcommand)]
    pub verb: Verb,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Query(query::QueryArgs),
    Exec(query::ExecArgs),
    Shell(shell::ShellArgs),
    /// Look at results that a server keeps, sort, filter and export them.
    #[command(subcommand)]
    Results(results::Verb),
    /// Look at what a server runs, stop it, or give it more time.
    #[command(subcommand)]
    Sessions(sessions::Verb),
    /// Look at what ran, search it, and forget it.
    #[command(subcommand)]
    History(history::Verb),
    /// Save, show, change and try connections.
    #[command(subcommand, visible_alias = "c")]
    Connections(connections::Verb),
    /// Keep the passwords of connections, and tell where they are.
    #[command(subcommand)]
    Credentials(credentials::Verb),
    /// Manage the master keys that passwords are sealed under.
    #[command(subcommand)]
    Keys(keys::Verb),
    /// Show the drivers that are there.
    #[command(subcommand)]
    Plugins(PluginsVerb),
    Schema(SchemaArgs),
    Serve(serve::ServeArgs),
    /// Print a new link to a server that runs, for a browser: good once, and for five minutes.
    Link,
    /// Print a completion script for a shell.
    ///
    /// For bash: `querybox completions bash > ~/.local/share/bash-completion/completions/querybox`.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// What is to be done with plugins.
#[derive(Debug, Subcommand)]
pub(crate) enum PluginsVerb {
    /// List every file of the plugin folders that can be executed, and why one is of no use.
    List {
        #[command(flatten)]
        json: JsonArg,
    },
    /// Tell what a driver says of itself, and the parameters that its connections have.
    Info {
        /// The driver's type, for instance `sqlite`.
        driver: String,
        #[command(flatten)]
        json: JsonArg,
    },
    /// Look at the plugin folders again, then list them.
    Rescan {
        #[command(flatten)]
        json: JsonArg,
    },
}

/// Show what a connection's database holds.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  querybox schema sample
  querybox schema sample --relation orders
  querybox schema sample --like '*order*'
  querybox schema sample --ddl > schema.sql
  querybox schema sample --kind role --kind database
  querybox schema sample --json | jq '.schemas[].relations[].name'")]
pub(crate) struct SchemaArgs {
    /// The connection's name.
    pub connection: String,
    /// Only this schema. Can be repeated.
    #[arg(long = "schema", value_name = "NAME")]
    pub schemas: Vec<String>,
    /// Only this table or view.
    #[arg(long, value_name = "NAME")]
    pub relation: Option<String>,
    /// Only what has a name like this: `*` stands for any text, `?` for one character; case does not matter.
    #[arg(long, value_name = "PATTERN")]
    pub like: Option<String>,
    /// Only objects of this kind. Can be repeated [default: all that the database itself holds].
    #[arg(long = "kind", value_name = "KIND")]
    pub kinds: Vec<KindArg>,
    /// Also what tables and indexes take on disk, which takes longer to find out.
    #[arg(long)]
    pub sizes: bool,
    /// Print the statements that make all of it again.
    #[arg(long, conflicts_with = "kinds")]
    pub ddl: bool,
    /// Also the database's own catalog.
    #[arg(long)]
    pub system: bool,
    #[command(flatten)]
    pub secret: SecretArgs,
    #[command(flatten)]
    pub json: JsonArg,
}

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KindArg {
    Schema,
    Relation,
    Column,
    Key,
    Index,
    Trigger,
    Policy,
    Sequence,
    Type,
    Routine,
    Extension,
    /// Roles of the server.
    Role,
    /// Databases of the server.
    Database,
}

impl KindArg {
    pub(crate) fn wire(self) -> SchemaObjectKind {
        match self {
            Self::Schema => SchemaObjectKind::Schema,
            Self::Relation => SchemaObjectKind::Relation,
            Self::Column => SchemaObjectKind::Column,
            Self::Key => SchemaObjectKind::Key,
            Self::Index => SchemaObjectKind::Index,
            Self::Trigger => SchemaObjectKind::Trigger,
            Self::Policy => SchemaObjectKind::Policy,
            Self::Sequence => SchemaObjectKind::Sequence,
            Self::Type => SchemaObjectKind::Type,
            Self::Routine => SchemaObjectKind::Routine,
            Self::Extension => SchemaObjectKind::Extension,
            Self::Role => SchemaObjectKind::Role,
            Self::Database => SchemaObjectKind::Database,
        }
    }
}

/// For programs instead of people.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct JsonArg {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

const HELP: &str = "\
Examples:
  querybox query sample 'select * from customers limit 10'
  querybox connections add shop sqlite:shop.db
  querybox schema shop
  querybox query shop -f report.sql -o report.csv

Drivers are looked for in `plugins` beside the program, in the folders that QUERYBOX_PLUGINS lists (parted by
colons), and in `plugins` in the home folder; the first driver of a type wins.

Settings are taken from the command line, then the environment, then config.toml in the home folder:
  deadline = \"30s\"        # for connections that do not say their own
  deadline_max = \"1h\"     # the longest that there is; `none` means it then [default: no longest]
  session_idle = \"10m\"    # a shell's session that is not used for so long ends
  plugins = [\"/opt/qb\"]   # more plugin folders, where QUERYBOX_PLUGINS is not set
  shell_history = \"plain\" # keep what is typed in the shell in a file, in the clear [default: \"memory\"]
  texts = \"plain\"         # keep drafts and statements in the clear [default: \"sealed\", in memory without a key]
  [serve]                 # how `querybox serve` serves, as its --help tells
  [history]               # what is kept of what ran
  keep = \"texts\"          # \"facts\": all but what was run; \"off\": nothing
  runs = 10000            # older ones make room
  age = \"90d\"             # older ones go

QUERYBOX_LOG=debug logs to standard error; NO_COLOR=1 turns colors off.

Exit codes: 0 done, 1 rejected by the database, 2 usage, 3 machinery, 4 limit or deadline, 130 cancelled,
141 the reader has gone. `querybox query --help` tells more.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
