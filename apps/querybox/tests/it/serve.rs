//! `querybox serve`: how it starts, whom it lets in, and how it ends.

mod access;
mod commands;
mod downloads;
mod endings;
mod log;
mod results;
mod server;
mod starts;
