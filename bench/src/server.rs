//! How psql is told where the server is.

use std::process::Command;

use querybox_fixtures::Postgres;

/// psql without settings of anybody, logging in by a password in its environment.
pub(crate) fn as_psql<'c>(command: &'c mut Command, port: &str) -> &'c mut Command {
    command.env_clear().env("PATH", "/usr/bin:/bin").env("PGPASSWORD", Postgres::PASSWORD).args([
        "-X",
        "-q",
        "-h",
        Postgres::HOST,
        "-U",
        Postgres::USER,
        "-d",
        Postgres::DATABASE,
        "-p",
        port,
    ])
}
