//! Descriptors of the process: one for each connection, some for each session, one for each file of kept results.
//!
//! Systems give a process 1,024 and let it take more, because old programs cannot count further. A server takes what it may; where
//! that is not enough for all that it offers, it offers less of each, and says so.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

/// What there are descriptors for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    /// Connections from front ends.
    pub(crate) connections: usize,
    /// Sessions at once.
    pub(crate) sessions: usize,
    /// Files of kept results and their views.
    pub(crate) files: u64,
}

/// What is offered where there is room: a browser opens six connections for a page, a command one.
const WANTED: Room = Room { connections: 512, sessions: 256, files: 256 };
/// What is open anyway: the store, the socket, the runtime, spares.
const ALWAYS: u64 = 96;
/// Of a session: its channel, its dial socket, what it says on standard error, its process, its control group.
const OF_A_SESSION: u64 = 8;
/// Less of anything is of no use.
const LEAST: u64 = 8;

/// Takes as many descriptors as this process may have, and tells what these are enough for.
pub(super) fn take() -> Room {
    let limit = getrlimit(Resource::Nofile);
    // Where that is refused, what there is must do.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    let available = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let room = Room::within(available);
    if room != WANTED {
        let Room { connections, sessions, files } = room;
        warn!(
            available,
            wanted = WANTED.descriptors(),
            connections,
            sessions,
            files,
            "few descriptors: less of each may be open; the hard limit of open files (`ulimit -Hn`) is what to raise"
        );
    }
    room
}

impl Room {
    fn descriptors(self) -> u64 {
        ALWAYS + self.connections as u64 + OF_A_SESSION * self.sessions as u64 + self.files
    }

    /// What is wanted, or a part of each.
    fn within(available: u64) -> Room {
        let (wanted, available) = (WANTED.descriptors() - ALWAYS, available.saturating_sub(ALWAYS));
        if available >= wanted {
            return WANTED;
        }
        let part = |of: u64| (of * available / wanted).max(LEAST);
        let count = |of: usize| usize::try_from(part(of as u64)).unwrap_or(of);
        Room {
            connections: count(WANTED.connections),
            sessions: count(WANTED.sessions),
            files: part(WANTED.files),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_fits_what_is_there() {
        assert_eq!(Room::within(u64::MAX), WANTED);
        assert_eq!(Room::within(WANTED.descriptors()), WANTED);
        for available in [300, 512, 1024, 2000, WANTED.descriptors() - 1] {
            let room = Room::within(available);
            assert!(room != WANTED && room.descriptors() <= available, "{available}: {room:?}");
        }
        // Whoever has nearly none has a server all the same, for a while.
        assert_eq!(Room::within(0), Room { connections: 8, sessions: 8, files: 8 });
    }
}
