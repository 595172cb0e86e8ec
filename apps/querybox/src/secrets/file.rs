//! Secrets in files that people name.

use std::{
    fs, io,
    io::Read,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};

use querybox_vault::Secret;
use rustix::fs::OFlags;

use crate::failure::{Failure, describe};

/// The whole file, wiped when it is not needed any more. A pipe or a device is refused: it may have no end.
///
/// `what` it is to hold, for people.
pub(crate) fn read(path: &Path, bytes_max: u64, what: &str) -> Result<Secret, Failure> {
    let unreadable =
        |error: io::Error| Failure::usage(format!("cannot read {}: {}", path.display(), describe(&error)));
    let too_large = || Failure::usage(format!("{} is too large for {what}", path.display()));
    // Without it a named pipe would be waited for before it could be refused.
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).expect("flags of open(2) are an int");
    let file = fs::OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(unreadable)?;
    let found = file.metadata().map_err(unreadable)?;
    if !found.is_file() {
        return Err(Failure::usage(format!("{} is no regular file", path.display())));
    }
    if found.size() > bytes_max {
        return Err(too_large());
    }
    let mut content = Vec::with_capacity(usize::try_from(found.size()).unwrap_or_default().saturating_add(1));
    // It may have grown meanwhile.
    let read = file.take(bytes_max + 1).read_to_end(&mut content);
    let secret = Secret::new(content);
    match read.map_err(unreadable)? as u64 > bytes_max {
        true => Err(too_large()),
        false => Ok(secret),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_file_is_read_within_its_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5, "a secret").unwrap().expose(), b"12345");
        let error = read(&path, 4, "a secret").unwrap_err();
        assert!(error.to_string().contains("too large for a secret"), "{error}");
    }

    #[test]
    fn no_pipe_is_waited_for_and_no_device_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, mode).unwrap();
        for path in [pipe.as_path(), Path::new("/dev/zero"), folder.path()] {
            let error = read(path, 5, "a secret").unwrap_err();
            assert!(error.to_string().contains("no regular file"), "{error}");
        }
    }
}
