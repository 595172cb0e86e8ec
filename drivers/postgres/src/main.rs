//! The executable of the PostgreSQL driver.

use std::process::ExitCode;

use querybox_driver_postgres::Postgres;

fn main() -> ExitCode {
    // Before anything else: rustls panics when it has to choose between two providers. An error says that there is one.
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    querybox_plugin::serve_cli(Postgres)
}
