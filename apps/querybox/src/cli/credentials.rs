//! Arguments of `querybox credentials`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::{JsonArg, query::SecretArgs};

/// What is to be done with stored passwords.
#[derive(Debug, Subcommand)]
#[command(after_long_help = CREDENTIALS_HELP)]
pub(crate) enum Verb {
    /// Tell which passwords are stored, where, since when, and when they were used; and which places there are.
    Status {
        /// Of one connection [default: of all].
        connection: Option<String>,
        #[command(flatten)]
        json: JsonArg,
    },
    Set(SetArgs),
    /// Forget the stored password of a connection. The connection stays.
    Delete {
        /// The connection's name.
        connection: String,
        /// The secret field of the driver's form [default: all of them].
        #[arg(long, value_name = "NAME")]
        field: Option<String>,
    },
    /// Try a connection with its stored password, stage by stage.
    Test {
        /// The connection's name.
        connection: String,
    },
    Migrate(MigrateArgs),
}

/// Store the password of a connection, new or in place of another one.
#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// The connection's name.
    pub connection: String,
    /// The secret field of the driver's form [default: its password].
    #[arg(long, value_name = "NAME")]
    pub field: Option<String>,
    /// Where to keep it [default: where the connection says, else the keyring where there is one, else the vault].
    #[arg(long, value_enum)]
    pub keep: Option<StoreArg>,
    /// Take the whole content of a file, for instance of a private key.
    #[arg(long, value_name = "FILE", conflicts_with = "password_stdin")]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub secret: SecretArgs,
}

/// Move stored passwords to another place.
///
/// Each is copied, read back and compared before it is removed where it was. Run it again to go on where it stopped.
#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    /// Where to.
    #[arg(long, value_enum)]
    pub to: StoreArg,
    /// Of which connections [default: of all].
    pub connections: Vec<String>,
    /// Only tell what would be moved.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub json: JsonArg,
}

/// A place where passwords are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StoreArg {
    /// The keyring of the operating system.
    Keyring,
    /// QueryBox's own store, sealed under a master key.
    Vault,
}

const CREDENTIALS_HELP: &str = "\
Examples:
  querybox credentials status
  querybox credentials set orders --keep keyring
  pass show orders | querybox credentials set orders --password-stdin
  querybox credentials set orders --field sslkey --file client.key
  querybox credentials migrate --to vault --dry-run

A stored password is never shown. Queries use it without asking; for one run `--password-stdin` gives another one in its
place. docs/guide/credentials.md tells where passwords live and how master keys are provided.";
