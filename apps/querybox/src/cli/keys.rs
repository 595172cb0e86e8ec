//! Arguments of `querybox keys`.

use clap::{Args, Subcommand};

use crate::cli::JsonArg;

/// What is to be done with master keys.
#[derive(Debug, Subcommand)]
#[command(after_long_help = KEYS_HELP)]
pub(crate) enum Verb {
    Init(InitArgs),
    /// Tell which keys are registered, what they are for, and whether the source gives them.
    Status {
        #[command(flatten)]
        json: JsonArg,
    },
    /// Register a second key, to rotate to: the one that the source gives and that is not registered, or a new one.
    Add,
    /// Seal every password anew under the first key of the source, and see that each opens.
    ///
    /// Safe to interrupt and to run again; safe while others use QueryBox.
    Rotate,
    /// Forget drafts, and statements of the history, that cannot be opened: those of a master key that is lost.
    ///
    /// What opens stays. Runs stay in the history, without their statements.
    ForgetTexts {
        /// They are really to be forgotten: should the key be found again, they are gone all the same.
        #[arg(long)]
        yes: bool,
    },
    /// Give up a key that nothing is sealed under, for ever.
    Retire {
        /// The key's id; `querybox keys status` shows them.
        key: String,
    },
}

/// Begin to seal passwords: register the master key of the configured source, or make one.
///
/// Without a source a new key is printed on standard output, once, for the secret manager that will keep it.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Make a key and keep it in a file beside the store. Whoever gets a copy of that folder can open every password.
    #[arg(long)]
    pub keep_on_disk: bool,
    /// Begin anew with this key, in place of those that are registered. Nothing may be sealed under any of them.
    #[arg(long)]
    pub replace_unused: bool,
}

const KEYS_HELP: &str = "\
A master key comes from the first of these that is configured:
  QUERYBOX_MASTER_KEY_FD       a descriptor that the caller opened
  a systemd credential         named querybox-master-key
  QUERYBOX_MASTER_KEY_FILE     a file that its owner alone can read
  QUERYBOX_MASTER_KEY_COMMAND  a command that prints it: pass, op, vault, gcloud, aws
  QUERYBOX_MASTER_KEY          the environment
  <home>/master.key            made by `querybox keys init --keep-on-disk`
It is 32 random bytes as base64 or as 64 hexadecimal digits; a line each for several keys, the primary first.

To rotate:
  querybox keys add        # makes a key; put it into the source as the first line
  querybox keys rotate
  querybox keys retire ID  # of the old key; then take it out of the source";
