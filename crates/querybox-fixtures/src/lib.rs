//! What tests of several crates need: where the built programs lie, and users and folders to run them as and in.
//!
//! For tests only. It must not know what any program does.

mod folder;
mod keyring;
mod postgres;
mod programs;
mod users;

pub use crate::{
    folder::{Folder, copy_program},
    keyring::{Keyring, KeyringState},
    postgres::{Certificate, Postgres, PostgresOptions},
    programs::{example, program},
    users::{User, is_root, ordinary_user, root_only, unprivileged},
};
