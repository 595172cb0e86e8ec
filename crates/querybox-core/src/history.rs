//! The history: what ran, on which connection, how it ended and how much came of it; and what it was, kept as all is that
//! people write. Values of parameters are not kept, and nothing of what a database answered but a code.

mod memory;
mod recorder;
mod search;

use std::time::Duration;

use jiff::Timestamp;
use querybox_store::{
    ConnectionId, Error as StoreError, HistoryLevel, Outcome, Owner, Run, RunChoice, RunCursor, RunFilter,
    RunLimits,
};
use tokio::task::spawn_blocking;
use uuid::Uuid;

pub(crate) use self::recorder::{Entry, Recorder, RunAbout, RunSource};
use self::{
    recorder::Reading,
    search::{Words, look_through},
};
use crate::{
    Core, ShuttingDown, TextKeeping,
    session::Note,
    texts::{Keeper, Purpose},
};

/// Bytes of what was run that are kept of it: longer ones were made by programs.
pub const RUN_TEXT_BYTES_MAX: usize = 64 << 10;
/// Of all texts together. Older runs make room.
const TEXTS_BYTES_MAX: u64 = 64 << 20;
/// Runs that are looked through together: their texts are in memory at once.
const BATCH: u32 = 64;
/// Lists that are made at once; others wait for their turn. Each opens texts, and has a batch of them in memory.
const READERS_MAX: usize = 2;
/// Characters of a text that are told in a list.
pub const RUN_TEXT_START_CHARS: usize = 1_000;
/// The kind of text, in the words that its seal is bound to.
pub(crate) const RUN_TEXT: &str = "run";

/// What is kept of what ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistorySettings {
    /// How much the history has, whatever connections say; less where they say less.
    pub level: HistoryLevel,
    /// Older runs make room.
    pub runs_max: u32,
    /// Older runs go.
    pub age_max: Duration,
    /// The source of master keys may be asked for the history's sake alone. Where that takes a person or another program, it
    /// better is not: what runs is then kept without its text, unless something else has asked.
    pub asks_for_key: bool,
}

/// Asks for runs.
#[derive(Clone)]
pub struct RunsAsk {
    pub owner: Owner,
    pub connection: Option<ConnectionId>,
    /// None: whatever they came to.
    pub outcomes: Vec<Outcome>,
    /// Those that began then or later.
    pub since: Option<Timestamp>,
    /// Those that began earlier.
    pub before: Option<Timestamp>,
    /// Words that must all be in the text, whatever their case. None: any text, and runs without.
    pub words: String,
    /// How many are wanted.
    pub count: usize,
    /// Where a list before this one ended.
    pub after: Option<RunCursor>,
}

/// Some runs of an owner.
pub struct RunListing {
    /// The one that began last first.
    pub runs: Vec<RunEntry>,
    /// Where the list goes on. `None`: it has ended.
    pub next: Option<RunCursor>,
    /// Runs that might have had the words, and whose text cannot be opened.
    pub unreadable: usize,
    /// How texts of runs that begin now are kept.
    pub keeping: TextKeeping,
    /// How much the history has of them, where connections do not say less.
    pub level: HistoryLevel,
}

/// A run.
pub struct RunEntry {
    pub run: Run,
    /// It runs now, in this Core.
    pub is_running: bool,
    /// In a list no more than its first [`RUN_TEXT_START_CHARS`].
    pub text: PastText,
    /// How much of the text is kept.
    pub kept_bytes: u64,
}

/// What is there of what was run.
#[derive(Clone, PartialEq, Eq)]
pub enum PastText {
    /// It, or its beginning.
    Kept(String),
    /// It was not kept.
    NotKept,
    /// It is kept, and the master key is not there, or it was changed.
    Unreadable,
}

