//! Which sessions run, and which ids are used up.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::{
    SessionId, SessionIdError,
    budget::Allowance,
    copying::Copying,
    facts::{SessionAbout, SessionActivity, SessionFacts, SessionKind},
    front_end::FrontEndId,
    id::CLOCK_OFFSET_MAX,
    lease::{Lease, Terms},
    state::SessionEnd,
    stop::{Cancel, Stoppable, stoppable},
};

/// An id is remembered for ten minutes from its use: one made at the far future end of the allowed offset is refused by its
/// own time from then on.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(10);
/// More uses within ten minutes (over 400 a second) are refused, so that memory has a bound: about 10 MB.
const REMEMBERED_MAX: usize = 1 << 18;
/// Leased sessions whose end is remembered for those who ask again: some rounds of all that may be leased at once.
const ENDS_REMEMBERED_MAX: usize = 256;

const _: () = assert!(REMEMBERED.as_secs() >= 2 * CLOCK_OFFSET_MAX.as_secs());

/// The sessions of one Core.
pub(crate) struct Sessions {
    max: usize,
    /// For each front end.
    leases_max: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: HashMap<SessionId, Running>,
    /// Of each that runs.
    births: HashMap<SessionId, Birth>,
    used: HashSet<SessionId>,
    /// The same ids in the order of their use.
    used_since: VecDeque<(Timestamp, SessionId)>,
    /// Leased sessions that have ended, oldest first.
    ended_leases: VecDeque<(SessionId, SessionEnd)>,
}

/// How a session began.
struct Birth {
    at: Timestamp,
    /// By the clock that durations are told by.
    begun: Instant,
    /// `None`: that is still looked for.
    about: Option<SessionAbout>,
}

/// A session that has its place.
#[derive(Clone)]
pub(crate) enum Running {
    OneShot(Controls),
    /// It is to be leased by this front end, and opens.
    Opening(FrontEndId, Controls),
    /// It may have ended a moment ago.
    Leased(Arc<Lease>),
}

/// What may be asked of something that runs.
#[derive(Clone)]
pub(crate) struct Controls {
    pub(crate) cancel: Cancel,
    pub(crate) allowance: Allowance,
    pub(crate) copying: Copying,
}

/// What a session is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One request.
    OneShot,
    /// As many as come until it ends, for this front end.
    Leased(FrontEndId),
}

/// Why a session cannot begin.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Id(SessionIdError),
    /// As many run as may.
    Full {
        max: usize,
    },
    /// The front end has leased as many as it may.
    LeasesFull {
        max: usize,
    },
}

/// A session's place among those that run. Dropping it gives the place back.
pub(crate) struct Admission {
    pub(crate) id: SessionId,
    sessions: Arc<Sessions>,
}

/// Why no session runs under an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absent {
    /// One did, within the time that ids are remembered.
    Ended,
    /// A leased one did, and came to this end.
    LeaseEnded(SessionEnd),
    /// None did.
    Unknown,
}

impl Sessions {
    pub(crate) fn new(max: usize, leases_max: usize) -> Arc<Self> {
        Arc::new(Self { max, leases_max, state: Mutex::default() })
    }

    /// Gives a new session its place.
    pub(crate) fn admit(
        self: &Arc<Self>,
        id: SessionId,
        kind: Kind,
        allowance: Allowance,
        now: Timestamp,
    ) -> Result<(Admission, Stoppable), Refusal> {
        id.check_time(now).map_err(Refusal::Id)?;
        let mut state = self.lock();
        state.forget(now);
        // A clock that jumps makes ids be forgotten too early, and good again.
        if state.used.contains(&id) || state.running.contains_key(&id) {
            return Err(Refusal::Id(SessionIdError::Used));
        }
        if state.running.len() >= self.max || state.used.len() >= REMEMBERED_MAX {
            return Err(Refusal::Full { max: self.max });
        }
        if let Kind::Leased(front_end) = kind
            && state.leases(front_end) >= self.leases_max
        {
            return Err(Refusal::LeasesFull { max: self.leases_max });
        }
        let (stop, cancel) = stoppable();
        state.used.insert(id);
        state.used_since.push_back((now, id));
        let copying = allowance.copying();
        let controls = Controls { cancel, allowance, copying };
        let running = match kind {
            Kind::OneShot => Running::OneShot(controls),
            Kind::Leased(front_end) => Running::Opening(front_end, controls),
        };
        state.running.insert(id, running);
        state.births.insert(id, Birth { at: now, begun: Instant::now(), about: None });
        Ok((Admission { id, sessions: Arc::clone(self) }, stop))
    }

