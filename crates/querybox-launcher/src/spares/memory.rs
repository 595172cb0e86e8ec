//! Whether the machine has memory for processes that nobody needs yet.

use std::{fs, path::PathBuf};

/// What the machine's memory allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// More spares can be made.
    Ample,
    /// Those that are there can stay.
    Enough,
    /// There shall be none.
    Short,
}

/// Looks at how much memory there is to be had.
pub(super) struct Memory {
    pub(super) meminfo: PathBuf,
    pub(super) available_min_bytes: u64,
}

impl Memory {
    /// A machine that does not tell is one without room.
    pub(super) fn room(&self) -> Room {
        let told = fs::read_to_string(&self.meminfo).ok();
        match told.as_deref().and_then(available_bytes) {
            // Somewhat above the floor none is made, so that they do not come and go at it.
            Some(bytes) if bytes > self.available_min_bytes.saturating_add(self.available_min_bytes / 4) => {
                Room::Ample
            }
            Some(bytes) if bytes >= self.available_min_bytes => Room::Enough,
            Some(_) | None => Room::Short,
        }
    }
}

/// The kernel's estimate of what can be had without swapping, see proc_meminfo(5).
fn available_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes = line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_tells() {
        let meminfo = fs::read_to_string("/proc/meminfo").unwrap();
        assert!(available_bytes(&meminfo).unwrap() > 1 << 20);
    }

    #[test]
    fn room_is_judged_by_what_is_available() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory { meminfo: folder.path().join("meminfo"), available_min_bytes: 1000 << 10 };
        for (told, room) in [
            ("MemTotal:  9000 kB\nMemAvailable:    1251 kB\n", Room::Ample),
            ("MemAvailable: 1250 kB\n", Room::Enough),
            ("MemAvailable: 1000 kB\n", Room::Enough),
            ("MemFree: 9000 kB\nMemAvailable: 999 kB\n", Room::Short),
            ("MemAvailable: much\n", Room::Short),
            ("", Room::Short),
        ] {
            fs::write(&memory.meminfo, told).unwrap();
            assert_eq!(memory.room(), room, "{told}");
        }
        fs::remove_file(&memory.meminfo).unwrap();
        assert_eq!(memory.room(), Room::Short);
    }
}
