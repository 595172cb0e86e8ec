//! The clock that Core was given.

use std::{fmt, sync::Arc};

use jiff::Timestamp;

/// Tells the time of day. Libraries of QueryBox read no clock that they were not given.
///
/// Deadlines do not use it: they count on the runtime's monotonic clock.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// A clock that asks `now`; the system's is `Clock::new(Timestamp::now)`.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock(..)")
    }
}
