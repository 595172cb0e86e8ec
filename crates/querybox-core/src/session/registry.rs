//! Which sessions run, and which ids are used up.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{SessionId, SessionIdError, id::CLOCK_OFFSET_MAX};

/// An id is remembered for ten minutes from its use: one made at the far future end of the allowed offset is refused by its
/// own time from then on.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(10);
/// More uses within ten minutes (over 400 a second) are refused, so that memory has a bound: about 10 MB.
const REMEMBERED_MAX: usize = 1 << 18;

const _: () = assert!(REMEMBERED.as_secs() >= 2 * CLOCK_OFFSET_MAX.as_secs());

/// The sessions of one Core.
pub(crate) struct Sessions {
    max: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: HashMap<SessionId, Cancel>,
    used: HashSet<SessionId>,
    /// The same ids in the order of their use.
    used_since: VecDeque<(Timestamp, SessionId)>,
}

/// Why a session cannot begin.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Id(SessionIdError),
    /// As many run as may.
    Full {
        max: usize,
    },
}

/// How a session that was asked to stop has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The database refused the statement that ran.
    Confirmed,
    /// It ended before the database was asked to stop.
    AlreadyDone,
    /// The driver was killed.
    Killed,
}

/// The wish to stop a session, and how it went.
#[derive(Debug, Clone)]
pub(crate) struct Cancel {
    pub(crate) asked: CancellationToken,
    pub(crate) ended: watch::Receiver<Option<End>>,
}

/// A session's place among those that run. Dropping it gives the place back.
pub(crate) struct Admission {
    pub(crate) id: SessionId,
    sessions: Arc<Sessions>,
    asked: CancellationToken,
    ended: watch::Sender<Option<End>>,
}

impl Sessions {
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, state: Mutex::default() })
    }

    /// Gives a new session its place.
    pub(crate) fn admit(self: &Arc<Self>, id: SessionId, now: Timestamp) -> Result<Admission, Refusal> {
        id.check_time(now).map_err(Refusal::Id)?;
        let mut state = self.lock();
        state.forget(now);
        if state.used.contains(&id) {
            return Err(Refusal::Id(SessionIdError::Used));
        }
        if state.running.len() >= self.max || state.used.len() >= REMEMBERED_MAX {
            return Err(Refusal::Full { max: self.max });
        }
        let asked = CancellationToken::new();
        let (ended, watched) = watch::channel(None);
        state.used.insert(id);
        state.used_since.push_back((now, id));
        state.running.insert(id, Cancel { asked: asked.clone(), ended: watched });
        Ok(Admission { id, sessions: Arc::clone(self), asked, ended })
    }

    /// The running session with this id; `Err` says whether there was one lately.
    pub(crate) fn find(&self, id: SessionId) -> Result<Cancel, Absent> {
        let state = self.lock();
        match state.running.get(&id) {
            Some(cancel) => Ok(cancel.clone()),
            None if state.used.contains(&id) => Err(Absent::Ended),
            None => Err(Absent::Unknown),
        }
    }

    /// The sessions that run, oldest id first.
    pub(crate) fn running(&self) -> Vec<SessionId> {
        let mut running: Vec<_> = self.lock().running.keys().copied().collect();
        running.sort_unstable();
        running
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // Every change below is whole before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why no session runs under an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absent {
    /// One did, within the time that ids are remembered.
    Ended,
    /// None did.
    Unknown,
}

impl State {
    fn forget(&mut self, now: Timestamp) {
        while let Some(&(used, id)) = self.used_since.front()
            && now.duration_since(used) > REMEMBERED
        {
            self.used_since.pop_front();
            self.used.remove(&id);
        }
    }
}

impl Admission {
    /// Resolves when somebody asked to stop the session.
    pub(crate) fn cancel_asked(&self) -> &CancellationToken {
        &self.asked
    }

