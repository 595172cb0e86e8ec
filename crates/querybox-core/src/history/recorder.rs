//! Writing runs down, beside them: a run never waits for its note.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use querybox_store::{
    ConnectionId, ConnectionName, DriverType, HistoryLevel, Outcome, Owner, Run, RunChoice, RunEnd, RunText,
    Written,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::{Instant, timeout},
};
use tokio_util::task::TaskTracker;
use tracing::warn;
use uuid::Uuid;

use super::{
    HistorySettings, PastText, READERS_MAX, RUN_TEXT, RUN_TEXT_BYTES_MAX, RunEntry, is_chosen,
    memory::MemoryTexts, read_text,
};
use crate::{
    clock::Clock,
    core::StoreLease,
    local_user,
    session::SessionId,
    texts::{Keeper, Purpose, TextPlace, Texts},
};

/// What takes longer is written down while it runs, so that it is found also when Core dies under it. What is shorter is
/// written once.
const WRITTEN_AFTER: Duration = Duration::from_secs(1);

/// Writes runs down. Clones are one.
#[derive(Clone)]
pub(crate) struct Recorder(Arc<Inner>);

struct Inner {
    settings: HistorySettings,
    texts: Arc<Texts>,
    clock: Clock,
    /// Where nothing can be sealed.
    memory: MemoryTexts,
    /// Runs that have not ended, or whose end is not written down.
    running: Mutex<HashMap<Uuid, RunningRun>>,
    /// Taken by those who make lists.
    readers: Arc<Semaphore>,
}

/// A run that has not ended, as those know it who forget runs.
struct RunningRun {
    owner: Owner,
    connection: Option<ConnectionId>,
    started: Timestamp,
    /// It is on its way to the store, in front of whatever is asked of it from now on.
    is_written: bool,
    /// It is never to be written.
    is_forgotten: bool,
}

/// What is known of a run when it begins.
pub(crate) struct RunAbout {
    pub(crate) session: SessionId,
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) connection_name: Option<ConnectionName>,
    pub(crate) driver_type: DriverType,
    /// What the connection says.
    pub(crate) history: HistoryLevel,
    pub(crate) started: Timestamp,
    pub(crate) begun: Instant,
}

/// What is run: as much of it as is kept.
pub(crate) struct RunSource {
    text: String,
    /// Of all of it.
    bytes: u64,
}

/// The end of a run, to be told. Dropped without, the run was never sent, and is not written down.
pub(crate) struct Entry(oneshot::Sender<RunEnd>);

impl RunSource {
    pub(crate) fn of(sql: &str) -> Self {
        let text = sql[..sql.floor_char_boundary(RUN_TEXT_BYTES_MAX)].to_owned();
        Self { text, bytes: sql.len() as u64 }
    }
}

impl Entry {
    pub(crate) fn ended(self, end: RunEnd) {
        // Its task is gone only with the runtime.
        let _ = self.0.send(end);
    }
}

/// The place of a run's text.
pub(super) fn place<'a>(owner: &'a Owner, id: &'a str) -> TextPlace<'a> {
    TextPlace { owner, kind: RUN_TEXT, id }
}

impl Recorder {
    pub(crate) fn new(settings: HistorySettings, texts: Arc<Texts>, clock: Clock) -> Self {
        let (memory, running) = (MemoryTexts::default(), Mutex::default());
        let readers = Arc::new(Semaphore::new(READERS_MAX));
        Self(Arc::new(Inner { settings, texts, clock, memory, running, readers }))
    }

    pub(super) fn level(&self) -> HistoryLevel {
        self.0.settings.level
    }

    /// Notes that a run begins. `None`: the history is to have nothing of it.
    pub(super) fn begin(
        &self,
        store: StoreLease,
        about: RunAbout,
        source: RunSource,
        tracker: &TaskTracker,
    ) -> Option<Entry> {
        let source = match about.history.min(self.level()) {
            HistoryLevel::Off => return None,
            HistoryLevel::Facts => RunSource { text: String::new(), bytes: source.bytes },
            HistoryLevel::Texts => source,
        };
        let run = Run {
            id: Uuid::now_v7(),
            owner: local_user(),
            session: *about.session.as_uuid(),
            connection: about.connection,
            connection_name: about.connection_name,
            driver_type: about.driver_type,
            started: about.started,
            text_bytes: source.bytes,
            end: RunEnd {
                outcome: Outcome::Unfinished,
                error_code: String::new(),
                duration: Duration::ZERO,
                rows: 0,
                bytes: 0,
            },
        };
        let (tell, ended) = oneshot::channel();
        let known = RunningRun {
            owner: run.owner.clone(),
            connection: run.connection,
            started: run.started,
            is_written: false,
            is_forgotten: false,
        };
        self.running().insert(run.id, known);
        let running = Running { recorder: self.clone(), id: run.id };
        tracker.spawn(self.clone().write(store, run, source.text, ended, running));
        Some(Entry(tell))
    }

