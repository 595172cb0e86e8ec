//! The file of a spool: it has no name, so that nobody else finds it and nothing of it is left, whatever ends the process.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use rustix::fs::{Mode, OFlags};

use super::{Budget, SpoolError, budget::Together};

/// Only its owner may read it, for as long as it has a name at all.
const MODE: Mode = Mode::RUSR.union(Mode::WUSR);

/// A file in which spools lie together. It is made when the first of them needs it, and counts as one that is open.
#[derive(Debug)]
pub(crate) struct SharedFile {
    budget: Arc<Budget>,
    file: OnceLock<UnnamedFile>,
    /// Where the next block goes.
    end: Mutex<u64>,
    /// What the spools that lie in it have taken.
    together: Arc<Together>,
}

/// A file to which nobody else writes meanwhile.
pub(super) struct Writing<'f> {
    file: &'f UnnamedFile,
    end: MutexGuard<'f, u64>,
}

impl SharedFile {
    pub(crate) fn new(budget: &Arc<Budget>) -> SharedFile {
        let (file, end, together) = (OnceLock::new(), Mutex::new(0), Arc::default());
        SharedFile { budget: Arc::clone(budget), file, end, together }
    }

    pub(super) fn together(&self) -> &Arc<Together> {
        &self.together
    }

    /// Makes the file when it is not there.
    pub(super) fn for_writing(&self) -> Result<Writing<'_>, SpoolError> {
        // What is behind the end is nothing, also when a panic left something there.
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match self.file.get() {
            Some(file) => file,
            None => {
                self.budget.take_file()?;
                match UnnamedFile::make(self.budget.folder()) {
                    Ok(file) => self.file.get_or_init(|| file),
                    Err(error) => {
                        self.budget.give_back_file();
                        return Err(SpoolError::File(error));
                    }
                }
            }
        };
        Ok(Writing { file, end })
    }

    /// Reads what was written there.
    pub(super) fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.get().expect("a block was written to it").read_at(bytes, offset)
    }
}

impl Drop for SharedFile {
    fn drop(&mut self) {
        if self.file.get().is_some() {
            self.budget.give_back_file();
        }
    }
}

impl Writing<'_> {
    /// Bytes of its file system that are free for us.
    pub(super) fn free_bytes(&self) -> io::Result<u64> {
        self.file.free_bytes()
    }

    /// Writes a block, and answers where it lies.
    pub(super) fn append(&mut self, block: &[u8]) -> io::Result<u64> {
        let offset = *self.end;
        if let Err(error) = self.file.write_at(block, offset) {
            // What was written of it takes room that others lack. If that cannot be had back now, it can when the file goes.
            let _ = self.file.truncate(offset);
            return Err(error);
        }
        *self.end += block.len() as u64;
        Ok(offset)
    }
}

/// A file without a name.
#[derive(Debug)]
struct UnnamedFile(File);

impl UnnamedFile {
    /// Makes an empty one on the file system of `folder`.
    fn make(folder: &Path) -> io::Result<UnnamedFile> {
        match make_without_a_name(folder) {
            // What file systems answer that cannot make one (NFS, some FUSE), and what systems answer that know nothing of it.
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::ISDIR | rustix::io::Errno::INVAL) => {
                make_and_unlink(folder)
            }
            made => made.map_err(io::Error::from),
        }
        .map(UnnamedFile)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_exact_at(bytes, offset)
    }

    /// Gives back what lies behind `length`.
    fn truncate(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    /// Bytes of its file system that are free for us.
    fn free_bytes(&self) -> io::Result<u64> {
        let facts = rustix::fs::fstatvfs(&self.0)?;
        Ok(facts.f_bavail.saturating_mul(facts.f_frsize))
    }
}

#[cfg(target_os = "linux")]
fn make_without_a_name(folder: &Path) -> Result<File, rustix::io::Errno> {
    // EXCL: it cannot be given a name later either.
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::EXCL | OFlags::CLOEXEC;
    rustix::fs::open(folder, flags, MODE).map(File::from)
}

#[cfg(not(target_os = "linux"))]
fn make_without_a_name(_folder: &Path) -> Result<File, rustix::io::Errno> {
    Err(rustix::io::Errno::OPNOTSUPP)
}

/// It has a name for a moment, in which it is empty and for its owner alone.
fn make_and_unlink(folder: &Path) -> io::Result<File> {
    // Names that others took already are no reason to wait forever.
    for _ in 0..16 {
        let path = folder.join(format!(".kept-{:016x}", random_number()));
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::open(&path, flags, MODE) {
            Ok(file) => {
                std::fs::remove_file(&path)?;
                return Ok(file.into());
            }
            Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Good enough for a name: each hasher of the standard library has random keys of its own.
fn random_number() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn check(file: &UnnamedFile, folder: &Path) {
        let facts = file.0.metadata().unwrap();
        assert_eq!(facts.nlink(), 0);
        assert_eq!(facts.mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);
        file.write_at(b"rows", 10).unwrap();
        let mut read = [0; 4];
        file.read_at(&mut read, 10).unwrap();
        assert_eq!(&read, b"rows");
        file.truncate(12).unwrap();
        assert_eq!(file.read_at(&mut read, 10).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert!(file.free_bytes().unwrap() > 0);
    }

    #[test]
    fn a_file_never_has_a_name() {
        let folder = tempfile::tempdir().unwrap();
        check(&UnnamedFile::make(folder.path()).unwrap(), folder.path());
    }

    #[test]
    fn where_files_need_a_name_it_is_gone_at_once() {
        let folder = tempfile::tempdir().unwrap();
        check(&UnnamedFile(make_and_unlink(folder.path()).unwrap()), folder.path());
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        assert_eq!(UnnamedFile::make(&missing).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(make_and_unlink(&missing).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
