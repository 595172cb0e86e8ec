//! What is asked for when a driver is started.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use querybox_jail::{Limits, Pin};
use tokio::time::Instant;

/// One driver process to be started.
#[derive(Debug, Clone)]
pub struct StartOrder {
    /// What is executed.
    pub driver: DriverFile,
    /// The database's file, for a driver that needs one.
    pub grant: Option<FileGrant>,
    /// What the process may use up. Without a grant it may write to no file, whatever stands here.
    pub limits: Limits,
    /// When the process must be gone. None: it is ended by its holder, who looks at the time himself.
    pub deadline: Option<Deadline>,
}

/// An executable in a certain state: what was probed is what is started.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DriverFile {
    path: PathBuf,
    pin: Pin,
}

impl DriverFile {
    /// Takes the file as it is now.
    ///
    /// # Errors
    ///
    /// What the system says, or that it is no regular file.
    pub fn look_at(path: &Path) -> io::Result<Self> {
        let path = path.canonicalize()?;
        let metadata = fs::metadata(&path)?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok(Self { pin: Pin::of(&metadata), path })
    }

    /// Where it lies: absolute, without links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The state that it was in.
    pub fn pin(&self) -> Pin {
        self.pin
    }
}

/// The database's file, by a path that is absolute and has no link in it.
///
/// Give the driver [`FileGrant::path`] and not what the user typed: below a closed folder only that path leads anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileGrant {
    path: PathBuf,
}

impl FileGrant {
    /// Resolves the path of a file that exists, or that can be made in a folder that exists.
    ///
    /// # Errors
    ///
    /// What the system says, or that the path names no file.
    pub fn resolve(path: &Path) -> io::Result<Self> {
        match path.canonicalize() {
            // A pipe would hang whoever opens it, and a device is no file of a database.
            Ok(path) if !fs::metadata(&path)?.is_file() => {
                Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
            }
            Ok(path) => Ok(Self { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => {
                let absolute = std::path::absolute(path)?;
                let (Some(folder), Some(name)) = (absolute.parent(), absolute.file_name()) else {
                    return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"));
                };
                Ok(Self { path: folder.canonicalize()?.join(name) })
            }
            Err(error) => Err(error),
        }
    }

    /// The path under which the driver finds the file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A moment, and the span that people set it by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    /// The moment.
    pub at: Instant,
    /// What it is called when it passes: "a deadline of 30 s".
    pub limit: Duration,
}

impl Deadline {
    /// The deadline that lies `limit` from now.
    pub fn after(limit: Duration) -> Self {
        Self { at: Instant::now() + limit, limit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_the_path_without_links_whether_the_file_exists_or_not() {
        let home = tempfile::tempdir().unwrap();
        let real = home.path().canonicalize().unwrap().join("real");
        let link = home.path().join("link");
        fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert_eq!(FileGrant::resolve(&link.join("new.db")).unwrap().path(), real.join("new.db"));
        fs::write(real.join("old.db"), "").unwrap();
        assert_eq!(FileGrant::resolve(&link.join("old.db")).unwrap().path(), real.join("old.db"));
    }

    #[test]
    fn a_grant_needs_its_folder_and_no_dangling_link() {
        let home = tempfile::tempdir().unwrap();
        let missing = FileGrant::resolve(&home.path().join("absent/new.db")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        let dangling = home.path().join("dangling.db");
        std::os::unix::fs::symlink("/nowhere/shop.db", &dangling).unwrap();
        assert!(FileGrant::resolve(&dangling).is_err());
    }

    #[test]
    fn a_grant_is_a_regular_file() {
        for path in ["/dev/zero", "/proc/self"] {
            let refused = FileGrant::resolve(Path::new(path)).unwrap_err();
            assert_eq!(refused.to_string(), "not a regular file", "{path}");
        }
    }

    #[test]
    fn a_folder_is_no_driver() {
        let home = tempfile::tempdir().unwrap();
        assert!(DriverFile::look_at(home.path()).is_err());
    }
}
