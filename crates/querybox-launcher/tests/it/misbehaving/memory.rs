//! How much memory this process, which stands for Core, uses at most.

use std::fs;

/// What a driver may make Core use: the windows of one connection, the message that is being read, and the allocator's ways.
const GROWTH_BYTES_MAX: u64 = 32 << 20;

/// The memory at one moment.
pub(crate) struct Mark {
    resident_bytes: u64,
}

impl Mark {
    /// Measures, and lets the kernel's high-water mark begin anew.
    pub(crate) fn set() -> Self {
        // 5 resets the peak: proc(5), clear_refs.
        fs::write("/proc/self/clear_refs", "5").unwrap();
        Self { resident_bytes: status("VmRSS:") }
    }

    #[track_caller]
    pub(crate) fn check(&self) {
        let grown = status("VmHWM:").saturating_sub(self.resident_bytes);
        assert!(grown <= GROWTH_BYTES_MAX, "Core's memory grew by {} KiB", grown >> 10);
    }
}

fn status(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() << 10
}

#[test]
fn the_mark_sees_what_was_used_and_freed_since() {
    let mark = Mark::set();
    mark.check();
    drop(std::hint::black_box(vec![1_u8; 64 << 20]));
    let seen = std::panic::catch_unwind(|| mark.check());
    assert!(seen.is_err());
}
