//! A key in a file, which nobody else may read or replace.

use std::{
    fmt, fs, io,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
    time::Instant,
};

use querybox_vault::Secret;

use super::{
    Unusable,
    reading::{self, ReadError, TIME_MAX},
};
use crate::failure::describe;

/// Who sees to it that others cannot read the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    /// Its owner, who must be this user, by its mode.
    Owner,
    /// systemd, by the folder and by access lists, which show as bits of a group in the mode.
    ServiceManager,
}

/// Why a key file is of no use.
#[derive(Debug)]
pub(super) enum FileError {
    SymbolicLink,
    NoRegularFile,
    OtherOwner { uid: u32 },
    OpenToOthers { mode: u32 },
    System(io::Error),
    Read(ReadError),
}

impl FileError {
    pub(super) fn hint(&self) -> &'static str {
        match self {
            FileError::OpenToOthers { .. } => "close it to others: `chmod 600 FILE`",
            FileError::OtherOwner { .. } => {
                "a key file belongs to the user that QueryBox runs as: `chown` it"
            }
            FileError::SymbolicLink => "name the file itself",
            FileError::NoRegularFile | FileError::System(_) | FileError::Read(_) => "",
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileError::SymbolicLink => f.write_str("it is a symbolic link"),
            FileError::NoRegularFile => f.write_str("it is no regular file"),
            FileError::OtherOwner { uid } => write!(f, "it belongs to another user ({uid})"),
            FileError::OpenToOthers { mode } => {
                write!(f, "its mode is {mode:04o}, and only 0400 and 0600 keep others out")
            }
            FileError::System(error) => f.write_str(&describe(error)),
            FileError::Read(error) => error.fmt(f),
        }
    }
}

/// Whether there is something at this path, of whatever kind. What cannot be told is an error, since it may be a key.
pub(super) fn is_there(path: &Path) -> Result<bool, Unusable> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Unusable::new(
            format!("cannot see whether there is a master key at {}: {}", path.display(), describe(&error)),
            "",
        )),
    }
}

/// Reads a key file. What is checked is what was opened.
pub(super) fn read(path: &Path, guard: Guard) -> Result<Secret, FileError> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).expect("flags of open(2) are an int");
    // Without NONBLOCK a named pipe would be waited for before it could be refused.
    let file = fs::OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|error| {
        match rustix::io::Errno::from_io_error(&error) {
            Some(rustix::io::Errno::LOOP) => FileError::SymbolicLink,
            _ => FileError::System(error),
        }
    })?;
    let found = file.metadata().map_err(FileError::System)?;
    if !found.is_file() {
        return Err(FileError::NoRegularFile);
    }
    if guard == Guard::Owner {
        if found.uid() != rustix::process::geteuid().as_raw() {
            return Err(FileError::OtherOwner { uid: found.uid() });
        }
        let mode = found.mode() & 0o7777;
        if !matches!(mode, 0o400 | 0o600) {
            return Err(FileError::OpenToOthers { mode });
        }
    }
    reading::to_end(file, Instant::now() + TIME_MAX).map_err(FileError::Read)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    use super::*;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn with_key(mode: u32) -> Folder {
            let folder = Folder(tempfile::tempdir().unwrap());
            fs::write(folder.key(), "a key").unwrap();
            fs::set_permissions(folder.key(), fs::Permissions::from_mode(mode)).unwrap();
            folder
        }

        fn key(&self) -> std::path::PathBuf {
            self.0.path().join("key")
        }
    }

    #[test]
    fn a_file_that_only_its_owner_reads_is_taken() {
        for mode in [0o400, 0o600] {
            assert_eq!(read(&Folder::with_key(mode).key(), Guard::Owner).unwrap().expose(), b"a key");
        }
    }

    #[test]
    fn each_bit_for_others_is_refused() {
        for mode in [0o644, 0o640, 0o660, 0o604, 0o601, 0o700, 0o610, 0o4600, 0o200 | 0o440] {
            let error = read(&Folder::with_key(mode).key(), Guard::Owner).unwrap_err();
            assert!(matches!(error, FileError::OpenToOthers { mode: told } if told == mode), "{error}");
        }
        // systemd's access lists look like this.
        assert!(read(&Folder::with_key(0o440).key(), Guard::ServiceManager).is_ok());
    }

    #[test]
    fn a_file_of_another_user_is_refused() {
        if !querybox_fixtures::root_only("a_file_of_another_user_is_refused") {
            return;
        }
        let folder = Folder::with_key(0o600);
        chown(folder.key(), Some(12345), None).unwrap();
        let error = read(&folder.key(), Guard::Owner).unwrap_err();
        assert!(matches!(error, FileError::OtherOwner { uid: 12345 }), "{error}");
    }

    #[test]
    fn what_is_no_plain_file_is_refused() {
        let folder = Folder::with_key(0o600);
        let path = |name: &str| folder.0.path().join(name);
        symlink(folder.key(), path("link")).unwrap();
        assert!(matches!(read(&path("link"), Guard::Owner), Err(FileError::SymbolicLink)));
        assert!(matches!(read(folder.0.path(), Guard::Owner), Err(FileError::NoRegularFile)));
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, path("pipe"), mode).unwrap();
        assert!(matches!(read(&path("pipe"), Guard::Owner), Err(FileError::NoRegularFile)));
        assert!(matches!(read(&path("none"), Guard::Owner), Err(FileError::System(_))));
    }
}
