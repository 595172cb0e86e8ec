//! How much memory a process uses now.

use std::{fs, time::Duration};

use rustix::{param::page_size, process::Pid};

/// Between two looks. A process that fills memory as fast as the machine can, a few gigabytes a second, is some hundred
/// megabytes over before it is seen; the limits of the kernel catch the plain ways of doing so at once.
pub(super) const LOOK_INTERVAL: Duration = Duration::from_millis(50);

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
