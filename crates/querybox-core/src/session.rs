//! Sessions: one request, one driver process, one stream of answers.
//!
//! Each session is a task of Core that owns its driver; what callers hold is the reading end of a [`handover`]. So a session
//! comes to its end also when nobody reads: a cancel is answered, the deadline holds, the driver goes. The task reads a part
//! from the driver only when the reader asks for one; nothing is buffered here, and a slow reader slows the database down.

mod answers;
mod beginning;
mod budget;
mod error;
mod handover;
mod history;
mod id;
mod prepare;
mod registry;
mod tally;
mod task;
mod watch;

pub use answers::{Answers, Ended, Event, Opened};
pub use beginning::{Cancelled, Receipt};
pub use error::SessionError;
pub use id::{SessionId, SessionIdError};
pub use prepare::{Target, Unsaved};
pub(crate) use registry::Sessions;
pub(crate) use tally::{Answer, StatementLimits, Tally};
pub(crate) use task::Work;
pub(crate) use watch::Watch;
