//! What can be asked of the store about what ran.

use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    Error, ListedRun, Owner, Run, RunChoice, RunCursor, RunEnd, RunFilter, RunLimits, RunText, Store,
    history::rows,
};

/// The history.
impl Store {
    /// Adds a run to the history, some time after this returns. What is beyond the limits goes.
    pub fn record_run(&self, run: Run, text: Option<RunText>, limits: RunLimits, now: Timestamp) {
        self.note(move |db| rows::insert(db, &run, text.as_ref(), limits, now));
    }

    /// Notes how a run ended that is in the history, some time after this returns. One that was forgotten stays so.
    pub fn finish_run(&self, id: Uuid, end: RunEnd) {
        self.note(move |db| rows::finish(db, id, &end));
    }

    /// Removes what is beyond the limits, some time after this returns.
    pub fn trim_runs(&self, limits: RunLimits, now: Timestamp) {
        self.note(move |db| rows::trim_all(db, limits, now));
    }

    /// Runs, the one that began last first. `after`: where a list before this one ended.
    pub async fn runs(
        &self,
        filter: RunFilter,
        after: Option<RunCursor>,
        limit: u32,
    ) -> Result<Vec<ListedRun>, Error> {
        self.read(move |db| rows::list(db, &filter, after, limit)).await
    }

    /// One run. `None`: there is none.
    pub async fn run(&self, owner: Owner, id: Uuid) -> Result<Option<ListedRun>, Error> {
        self.read(move |db| rows::one(db, &owner, id)).await
    }

    /// Resolves when all is written that was recorded until now.
    pub async fn notes_written(&self) -> Result<(), Error> {
        self.notes.run(|_| Ok(())).await
    }

    /// Forgets runs, those too that were recorded a moment ago and are not written yet. Answers how many there were.
    pub async fn delete_runs(&self, owner: Owner, choice: RunChoice) -> Result<u64, Error> {
        self.notes_written().await?;
        self.write(move |db| rows::delete(db, &owner, &choice)).await
    }
}
