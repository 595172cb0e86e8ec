//! The master keys that lie beside the store, where an administrator has asked for it.
//!
//! Whoever gets a copy of the folder then has both the lock and the key. That is why nothing makes this file but
//! `keys init --keep-on-disk`.

use std::{
    fs, io,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use querybox_vault::MasterKey;
use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

/// Where they lie.
pub(crate) fn path(home: &Path) -> PathBuf {
    home.join("master.key")
}

/// The right to change the keys that lie there, which one program has at a time.
///
/// It is to be had from before they are read until what follows from them is kept: a program that keeps what it read before
/// another one's change takes that change back, and with it a key that something may be sealed under already.
pub(crate) struct KeyFile {
    path: PathBuf,
    /// Locked, so that one name serves for what is not whole yet, and a run that was killed leaves no more than the next one
    /// takes away. The lock goes with the descriptor, so with the process in any case.
    folder: fs::File,
}

impl KeyFile {
    /// Waits until no other program has it.
    pub(crate) async fn take(path: &Path) -> io::Result<KeyFile> {
        loop {
            if let Some(file) = KeyFile::try_take(path)? {
                return Ok(file);
            }
            // A call that waits in the kernel could not be interrupted by the user.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// `None`: another program has it.
    fn try_take(path: &Path) -> io::Result<Option<KeyFile>> {
        let folder = fs::File::open(path.parent().ok_or(io::ErrorKind::InvalidInput)?)?;
        match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(KeyFile { path: path.to_owned(), folder })),
            Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Keeps the first key. There must be none yet.
    pub(crate) fn keep_first(&self, key: &MasterKey) -> io::Result<()> {
        self.write(&[key], |new, path| fs::hard_link(new, path))
    }

    /// Keeps these keys, the primary first, in place of those that were kept. At each moment either these or those are there.
    pub(crate) fn replace<'a>(&self, keys: impl IntoIterator<Item = &'a MasterKey>) -> io::Result<()> {
        let keys: Vec<&MasterKey> = keys.into_iter().collect();
        self.write(&keys, |new, path| fs::rename(new, path))
    }

    /// Takes away what [`KeyFile::keep_first`] kept, for nothing knows it.
    pub(crate) fn forget(&self) -> io::Result<()> {
        fs::remove_file(&self.path)?;
        self.folder.sync_all()
    }

    fn write(
        &self,
        keys: &[&MasterKey],
        place: impl FnOnce(&Path, &Path) -> io::Result<()>,
    ) -> io::Result<()> {
        let new = Temporary(self.path.with_extension("key.new"));
        match fs::remove_file(&new.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new.0)?;
        for key in keys {
            // Exposed to the file that is to keep it.
            file.write_all(key.to_text().expose())?;
            file.write_all(b"\n")?;
        }
        file.sync_all()?;
        place(&new.0, &self.path)?;
        drop(new);
        self.folder.sync_all()
    }
}

/// Gone when dropped, unless it was renamed.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        fs::remove_file(&self.0).ok();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::keys::source::Source;

    #[test]
    fn kept_keys_are_read_back_and_replaced_as_a_whole() {
        let home = tempfile::tempdir().unwrap();
        let path = path(home.path());
        let find = || Source::find(|_| None, &path).unwrap();
        assert_eq!(find(), None);

        let (first, second) = (MasterKey::make(), MasterKey::make());
        let file = KeyFile::try_take(&path).unwrap().unwrap();
        assert!(KeyFile::try_take(&path).unwrap().is_none(), "two have it");
        file.keep_first(&first).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        let read = find().unwrap().read().unwrap();
        assert!(read.primary().to_text().is_same(&first.to_text()));
        let error = file.keep_first(&second).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);

        file.replace([&second, &first]).unwrap();
        let read = find().unwrap().read().unwrap();
        assert_eq!(read.iter().count(), 2);
        assert!(read.primary().to_text().is_same(&second.to_text()));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "something was left behind");
        file.forget().unwrap();
        assert_eq!(find(), None);
        drop(file);
        KeyFile::try_take(&path).unwrap().unwrap();
    }

    #[test]
    fn what_a_killed_run_left_is_taken_away() {
        let home = tempfile::tempdir().unwrap();
        let path = path(home.path());
        let left = home.path().join("master.key.new");
        let key = MasterKey::make();
        let file = KeyFile::try_take(&path).unwrap().unwrap();
        for _ in 0..2 {
            fs::write(&left, "half a key").unwrap();
            match path.exists() {
                false => file.keep_first(&key).unwrap(),
                true => file.replace([&key]).unwrap(),
            }
            assert!(!left.exists());
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        }
        fs::write(&left, "half a key").unwrap();
        file.keep_first(&MasterKey::make()).unwrap_err();
        let read = Source::find(|_| None, &path).unwrap().unwrap().read().unwrap();
        assert!(read.primary().to_text().is_same(&key.to_text()));
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "something was left behind");
    }
}
