//! What happens in Core, as whoever counts it or writes it down is told: which session, what it was for, how it went, how much
//! it was. Nothing in it is a statement, a value, or a name that people gave.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use querybox_launcher::{EndingCounts, SpareCounts};
use querybox_store::{ConnectionId, DriverType, Outcome};
use querybox_vault::KeyringError;
use tokio::time::Instant;

use crate::{
    Core,
    session::{Cancelled, SessionEnd, SessionId, Tally},
};

/// Something that happened.
#[derive(Debug, Clone, Copy)]
pub enum Happening<'a> {
    /// A request begins to run in its session.
    Began(&'a Request),
    /// It has ended, and whatever it was for is over.
    Ended(&'a Request, &'a RequestEnd),
    /// A request has the driver that its session is to be opened by.
    DriverStarted { driver_type: &'a DriverType, start: DriverStart, took: Duration },
    /// A leased session has ended.
    SessionEnded { session: SessionId, end: SessionEnd },
    /// Somebody asked a session to stop, and has the answer.
    Cancelled { session: SessionId, cancelled: Cancelled },
    /// What a session runs has so much time left now. `None`: as much as it takes.
    Extended { session: SessionId, left: Option<Duration> },
    /// The vault was asked for something.
    VaultUsed(VaultOperation, VaultOutcome),
    /// The keyring was asked for something.
    KeyringUsed(KeyringOperation, KeyringOutcome),
}

/// A request in a session of its own or in a leased one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub session: SessionId,
    /// `None`: it is not saved.
    pub connection: Option<ConnectionId>,
    pub driver_type: DriverType,
    pub verb: Verb,
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// A script is run.
    Execute,
    /// The catalog is read.
    Schema,
    /// Statements are asked for that make objects again.
    Ddl,
    /// A connection is tried.
    Test,
    /// A session is opened that is to be leased.
    Open,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestEnd {
    pub outcome: Outcome,
    /// From when it was asked for.
    pub duration: Duration,
    /// Until its first row. `None`: it had none.
    pub first_row: Option<Duration>,
    /// Rows and bytes of all results together.
    pub rows: u64,
    pub bytes: u64,
    pub statements_done: u32,
    pub statements_rejected: u32,
}

/// How a driver came to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DriverStart {
    /// A process was started.
    Fresh,
    /// One waited.
    Spare,
}

/// What the vault can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VaultOperation {
    /// To read master keys and put them together with what is known of them.
    Load,
    Seal,
    Open,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VaultOutcome {
    Done,
    /// No source of master keys is configured.
    NoSource,
    /// The source gives none, or others than those that are needed.
    KeysUnusable,
    /// What was sealed does not open.
    DoesNotOpen,
}

/// What a keyring can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyringOperation {
    Probe,
    Add,
    Get,
    Delete,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyringOutcome {
    Done,
    /// It has no entry of this name.
    Missing,
    /// There is no keyring.
    Absent,
    Locked,
    Denied,
    Silent,
    Failed,
}

type Told = Box<dyn Fn(&Happening<'_>) + Send + Sync>;

/// Who is told. Clones are one.
#[derive(Clone, Default)]
pub(crate) struct Observers(Arc<RwLock<Vec<Told>>>);

/// A request that runs: whoever heard that it began hears how it ended, also when its task goes down with its runtime.
pub(crate) struct Telling {
    observers: Observers,
    request: Request,
    begun: Instant,
    is_over: bool,
}

impl Core {
    /// Tells of all that happens from now on. The observer is called where it happens: it must not block, nor call Core.
    pub fn observe(&self, observer: impl Fn(&Happening<'_>) + Send + Sync + 'static) {
        self.observers.0.write().unwrap_or_else(PoisonError::into_inner).push(Box::new(observer));
    }

    /// What became of drivers that were started before they were needed.
    #[must_use]
    pub fn spare_counts(&self) -> SpareCounts {
        self.launcher.spare_counts()
    }

    /// How processes of drivers ended so far.
    #[must_use]
    pub fn driver_endings(&self) -> EndingCounts {
        self.launcher.ending_counts()
    }
}

impl Observers {
    pub(crate) fn tell(&self, happening: &Happening<'_>) {
        for told in self.0.read().unwrap_or_else(PoisonError::into_inner).iter() {
            told(happening);
        }
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observers(..)")
    }
}

impl Telling {
    /// Tells that a request begins, which was asked for at a moment.
    pub(crate) fn begin(observers: &Observers, request: Request, begun: Instant) -> Self {
        observers.tell(&Happening::Began(&request));
        Self { observers: observers.clone(), request, begun, is_over: false }
    }

    /// Tells that its driver is there.
    pub(crate) fn driver_started(&self, start: DriverStart, took: Duration) {
        let driver_type = &self.request.driver_type;
        self.observers.tell(&Happening::DriverStarted { driver_type, start, took });
    }

    /// Tells how it ended.
    pub(crate) fn end(mut self, outcome: Outcome, tally: &Tally) {
        let counts = tally.counts();
        let first_row = counts.first_row.map(|at| at.saturating_duration_since(self.begun));
        self.over(RequestEnd {
            outcome,
            duration: self.begun.elapsed(),
            first_row,
            rows: counts.rows,
            bytes: counts.bytes,
            statements_done: counts.statements_done,
            statements_rejected: counts.statements_rejected,
        });
    }

    fn over(&mut self, end: RequestEnd) {
        self.is_over = true;
        self.observers.tell(&Happening::Ended(&self.request, &end));
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        if !self.is_over {
            let duration = self.begun.elapsed();
            self.over(RequestEnd {
                outcome: Outcome::Failed,
                duration,
                first_row: None,
                rows: 0,
                bytes: 0,
                statements_done: 0,
                statements_rejected: 0,
            });
        }
    }
}

impl Verb {
    pub const ALL: [Self; 5] = [Self::Execute, Self::Schema, Self::Ddl, Self::Test, Self::Open];

    /// As it is written down.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Execute => "execute",
            Self::Schema => "schema",
            Self::Ddl => "ddl",
            Self::Test => "test",
            Self::Open => "open",
        }
    }
}

impl<T> From<&Result<T, KeyringError>> for KeyringOutcome {
    fn from(answer: &Result<T, KeyringError>) -> Self {
        match answer {
            Ok(_) => Self::Done,
            Err(KeyringError::Absent) => Self::Absent,
            Err(KeyringError::Locked) => Self::Locked,
            Err(KeyringError::Denied) => Self::Denied,
            Err(KeyringError::Silent) => Self::Silent,
            Err(KeyringError::Failed { .. }) => Self::Failed,
        }
    }
}
