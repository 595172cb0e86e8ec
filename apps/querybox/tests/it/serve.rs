//! `querybox serve`: how it starts, whom it lets in, and how it ends.

mod access;
mod commands;
mod downloads;
mod drafts;
mod endings;
mod log;
mod numbers;
mod results;
mod server;
mod sessions;
mod starts;
