//! How much memory a driver causes, mapped or not.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use crate::groups::group_of;

/// The promise is to be gone before 600 MiB at a limit of 512.
const BEYOND_BYTES_MAX: u64 = (600 - 512) << 20;

/// A thread that looks at one process, and at its control group if it has one, again and again.
pub(crate) struct Held {
    stop: Arc<AtomicBool>,
    looking: thread::JoinHandle<u64>,
}

impl Held {
    pub(crate) fn watch(pid: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let group = group_of(pid);
        let looking = thread::spawn(move || {
            let mut most = 0;
            while !stopped.load(Ordering::Relaxed) {
                most = most.max(resident(pid)).max(group.as_ref().map_or(0, |group| counted(group)));
                thread::sleep(Duration::from_millis(1));
            }
            most
        });
        Self { stop, looking }
    }

    #[track_caller]
    pub(crate) fn check(self, limit_bytes: u64) {
        self.stop.store(true, Ordering::Relaxed);
        let most = self.looking.join().unwrap();
        assert!(most < limit_bytes + BEYOND_BYTES_MAX, "the driver held {} MiB", most >> 20);
    }
}

fn resident(pid: u32) -> u64 {
    let pages = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
    let resident = pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or_default();
    resident * rustix::param::page_size() as u64
}

fn counted(group: &Path) -> u64 {
    let read = |file| fs::read_to_string(group.join(file)).ok();
    let bytes = read("memory.usage_in_bytes").or_else(|| read("memory.current"));
    bytes.and_then(|bytes| bytes.trim().parse().ok()).unwrap_or_default()
}
