//! The socket at descriptor 0.

use std::{
    io,
    os::{fd::AsFd as _, unix::net::UnixStream},
};

use rustix::event::{PollFd, PollFlags, poll};

/// One more descriptor of it.
pub(crate) fn standard_input() -> io::Result<UnixStream> {
    Ok(UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?))
}

/// Waits until the other end is closed.
pub(crate) fn wait_until_closed(socket: &UnixStream) -> io::Result<()> {
    let mut watched = [PollFd::new(socket, PollFlags::RDHUP)];
    poll(&mut watched, None)?;
    Ok(())
}
