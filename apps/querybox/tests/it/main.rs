//! The built program with real drivers, as people and scripts meet it.

#![expect(clippy::unwrap_used, reason = "in tests, helpers included, a failure is a panic")]

mod bad_inputs;
mod clients;
mod connections;
mod credentials;
mod endings;
mod first_run;
mod formats;
mod history;
mod house;
mod key_command;
mod limits;
mod master_key;
mod outputs;
mod postgres;
mod serve;
mod shell;
mod shell_postgres;
mod shell_terminal;
mod terminal;
mod vault;
