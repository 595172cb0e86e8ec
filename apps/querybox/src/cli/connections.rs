//! Arguments of `querybox connections`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::{
    JsonArg,
    credentials::StoreArg,
    query::SecretArgs,
    values::{DeadlineArg, DeadlineChange, LimitArg, ParamArg},
};

/// What is to be done with connections.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Add(Box<AddArgs>),
    /// List connections by folder and name.
    List {
        #[command(flatten)]
        json: JsonArg,
    },
    /// Show what is saved of a connection.
    Show {
        /// Its name.
        name: String,
        #[command(flatten)]
        json: JsonArg,
    },
    Edit(Box<EditArgs>),
    Import(ImportArgs),
    /// Save a copy under another name.
    Duplicate {
        /// The connection's name.
        name: String,
        /// The copy's name.
        copy: String,
    },
    /// Forget connections and their stored passwords. Their databases are not touched.
    Remove {
        /// Their names.
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Try a connection, stage by stage.
    Test {
        /// Its name.
        name: String,
        #[command(flatten)]
        secret: SecretArgs,
    },
    /// Print connections as a document that can be kept. Passwords are never in it.
    Export {
        /// Their names [default: all].
        names: Vec<String>,
        /// The document's form.
        #[arg(long, value_enum, default_value_t = ExportFormat::Toml)]
        format: ExportFormat,
    },
}

/// Save a connection.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  querybox connections add shop sqlite:shop.db
  querybox connections add shop --driver sqlite --param file=shop.db --read-only
  querybox connections add orders postgres://ada@db.example.org/shop --color red --deadline 5m
  querybox connections add orders 'host=db.example.org dbname=shop user=ada'
  pass show orders | querybox connections add orders postgres://ada@db.example.org/shop --password-stdin

A URL has no password in it: QueryBox asks for it when it is needed, or keeps it where --keep says. Relative paths are taken from the current folder.")]
pub(crate) struct AddArgs {
    /// The connection's name.
    pub name: String,
    /// What it leads to, as a URL, or as keywords such as `host=db dbname=shop`.
    #[arg(required_unless_present = "driver", conflicts_with = "driver")]
    pub url: Option<String>,
    /// The driver's type, for instance `sqlite`, instead of a URL.
    #[arg(long, value_name = "TYPE")]
    pub driver: Option<String>,
    /// A parameter of the driver's form; `querybox plugins info TYPE` shows them. Can be repeated.
    #[arg(long = "param", short = 'p', value_name = "NAME=VALUE")]
    pub params: Vec<ParamArg>,
    /// Where it stands in the list, for instance `work/eu`.
    #[arg(long)]
    pub folder: Option<String>,
    /// The color of its environment.
    #[arg(long, value_enum)]
    pub color: Option<ColorArg>,
    /// Let the database refuse every write.
    #[arg(long)]
    pub read_only: bool,
    /// Time that a request may take: `30s`, `5m`, `none`.
    #[arg(long, value_name = "TIME")]
    pub deadline: Option<DeadlineArg>,
    /// Rows that a statement may return, or `none`.
    #[arg(long, value_name = "ROWS")]
    pub max_rows: Option<LimitArg>,
    /// Bytes that a statement may return, or `none`.
    #[arg(long, value_name = "BYTES")]
    pub max_bytes: Option<LimitArg>,
    /// SQL that runs when a session opens.
    #[arg(long, value_name = "SQL")]
    pub startup_sql: Option<String>,
    /// The schema that unqualified names are looked up in.
    #[arg(long, value_name = "NAME")]
    pub default_schema: Option<String>,
    /// Where its password is kept [default: with --password-stdin the keyring where there is one, else the vault where there
    /// is a master key; else ask, where the driver has a password].
    #[arg(long, alias = "secret", value_enum)]
    pub keep: Option<KeepArg>,
    /// Whose its password is [default: shared].
    #[arg(long, value_enum, value_name = "WHOSE")]
    pub secret_scope: Option<ScopeArg>,
    /// How much of its runs the history has [default: texts].
    #[arg(long, value_enum, value_name = "WHAT")]
    pub history: Option<HistoryArg>,
    /// Read the password that is to be kept from the first line of standard input instead of asking for it.
    #[arg(long)]
    pub password_stdin: bool,
}

/// Change a connection. What is not named stays as it is.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  querybox connections edit shop --name 'shop (old)' --color amber
  querybox connections edit shop --param file=/data/shop.db --read-only false
  querybox connections edit shop --folder '' --deadline default
  querybox connections edit shop --keep keyring

