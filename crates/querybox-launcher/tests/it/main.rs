//! The launcher with real processes: the built jail, and drivers that behave in every way.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends here")]

mod big_cell;
mod calls;
mod cost;
mod detached;
mod groups;
mod house;
mod lives;
mod misbehaving;
mod probes;
mod residue;
mod spares;
mod threads;
