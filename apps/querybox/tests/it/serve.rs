//! `querybox serve`: how it starts, whom it lets in, and how it ends.

mod access;
mod commands;
mod endings;
mod log;
mod server;
mod starts;
