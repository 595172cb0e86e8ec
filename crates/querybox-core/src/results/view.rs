//! Views of kept rows: made on threads that may wait, seen by all who know the result.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use querybox_results::{
    Case, Condition, Progress, Rows, SortColumn, ViewError, Work, distinct, filter, sort,
};
use querybox_store::Owner;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    error::{DropCause, ResultError},
    held::Held,
    reading::{NO_VIEW, Place},
};
use crate::{
    Core,
    events::{FrontEndEvent, Watchers},
    session::SessionId,
};

/// Memory of one view while it is made, in what it asks for. What the allocator adds is a fourth of that in a sort: 256 MiB together.
pub(super) const WORK_BYTES: usize = 192 << 20;
/// Views of one result.
const VIEWS_MAX: usize = 64;
/// The answer to who wants a view waits so long for it.
const READY_WITHIN: Duration = Duration::from_millis(100);
/// Front ends are told so often how far a view is.
pub(super) const TOLD_EVERY: Duration = Duration::from_millis(250);

/// A view that is wanted.
#[derive(Debug)]
pub struct ViewAsk {
    /// Of what it is made.
    pub of: Place,
    pub order: ViewOrder,
    /// What the view is, in the words of whoever asks: kept with it and never read.
    pub description: Vec<u8>,
}

/// What a view does with rows. Columns are from 0.
#[derive(Debug)]
pub enum ViewOrder {
    Sort(Vec<SortColumn>),
    /// Without repetitions. Of no column: of all.
    Distinct {
        columns: Vec<u32>,
        template: SortColumn,
    },
    Filter(Condition),
    /// Rows in which a text is found. In no column: in any.
    Search {
        columns: Vec<u32>,
        text: String,
        case: Case,
    },
}

/// How a view stands.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewFacts {
    /// From 1, unique in its result.
    pub number: u32,
    /// What it was made of.
    pub of: Place,
    pub description: Vec<u8>,
    /// Rows that it is made of. While it waits for its turn: those that were there when it was asked for.
    pub source_rows: u64,
    pub done: u64,
    pub all: u64,
    /// What it was made of were all rows that the database would have returned.
    pub is_whole: bool,
    pub state: ViewState,
}

/// How a view stands.
#[derive(Debug, Clone)]
pub enum ViewState {
    Making,
    Ready { rows: u64 },
    Failed(Arc<ViewError>),
}

impl PartialEq for ViewState {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Making, Self::Making) => true,
            (Self::Ready { rows: one }, Self::Ready { rows: two }) => one == two,
            (Self::Failed(one), Self::Failed(two)) => Arc::ptr_eq(one, two),
            (Self::Making | Self::Ready { .. } | Self::Failed(_), _) => false,
        }
    }
}

/// One view.
pub(super) struct View {
    number: u32,
    of: Place,
    description: Vec<u8>,
    source_rows: AtomicU64,
    done: AtomicU64,
    all: AtomicU64,
    is_whole: AtomicBool,
    made: watch::Sender<Made>,
    /// For who works on it, and for who waits to.
    cancel: Arc<AtomicBool>,
    stopped: CancellationToken,
}

#[derive(Debug, Clone)]
enum Made {
    No,
    Yes(Rows),
    Failed(Arc<ViewError>),
}

/// The views of one result.
#[derive(Default)]
pub(super) struct Views(Mutex<Numbered>);

#[derive(Default)]
struct Numbered {
    /// The last that was given.
    last: u32,
    views: BTreeMap<u32, Arc<View>>,
    /// The result has gone, and nobody would stop one that came now.
    is_over: bool,
}

impl Core {
    /// Makes a view of the rows that are there when its turn comes. Resolves when it is made, or after a tenth of a second.
    ///
    /// # Errors
    ///
    /// See [`ResultError`]; [`ResultError::View`] also when it failed within that time, and is then forgotten.
    pub async fn make_view(
        &self,
        owner: &Owner,
        id: SessionId,
        ask: ViewAsk,
    ) -> Result<ViewFacts, ResultError> {
        let held = self.shelf.find(owner, id)?;
        let waiting = self.shelf.turns.wait()?;
        let (rows, is_whole) = (held.rows(ask.of)?.rows, held.is_whole(ask.of));
        let view = held.views.add(ask.of, ask.description, rows.row_count(), is_whole)?;
        let mut made = view.made.subscribe();
        let making = Making {
            held: Arc::clone(&held),
            view: Arc::clone(&view),
            watchers: Arc::clone(&self.watchers),
            told: Instant::now(),
        };
        let (order, tracker) = (ask.order, self.tracker.clone());
        self.tracker.spawn(async move {
            let lost = making.clone();
            let failed = |error| Made::Failed(Arc::new(error));
            let Some(_turn) = waiting.turn(lost.view.stopped.cancelled()).await else {
                drop((making, rows));
                return lost.end(failed(ViewError::Canceled));
            };
            // A panic would leave the view unfinished for ever.
            if tracker.spawn_blocking(move || making.make(rows, order)).await.is_err() {
                lost.end(failed(ViewError::Lost));
            }
        });
        let ready = made.wait_for(|made| !matches!(made, Made::No));
        let _ = tokio::time::timeout(READY_WITHIN, ready).await;
        let facts = view.facts();
        if let ViewState::Failed(error) = facts.state {
            held.views.remove(facts.number);
            return Err(ResultError::View(error));
        }
        Ok(facts)
    }

