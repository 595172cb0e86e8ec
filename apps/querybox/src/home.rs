//! The home folder: what QueryBox keeps for a user, closed to others.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use crate::failure::Failure;

/// A home folder that exists, with nothing in it open to others.
///
/// When the program runs as root, drivers run as an unprivileged user, who owns the sample in `files/`. The home is then
/// 0711, so that this one folder can be reached; everything else in it stays 0700 or 0600.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    path: PathBuf,
}

impl Home {
    /// Opens the folder, and makes it when it is not there.
    pub(crate) fn open(path: PathBuf) -> Result<Home, Failure> {
        let is_root = rustix::process::geteuid().is_root();
        make(&path, if is_root { 0o711 } else { 0o700 }).map_err(|error| Failure::keeping(&path, &error))?;
        let files = path.join("files");
        make(&files, 0o700).map_err(|error| Failure::keeping(&files, &error))?;
        Ok(Home { path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where connections are kept.
    pub(crate) fn store(&self) -> PathBuf {
        self.path.join("store.db")
    }

    /// What drivers said of themselves, for as long as their files stay as they are.
    pub(crate) fn drivers(&self) -> PathBuf {
        self.path.join("drivers.json")
    }

    /// Where databases of QueryBox's own making are kept.
    pub(crate) fn files(&self) -> PathBuf {
        self.path.join("files")
    }

    /// The master key, when an administrator has asked for one beside the store.
    pub(crate) fn master_key(&self) -> PathBuf {
        crate::keys::disk::path(&self.path)
    }

    /// The file of sentences that the user was told.
    pub(crate) fn told(&self) -> PathBuf {
        self.path.join("told")
    }

    /// The token of the server of this home, while it runs.
    pub(crate) fn token(&self) -> PathBuf {
        self.path.join("token")
    }

    /// The file that the server of this home holds locked.
    pub(crate) fn serve_lock(&self) -> PathBuf {
        crate::serve::lock_file(&self.path)
    }

    /// The file of what was typed in the shell, when the user wants one.
    pub(crate) fn shell_history(&self) -> PathBuf {
        self.path.join("shell_history")
    }

    /// The file that is locked while the sample is made, and not empty when it was.
    pub(crate) fn sample_mark(&self) -> PathBuf {
        self.path.join("sample.made")
    }
}

/// Makes a folder with a mode. One that is there loses what is open beyond the mode, unless it belongs to somebody else.
fn make(path: &Path, mode: u32) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    match fs::DirBuilder::new().mode(mode).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let found = fs::metadata(path)?;
            if !found.is_dir() {
                return Err(io::ErrorKind::NotADirectory.into());
            }
            if found.uid() != rustix::process::geteuid().as_raw() {
                return Ok(());
            }
        }
        Err(error) => return Err(error),
    }
    let found = fs::metadata(path)?.mode() & 0o7777;
    if found != mode {
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_home_is_closed_to_others_whatever_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/home");
        fs::create_dir_all(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        let home = Home::open(path.clone()).unwrap();
        let expected = if rustix::process::geteuid().is_root() { 0o711 } else { 0o700 };
        assert_eq!(mode(&path), expected);
        assert_eq!(mode(&home.files()), 0o700);
    }

    #[test]
    fn a_file_is_no_home() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let failure = Home::open(file.path().to_owned()).unwrap_err();
        assert_eq!(failure.exit.code(), 3);
        assert!(failure.message.ends_with("not a directory"), "{failure}");
    }
}
