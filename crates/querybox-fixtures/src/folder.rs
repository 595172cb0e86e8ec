//! Folders of a given user, removed with the test.

use std::{
    fs, io,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::users::{User, is_root};

/// A temporary folder, removed when dropped. Its path has no symbolic link in it.
pub struct Folder {
    path: PathBuf,
    _removed: TempDir,
}

impl Folder {
    /// A folder of `owner` with this mode.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn make(owner: User, mode: u32) -> io::Result<Self> {
        let made = tempfile::Builder::new().prefix("querybox-test-").tempdir()?;
        let path = made.path().canonicalize()?;
        own(&path, owner, mode)?;
        Ok(Self { path, _removed: made })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a folder in it.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn add_folder(&self, name: &str, owner: User, mode: u32) -> io::Result<PathBuf> {
        let path = self.path.join(name);
        fs::create_dir(&path)?;
        own(&path, owner, mode)?;
        Ok(path)
    }

    /// Makes a file in it; `name` may lead into folders that were added.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn add_file(&self, name: &str, owner: User, mode: u32, content: &str) -> io::Result<PathBuf> {
        let path = self.path.join(name);
        fs::write(&path, content)?;
        own(&path, owner, mode)?;
        Ok(path)
    }
}

/// Copies a built program to where other users can execute it, and answers with the new path.
///
/// # Errors
///
/// What the system says.
pub fn copy_program(program: &Path, folder: &Path) -> io::Result<PathBuf> {
    let name = program.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let copy = folder.join(name);
    fs::copy(program, &copy)?;
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755))?;
    Ok(copy)
}

fn own(path: &Path, owner: User, mode: u32) -> io::Result<()> {
    if is_root() {
        chown(path, Some(owner.uid), Some(owner.gid))?;
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}