A connection that leads elsewhere than before, by another host, port, user, file or TLS setting, loses its stored password.")]
pub(crate) struct EditArgs {
    /// The connection's name.
    pub connection: String,
    /// Its new name.
    #[arg(long)]
    pub name: Option<String>,
    /// A parameter to set. Can be repeated.
    #[arg(long = "param", short = 'p', value_name = "NAME=VALUE")]
    pub params: Vec<ParamArg>,
    /// A parameter to leave out from now on. Can be repeated.
    #[arg(long = "unset-param", value_name = "NAME")]
    pub unset_params: Vec<String>,
    /// Where it stands in the list; empty: at the top.
    #[arg(long)]
    pub folder: Option<String>,
    /// The color of its environment.
    #[arg(long, value_enum)]
    pub color: Option<ColorArg>,
    /// Whether the database refuses every write.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub read_only: Option<bool>,
    /// Time that a request may take: `30s`, `5m`, `none`, or `default`.
    #[arg(long, value_name = "TIME")]
    pub deadline: Option<DeadlineChange>,
    /// Rows that a statement may return, or `none`.
    #[arg(long, value_name = "ROWS")]
    pub max_rows: Option<LimitArg>,
    /// Bytes that a statement may return, or `none`.
    #[arg(long, value_name = "BYTES")]
    pub max_bytes: Option<LimitArg>,
    /// SQL that runs when a session opens; empty: none.
    #[arg(long, value_name = "SQL")]
    pub startup_sql: Option<String>,
    /// The schema that unqualified names are looked up in; empty: the database's own.
    #[arg(long, value_name = "NAME")]
    pub default_schema: Option<String>,
    /// Where its password is kept from now on. With keyring or vault it is asked for, unless it is there.
    #[arg(long, alias = "secret", value_enum)]
    pub keep: Option<KeepArg>,
    /// Whose its password is.
    #[arg(long, value_enum, value_name = "WHOSE")]
    pub secret_scope: Option<ScopeArg>,
    /// How much of its runs the history has.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub history: Option<HistoryArg>,
    /// Read a new password from the first line of standard input.
    #[arg(long)]
    pub password_stdin: bool,
}

/// How much of a connection's runs the history has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum HistoryArg {
    /// What was run, too.
    Texts,
    /// That they ran and how they ended.
    Facts,
    /// Nothing.
    Off,
}

/// The color of an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorArg {
    /// None.
    None,
    /// For development.
    Green,
    /// For staging.
    Amber,
    /// For production.
    Red,
}

/// Where a password is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeepArg {
    /// The keyring of the operating system.
    Keyring,
    /// QueryBox's own store, sealed under a master key.
    Vault,
    /// Asked for at each use, kept nowhere.
    Ask,
    /// The database asks for none.
    None,
}

impl KeepArg {
    /// Where the password is stored. `None`: nowhere.
    pub(crate) fn store(self) -> Option<StoreArg> {
        match self {
            KeepArg::Keyring => Some(StoreArg::Keyring),
            KeepArg::Vault => Some(StoreArg::Vault),
            KeepArg::Ask | KeepArg::None => None,
        }
    }
}

/// Whose a password is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScopeArg {
    /// One for all who may use the connection.
    Shared,
    /// Each user has their own.
    EachUser,
}

/// Take connections over from files of other programs.
///
/// Passwords in them go straight to where they are kept, and are never shown.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  querybox connections import ~/.pgpass --keep keyring
  querybox connections import ~/.pg_service.conf --dry-run
  querybox connections import urls.txt --format urls --keep vault

A .pgpass line is HOST:PORT:DATABASE:USER:PASSWORD; lines with a * other than for the database are skipped. A file of URLs
has one a line; empty lines and lines that begin with # do not count. A connection that is there already is left alone, but
for a password that it lacks; an import that was interrupted is run again.")]
pub(crate) struct ImportArgs {
    /// The files.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// What they are [default: by their names].
    #[arg(long, value_enum)]
    pub format: Option<ImportFormat>,
    /// Where passwords are kept [default: the keyring where there is one, else the vault where there is a master key].
    #[arg(long, value_enum)]
    pub keep: Option<KeepArg>,
    /// The folder of the connections, for instance `work/eu`.
    #[arg(long)]
    pub folder: Option<String>,
    /// Only tell what would be imported.
    #[arg(long)]
    pub dry_run: bool,
}

/// What an import reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportFormat {
    /// PostgreSQL's password file.
    Pgpass,
    /// PostgreSQL's connection service file.
    Service,
    /// One URL a line.
    Urls,
}

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    Toml,
    Json,
}
