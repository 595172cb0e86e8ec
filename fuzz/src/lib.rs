//! Hostile servers against the PostgreSQL driver: recorded sessions, bent in every way, and what must hold all the same.
//!
//! - [`case`]: what a server sends and what the user does meanwhile, as a text that brings a finding back.
//! - [`server`] plays the server of a case, [`meeting`] lets the driver meet it and holds what must hold.
//! - [`mutation`] bends cases; [`corpus`] keeps those that made the driver do something new.
//! - [`soak`]: hours of it, in a process of its own, under a memory limit and a watch. [`record`]: where the seeds come from.
//!
//! What is new is told from outside, by what the driver answers to the server and to the user: there is no `unsafe` here, and
//! so no look at its branches.
//!
//! Must not know: how the driver does what it does.

pub mod case;
pub mod corpus;
pub mod meeting;
pub mod mutation;
pub mod random;
pub mod record;
mod scram;
pub mod server;
pub mod soak;
