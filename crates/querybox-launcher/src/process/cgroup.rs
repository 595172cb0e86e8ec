//! Control groups, one for each driver: the kernel counts all memory that a process causes, mapped or not, and kills it
//! at its limit.
//!
//! Everything here runs on the thread that starts processes, but for what a [`Group`] itself does. Groups lie in one
//! folder for each launcher, which lies in the group of this process:
//!
//! ```text
//! <group of this process>/querybox-<process id>-<number>/<number of the driver>
//! ```
//!
//! The folder is locked for as long as its launcher lives. A launcher that is about to make its own removes those that
//! nobody holds locked: their process died without a shutdown, and its drivers with it.

mod folder;
mod group;
mod place;

use std::{io, path::Path};

use tracing::{debug, warn};

pub(crate) use self::group::Group;
use self::{
    folder::Folder,
    place::{Place, Version},
};
use crate::process::memory::{MemoryControl, MemoryKeeper};

/// Makes the groups of one launcher. Looks for a place when the first one is wanted: many a launcher starts nothing.
pub(crate) struct Groups {
    state: State,
}

enum State {
    Unseen,
    Ready(Folder),
    /// For the rest of this launcher's life.
    Without,
}

impl Groups {
    pub(crate) fn new(control: MemoryControl) -> Self {
        let state = match control {
            MemoryControl::Groups => State::Unseen,
            MemoryControl::WatchAlone => State::Without,
        };
        Self { state }
    }

    /// A group with this limit. None: this machine, or whoever configured the launcher, gives none.
    ///
    /// # Errors
    ///
    /// There is a place for groups, and yet this one could not be made.
    pub(crate) fn make(&mut self, memory_bytes_max: u64) -> io::Result<Option<Group>> {
        if let State::Unseen = self.state {
            self.state = match Place::find().and_then(|place| Folder::make(place).map_err(Into::into)) {
                Ok(folder) => State::Ready(folder),
                Err(reason) => {
                    debug!(%reason, "no control groups: memory is kept by data limit and watch");
                    State::Without
                }
            };
        }
        match &mut self.state {
            State::Ready(folder) => folder.make_group(memory_bytes_max).map(Some),
            State::Unseen | State::Without => Ok(None),
        }
    }

    /// Removes the folder, once the groups in it are gone.
    pub(crate) fn close(&mut self) {
        self.state = State::Without;
    }
}

impl Version {
    fn keeper(self) -> MemoryKeeper {
        match self {
            Self::One => MemoryKeeper::GroupV1,
            Self::Two => MemoryKeeper::GroupV2,
        }
    }
}

/// Sets one of the kernel's files.
fn set(folder: &Path, file: &str, value: impl ToString) -> io::Result<()> {
    let path = folder.join(file);
    std::fs::write(&path, value.to_string())
        .map_err(|error| io::Error::new(error.kind(), format!("writing {}: {error}", path.display())))
}

/// Sets a file that older kernels, or some configurations, do not have. A new file cannot be made there.
fn set_if_present(folder: &Path, file: &str, value: impl ToString) -> io::Result<()> {
    match set(folder, file, value) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => {
            Ok(())
        }
        other => other,
    }
}

/// The number in a line `key number`.
fn number(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok())
}

fn remove(folder: &Path) -> bool {
    match std::fs::remove_dir(folder) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => {
            warn!(folder = %folder.display(), %error, "a control group is left; a later start removes it");
            false
        }
    }
}
