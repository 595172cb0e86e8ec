//! All results that are kept.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use querybox_results::Budget;
use querybox_store::Owner;
use tokio::sync::Semaphore;

use super::{
    ResultSettings,
    error::{DropCause, ResultError, RunError},
    held::Held,
    view,
};
use crate::session::SessionId;

/// Results that are gone and are remembered for those who ask for them.
const GONE_REMEMBERED_MAX: usize = 1024;

/// All results of one Core.
pub(crate) struct Shelf {
    budget: Arc<Budget>,
    results_max: usize,
    idle: Duration,
    /// Turns of those who make views.
    pub(super) turns: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    results: HashMap<SessionId, Arc<Held>>,
    /// Oldest first.
    gone: VecDeque<Gone>,
}

struct Gone {
    id: SessionId,
    owner: Owner,
    cause: DropCause,
}

/// A result's slot on the shelf. Dropping it takes the result away.
pub(super) struct Slot {
    shelf: Arc<Shelf>,
    id: SessionId,
    pub(super) cause: DropCause,
}

impl Shelf {
    pub(crate) fn new(settings: ResultSettings) -> Arc<Self> {
        let ResultSettings { folder, limits, results_max, idle } = settings;
        let budget = Budget::new(folder, limits);
        Arc::new(Self { budget, results_max, idle, turns: view::turns(), state: Mutex::default() })
    }

    pub(super) fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    pub(super) fn idle(&self) -> Duration {
        self.idle
    }

    /// Whether the owner may have one more. Of those who ask at the same moment each may be let in.
    pub(super) fn check_room(&self, owner: &Owner) -> Result<(), RunError> {
        let held = self.lock().results.values().filter(|held| held.origin.owner == *owner).count();
        if held >= self.results_max { Err(RunError::Full { max: self.results_max }) } else { Ok(()) }
    }

    pub(super) fn check_unused(&self, id: SessionId) -> Result<(), RunError> {
        let state = self.lock();
        let is_used = state.results.contains_key(&id) || state.gone.iter().any(|gone| gone.id == id);
        if is_used { Err(RunError::Used) } else { Ok(()) }
    }

    pub(super) fn put(self: &Arc<Self>, held: &Arc<Held>) -> Result<Slot, RunError> {
        let id = held.origin.id;
        let mut state = self.lock();
        if state.results.contains_key(&id) {
            return Err(RunError::Used);
        }
        state.results.insert(id, Arc::clone(held));
        Ok(Slot { shelf: Arc::clone(self), id, cause: DropCause::ShuttingDown })
    }

    /// A result of an owner, which is thereby used.
    pub(super) fn find(&self, owner: &Owner, id: SessionId) -> Result<Arc<Held>, ResultError> {
        let state = self.lock();
        if let Some(held) = state.results.get(&id).filter(|held| held.origin.owner == *owner) {
            held.touch();
            return Ok(Arc::clone(held));
        }
        match state.gone.iter().find(|gone| gone.id == id && gone.owner == *owner) {
            Some(gone) => Err(ResultError::Dropped(gone.cause)),
            None => Err(ResultError::NotFound),
        }
    }

    /// Newest first.
    pub(super) fn of_owner(&self, owner: &Owner) -> Vec<Arc<Held>> {
        let state = self.lock();
        let mut held: Vec<_> =
            state.results.values().filter(|held| held.origin.owner == *owner).cloned().collect();
        held.sort_by_key(|held| std::cmp::Reverse((held.origin.begun, held.origin.id)));
        held
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is whole before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.shelf.lock();
        if let Some(held) = state.results.remove(&self.id) {
            if state.gone.len() >= GONE_REMEMBERED_MAX {
                state.gone.pop_front();
            }
            let owner = held.origin.owner.clone();
            state.gone.push_back(Gone { id: self.id, owner, cause: self.cause });
            drop(state);
            held.views.clear();
            held.gone.cancel();
        }
    }
}
