//! Reading a few bytes that are secret, within a size and a time.

use std::{
    fmt,
    fs::File,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd},
    sync::OnceLock,
    time::{Duration, Instant},
};

use querybox_vault::Secret;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open},
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
            ReadError::System(Errno::BADF) => f.write_str("it is not open for reading"),
            ReadError::System(errno) => f.write_str(&describe(&(*errno).into())),
        }
    }
}

/// Reads to the end.
pub(super) fn to_end(from: impl AsFd, deadline: Instant) -> Result<Secret, ReadError> {
    read(&from, None, deadline)
}

/// Reads to the end, or to where nothing more is there while `over` has something to say: others may keep `from` open.
pub(super) fn to_end_or_over(
    from: impl AsFd,
    over: impl AsFd,
    deadline: Instant,
) -> Result<Secret, ReadError> {
    read(&from, Some(over.as_fd()), deadline)
}

fn read(from: &impl AsFd, over: Option<BorrowedFd<'_>>, deadline: Instant) -> Result<Secret, ReadError> {
    // As long as it may ever become, and one more byte: a buffer that grew would leave copies behind.
    let mut buffer = zeroize::Zeroizing::new(vec![0; BYTES_MAX + 1]);
    let mut length = 0;
    while wait(from, over, deadline)? {
        match rustix::io::read(from, &mut buffer[length..]) {
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

/// The descriptors that hold keys, as they were when the program started.
static TAKEN: OnceLock<Vec<(RawFd, Result<OwnedFd, String>)>> = OnceLock::new();

/// Takes the descriptors that the program was started with. Before anything else is opened: a number that is not open now
/// may be that of a file of our own later.
pub(super) fn take_descriptors(numbers: impl Iterator<Item = RawFd>) {
    TAKEN.get_or_init(|| numbers.map(|number| (number, take(number))).collect());
}

/// A descriptor that was taken, read to its end.
pub(super) fn descriptor(number: RawFd) -> Result<Secret, String> {
    let found = TAKEN.get().and_then(|taken| taken.iter().find(|(other, _)| *other == number));
    let (_, taken) = found.ok_or(NOT_OPEN)?;
    let descriptor = taken.as_ref().map_err(Clone::clone)?;
    to_end(descriptor, Instant::now() + TIME_MAX).map_err(|why| why.to_string())
}

const NOT_OPEN: &str = "it is not open";

/// A duplicate of an inherited descriptor: with its position, and whatever it is and whoever owns it. The one with the
/// number stays open, as does every descriptor that the program inherits; `main` sees to it that no other program gets it.
fn take(number: RawFd) -> Result<OwnedFd, String> {
    // By way of the process's own descriptor, since a number alone may not be turned into an owned descriptor.
    let duplicated =
        pidfd_open(getpid(), PidfdFlags::empty()).and_then(|process| match process.as_raw_fd() == number {
            true => Err(Errno::BADF),
            false => pidfd_getfd(&process, number, PidfdGetfdFlags::empty()),
        });
    match duplicated {
        Ok(descriptor) => Ok(descriptor),
        Err(Errno::BADF) => Err(NOT_OPEN.to_owned()),
        // A sandbox or an old kernel may not have that call. Opened anew: right for pipes, which is what people give.
        Err(_) => {
            File::open(format!("/proc/self/fd/{number}")).map(OwnedFd::from).map_err(|error| {
                match error.kind() {
                    std::io::ErrorKind::NotFound => NOT_OPEN.to_owned(),
                    _ => describe(&error),
                }
            })
        }
    }
}

/// Waits until there is something to read, or its end. `false`: there is not, and it is over.
fn wait(from: &impl AsFd, over: Option<BorrowedFd<'_>>, deadline: Instant) -> Result<bool, ReadError> {
    loop {
        let left = deadline.checked_duration_since(Instant::now()).ok_or(ReadError::TooLate)?;
        let left = Timespec::try_from(left).map_err(|_| ReadError::TooLate)?;
        let mut polled = vec![PollFd::new(from, PollFlags::IN)];
        polled.extend(over.iter().map(|over| PollFd::new(over, PollFlags::IN)));
        match poll(&mut polled, Some(&left)) {
            Ok(0) => return Err(ReadError::TooLate),
            Ok(_) if !polled[0].revents().is_empty() => return Ok(true),
            // What was written last was perhaps written after it was looked for, and before it was over.
            Ok(_) => match poll(&mut polled[..1], Some(&Timespec::default())) {
                Ok(ready) => return Ok(ready > 0),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(ReadError::System(errno)),
            },
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
    fn what_is_over_is_read_as_far_as_it_was_written() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let (over, teller) = rustix::pipe::pipe().unwrap();
        rustix::io::write(&writer, b"secret").unwrap();
        assert_eq!(to_end_or_over(&reader, &over, soon()).err(), Some(ReadError::TooLate));
        rustix::io::write(&writer, b"secret").unwrap();
        drop(teller);
        assert_eq!(to_end_or_over(&reader, &over, soon()).unwrap().expose(), b"secret");
        drop(writer);
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
    fn a_descriptor_is_taken_by_its_number_where_it_stands() {
        use std::io::{Read, Seek, Write};
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"read already, secret").unwrap();
        file.seek(std::io::SeekFrom::Start(14)).unwrap();
        let taken = take(file.as_raw_fd()).unwrap();
        assert!(rustix::io::fcntl_getfd(&taken).unwrap().contains(rustix::io::FdFlags::CLOEXEC));
        assert_eq!(to_end(&taken, soon()).unwrap().expose(), b"secret");
        assert_eq!(file.read(&mut [0; 1]).unwrap(), 0, "one position for both");
        assert_eq!(take(9999).map(|_| ()), Err(NOT_OPEN.to_owned()));
    }

    #[test]
    fn what_cannot_be_read_is_told_in_words() {
        let why = |taken: OwnedFd| to_end(&taken, soon()).unwrap_err().to_string();
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(why(take(File::open(folder.path()).unwrap().as_raw_fd()).unwrap()), "is a directory");
        let (_reader, writer) = rustix::pipe::pipe().unwrap();
        let file = tempfile::tempfile_in(folder.path()).unwrap();
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        let writing = File::options().write(true).open(path).unwrap();
        assert_eq!(why(writing.into()), "it is not open for reading");
        drop(writer);
    }

    #[test]
    fn a_socket_is_read_too() {
        use std::io::Write;
        let (reader, mut writer) = std::os::unix::net::UnixStream::pair().unwrap();
        writer.write_all(b"secret").unwrap();
        drop(writer);
        let taken = take(reader.as_raw_fd()).unwrap();
        assert_eq!(to_end(&taken, soon()).unwrap().expose(), b"secret");
    }

    #[test]
    fn what_was_not_taken_is_not_opened_later() {
        let file = tempfile::tempfile().unwrap();
        assert_eq!(descriptor(file.as_raw_fd()).map(|_| ()), Err(NOT_OPEN.to_owned()));
    }
}
