//! The services through their generated clients, in process, on the real Core, jail and SQLite driver.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test by panicking, as tests do")]

mod connections;
mod credentials;
mod failures;
mod house;
mod keys;
mod lease;
mod lease_endings;
mod leases;
mod plugins;
mod queries;
mod schemas;
