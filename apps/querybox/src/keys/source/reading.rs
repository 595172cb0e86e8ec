//! Reading a few bytes that are secret, within a size and a time.

use std::{
    fmt,
    fs::File,
    os::fd::{AsFd, RawFd},
    time::{Duration, Instant},
};

use querybox_vault::Secret;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

use crate::failure::describe;

/// No list of keys is longer.
pub(super) const BYTES_MAX: usize = 64 * 1024;
/// Whoever hands over a descriptor writes at once, or starts a program that does.
pub(super) const TIME_MAX: Duration = Duration::from_secs(10);

/// Why it was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadError {
    TooLong,
    TooLate,
    System(Errno),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::TooLong => write!(f, "more than {} KiB", BYTES_MAX / 1024),
            ReadError::TooLate => write!(f, "nothing more came for {} s, and no end", TIME_MAX.as_secs()),
            ReadError::System(errno) => f.write_str(&describe(&(*errno).into())),
        }
    }
}

/// Reads to the end.
pub(super) fn to_end(from: impl AsFd, deadline: Instant) -> Result<Secret, ReadError> {
    // As long as it may ever become, and one more byte: a buffer that grew would leave copies behind.
    let mut buffer = zeroize::Zeroizing::new(vec![0; BYTES_MAX + 1]);
    let mut length = 0;
    loop {
        wait(&from, deadline)?;
        match rustix::io::read(&from, &mut buffer[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(Errno::INTR | Errno::AGAIN) => continue,
            Err(errno) => return Err(ReadError::System(errno)),
        }
        if length > BYTES_MAX {
            return Err(ReadError::TooLong);
        }
    }
    Ok(Secret::new(buffer[..length].to_vec()))
}

/// Reads a descriptor that the program was started with to its end.
///
/// It is opened again through `/proc`, since a number alone may not be turned into an owned descriptor. It stays open
/// itself, as does every descriptor that the program inherits; `main` sees to it that no other program gets it.
pub(super) fn descriptor(number: RawFd) -> Result<Secret, String> {
    let file = File::open(format!("/proc/self/fd/{number}")).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "it is not open".to_owned(),
        _ => describe(&error),
    })?;
    to_end(file, Instant::now() + TIME_MAX).map_err(|why| why.to_string())
}

fn wait(from: &impl AsFd, deadline: Instant) -> Result<(), ReadError> {
    loop {
        let left = deadline.checked_duration_since(Instant::now()).ok_or(ReadError::TooLate)?;
        let left = Timespec::try_from(left).map_err(|_| ReadError::TooLate)?;
        match poll(&mut [PollFd::new(from, PollFlags::IN)], Some(&left)) {
            Ok(0) => return Err(ReadError::TooLate),
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(ReadError::System(errno)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(50)
    }

    #[test]
    fn a_pipe_is_read_until_its_writer_has_gone() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        rustix::io::write(&writer, b"secret").unwrap();
        assert_eq!(to_end(&reader, soon()).err(), Some(ReadError::TooLate));
        rustix::io::write(&writer, b"secret").unwrap();
        drop(writer);
        assert_eq!(to_end(&reader, soon()).unwrap().expose(), b"secret");
    }

    #[test]
    fn no_more_is_read_than_keys_may_have() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (length, is_read) in [(BYTES_MAX, true), (BYTES_MAX + 1, false)] {
            std::fs::write(file.path(), vec![b'x'; length]).unwrap();
            let read = to_end(File::open(file.path()).unwrap(), soon());
            assert_eq!(read.is_ok(), is_read);
            assert!(is_read || read.is_err_and(|why| why == ReadError::TooLong));
        }
    }

    #[test]
    fn a_descriptor_is_found_by_its_number() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        rustix::io::write(&writer, b"secret").unwrap();
        drop(writer);
        assert_eq!(descriptor(reader.as_raw_fd()).unwrap().expose(), b"secret");
        assert_eq!(descriptor(9999).map(|_| ()), Err("it is not open".to_owned()));
    }
}
