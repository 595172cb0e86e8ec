//! What QueryBox costs beside the floor and beside what people would use instead, and what it leaves behind.
//!
//! - [`frame`]: contenders run against each other, round by round; [`statistics`] is what it computes, [`report`] what it
//!   shows.
//! - [`session`]: the bench of small queries; [`stream`], [`first_row`] and [`cancel`] are those of large ones;
//!   [`export`] writes files, [`memory`] looks at what each process holds, [`catalog`] is that of many tables, [`results`]
//!   that of what Core keeps. [`suite`] has their names.
//! - [`soak`]: thousands of spawns and cancels, after which nothing may be left.
//!
//! A composition root, as apps are: it puts Core together for itself. Must not know: what any figure should be beyond the
//! goals that a bench names.

pub mod cancel;
pub mod catalog;
pub mod export;
pub mod first_row;
pub mod frame;
mod hops;
pub mod machine;
pub mod memory;
mod one_query;
mod own_program;
mod own_server;
pub mod peers;
mod process;
pub mod profile;
mod programs;
mod random;
pub mod report;
pub mod results;
mod server;
pub mod session;
mod site;
pub mod soak;
pub mod statistics;
pub mod stream;
pub mod suite;
mod tables;

pub use crate::{
    hops::{Hops, host, host_profiled, read},
    one_query::OneQuery,
    process::measure,
    programs::Programs,
    site::Site,
};