    /// The running session with this id.
    pub(crate) fn find(&self, id: SessionId) -> Result<Running, Absent> {
        let state = self.lock();
        state.running.get(&id).cloned().ok_or_else(|| state.absent(id))
    }

    /// The sessions that run, oldest id first.
    pub(crate) fn running(&self) -> Vec<SessionId> {
        let mut running: Vec<_> = self.lock().running.keys().copied().collect();
        running.sort_unstable();
        running
    }

    /// The sessions that there are, oldest first.
    pub(crate) fn facts(&self) -> Vec<SessionFacts> {
        let state = self.lock();
        let mut facts: Vec<_> = state
            .running
            .iter()
            .filter_map(|(id, running)| Some(facts_of(*id, running, state.births.get(id)?)))
            .collect();
        facts.sort_unstable_by_key(|facts| (facts.started, facts.id));
        facts
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // Every change below is whole before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn leases(&self, front_end: FrontEndId) -> usize {
        let is_its = |running: &&Running| match running {
            Running::OneShot(_) => false,
            Running::Opening(by, _) => *by == front_end,
            Running::Leased(lease) => lease.terms.front_end == front_end,
        };
        self.running.values().filter(is_its).count()
    }

    fn absent(&self, id: SessionId) -> Absent {
        match self.ended_leases.iter().find(|(ended, _)| *ended == id) {
            Some((_, end)) => Absent::LeaseEnded(*end),
            None if self.used.contains(&id) => Absent::Ended,
            None => Absent::Unknown,
        }
    }

    fn forget(&mut self, now: Timestamp) {
        while let Some(&(used, id)) = self.used_since.front()
            && now.duration_since(used) > REMEMBERED
        {
            self.used_since.pop_front();
            self.used.remove(&id);
        }
    }
}

fn facts_of(id: SessionId, running: &Running, birth: &Birth) -> SessionFacts {
    let about = birth.about.clone();
    let (kind, activity, since, remaining) = match running {
        Running::OneShot(controls) => {
            let remaining = controls.allowance.remaining();
            (SessionKind::OneRequest, SessionActivity::Running, birth.begun.elapsed(), remaining)
        }
        Running::Opening(front_end, controls) => {
            let remaining = controls.allowance.remaining();
            (SessionKind::Opening(*front_end), SessionActivity::Opening, birth.begun.elapsed(), remaining)
        }
        Running::Leased(lease) => {
            let (activity, since, transaction) = lease.activity();
            let remaining = match activity {
                SessionActivity::Running => lease.controls().and_then(|it| it.allowance.remaining()),
                SessionActivity::Opening | SessionActivity::Idle | SessionActivity::Ending => None,
            };
            let Terms { front_end, idle_limit, .. } = lease.terms;
            (SessionKind::Leased { front_end, idle_limit, transaction }, activity, since, remaining)
        }
    };
    SessionFacts { id, kind, activity, since, started: birth.at, about, remaining }
}

impl Admission {
    /// What the session is about is known now.
    pub(super) fn is_about(&self, about: SessionAbout) {
        if let Some(birth) = self.sessions.lock().births.get_mut(&self.id) {
            birth.about = Some(about);
        }
    }

