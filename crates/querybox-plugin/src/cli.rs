//! The subcommands of a driver's executable.

use std::{io::Write as _, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::{Driver, exec, serve};

#[derive(Parser)]
#[command(about = "A QueryBox driver. QueryBox starts it; people use `info` and `exec`.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print what the driver says of itself, as JSON
    Info,
    /// Serve the plugin contract on the socket that QUERYBOX_SOCKET names
    Serve,
    /// Run one script without QueryBox and print its first result as an Arrow IPC stream
    Exec(exec::Exec),
}

/// The whole `main` of a driver: `info`, `serve` and `exec` for one [`Driver`].
///
/// Reads the arguments and, for `serve`, the environment variable `QUERYBOX_SOCKET`.
pub fn serve_cli<D: Driver>(driver: D) -> ExitCode {
    let result = match Cli::parse().command {
        Command::Info => print_info(&driver),
        Command::Serve => match std::env::var("QUERYBOX_SOCKET") {
            Ok(socket) => serve::serve(driver, &socket).map_err(|error| error.to_string()),
            Err(_) => {
                Err("QUERYBOX_SOCKET is not set: QueryBox starts drivers, people use `exec`".to_owned())
            }
        },
        Command::Exec(arguments) => exec::exec(&driver, arguments),
    };
    let code = match result {
        Ok(()) => 0,
        Err(message) => {
            // Nothing can be done when even this fails.
            writeln!(std::io::stderr(), "error: {message}").ok();
            1
        }
    };
    // Not a return from main: a database thread that is still busy must not hold the process up.
    std::process::exit(code)
}

fn print_info<D: Driver>(driver: &D) -> Result<(), String> {
    let json = serde_json::to_string_pretty(&driver.info()).map_err(|error| error.to_string())?;
    writeln!(std::io::stdout(), "{json}").map_err(|error| error.to_string())
}
