//! Processes that are started before somebody needs them.
//!
//! A spare is a driver that was confined and listens, and that nobody has spoken to: it has no credential and no session,
//! and is the same as one that is started now. It saves its user the time of a start.

mod memory;
mod pool;
mod shelf;

use std::{path::PathBuf, time::Duration};

pub(crate) use pool::Pool;

/// How many spares there may be, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpareLimits {
    /// Spares of one driver under one set of limits.
    pub per_driver: usize,
    /// Spares in all. Drivers that were started last have theirs first.
    pub total: usize,
    /// How long a spare waits before another takes its place, and how long a driver has spares when nobody starts it.
    pub age_max: Duration,
    /// With less memory than this to be had, there are no spares.
    pub available_memory_min_bytes: u64,
    /// Where the kernel tells how much there is to be had: `/proc/meminfo`.
    pub meminfo: PathBuf,
}

/// What became of spares since the launcher was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpareCounts {
    /// Those that wait now.
    pub ready: usize,
    /// Starts that took one.
    pub used: u64,
    /// Starts that could have taken one, and found none.
    pub missed: u64,
    /// Those that were given up: too old, too many, dead, of a file that changed, or for want of memory.
    pub dropped: u64,
}
