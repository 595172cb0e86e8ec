//! Writes what arrives, on threads that may wait for the disk.

use std::sync::Arc;

use querybox_launcher::Part;
use querybox_results::{Budget, KeptWriter, RawBatch, Shape, SpoolError};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use super::{
    facts::StatementFailure,
    held::{Held, KeptAnswer},
};

type Writer = KeptWriter<Part, StatementFailure>;

/// Statements that are kept of one result; behind them, those that return no rows and are done are only counted.
const STATEMENTS_MAX: usize = 10_000;

/// The writer of one result. While a batch is on its way to the disk the next one may be waited for, and no more.
pub(super) struct Keeper {
    kept: Arc<KeptAnswer>,
    tracker: TaskTracker,
    /// `None`: it is writing, or was lost.
    writer: Option<Writer>,
    writing: Option<JoinHandle<(Writer, Result<(), SpoolError>)>>,
    is_open: bool,
}

/// Why no more is kept.
#[derive(Debug)]
pub(super) enum NotKept {
    /// A limit, which the statement's state names.
    Limit,
    /// The file.
    File(SpoolError),
    /// As many statements are kept as may be.
    Statements,
    /// Writing panicked.
    Lost,
}

impl Keeper {
    pub(super) fn new(budget: &Arc<Budget>, tracker: TaskTracker) -> Self {
        let writer = Writer::new(budget);
        let kept = Arc::clone(writer.kept());
        Self { kept, tracker, writer: Some(writer), writing: None, is_open: false }
    }

    /// What is kept, for its readers.
    pub(super) fn kept(&self) -> &Arc<KeptAnswer> {
        &self.kept
    }

    /// Begins a statement, with a shape when it returns rows. Answers whether it is kept.
    pub(super) async fn begin(&mut self, shape: Option<Shape>) -> Result<bool, NotKept> {
        self.settle().await?;
        if self.kept.statement_count() >= STATEMENTS_MAX {
            return if shape.is_some() { Err(NotKept::Statements) } else { Ok(false) };
        }
        self.writer()?.begin(shape);
        self.is_open = true;
        Ok(true)
    }

    /// Keeps rows. What goes wrong is told by the next call; readers are told when they are there.
    pub(super) async fn push(&mut self, batch: RawBatch, held: &Arc<Held>) -> Result<(), NotKept> {
        self.settle().await?;
        let mut writer = self.writer.take().ok_or(NotKept::Lost)?;
        let held = Arc::clone(held);
        self.writing = Some(self.tracker.spawn_blocking(move || {
            let pushed = writer.push(batch);
            held.changed();
            (writer, pushed)
        }));
        Ok(())
    }

    /// Ends the statement that runs, if it is kept. Its last rows stay readable, in memory when the disk refuses them.
    pub(super) async fn complete(&mut self, summary: Part) -> Result<(), NotKept> {
        self.end(|writer| writer.complete(summary)).await
    }

    /// Ends the statement that runs, if it is kept, which came to no good end.
    pub(super) async fn fail(&mut self, failure: StatementFailure) -> Result<(), NotKept> {
        self.end(|writer| writer.fail(failure)).await
    }

    async fn end(
        &mut self,
        end: impl FnOnce(&mut Writer) -> Result<(), SpoolError> + Send + 'static,
    ) -> Result<(), NotKept> {
        self.settle().await?;
        if !std::mem::take(&mut self.is_open) {
            return Ok(());
        }
        let mut writer = self.writer.take().ok_or(NotKept::Lost)?;
        self.writing = Some(self.tracker.spawn_blocking(move || {
            if let Err(error) = end(&mut writer) {
                tracing::warn!(%error, "the last rows of a kept result stay in memory");
            }
            (writer, Ok(()))
        }));
        self.settle().await
    }

    /// Whether a statement runs that is kept.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Waits until all that was handed over is written. Cancel-safe.
    pub(super) async fn settle(&mut self) -> Result<(), NotKept> {
        let Some(writing) = &mut self.writing else { return Ok(()) };
        let written = writing.await;
        self.writing = None;
        let (writer, pushed) = written.map_err(|_| NotKept::Lost)?;
        self.writer = Some(writer);
        pushed.map_err(|error| match error {
            SpoolError::Limit(_) => NotKept::Limit,
            error @ (SpoolError::File(_) | SpoolError::Damaged) => NotKept::File(error),
        })
    }

    fn writer(&mut self) -> Result<&mut Writer, NotKept> {
        self.writer.as_mut().ok_or(NotKept::Lost)
    }
}
