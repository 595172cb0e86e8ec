//! The file that lines are added to: the owner's alone, bounded, with one older one beside it.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;

/// When it would grow beyond this, it takes the place of the older one, and a new one begins.
const BYTES_MAX: u64 = 64 << 20;

/// A file of lines, none of which is there in part.
#[derive(Debug)]
pub(super) struct AuditFile {
    path: PathBuf,
    file: File,
    bytes_max: u64,
    /// The last line was written.
    is_whole: bool,
}

impl AuditFile {
    /// Opens a file, new or with what it has.
    ///
    /// # Errors
    ///
    /// It cannot be opened, is no file of this user's, or others may read it.
    pub(super) fn open(path: PathBuf) -> io::Result<AuditFile> {
        AuditFile::bounded(path, BYTES_MAX)
    }

    fn bounded(path: PathBuf, bytes_max: u64) -> io::Result<AuditFile> {
        let file = open(&path)?;
        Ok(AuditFile { path, file, bytes_max, is_whole: true })
    }

    /// Whether the last line was written.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Adds a line, or some, with their line feeds.
    ///
    /// # Errors
    ///
    /// It was not written, and nothing of it is there.
    pub(super) fn append(&mut self, line: &str) -> io::Result<()> {
        let added = self.try_append(line);
        self.is_whole = added.is_ok();
        added
    }

    fn try_append(&mut self, line: &str) -> io::Result<()> {
        // Asked each time: whoever needs room may have cut it.
        let mut bytes = self.file.metadata()?.len();
        if bytes > 0 && bytes + line.len() as u64 > self.bytes_max {
            match fs::rename(&self.path, older(&self.path)) {
                // Somebody took it away already.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
            self.file = open(&self.path)?;
            bytes = self.file.metadata()?.len();
        }
        if let Err(error) = self.file.write_all(line.as_bytes()) {
            // A disk that is full may have taken the beginning.
            self.file.set_len(bytes)?;
            return Err(error);
        }
        Ok(())
    }

    /// Sees what was written to the disk.
    pub(super) fn sync(&self) {
        // The lines are written; that a power cut may take the last of them is not worth an error at the end.
        let _ = self.file.sync_data();
    }
}

fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed())
        .open(path)?;
    let metadata = file.metadata()?;
    let refused = |why: &str| Err(io::Error::other(why.to_owned()));
    if !metadata.is_file() {
        return refused("it is no file");
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return refused("it belongs to another user");
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        return refused("others may read it; `chmod 600` makes it yours alone");
    }
    Ok(file)
}

/// Where the older file lies.
fn older(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".1");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_its_owners_alone_and_goes_on_where_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit");
        AuditFile::open(path.clone()).unwrap().append("one\n").unwrap();
        AuditFile::open(path.clone()).unwrap().append("two\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(AuditFile::open(path).is_err_and(|error| error.to_string().contains("chmod 600")));
        assert!(AuditFile::open(folder.path().to_owned()).is_err());
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit");
        fs::write(folder.path().join("other"), "").unwrap();
        std::os::unix::fs::symlink("other", &path).unwrap();
        assert!(AuditFile::open(path).is_err());
    }

    #[test]
    fn two_files_hold_what_was_last() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit");
        let mut file = AuditFile::bounded(path.clone(), 10).unwrap();
        for line in ["1234\n", "5678\n", "9\n", "ab\n", "a line that is longer than all\n", "c\n"] {
            file.append(line).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "c\n");
        assert_eq!(fs::read_to_string(older(&path)).unwrap(), "a line that is longer than all\n");
        assert_eq!(fs::metadata(older(&path)).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_file_that_was_taken_away_or_cut_is_no_hindrance() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit");
        let mut file = AuditFile::bounded(path.clone(), 10).unwrap();
        file.append("one\n").unwrap();
        OpenOptions::new().write(true).open(&path).unwrap().set_len(0).unwrap();
        file.append("two\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
        fs::remove_file(&path).unwrap();
        file.append("three\n").unwrap();
        file.append("four\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "four\n");
        assert!(file.is_whole());
    }
}
