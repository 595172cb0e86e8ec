//! How a process is kept within its memory, and how much of it is resident now.

use std::{fmt, fs, time::Duration};

use rustix::{param::page_size, process::Pid};

/// What a launcher may use to keep its drivers within their memory. The kernel's data limit and the watch on the resident
/// set are there in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryControl {
    /// A control group for each driver, where this process may make control groups.
    Groups,
    /// No control groups.
    WatchAlone,
}

/// What keeps one driver within its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryKeeper {
    /// A control group of version 2: the kernel counts whatever the driver causes, files in memory included.
    GroupV2,
    /// A control group of version 1, which counts the same.
    GroupV1,
    /// The kernel's data limit for private memory, and a watch on the resident set for what is shared.
    Watch,
}

/// What was arranged for one process.
#[derive(Debug, Clone)]
pub(crate) struct MemoryArrangement {
    pub(crate) keeper: MemoryKeeper,
    /// For people: groups could be made when the launcher looked, but none could for this process. A machine that has none
    /// to give is no fault.
    pub(crate) fault: Option<String>,
}

impl fmt::Display for MemoryKeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GroupV2 => "memory by cgroup v2",
            Self::GroupV1 => "memory by cgroup v1",
            Self::Watch => "memory by data limit and watch",
        })
    }
}

/// A process with less than this has only just been executed, and what is seen is not yet the driver.
const FRESH_BYTES: u64 = 1 << 20;

/// How long until the next look at a process that uses `resident_bytes` of `limit_bytes`. A machine fills a few gigabytes
/// a second: from below half of a limit of 512 MiB it cannot pass the limit unseen within the longer span, and above half
/// it is over by some ten megabytes when it is seen. One that is fresh is looked at soon again, so that a short session
/// has a peak to tell. A look takes about ten microseconds.
pub(super) fn next_look(resident_bytes: u64, limit_bytes: u64) -> Duration {
    let is_calm = (FRESH_BYTES..limit_bytes / 2).contains(&resident_bytes);
    if is_calm { Duration::from_millis(50) } else { Duration::from_millis(5) }
}

/// The resident set in bytes: private, shared and file pages. None when the process is gone.
pub(super) fn resident_bytes(pid: Pid) -> Option<u64> {
    let pages = fs::read_to_string(format!("/proc/{}/statm", pid.as_raw_nonzero())).ok()?;
    let resident = pages.split(' ').nth(1)?.parse::<u64>().ok()?;
    Some(resident * page_size() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_and_full_processes_are_looked_at_often() {
        let limit = 512 << 20;
        let check = |resident_bytes: u64, milliseconds: u64| {
            assert_eq!(next_look(resident_bytes, limit), Duration::from_millis(milliseconds));
        };
        check(0, 5);
        check(4096, 5);
        check(1 << 20, 50);
        check((256 << 20) - 1, 50);
        check(256 << 20, 5);
    }

    #[test]
    fn a_process_that_fills_memory_is_seen_to_do_so() {
        let own = rustix::process::getpid();
        let before = resident_bytes(own).unwrap();
        let memory = vec![1_u8; 64 << 20];
        let after = resident_bytes(own).unwrap();
        assert!(after >= before + (60 << 20), "{before} {after} {}", memory.len());
    }
}
