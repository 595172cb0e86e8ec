//! `querybox-driver-sqlite`: the executable.

use std::process::ExitCode;

use querybox_driver_sqlite::Sqlite;

fn main() -> ExitCode {
    querybox_plugin::serve_cli(Sqlite)
}
