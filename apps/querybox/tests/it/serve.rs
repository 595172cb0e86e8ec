//! `querybox serve`: how it starts, whom it lets in, and how it ends.

mod access;
mod audit;
mod commands;
mod descriptors;
mod downloads;
mod drafts;
mod endings;
mod history;
mod kills;
mod log;
mod numbers;
mod progress;
mod results;
pub(crate) mod server;
mod services;
mod sessions;
mod starts;
mod tls;
mod together;
