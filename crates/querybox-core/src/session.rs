//! Sessions: one request, one driver process, one stream of answers; or, leased, one driver process for many requests.
//!
//! Each session is a task of Core that owns its driver; what callers hold is the reading end of a [`handover`]. So a session
//! comes to its end also when nobody reads: a cancel is answered, the deadline holds, the driver goes. The task reads a part
//! from the driver only when the reader asks for one; nothing is buffered here, and a slow reader slows the database down.
//!
//! [`run`] is what both kinds do with one request. The [`task`] of a one-shot session does it once; that of a [`lease`] does
//! it whenever it is asked, as the session's [`state`] allows.

mod aftermath;
mod answers;
mod beginning;
mod budget;
mod copying;
mod error;
mod facts;
mod front_end;
mod handover;
mod history;
mod id;
mod lease;
mod parking;
mod prepare;
mod registry;
mod run;
mod state;
mod stop;
mod tally;
mod task;
mod watch;

pub(crate) use aftermath::Aftermath;
pub use answers::{Answers, Ended, Event, Opened};
pub use beginning::{Cancelled, Receipt};
pub use budget::Extension;
pub use error::{LeaseError, SessionError};
pub use facts::{SessionAbout, SessionActivity, SessionFacts, SessionKind};
pub use front_end::{FrontEndId, FrontEndIdError};
pub(crate) use history::{Note, derive_outcome};
pub use id::{SessionId, SessionIdError};
pub(crate) use lease::{Job, Lease, Run, Terms};
pub use prepare::{Target, Unsaved};
pub(crate) use registry::{Absent, Kind, Running, Sessions};
pub(crate) use run::Work;
pub use state::{EndCause, SessionEnd};
pub(crate) use tally::{Answer, LastWord, StatementLimits, Tally};
pub(crate) use task::start_driver;
pub(crate) use watch::Watch;