    /// The session has opened, and is found as what it is from now on.
    pub(super) fn leased(&self, lease: &Arc<Lease>) {
        self.sessions.lock().running.insert(self.id, Running::Leased(Arc::clone(lease)));
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut state = self.sessions.lock();
        state.births.remove(&self.id);
        if let Some(Running::Leased(lease)) = state.running.remove(&self.id)
            && let Some(end) = lease.end()
        {
            if state.ended_leases.len() >= ENDS_REMEMBERED_MAX {
                state.ended_leases.pop_front();
            }
            state.ended_leases.push_back((self.id, end));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::budget::Budget;

    fn id(made: Timestamp, random: u8) -> SessionId {
        let milliseconds = u64::try_from(made.as_millisecond()).unwrap();
        uuid::Builder::from_unix_timestamp_millis(milliseconds, &[random; 10])
            .into_uuid()
            .to_string()
            .parse()
            .unwrap()
    }

    fn admit(sessions: &Arc<Sessions>, id: SessionId) -> Result<(Admission, Stoppable), Refusal> {
        admit_as(sessions, id, Kind::OneShot, now())
    }

    fn admit_as(
        sessions: &Arc<Sessions>,
        id: SessionId,
        kind: Kind,
        now: Timestamp,
    ) -> Result<(Admission, Stoppable), Refusal> {
        let allowance = Budget::since(Instant::now(), None).allowance();
        sessions.admit(id, kind, allowance, now)
    }

    fn now() -> Timestamp {
        "2026-01-02T03:04:05Z".parse().unwrap()
    }

    #[test]
    fn an_id_is_used_once() {
        let sessions = Sessions::new(2, 2);
        let id = id(now(), 1);
        let admission = admit(&sessions, id).ok();
        assert_eq!(admit(&sessions, id).err(), Some(Refusal::Id(SessionIdError::Used)));
        drop(admission);
        assert_eq!(admit(&sessions, id).err(), Some(Refusal::Id(SessionIdError::Used)));
    }

    #[test]
    fn an_id_from_the_future_is_never_good_twice() {
        let sessions = Sessions::new(2, 2);
        let future = id(now() + CLOCK_OFFSET_MAX, 1);
        drop(admit(&sessions, future));
        for minutes in 0..20 {
            let later = now() + SignedDuration::from_mins(minutes);
            assert!(admit_as(&sessions, future, Kind::OneShot, later).is_err(), "after {minutes} minutes");
        }
        // By then it is forgotten, and refused for its time.
        let later = now() + SignedDuration::from_mins(20);
        assert_eq!(
            admit_as(&sessions, future, Kind::OneShot, later).err(),
            Some(Refusal::Id(SessionIdError::ClockOffset))
        );
        drop(admit_as(&sessions, id(later, 2), Kind::OneShot, later));
        assert_eq!(sessions.lock().used.len(), 1);
    }

    #[test]
    fn a_clock_that_jumps_gives_no_running_session_a_second_one_of_its_name() {
        let sessions = Sessions::new(3, 3);
        let first = admit(&sessions, id(now(), 1)).unwrap();
        // An hour on, when the id is forgotten, and back.
        let ahead = now() + SignedDuration::from_hours(1);
        drop(admit_as(&sessions, id(ahead, 2), Kind::OneShot, ahead));
        assert_eq!(admit(&sessions, first.0.id).err(), Some(Refusal::Id(SessionIdError::Used)));
        assert_eq!(sessions.running(), [first.0.id]);
    }

    #[test]
    fn a_full_house_answers_at_once_and_has_room_again() {
        let sessions = Sessions::new(1, 1);
        let first = admit(&sessions, id(now(), 1)).unwrap();
        assert_eq!(sessions.running(), [first.0.id]);
        assert_eq!(admit(&sessions, id(now(), 2)).err(), Some(Refusal::Full { max: 1 }));
        drop(first);
        assert!(sessions.running().is_empty());
        assert!(admit(&sessions, id(now(), 2)).is_ok(), "a refused id is not used up");
    }

    #[test]
    fn a_session_that_ended_is_told_from_one_that_never_was() {
        let sessions = Sessions::new(3, 1);
        let (ended, _) = admit(&sessions, id(now(), 1)).unwrap();
        let ended_id = ended.id;
        drop(ended);
        assert_eq!(sessions.find(ended_id).err(), Some(Absent::Ended));
        assert_eq!(sessions.find(id(now(), 9)).err(), Some(Absent::Unknown));
    }

    #[test]
    fn each_front_end_has_a_bound_of_leases_and_all_have_one_of_sessions() {
        let sessions = Sessions::new(4, 1);
        let page: FrontEndId = "5b3e1d0a-7c00-4abc-8def-0123456789ab".parse().unwrap();
        let unnamed = FrontEndId::default();
        let lease =
            |front_end, random| admit_as(&sessions, id(now(), random), Kind::Leased(front_end), now());
        let first = lease(page, 1).ok().unwrap();
        assert_eq!(lease(page, 2).err(), Some(Refusal::LeasesFull { max: 1 }));
        let _second = lease(unnamed, 3).ok().unwrap();
        assert_eq!(lease(unnamed, 4).err(), Some(Refusal::LeasesFull { max: 1 }));
        let one_shot = admit(&sessions, id(now(), 5)).ok().unwrap();
        drop(first);
        let _third = lease(page, 2).expect("a refused id is not used up");
        let _fourth = admit(&sessions, id(now(), 6)).ok().unwrap();
        let other: FrontEndId = "5b3e1d0a-7c00-4abc-8def-0123456789ac".parse().unwrap();
        assert_eq!(lease(other, 7).err(), Some(Refusal::Full { max: 4 }));
        drop(one_shot);
        assert!(lease(other, 7).is_ok());
    }
}
