//! The folder that holds the groups of one launcher.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::{
    fs::{FlockOperation, flock},
    process::getpid,
};

use super::{
    Group,
    place::{Place, Version, enable_pids},
    remove, set,
};

const PREFIX: &str = "querybox-";

/// Names that are tried. Each dead process with this one's number may have left some that are not removable yet.
const NAMES_MAX: u32 = 10_000;

pub(super) struct Folder {
    version: Version,
    held: Arc<Held>,
    made: u64,
}

/// The folder itself, which goes with the last group in it.
pub(super) struct Held {
    pub(super) path: PathBuf,
    /// Nobody else removes it while this is open.
    _lock: File,
}

impl Folder {
    /// Removes what dead processes left, and makes the own one.
    pub(super) fn make(place: Place) -> io::Result<Self> {
        sweep(&place.path)?;
        let held = Held::make(&place.path)?;
        if place.version == Version::Two {
            set(&held.path, "cgroup.subtree_control", "+memory")?;
            enable_pids(&held.path);
        }
        Ok(Self { version: place.version, held: Arc::new(held), made: 0 })
    }

    pub(super) fn make_group(&mut self, memory_bytes_max: u64) -> io::Result<Group> {
        self.made += 1;
        Group::make(self.version, &self.held, self.made, memory_bytes_max)
    }
}

impl Held {
    fn make(place: &Path) -> io::Result<Self> {
        let pid = getpid().as_raw_nonzero();
        for number in 0..NAMES_MAX {
            let path = place.join(format!("{PREFIX}{pid}-{number}"));
            match fs::create_dir(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            }
            // Between these two somebody's sweep may take it for a dead one's, and have it locked while it removes it or be
            // done with that; then the next name is tried.
            match File::open(&path).and_then(|lock| lock_now(&lock).map(|()| lock)) {
                Ok(lock) if path.exists() => return Ok(Self { path, _lock: lock }),
                Ok(_) => {}
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::WouldBlock) => {
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("too many control groups were left behind"))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn lock_now(folder: &File) -> io::Result<()> {
    Ok(flock(folder, FlockOperation::NonBlockingLockExclusive)?)
}

/// Removes the folders of processes that are gone, which hold no lock any more. Their drivers went with them; a group with
/// a process in it cannot be removed, and stays for the next sweep.
fn sweep(place: &Path) -> io::Result<()> {
    for entry in fs::read_dir(place)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) || !entry.file_type()?.is_dir() {
            continue;
        }
        // It may go at any moment, by its owner's or by another's hand.
        let Ok(folder) = File::open(entry.path()) else { continue };
        if lock_now(&folder).is_err() {
            continue;
        }
        for group in fs::read_dir(entry.path()).into_iter().flatten().flatten() {
            if group.file_type().is_ok_and(|kind| kind.is_dir()) {
                remove(&group.path());
            }
        }
        remove(&entry.path());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_takes_what_no_living_launcher_holds() {
        let place = tempfile::tempdir().unwrap();
        let held = Held::make(place.path()).unwrap();
        let dead = place.path().join("querybox-1-0");
        fs::create_dir_all(dead.join("7")).unwrap();
        let foreign = place.path().join("user.slice");
        fs::create_dir(&foreign).unwrap();
        sweep(place.path()).unwrap();
        assert!(!dead.exists());
        assert!(held.path.exists() && foreign.exists());
        let next = Held::make(place.path()).unwrap();
        assert_ne!(next.path, held.path);
        drop(held);
        drop(next);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[test]
    fn launchers_that_begin_at_the_same_moment_all_have_their_folders() {
        let place = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        sweep(place.path()).unwrap();
                        drop(Held::make(place.path()).unwrap());
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }
}
