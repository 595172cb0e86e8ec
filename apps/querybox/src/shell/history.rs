//! What was typed before: in memory, or in a file when the user has asked for that by name.

use std::{
    fs::{OpenOptions, Permissions},
    io,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use reedline::FileBackedHistory;

use crate::failure::Failure;

/// Statements that are remembered.
const ENTRIES_MAX: usize = 5000;

/// Opens the history. `file`: where it is kept in the clear, readable by its owner alone; `None`: in memory, gone with the
/// shell.
pub(crate) fn open(file: Option<&Path>) -> Result<FileBackedHistory, Failure> {
    let opened = match file {
        None => FileBackedHistory::new(ENTRIES_MAX),
        Some(path) => {
            close_to_others(path).map_err(|error| Failure::keeping(path, &error))?;
            FileBackedHistory::with_file(ENTRIES_MAX, path.to_owned())
        }
    };
    opened.map_err(|error| Failure::machinery(format!("cannot open the history: {error}")))
}

/// Makes the file, and takes from one that is there what is open to others.
fn close_to_others(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::MetadataExt};

    use super::*;

    #[test]
    fn a_history_file_is_closed_to_others_whatever_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shell_history");
        let mode = || fs::metadata(&path).unwrap().mode() & 0o777;
        drop(open(Some(&path)).unwrap());
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        drop(open(Some(&path)).unwrap());
        assert_eq!(mode(), 0o600);
    }
}