    /// Tells those who asked to stop how it went. Only the first word counts.
    pub(crate) fn tell_end(&self, end: End) {
        self.ended.send_if_modified(|told| {
            let first = told.is_none();
            if first {
                *told = Some(end);
            }
            first
        });
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        // Whoever asked to stop and was not told yet came too late.
        self.tell_end(End::AlreadyDone);
        self.sessions.lock().running.remove(&self.id);
    }
}

impl Cancel {
    /// Asks the session to stop and waits until it has, or says nothing for `limit`.
    pub(crate) async fn stop(mut self, limit: Duration) -> Option<End> {
        self.asked.cancel();
        let told = tokio::time::timeout(limit, self.ended.wait_for(Option::is_some)).await.ok()?;
        // The sender tells before it is dropped.
        told.ok().and_then(|end| *end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(made: Timestamp, random: u8) -> SessionId {
        let milliseconds = u64::try_from(made.as_millisecond()).unwrap();
        uuid::Builder::from_unix_timestamp_millis(milliseconds, &[random; 10])
            .into_uuid()
            .to_string()
            .parse()
            .unwrap()
    }

    fn now() -> Timestamp {
        "2026-01-02T03:04:05Z".parse().unwrap()
    }

    #[test]
    fn an_id_is_used_once() {
        let sessions = Sessions::new(2);
        let id = id(now(), 1);
        let admission = sessions.admit(id, now()).ok();
        assert_eq!(sessions.admit(id, now()).err(), Some(Refusal::Id(SessionIdError::Used)));
        drop(admission);
        assert_eq!(sessions.admit(id, now()).err(), Some(Refusal::Id(SessionIdError::Used)));
    }

    #[test]
    fn an_id_from_the_future_is_never_good_twice() {
        let sessions = Sessions::new(2);
        let future = id(now() + CLOCK_OFFSET_MAX, 1);
        drop(sessions.admit(future, now()));
        for minutes in 0..20 {
            let later = now() + SignedDuration::from_mins(minutes);
            assert!(sessions.admit(future, later).is_err(), "after {minutes} minutes");
        }
        // By then it is forgotten, and refused for its time.
        let later = now() + SignedDuration::from_mins(20);
        assert_eq!(sessions.admit(future, later).err(), Some(Refusal::Id(SessionIdError::ClockOffset)));
        drop(sessions.admit(id(later, 2), later));
        assert_eq!(sessions.lock().used.len(), 1);
    }

    #[test]
    fn a_full_house_answers_at_once_and_has_room_again() {
        let sessions = Sessions::new(1);
        let first = sessions.admit(id(now(), 1), now()).ok().unwrap();
        assert_eq!(sessions.running(), [first.id]);
        assert_eq!(sessions.admit(id(now(), 2), now()).err(), Some(Refusal::Full { max: 1 }));
        drop(first);
        assert!(sessions.running().is_empty());
        assert!(sessions.admit(id(now(), 2), now()).is_ok(), "a refused id is not used up");
    }

    #[tokio::test]
    async fn a_cancel_learns_the_end_however_the_session_goes() {
        let sessions = Sessions::new(3);
        let told = sessions.admit(id(now(), 1), now()).ok().unwrap();
        let cancel = sessions.find(told.id).unwrap();
        told.tell_end(End::Confirmed);
        told.tell_end(End::Killed);
        assert_eq!(cancel.stop(Duration::from_secs(1)).await, Some(End::Confirmed));
        assert!(told.cancel_asked().is_cancelled());

        let dropped = sessions.admit(id(now(), 2), now()).ok().unwrap();
        let cancel = sessions.find(dropped.id).unwrap();
        let dropped_id = dropped.id;
        drop(dropped);
        assert_eq!(cancel.stop(Duration::from_secs(1)).await, Some(End::AlreadyDone));

        assert_eq!(sessions.find(dropped_id).err(), Some(Absent::Ended));
        assert_eq!(sessions.find(id(now(), 9)).err(), Some(Absent::Unknown));
    }
}
