//! One server a home: the lock, and the address that others find in it.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use rustix::fs::{FlockOperation, flock};

use crate::failure::Failure;

/// Addresses are short; more than this nobody wrote.
const ADDRESS_BYTES_MAX: u64 = 200;

/// Held while the server runs; the kernel lets it go with the process. Commands that bring their own Core need it not.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    pub(super) fn take(path: &Path) -> Result<Lock, Failure> {
        let kept = |error: io::Error| Failure::keeping(path, &error);
        let mut file = open(path).map_err(kept)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let place = match address(&mut file) {
                    Some(address) => format!(" at {address}"),
                    None => String::new(),
                };
                return Err(Failure::machinery(format!("a server of this home runs already{place}"))
                    .with_hint("`querybox link` prints a link to it; `--home` names another home"));
            }
            Err(error) => return Err(kept(error.into())),
        }
        file.set_len(0).map_err(kept)?;
        Ok(Lock(file))
    }

    /// Says where the server is to be found.
    pub(super) fn announce(&mut self, address: &str) -> io::Result<()> {
        self.0.rewind()?;
        self.0.write_all(address.as_bytes())
    }
}

/// The address of the server of a home. `None`: none runs.
pub(crate) fn running(path: &Path) -> Option<String> {
    let mut file = OpenOptions::new().read(true).open(path).ok()?;
    // Who can share the lock sees that nobody holds it.
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => None,
        Err(_) => address(&mut file),
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn address(file: &mut File) -> Option<String> {
    let mut text = String::new();
    file.take(ADDRESS_BYTES_MAX).read_to_string(&mut text).ok()?;
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_server_is_told_where_the_first_one_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("serve.lock");
        assert_eq!(running(&path), None);
        let mut lock = Lock::take(&path).unwrap();
        assert!(Lock::take(&path).is_err_and(|failure| failure.message.ends_with("runs already")));
        lock.announce("http://127.0.0.1:1").unwrap();
        let failure = Lock::take(&path).unwrap_err();
        assert!(failure.message.ends_with("runs already at http://127.0.0.1:1"), "{failure}");
        assert_eq!(running(&path).as_deref(), Some("http://127.0.0.1:1"));
        drop(lock);
        assert_eq!(running(&path), None);
        assert!(Lock::take(&path).is_ok());
    }
}
