//! Writing runs down, beside them: a run never waits for its note.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use querybox_store::{
    ConnectionId, ConnectionName, DriverType, HistoryLevel, Outcome, Owner, Run, RunChoice, RunEnd, RunText,
    Written,
};
use tokio::{
    sync::oneshot,
    time::{Instant, timeout},
};
use tokio_util::task::TaskTracker;
use tracing::warn;
use uuid::Uuid;

use super::{
    HistorySettings, PastText, RUN_TEXT, RUN_TEXT_BYTES_MAX, RunEntry, memory::MemoryTexts, read_text,
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
    /// Runs that have not ended.
    running: Mutex<HashSet<Uuid>>,
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
        Self(Arc::new(Inner { settings, texts, clock, memory, running }))
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
        self.running().insert(run.id);
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
        let limits = self.0.settings.limits();
        let now = || self.0.clock.now();
        match timeout(WRITTEN_AFTER, &mut ended).await {
            Ok(Ok(end)) => {
                drop(running);
                store.record_run(Run { end, ..run }, text, limits, now());
            }
            Ok(Err(_)) => self.0.memory.forget(&run.owner, &RunChoice::Ids(vec![run.id])),
            Err(_) => {
                let id = run.id;
                store.record_run(run, text, limits, now());
                // Without an end it stays unfinished: the runtime goes down.
                if let Ok(end) = ended.await {
                    store.finish_run(id, end);
                    // Until then it counts as running, for it is not told to be unfinished here.
                    let _ = store.notes_written().await;
                }
                drop(running);
            }
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

    /// A run as it is told.
    pub(super) fn entry(&self, run: Run, written: Option<Written>, keeper: &Keeper) -> RunEntry {
        let text = match read_text(keeper, &run, written) {
            PastText::NotKept => self.0.memory.get(run.id).map_or(PastText::NotKept, PastText::Kept),
            text => text,
        };
        let is_running = run.end.outcome == Outcome::Unfinished && self.running().contains(&run.id);
        RunEntry { run, is_running, text }
    }

    pub(super) fn forget(&self, owner: &Owner, choice: &RunChoice) {
        self.0.memory.forget(owner, choice);
    }

    fn running(&self) -> MutexGuard<'_, HashSet<Uuid>> {
        // Every change is whole before anything can panic.
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
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
