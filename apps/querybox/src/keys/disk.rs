//! The master keys that lie beside the store, where an administrator has asked for it.
//!
//! Whoever gets a copy of the folder then has both the lock and the key. That is why nothing makes this file but
//! `keys init --keep-on-disk`.

use std::{
    fs, io,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use querybox_vault::MasterKey;
use rustix::fs::{FlockOperation, flock};

/// Where they lie.
pub(crate) fn path(home: &Path) -> PathBuf {
    home.join("master.key")
}

/// Keeps the first key. There must be none yet.
pub(crate) fn keep_first(path: &Path, key: &MasterKey) -> io::Result<()> {
    write(path, &[key], |new, path| fs::hard_link(new, path))
}

/// Keeps these keys, the primary first, in place of those that were kept. At each moment either these or those are there.
pub(crate) fn replace<'a>(path: &Path, keys: impl IntoIterator<Item = &'a MasterKey>) -> io::Result<()> {
    let keys: Vec<&MasterKey> = keys.into_iter().collect();
    write(path, &keys, |new, path| fs::rename(new, path))
}

fn write(
    path: &Path,
    keys: &[&MasterKey],
    place: impl FnOnce(&Path, &Path) -> io::Result<()>,
) -> io::Result<()> {
    let folder = fs::File::open(path.parent().ok_or(io::ErrorKind::InvalidInput)?)?;
    // Others that keep keys here wait, so that one name serves for what is not whole yet, and a run that was killed leaves
    // no more than the next one takes away.
    flock(&folder, FlockOperation::LockExclusive)?;
    let new = Temporary(path.with_extension("key.new"));
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
    place(&new.0, path)?;
    drop(new);
    folder.sync_all()
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
        keep_first(&path, &first).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        let read = find().unwrap().read().unwrap();
        assert!(read.primary().to_text().is_same(&first.to_text()));
        let error = keep_first(&path, &second).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);

        replace(&path, [&second, &first]).unwrap();
        let read = find().unwrap().read().unwrap();
        assert_eq!(read.iter().count(), 2);
        assert!(read.primary().to_text().is_same(&second.to_text()));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "something was left behind");
    }

    #[test]
    fn what_a_killed_run_left_is_taken_away() {
        let home = tempfile::tempdir().unwrap();
        let path = path(home.path());
        let left = home.path().join("master.key.new");
        let key = MasterKey::make();
        for _ in 0..2 {
            fs::write(&left, "half a key").unwrap();
            match path.exists() {
                false => keep_first(&path, &key).unwrap(),
                true => replace(&path, [&key]).unwrap(),
            }
            assert!(!left.exists());
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        }
        fs::write(&left, "half a key").unwrap();
        keep_first(&path, &MasterKey::make()).unwrap_err();
        let read = Source::find(|_| None, &path).unwrap().unwrap().read().unwrap();
        assert!(read.primary().to_text().is_same(&key.to_text()));
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "something was left behind");
    }
}
