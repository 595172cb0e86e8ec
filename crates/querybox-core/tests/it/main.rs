//! Core with its real launcher, jail and store, and the launcher's test driver, whose statements say how it behaves.
//!
//! What passes through the services as well is tested there, with the SQLite driver.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test by panicking, as tests do")]

mod cancels;
mod deadlines;
mod endings;
mod happenings;
mod house;
mod keyring;
mod leases;
mod plugins;
mod results;
