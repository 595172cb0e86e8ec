//! The services through their generated clients, in process, on the real Core, jail and drivers.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test by panicking, as tests do")]

mod connections;
mod credentials;
mod deadlines;
mod drafts;
mod events;
mod failures;
mod history;
mod house;
mod ids;
mod keys;
mod lease;
mod lease_endings;
mod leases;
mod plugins;
mod postgres;
mod queries;
mod results;
mod schemas;
mod scripts;
mod sessions;
mod slow_readers;