    /// Writes one run down: once when it is short, else at its begin and at its end.
    async fn write(
        self,
        store: StoreLease,
        run: Run,
        source: String,
        mut ended: oneshot::Receiver<RunEnd>,
        running: Running,
    ) {
        let text = self.keep(&store, &run, source).await;
        let id = run.id;
        match timeout(WRITTEN_AFTER, &mut ended).await {
            Ok(Ok(end)) => self.record(&store, Run { end, ..run }, text),
            Ok(Err(_)) => self.0.memory.forget(&run.owner, &RunChoice::Ids(vec![id])),
            Err(_) => {
                self.record(&store, run, text);
                // Without an end it stays unfinished: the runtime goes down.
                if let Ok(end) = ended.await {
                    store.finish_run(id, end);
                    // Until then it counts as running, for it is not told to be unfinished here.
                    let _ = store.notes_written().await;
                }
            }
        }
        drop(running);
    }

    /// Hands a run to the store, unless it was forgotten. Under the lock: whoever forgets it later finds it there.
    fn record(&self, store: &StoreLease, run: Run, text: Option<RunText>) {
        let mut running = self.running();
        match running.get_mut(&run.id) {
            Some(known) if !known.is_forgotten => {
                known.is_written = true;
                store.record_run(run, text, self.0.settings.limits(), self.0.clock.now());
            }
            // Its text may have come to memory after all others were forgotten.
            Some(_) | None => self.0.memory.forget(&run.owner, &RunChoice::Ids(vec![run.id])),
        }
    }

    /// What is to be written of a text. Where it cannot be written it is kept in memory.
    async fn keep(&self, store: &StoreLease, run: &Run, text: String) -> Option<RunText> {
        if text.is_empty() {
            return None;
        }
        let purpose = if self.0.settings.asks_for_key { Purpose::Write } else { Purpose::WriteUnasked };
        let keeper = match self.0.texts.keeper(store, purpose).await {
            Ok(keeper) => keeper,
            Err(error) => {
                warn!(%error, "the text of a run is not kept");
                return None;
            }
        };
        match keeper.write(place(&run.owner, &run.id.to_string()), text.clone().into_bytes()) {
            Some(written) => Some(RunText { written, text_key: keeper.sealing_key() }),
            None => {
                self.0.memory.put(run, text);
                None
            }
        }
    }

    /// The runs that have not ended.
    pub(super) fn running_now(&self) -> HashSet<Uuid> {
        self.running().keys().copied().collect()
    }

    /// Waits until one may make a list.
    pub(super) async fn turn(&self) -> OwnedSemaphorePermit {
        let readers = Arc::clone(&self.0.readers);
        readers.acquire_owned().await.expect("it is never closed")
    }

    /// Forgets the texts in memory, and sees to it that nothing is written of what is not written yet. Answers how many those are.
    pub(super) fn forget(&self, owner: &Owner, choice: &RunChoice) -> u64 {
        let mut forgotten = 0;
        for (id, run) in &mut *self.running() {
            let is_it = run.owner == *owner && is_chosen(choice, *id, run.connection, run.started);
            if is_it && !run.is_written && !run.is_forgotten {
                run.is_forgotten = true;
                forgotten += 1;
            }
        }
        self.0.memory.forget(owner, choice);
        forgotten
    }

    fn running(&self) -> MutexGuard<'_, HashMap<Uuid, RunningRun>> {
        // Every change is whole before anything can panic.
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells runs as of a moment before they were read.
pub(super) struct Reading<'a> {
    pub(super) recorder: &'a Recorder,
    pub(super) keeper: &'a Keeper,
    /// Those that ran then.
    pub(super) running: &'a HashSet<Uuid>,
}

impl Reading<'_> {
    /// A run as it is told.
    pub(super) fn entry(&self, run: Run, written: Option<Written>) -> RunEntry {
        let text = match read_text(self.keeper, &run, written) {
            PastText::NotKept => self.recorder.0.memory.get(run.id).map_or(PastText::NotKept, PastText::Kept),
            text => text,
        };
        // One that ended since it was read ran then; one that began since then may run still.
        let runs = || self.running.contains(&run.id) || self.recorder.running().contains_key(&run.id);
        let is_running = run.end.outcome == Outcome::Unfinished && runs();
        let kept_bytes = match &text {
            PastText::Kept(text) => text.len() as u64,
            PastText::NotKept | PastText::Unreadable => 0,
        };
        RunEntry { run, is_running, text, kept_bytes }
    }
}

/// Says that a run has not ended. Dropping it says that it has.
struct Running {
    recorder: Recorder,
    id: Uuid,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.recorder.running().remove(&self.id);
    }
}
