//! The time that one request may take.

use std::{future::pending, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::copying::{CopySlot, Copying};

/// The time that one request may take, from the edge to its end. It stands still while the reader takes its time.
///
/// Dropped, nothing has time any more.
#[derive(Debug)]
pub(crate) struct Budget(watch::Sender<Time>, CopySlot);

/// The end of those who may give a request more time, or data.
#[derive(Debug, Clone)]
pub(crate) struct Allowance(watch::Sender<Time>, CopySlot);

/// How much more time a request is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extension {
    /// So much beyond what is left.
    By(Duration),
    /// As long as it takes, or as long as the operator allows.
    Unlimited,
}

/// Why a request has no more time than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotExtended {
    /// It does not run yet, or is over, or is being stopped.
    NothingRuns,
    /// All of it would be more than may be.
    TooLong { max: Duration },
}

#[derive(Debug)]
struct Time {
    left: Option<Left>,
    running_since: Option<Instant>,
    /// A statement waits for data: whatever else happens, the time stands still.
    is_held: bool,
    phase: Phase,
}

/// What is left of a limit.
#[derive(Debug, Clone, Copy)]
struct Left {
    left: Duration,
    limit: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The limit may still change, for what the connection says is not known yet.
    Begins,
    Runs,
    /// More time would change nothing.
    Over,
}

impl Budget {
    /// A budget that runs since `start`, with a limit to be [set](Self::set_limit). `None`: as long as it takes.
    pub(crate) fn since(start: Instant, limit: Option<Duration>) -> Self {
        let left = limit.map(|limit| Left { left: limit, limit });
        let (time, _) =
            watch::channel(Time { left, running_since: Some(start), is_held: false, phase: Phase::Begins });
        Self(time, CopySlot::default())
    }

    /// The limit, now that it is known. From now on it may be extended.
    pub(crate) fn set_limit(&self, limit: Option<Duration>) {
        self.0.send_modify(|time| {
            time.left = limit.map(|limit| Left { left: limit, limit });
            time.phase = Phase::Runs;
        });
    }

    pub(crate) fn allowance(&self) -> Allowance {
        Allowance(self.0.clone(), self.1.clone())
    }

    /// Stops counting.
    pub(crate) fn pause(&self, now: Instant) {
        // Whoever waits for the end of the budget is who pauses it, and asks anew afterwards.
        self.0.send_if_modified(|time| {
            time.pause(now);
            false
        });
    }

    /// Goes on counting.
    pub(crate) fn resume(&self, now: Instant) {
        self.0.send_if_modified(|time| {
            if !time.is_held {
                time.running_since.get_or_insert(now);
            }
            false
        });
    }

    /// No more time can be given: what ran is over, or is being stopped.
    pub(crate) fn close(&self) {
        self.0.send_if_modified(|time| {
            time.phase = Phase::Over;
            false
        });
    }

    /// Resolves with the whole limit when it is used up: never without one, and not while it is paused. Cancel-safe.
    pub(crate) async fn used_up(&self) -> Duration {
        let mut extended = self.0.subscribe();
        loop {
            let end = extended.borrow_and_update().end();
            let over = async {
                match end {
                    Some(end) => sleep_until(end).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                () = over => if let Some(limit) = self.expire(Instant::now()) {
                    return limit;
                },
                // The sender is in `self`.
                _ = extended.changed() => {}
            }
        }
    }

    /// The whole limit, if it is used up. From then on no extension comes in time.
    fn expire(&self, now: Instant) -> Option<Duration> {
        let mut used_up = None;
        self.0.send_if_modified(|time| {
            if time.end().is_some_and(|end| end <= now) {
                used_up = time.left.map(|left| left.limit);
                time.phase = Phase::Over;
            }
            false
        });
        used_up
    }
}

impl Drop for Budget {
    fn drop(&mut self) {
        self.close();
    }
}

impl Allowance {
    /// Gives more time, all in all no more than `max`. Answers what is left then; `None`: as long as it takes.
    pub(crate) fn extend(
        &self,
        extension: Extension,
        max: Option<Duration>,
    ) -> Result<Option<Duration>, NotExtended> {
        let mut answer = Err(NotExtended::NothingRuns);
        self.0.send_if_modified(|time| {
            if time.phase == Phase::Runs {
                answer = time.extend(extension, max, Instant::now());
            }
            answer.is_ok()
        });
        answer
    }

    /// What is left. `None`: as long as it takes.
    pub(crate) fn remaining(&self) -> Option<Duration> {
        self.0.borrow().remaining(Instant::now())
    }

    /// Where data of the request comes in.
    pub(crate) fn copying(&self) -> Copying {
        Copying::new(self.1.clone(), self.clone())
    }

    /// Stops counting until it is [released](Self::release).
    pub(super) fn hold(&self) {
        self.0.send_modify(|time| {
            time.pause(Instant::now());
            time.is_held = true;
        });
    }

    /// Counts again.
    pub(super) fn release(&self) {
        self.0.send_modify(|time| {
            if std::mem::take(&mut time.is_held) {
                time.running_since.get_or_insert(Instant::now());
            }
        });
    }
}

impl Time {
    fn pause(&mut self, now: Instant) {
        if let (Some(since), Some(left)) = (self.running_since.take(), &mut self.left) {
            left.left = left.left.saturating_sub(now.saturating_duration_since(since));
        }
    }

    fn extend(
        &mut self,
        extension: Extension,
        max: Option<Duration>,
        now: Instant,
    ) -> Result<Option<Duration>, NotExtended> {
        if self.running_since.is_some() {
            self.pause(now);
            self.running_since = Some(now);
        }
        // What has no limit needs no more.
        let Some(left) = &mut self.left else { return Ok(None) };
        let more = match (extension, max) {
            (Extension::By(by), None) => by,
            (Extension::By(by), Some(max)) if left.limit.saturating_add(by) <= max => by,
            (Extension::By(_), Some(max)) => return Err(NotExtended::TooLong { max }),
            (Extension::Unlimited, Some(max)) => max.saturating_sub(left.limit),
            (Extension::Unlimited, None) => {
                self.left = None;
                return Ok(None);
            }
        };
        left.limit = left.limit.saturating_add(more);
        left.left = left.left.saturating_add(more);
        Ok(Some(left.left))
    }

    fn remaining(&self, now: Instant) -> Option<Duration> {
        let used = self.running_since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        Some(self.left?.left.saturating_sub(used))
    }

    /// When it is used up if nothing pauses it.
    fn end(&self) -> Option<Instant> {
        // A limit beyond what an instant can hold is no limit.
        self.running_since?.checked_add(self.left?.left)
    }
}

#[cfg(test)]
mod tests;