/// Why the history could not be told or changed.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    #[error("there is no such run")]
    NotFound,
    #[error("the store of the history does not work")]
    Store(#[from] StoreError),
    #[error(transparent)]
    ShuttingDown(#[from] ShuttingDown),
}

impl HistorySettings {
    /// What people expect who have said nothing: some months of work.
    pub const USUAL: Self = Self {
        level: HistoryLevel::Texts,
        runs_max: 10_000,
        age_max: Duration::from_secs(90 * 24 * 60 * 60),
        asks_for_key: true,
    };

    pub(crate) fn limits(&self) -> RunLimits {
        let Self { runs_max, age_max, .. } = *self;
        RunLimits { runs_max, texts_bytes_max: TEXTS_BYTES_MAX, age_max }
    }
}

/// The history. Each run is its owner's alone.
impl Core {
    /// Runs, the one that began last first. What is shorter than a second is there when it has ended.
    ///
    /// # Errors
    ///
    /// Only failures of the store.
    pub async fn runs(&self, ask: RunsAsk) -> Result<RunListing, HistoryError> {
        let RunsAsk { owner, connection, outcomes, since, before, words, count, mut after } = ask;
        let turn = self.recorder.turn().await;
        let store = self.store()?;
        let keeper = self.texts.keeper(&store, Purpose::Read).await?;
        let keeping = keeper.how;
        // A thread that looks through texts goes on when nobody waits for it any more, and is counted as long.
        let (mut held, words) = (Some((keeper, turn)), Words::of(&words));
        let filter = RunFilter { owner, connection, outcomes, since, before };
        let (mut runs, mut unreadable) = (Vec::new(), 0);
        let mut has_more = true;
        while has_more && runs.len() < count {
            // Where every run is wanted, no more are read than there are.
            let limit = match &words {
                Some(_) => BATCH,
                None => BATCH.min(u32::try_from(count - runs.len()).unwrap_or(BATCH)),
            };
            // Before the store is read: what ends meanwhile did not end by the death of its Core.
            let running = self.recorder.running_now();
            let batch = store.runs(filter.clone(), after, limit).await?;
            has_more = batch.len() as u64 == u64::from(limit);
            let (recorder, words, wanted) = (self.recorder.clone(), words.clone(), count - runs.len());
            let (keeper, turn) = held.take().expect("each batch puts it back");
            // Opening thousands of texts takes longer than a thread that others wait for may be held.
            let looked = spawn_blocking(move || {
                let reading = Reading { recorder: &recorder, keeper: &keeper, running: &running };
                let found = look_through(batch, &reading, words.as_ref(), wanted);
                (found, (keeper, turn))
            });
            let (found, back) =
                looked.await.expect("looking through texts is total, and this runtime's threads run");
            held = Some(back);
            after = found.last.or(after);
            has_more |= found.stopped_early;
            unreadable += found.unreadable;
            runs.extend(found.runs);
        }
        let next = after.filter(|_| has_more);
        Ok(RunListing { runs, next, unreadable, keeping, level: self.recorder.level() })
    }

    /// One run, with all that is kept of its text.
    ///
    /// # Errors
    ///
    /// [`HistoryError::NotFound`].
    pub async fn past_run(&self, owner: &Owner, id: Uuid) -> Result<RunEntry, HistoryError> {
        let store = self.store()?;
        let keeper = self.texts.keeper(&store, Purpose::Read).await?;
        let running = self.recorder.running_now();
        let listed = store.run(owner.clone(), id).await?.ok_or(HistoryError::NotFound)?;
        let reading = Reading { recorder: &self.recorder, keeper: &keeper, running: &running };
        Ok(reading.entry(listed.run, listed.text))
    }

    /// Forgets runs, those too that have not ended, or are not written down yet. Answers how many there were.
    ///
    /// # Errors
    ///
    /// Only failures of the store.
    pub async fn delete_runs(&self, owner: Owner, choice: RunChoice) -> Result<u64, HistoryError> {
        let store = self.store()?;
        // Whatever is not kept from being written by this lies before the store's own work already.
        let unwritten = self.recorder.forget(&owner, &choice);
        Ok(unwritten + store.delete_runs(owner, choice).await?)
    }

    /// What is to be noted of a run that begins. `source`: what it runs, if that belongs to the history.
    pub(crate) fn note(&self, about: RunAbout, source: Option<RunSource>) -> Result<Note, ShuttingDown> {
        let RunAbout { connection, begun, .. } = about;
        let entry = match source {
            Some(source) => self.recorder.begin(self.store()?, about, source, &self.tracker),
            None => None,
        };
        Ok(Note { store: self.store()?, clock: self.clock.clone(), connection, begun, entry })
    }
}

/// Whether a run is one of those that are to be forgotten.
fn is_chosen(choice: &RunChoice, id: Uuid, connection: Option<ConnectionId>, started: Timestamp) -> bool {
    match choice {
        RunChoice::Ids(ids) => ids.contains(&id),
        RunChoice::Before(time) => started < *time,
        RunChoice::Of(chosen) => connection == Some(*chosen),
        RunChoice::All => true,
    }
}

/// What is written of a text, or is said of it.
fn read_text(keeper: &Keeper, run: &Run, written: Option<querybox_store::Written>) -> PastText {
    let Some(written) = written else { return PastText::NotKept };
    let id = run.id.to_string();
    match keeper.read(recorder::place(&run.owner, &id), written).map(String::from_utf8) {
        Some(Ok(text)) => PastText::Kept(text),
        Some(Err(_)) | None => PastText::Unreadable,
    }
}
