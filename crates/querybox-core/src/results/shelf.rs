//! All results that are kept.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use querybox_results::Budget;
use querybox_store::Owner;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    ResultSettings,
    download::Tickets,
    error::{DropCause, ResultError, RunError},
    held::Held,
    turns::Turns,
};
use crate::session::SessionId;

/// Exports at once, downloads among them. Each has a thread of its own that waits for its reader, and for a statement that runs;
/// there are some hundreds for all that waits for a disk, and what is kept needs some too.
const EXPORTS_MAX: usize = 32;

/// Results that are gone and are remembered for those who ask for them.
const GONE_REMEMBERED_MAX: usize = 1024;

/// All results of one Core.
pub(crate) struct Shelf {
    budget: Arc<Budget>,
    results_max: usize,
    idle: Duration,
    /// Turns of those who make views.
    pub(super) turns: Turns,
    /// Exports that run.
    exports: Arc<Semaphore>,
    /// For downloads.
    pub(super) tickets: Tickets,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    results: HashMap<SessionId, Arc<Held>>,
    /// Owners of results that are about to come.
    expected: Vec<Owner>,
    /// Oldest first.
    gone: VecDeque<Gone>,
}

struct Gone {
    id: SessionId,
    owner: Owner,
    cause: DropCause,
}

/// Room for one more result of an owner. Dropping it gives the room back.
pub(super) struct Room {
    shelf: Arc<Shelf>,
    /// `None`: a result has taken it.
    owner: Option<Owner>,
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
        Arc::new(Self {
            budget,
            results_max,
            idle,
            turns: Turns::new(),
            exports: Arc::new(Semaphore::new(EXPORTS_MAX)),
            tickets: Tickets::default(),
            state: Mutex::default(),
        })
    }

    pub(super) fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    pub(super) fn idle(&self) -> Duration {
        self.idle
    }

    /// Takes room for one more result of an owner, before anything runs: what runs is to be kept.
    pub(super) fn room(self: &Arc<Self>, owner: &Owner) -> Result<Room, RunError> {
        let mut state = self.lock();
        let held = state.results.values().filter(|held| held.origin.owner == *owner).count();
        let expected = state.expected.iter().filter(|one| *one == owner).count();
        if held + expected >= self.results_max {
            return Err(RunError::Full { max: self.results_max });
        }
        state.expected.push(owner.clone());
        Ok(Room { shelf: Arc::clone(self), owner: Some(owner.clone()) })
    }

    pub(super) fn check_unused(&self, id: SessionId) -> Result<(), RunError> {
        let state = self.lock();
        let is_used = state.results.contains_key(&id) || state.gone.iter().any(|gone| gone.id == id);
        if is_used { Err(RunError::Used) } else { Ok(()) }
    }

    /// Puts a result where there is room for it.
    pub(super) fn put(self: &Arc<Self>, held: &Arc<Held>, mut room: Room) -> Result<Slot, RunError> {
        let id = held.origin.id;
        // Unlocked before the room goes, which may want the lock.
        let mut state = self.lock();
        if state.results.contains_key(&id) {
            return Err(RunError::Used);
        }
        state.results.insert(id, Arc::clone(held));
        // Under the same lock, so that nobody counts it twice.
        if let Some(owner) = room.owner.take() {
            state.expect_no_more(&owner);
        }
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

    /// Room for one more export, for as long as it is held.
    pub(super) fn export_room(&self) -> Result<OwnedSemaphorePermit, ResultError> {
        let room = Arc::clone(&self.exports).try_acquire_owned();
        room.map_err(|_| ResultError::ExportsFull { max: EXPORTS_MAX })
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

impl State {
    fn expect_no_more(&mut self, owner: &Owner) {
        if let Some(at) = self.expected.iter().position(|one| one == owner) {
            self.expected.swap_remove(at);
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Some(owner) = self.owner.take() {
            self.shelf.lock().expect_no_more(&owner);
        }
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
