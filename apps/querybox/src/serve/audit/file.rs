//! The file that lines are added to: the owner's alone, bounded, with one older one beside it.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, OFlags, flock};

/// When it would grow beyond this, it takes the place of the older one, and a new one begins.
const BYTES_MAX: u64 = 64 << 20;

/// A file of lines, none of which is there in part. It is locked as long as it is open: two that wrote would cut off each other's
/// lines, and put each other's files away.
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
    /// It cannot be opened, is no file of this user's, others may read it, or another program writes it.
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
        if !self.is_at_its_place()? {
            self.file = open(&self.path)?;
        }
        // Asked each time: whoever needs room may have cut it.
        let mut bytes = self.file.metadata()?.len();
        if bytes > 0 && bytes + line.len() as u64 > self.bytes_max {
            fs::rename(&self.path, older(&self.path))?;
            self.file = open(&self.path)?;
            bytes = self.file.metadata()?.len();
        }
        let written = if self.ends_whole(bytes)? {
            self.file.write_all(line.as_bytes())
        } else {
            self.file.write_all(format!("\n{line}").as_bytes())
        };
        if let Err(error) = written {
            // A disk that is full may have taken the beginning.
            if self.file.metadata()?.len() > bytes {
                self.file.set_len(bytes)?;
            }
            return Err(error);
        }
        Ok(())
    }

    /// Whether the file that is open is the one that its path leads to: who turns logs over moves or removes it.
    fn is_at_its_place(&self) -> io::Result<bool> {
        let open = self.file.metadata()?;
        match fs::symlink_metadata(&self.path) {
            Ok(there) => Ok((there.dev(), there.ino()) == (open.dev(), open.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the last line has its line feed: a power cut may have taken it.
    fn ends_whole(&self, bytes: u64) -> io::Result<bool> {
        let Some(last) = bytes.checked_sub(1) else { return Ok(true) };
        let mut byte = [0];
        self.file.read_exact_at(&mut byte, last)?;
        Ok(byte == *b"\n")
    }

    /// Sees what was written to the disk.
    pub(super) fn sync(&self) {
        // The lines are written; that a power cut may take the last of them is not worth an error at the end.
        let _ = self.file.sync_data();
    }
}

fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
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
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => refused("another program writes it"),
        Err(error) => Err(error.into()),
    }
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
        assert_eq!(fs::read_to_string(&path).unwrap(), "three\n");
        // Moved by one that turns logs over: what it took stays as it was, and no file takes another's place.
        let moved = folder.path().join("audit-of-yesterday");
        fs::rename(&path, &moved).unwrap();
        file.append("four\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "four\n");
        assert_eq!(fs::read_to_string(&moved).unwrap(), "three\n");
        assert!(!older(&path).exists() && file.is_whole());
    }

    #[test]
    fn what_was_put_in_its_place_is_neither_written_to_nor_put_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit");
        let mut file = AuditFile::bounded(path.clone(), 10).unwrap();
        file.append("one\n").unwrap();
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("other", &path).unwrap();
        assert!(file.append("a line that is too long\n").is_err() && !file.is_whole());
        assert!(fs::read_link(&path).is_ok() && !folder.path().join("other").exists());
        fs::remove_file(&path).unwrap();
        file.append("two\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
        assert!(!older(&path).exists() && file.is_whole());
    }

    #[test]
    fn one_program_at_a_time_writes_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit");
        let mut file = AuditFile::bounded(path.clone(), 10).unwrap();
        let refused = |path: &Path| {
            AuditFile::open(path.to_owned())
                .is_err_and(|error| error.to_string().contains("another program writes it"))
        };
        assert!(refused(&path));
        // The new file too.
        file.append("1234567\n").unwrap();
        file.append("89\n").unwrap();
        assert!(older(&path).exists() && refused(&path));
    }

    #[test]
    fn a_line_that_lost_its_end_is_not_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit");
        AuditFile::open(path.clone()).unwrap().append("one\n").unwrap();
        OpenOptions::new().write(true).open(&path).unwrap().set_len(2).unwrap();
        let mut file = AuditFile::open(path.clone()).unwrap();
        file.append("two\n").unwrap();
        file.append("three\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "on\ntwo\nthree\n");
    }
}