    /// How a view stands.
    ///
    /// # Errors
    ///
    /// See [`ResultError`].
    pub fn view(&self, owner: &Owner, id: SessionId, number: u32) -> Result<ViewFacts, ResultError> {
        let held = self.shelf.find(owner, id)?;
        held.views.get(number).map(|view| view.facts()).ok_or(ResultError::NoView(number))
    }

    /// Stops the making of a view and forgets it. Views that were made of it stay.
    ///
    /// # Errors
    ///
    /// See [`ResultError`].
    pub fn drop_view(&self, owner: &Owner, id: SessionId, number: u32) -> Result<(), ResultError> {
        let held = self.shelf.find(owner, id)?;
        held.views.remove(number).map(|_| ()).ok_or(ResultError::NoView(number))
    }
}

impl Views {
    fn add(
        &self,
        of: Place,
        description: Vec<u8>,
        source_rows: u64,
        is_whole: bool,
    ) -> Result<Arc<View>, ResultError> {
        let mut views = self.lock();
        if views.is_over {
            return Err(ResultError::Dropped(DropCause::Dropped));
        }
        if views.views.len() >= VIEWS_MAX {
            return Err(ResultError::ViewsFull { max: VIEWS_MAX });
        }
        views.last += 1;
        let view = Arc::new(View {
            number: views.last,
            of,
            description,
            source_rows: AtomicU64::new(source_rows),
            done: AtomicU64::new(0),
            all: AtomicU64::new(source_rows),
            is_whole: AtomicBool::new(is_whole),
            made: watch::Sender::new(Made::No),
            cancel: Arc::new(AtomicBool::new(false)),
            stopped: CancellationToken::new(),
        });
        let number = views.last;
        views.views.insert(number, Arc::clone(&view));
        Ok(view)
    }

    fn get(&self, number: u32) -> Option<Arc<View>> {
        self.lock().views.get(&number).cloned()
    }

    fn remove(&self, number: u32) -> Option<Arc<View>> {
        let removed = self.lock().views.remove(&number);
        if let Some(view) = &removed {
            view.stop();
        }
        removed
    }

    /// Whether a view was made of all rows that the database would have returned.
    pub(super) fn is_whole(&self, number: u32) -> bool {
        self.get(number).is_some_and(|view| view.is_whole.load(Ordering::Relaxed))
    }

    /// The rows of a view of a statement.
    pub(super) fn rows(&self, place: Place) -> Result<Rows, ResultError> {
        let view = self.get(place.view).filter(|view| view.of.statement == place.statement);
        let view = view.ok_or(ResultError::NoView(place.view))?;
        match &*view.made.borrow() {
            Made::Yes(rows) => Ok(rows.clone()),
            Made::No | Made::Failed(_) => Err(ResultError::ViewNotReady(place.view)),
        }
    }

    /// The views of a statement, in the order in which they were made.
    pub(super) fn of_statement(&self, statement: u32) -> Vec<ViewFacts> {
        let views = self.lock();
        let of = views.views.values().filter(|view| view.of.statement == statement);
        of.map(|view| view.facts()).collect()
    }

    /// Bytes of all of them.
    pub(super) fn bytes(&self) -> u64 {
        let bytes = |view: &Arc<View>| match &*view.made.borrow() {
            Made::Yes(rows) => rows.spool().bytes(),
            Made::No | Made::Failed(_) => 0,
        };
        self.lock().views.values().map(bytes).sum()
    }

    /// Forgets all, stops the making of those that are not made, and takes no more.
    pub(super) fn clear(&self) {
        let mut numbered = self.lock();
        numbered.is_over = true;
        let views = std::mem::take(&mut numbered.views);
        drop(numbered);
        views.values().for_each(|view| view.stop());
    }

