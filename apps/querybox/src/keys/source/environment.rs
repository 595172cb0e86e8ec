//! A key in the environment, taken out of it before anybody can look.

use std::{
    env,
    ffi::OsString,
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::{ffi::OsStringExt, process::CommandExt},
    },
    process::Command,
};

use querybox_vault::Secret;
use rustix::pipe::{PipeFlags, pipe_with};

use super::{ENVIRONMENT, Unusable, reading::BYTES_MAX};
use crate::failure::describe;

/// Tells the program that was started anew which descriptor the key comes through.
pub(super) const PIPE: &str = "QUERYBOX_MASTER_KEY_PIPE";

/// If the environment holds a key, starts this program anew without it, in this process, with the key in a pipe: the kernel
/// shows to others of the same user what a program was started with (`/proc/PID/environ`), whatever the program does later.
///
/// It must be the first that `main` does. It comes back when there is nothing to hide, or when that failed.
pub(crate) fn hide_from_environment() -> Result<(), Unusable> {
    let Some(key) = env::var_os(ENVIRONMENT) else { return Ok(()) };
    start_anew(&Secret::new(key.into_vec())).map_err(|error| {
        Unusable::new(
            format!("cannot take {ENVIRONMENT} out of the environment: {}", describe(&error)),
            "keep the key in a file, and name that in QUERYBOX_MASTER_KEY_FILE",
        )
    })
}

/// Comes back only when it failed.
fn start_anew(key: &Secret) -> io::Result<()> {
    let pipe = fill_pipe(key)?;
    let mut arguments = env::args_os();
    let name = arguments.next().unwrap_or_else(|| OsString::from("querybox"));
    // What was executed, also when another file lies at that path by now, could only be had as /proc/self/exe, and the
    // program would then be called `exe` wherever processes are listed.
    let error = Command::new(env::current_exe()?)
        .arg0(name)
        .args(arguments)
        .env_remove(ENVIRONMENT)
        .env(PIPE, pipe.as_raw_fd().to_string())
        .exec();
    Err(error)
}

/// A pipe that holds the key and has no writer; it stays open in the program that is started.
fn fill_pipe(key: &Secret) -> io::Result<OwnedFd> {
    // Exposed to the pipe, whose other end is our own.
    let key = key.expose();
    // A pipe holds this much without a reader.
    if key.len() > BYTES_MAX {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let (reader, writer) = pipe_with(PipeFlags::NONBLOCK)?;
    let written = rustix::io::write(&writer, key)?;
    match written == key.len() {
        true => Ok(reader),
        // Only where the system was told to make small pipes.
        false => Err(io::ErrorKind::FileTooLarge.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_takes_the_longest_key_and_ends_after_it() {
        let pipe = fill_pipe(&Secret::new(vec![b'x'; BYTES_MAX])).unwrap();
        let deadline = std::time::Instant::now() + super::super::reading::TIME_MAX;
        let read = super::super::reading::to_end(&pipe, deadline).unwrap();
        assert_eq!(read.expose().len(), BYTES_MAX);
        assert!(fill_pipe(&Secret::new(vec![b'x'; BYTES_MAX + 1])).is_err());
    }
}
