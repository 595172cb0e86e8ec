//! The QueryBox driver for SQLite.
//!
//! A session is one connection on one thread of its own (`worker`); scripts and requests for the schema reach it as
//! commands and tell their results from there. Types are per value, as SQLite's are: a column's kind is chosen once
//! (`columns`), and a value of another storage class is noted exactly (`cell`).
//!
//! Must not know: Core, how a value looks on a screen.

mod bindings;
mod cell;
mod columns;
mod driver;
mod execute;
mod grant;
mod info;
mod interrupt;
mod keywords;
mod lexer;
mod open;
mod rejection;
mod result_code;
mod rows;
mod schema;
mod script;
mod worker;

pub use driver::Sqlite;
