//! Turns of those who look through whole results: views and statistics.

use std::{future::Future, sync::Arc};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::ResultError;

/// Views and statistics that are made at once; each takes memory and two processors.
const AT_ONCE_MAX: usize = 2;
/// Those that wait for their turn.
const WAITING_MAX: usize = 64;

/// Who has a turn, and who waits for one.
#[derive(Clone)]
pub(super) struct Turns {
    /// Those who work and those who wait.
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

/// A place among those who work and wait.
pub(super) struct Waiting {
    turns: Arc<Semaphore>,
    place: OwnedSemaphorePermit,
}

/// Somebody's turn, until it is dropped.
pub(super) struct Turn {
    _place: OwnedSemaphorePermit,
    _turn: OwnedSemaphorePermit,
}

impl Turns {
    pub(super) fn new() -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self { places: semaphore(AT_ONCE_MAX + WAITING_MAX), turns: semaphore(AT_ONCE_MAX) }
    }

    /// Takes a place.
    pub(super) fn wait(&self) -> Result<Waiting, ResultError> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| ResultError::WorkFull { max: AT_ONCE_MAX + WAITING_MAX })?;
        Ok(Waiting { turns: Arc::clone(&self.turns), place })
    }
}

impl Waiting {
    /// Waits for the turn. `None`: what is waited for is not wanted any more.
    pub(super) async fn turn(self, unwanted: impl Future<Output = ()>) -> Option<Turn> {
        tokio::select! {
            biased;
            () = unwanted => None,
            turn = self.turns.acquire_owned() => turn.ok().map(|turn| Turn { _place: self.place, _turn: turn }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn some_work_others_wait_and_no_more_than_may() {
        let turns = Turns::new();
        let one = turns.wait().unwrap().turn(pending()).await.unwrap();
        let _two = turns.wait().unwrap().turn(pending()).await.unwrap();
        let mut waiting: Vec<_> = (0..WAITING_MAX).map(|_| turns.wait().unwrap()).collect();
        assert!(matches!(turns.wait(), Err(ResultError::WorkFull { max: 66 })));
        // Who is not wanted any more makes room at once.
        assert!(waiting.pop().unwrap().turn(ready(())).await.is_none());
        let last = turns.wait().unwrap();
        assert!(waiting.pop().unwrap().turn(pending()).now_or_never().is_none());
        drop(one);
        assert!(last.turn(pending()).now_or_never().flatten().is_some());
    }
}
