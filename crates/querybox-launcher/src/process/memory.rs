//! How much memory a process uses now.

use std::{fs, time::Duration};

use rustix::{param::page_size, process::Pid};

/// How long until the next look at a process that uses `resident_bytes` of `limit_bytes`. A machine fills a few gigabytes
/// a second: from below half of a limit of 512 MiB it cannot pass the limit unseen within the longer span, and above half
/// it is over by some ten megabytes when it is seen. A look takes about ten microseconds.
pub(super) fn next_look(resident_bytes: u64, limit_bytes: u64) -> Duration {
    if resident_bytes < limit_bytes / 2 { Duration::from_millis(50) } else { Duration::from_millis(5) }
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
    fn a_process_that_fills_memory_is_seen_to_do_so() {
        let own = rustix::process::getpid();
        let before = resident_bytes(own).unwrap();
        let memory = vec![1_u8; 64 << 20];
        let after = resident_bytes(own).unwrap();
        assert!(after >= before + (60 << 20), "{before} {after} {}", memory.len());
    }
}
