//! Which sessions there are, and what they do.

use std::time::Duration;

use jiff::Timestamp;
use querybox_launcher::TransactionState;
use querybox_store::{ConnectionId, DriverType};

use super::{front_end::FrontEndId, id::SessionId};
use crate::Core;

/// A session that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionFacts {
    pub id: SessionId,
    pub kind: SessionKind,
    pub activity: SessionActivity,
    /// For how long it has done that.
    pub since: Duration,
    pub started: Timestamp,
    /// What it is about. `None`: that is still looked for.
    pub about: Option<SessionAbout>,
    /// What is left of the time of what it does. `None`: it does nothing, or may take as long as it takes.
    pub remaining: Option<Duration>,
}

/// What a session is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionAbout {
    /// `None`: it is not saved.
    pub connection: Option<ConnectionId>,
    pub driver_type: DriverType,
}

/// What a session is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionKind {
    /// One request.
    OneRequest,
    /// It is to be leased by this front end.
    Opening(FrontEndId),
    /// It is leased by this front end.
    Leased { front_end: FrontEndId, idle_limit: Duration, transaction: TransactionState },
}

/// What a session does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionActivity {
    /// It opens, to be leased.
    Opening,
    /// A request runs.
    Running,
    /// It is leased, and waits for a request.
    Idle,
    /// Its driver is on its way out.
    Ending,
}

impl Core {
    /// The sessions that there are, the oldest first.
    #[must_use]
    pub fn session_facts(&self) -> Vec<SessionFacts> {
        self.sessions.facts()
    }
}