    fn lock(&self) -> MutexGuard<'_, Numbered> {
        // Every change is whole before anything can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl View {
    fn stop(&self) {
        self.cancel.store(true, Ordering::Relaxed);
        self.stopped.cancel();
    }

    fn facts(&self) -> ViewFacts {
        let state = match &*self.made.borrow() {
            Made::No => ViewState::Making,
            Made::Yes(rows) => ViewState::Ready { rows: rows.row_count() },
            Made::Failed(error) => ViewState::Failed(Arc::clone(error)),
        };
        ViewFacts {
            number: self.number,
            of: self.of,
            description: self.description.clone(),
            source_rows: self.source_rows.load(Ordering::Relaxed),
            done: self.done.load(Ordering::Relaxed),
            all: self.all.load(Ordering::Relaxed),
            is_whole: self.is_whole.load(Ordering::Relaxed),
            state,
        }
    }
}

/// The making of one view.
#[derive(Clone)]
struct Making {
    held: Arc<Held>,
    view: Arc<View>,
    watchers: Arc<Watchers>,
    told: Instant,
}

impl Making {
    fn make(mut self, rows: Rows, order: ViewOrder) {
        let rows = self.begin(&rows);
        let made = match self.work(&rows, order) {
            Ok(rows) => Made::Yes(rows),
            Err(error) => Made::Failed(Arc::new(error)),
        };
        // Who is told may look whether anything is still held.
        drop(rows);
        self.end(made);
    }

    /// The rows that it is made of: those that are there now, as more may have come while it waited.
    fn begin(&self, rows: &Rows) -> Rows {
        let View { of, source_rows, all, is_whole, .. } = &*self.view;
        // Before the rows are counted: a statement that has ended has all of them. What a view is made of stays as it was, though
        // it may have been dropped meanwhile.
        if of.view == NO_VIEW {
            is_whole.store(self.held.is_whole(*of), Ordering::Relaxed);
        }
        let rows = rows.so_far();
        source_rows.store(rows.row_count(), Ordering::Relaxed);
        all.store(rows.row_count(), Ordering::Relaxed);
        rows
    }

    fn work(&mut self, rows: &Rows, order: ViewOrder) -> Result<Rows, ViewError> {
        let cancel = Arc::clone(&self.view.cancel);
        let mut progress = |Progress { done, all }: Progress| {
            self.view.done.store(done, Ordering::Relaxed);
            self.view.all.store(all, Ordering::Relaxed);
            if self.told.elapsed() >= TOLD_EVERY {
                self.told = Instant::now();
                self.tell();
            }
        };
        let work = &mut Work { memory_bytes: WORK_BYTES, progress: &mut progress, cancel: &cancel };
        match order {
            ViewOrder::Sort(by) => sort(rows, &by, work),
            ViewOrder::Distinct { columns, template } => {
                let by = all_or(columns, rows).map(|column| SortColumn { column, ..template });
                distinct(rows, &by.collect::<Vec<_>>(), work)
            }
            ViewOrder::Filter(condition) => filter(rows, &condition, work),
            ViewOrder::Search { columns, text, case } => {
                filter(rows, &Condition::search(all_or(columns, rows), &text, case), work)
            }
        }
    }

    fn end(&self, made: Made) {
        self.view.made.send_replace(made);
        self.tell();
    }

    fn tell(&self) {
        // One that was dropped concerns nobody any more.
        if self.view.cancel.load(Ordering::Relaxed) {
            return;
        }
        let event =
            FrontEndEvent::ViewChanged { result: self.held.origin.id, view: Box::new(self.view.facts()) };
        for front_end in self.held.front_ends() {
            self.watchers.tell(front_end, event.clone());
        }
    }
}

/// These columns, or all when they are none.
fn all_or(columns: Vec<u32>, rows: &Rows) -> impl Iterator<Item = usize> + use<> {
    let all = if columns.is_empty() { rows.columns().len() } else { 0 };
    columns.into_iter().map(|column| column as usize).chain(0..all)
}

const _: () = assert!(NO_VIEW == 0, "views are counted from 1");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_that_is_gone_takes_no_view() {
        let views = Views::default();
        let of = Place { statement: 0, view: NO_VIEW };
        let view = views.add(of, Vec::new(), 0, true).unwrap();
        views.clear();
        assert!(view.stopped.is_cancelled() && view.cancel.load(Ordering::Relaxed));
        // Whoever had found the result just before comes too late.
        let late = views.add(of, Vec::new(), 0, true);
        assert!(matches!(late, Err(ResultError::Dropped(DropCause::Dropped))));
    }
}
