//! One driver's group.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::Arc,
    time::Duration,
};

use super::{folder::Held, number, place::Version, remove, set, set_if_present};
use crate::process::memory::MemoryKeeper;

/// Threads of a driver. Runtimes start one or two for each processor.
const THREADS_MAX: u32 = 1024;

/// The counters lag behind by the pages that processors keep in stock; and the kernel kills when the next piece does not
/// fit, which may be a huge page.
const LAG_BYTES: u64 = 16 << 20;

/// A process that was waited for may keep its group for a moment.
const REMOVAL_TRIES: u32 = 50;
const REMOVAL_PAUSE: Duration = Duration::from_millis(2);

/// The control group of one process, removed when dropped. Drop it when the process was waited for: a group that is in use
/// cannot be removed.
pub(crate) struct Group {
    version: Version,
    path: PathBuf,
    memory_bytes_max: u64,
    removed: bool,
    folder: Arc<Held>,
}

impl Group {
    pub(super) fn make(
        version: Version,
        folder: &Arc<Held>,
        number: u64,
        memory_bytes_max: u64,
    ) -> io::Result<Self> {
        let path = folder.path.join(number.to_string());
        fs::create_dir(&path)?;
        // From here on it is removed if a limit cannot be set.
        let group = Self { version, path, memory_bytes_max, removed: false, folder: Arc::clone(folder) };
        group.limit()?;
        Ok(group)
    }

    fn limit(&self) -> io::Result<()> {
        let Self { path, memory_bytes_max: max, .. } = self;
        match self.version {
            Version::One => {
                set(path, "memory.limit_in_bytes", max)?;
                // Without swap accounting: at the least, the kernel does not swap to get below the limit.
                set(path, "memory.swappiness", 0)?;
                // Second, for it may not be below the first.
                set_if_present(path, "memory.memsw.limit_in_bytes", max)?;
                // Inherited: somebody may want to handle it himself above.
                set(path, "memory.oom_control", 0)
            }
            Version::Two => {
                set(path, "memory.max", max)?;
                set_if_present(path, "memory.swap.max", 0)?;
                set_if_present(path, "memory.oom.group", 1)?;
                set_if_present(path, "pids.max", THREADS_MAX)
            }
        }
    }

    pub(crate) fn keeper(&self) -> MemoryKeeper {
        self.version.keeper()
    }

    /// Starts a process that is in the group before it reads its first byte.
    ///
    /// A move of a process waits until every processor was idle or switched tasks, ten milliseconds and more; a thread that
    /// moves itself does not. Version 1 lets a thread move alone, and its child is born where it is. What the thread
    /// itself uses meanwhile is counted where its process is.
    pub(crate) fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        match self.version {
            Version::One => {
                set(&self.path, "tasks", 0)?;
                let spawned = command.spawn();
                let home = self.folder.path.parent().unwrap_or(Path::new("/"));
                if let Err(error) = set(home, "tasks", 0) {
                    // The next start moves it on; until then one group cannot be removed.
                    tracing::warn!(%error, "the thread that starts drivers stays in a driver's control group");
                }
                spawned
            }
            Version::Two => {
                let mut child = command.spawn()?;
                if let Err(error) = set(&self.path, "cgroup.procs", child.id()) {
                    child.kill()?;
                    child.wait()?;
                    return Err(error);
                }
                Ok(child)
            }
        }
    }

    /// Kills whatever is in the group, where the kernel has a file for that.
    pub(crate) fn kill(&self) {
        if self.version == Version::Two {
            // Linux 5.14; the process is killed by its descriptor in any case.
            let _ = set(&self.path, "cgroup.kill", 1);
        }
    }

    /// The most that was used, if the kernel killed for this group's limit. A kill for the whole machine's want of memory
    /// is not counted.
    pub(crate) fn killed_at(&self) -> Option<u64> {
        let read = |file: &str| fs::read_to_string(self.path.join(file)).ok();
        let max = self.memory_bytes_max;
        match self.version {
            Version::One => {
                let peak_bytes = read("memory.max_usage_in_bytes")?.trim().parse::<u64>().ok()?;
                let killed = number(&read("memory.oom_control")?, "oom_kill")? > 0;
                (killed && peak_bytes.saturating_add(LAG_BYTES) >= max).then_some(peak_bytes)
            }
            Version::Two => {
                let events = read("memory.events")?;
                let killed = number(&events, "oom_kill")? > 0 && number(&events, "oom")? > 0;
                // Linux 5.19. The limit is what was reached in any case.
                let peak_bytes = read("memory.peak").and_then(|peak| peak.trim().parse().ok());
                killed.then(|| peak_bytes.unwrap_or(max))
            }
        }
    }

    /// Removes the group of a process that was waited for.
    pub(crate) async fn remove(mut self) {
        for _ in 0..REMOVAL_TRIES {
            match fs::remove_dir(&self.path) {
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                    tokio::time::sleep(REMOVAL_PAUSE).await;
                }
                // Any other failure is tried, and told, once more when this is dropped.
                other => {
                    self.removed = other.is_ok();
                    return;
                }
            }
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.removed {
            remove(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::cgroup::{folder::Folder, place::Place};

    /// Plain files in the place of the kernel's, for an interface that the machine may not have.
    struct FakeGroup {
        group: Group,
        _folder: Folder,
        place: tempfile::TempDir,
    }

    impl FakeGroup {
        fn new() -> Self {
            let place = tempfile::tempdir().unwrap();
            let path = place.path().to_owned();
            let mut folder = Folder::make(Place { version: Version::Two, path }).unwrap();
            Self { group: folder.make_group(512 << 20).unwrap(), _folder: folder, place }
        }

        fn read(&self, file: &str) -> String {
            fs::read_to_string(self.group.path.join(file)).unwrap()
        }

        fn write(&self, file: &str, text: &str) {
            fs::write(self.group.path.join(file), text).unwrap();
        }
    }

    #[test]
    fn a_group_of_version_two_has_its_limits_before_its_process() {
        let fake = FakeGroup::new();
        assert!(fake.group.path.starts_with(fake.place.path()));
        assert_eq!(fake.read("memory.max"), (512 << 20).to_string());
        assert_eq!(fake.read("memory.swap.max"), "0");
        assert_eq!(fake.read("memory.oom.group"), "1");
        assert_eq!(fake.read("pids.max"), "1024");
        assert_eq!(fake.read("../cgroup.subtree_control"), "+memory");
        let mut child = fake.group.spawn(&mut Command::new("/bin/true")).unwrap();
        assert_eq!(fake.read("cgroup.procs"), child.id().to_string());
        child.wait().unwrap();
        fake.group.kill();
        assert_eq!(fake.read("cgroup.kill"), "1");
    }

    #[test]
    fn only_a_kill_for_the_groups_own_limit_counts() {
        let fake = FakeGroup::new();
        assert_eq!(fake.group.killed_at(), None);
        fake.write("memory.events", "low 0\nhigh 0\nmax 31\noom 0\noom_kill 1\noom_group_kill 0\n");
        assert_eq!(fake.group.killed_at(), None);
        fake.write("memory.events", "low 0\nhigh 0\nmax 31\noom 2\noom_kill 1\noom_group_kill 1\n");
        assert_eq!(fake.group.killed_at(), Some(512 << 20));
        fake.write("memory.peak", "536866816\n");
        assert_eq!(fake.group.killed_at(), Some(536_866_816));
    }
}
