//! A result that is kept: its statements, what came of each, and how each stands.

mod rows;
mod window;

use std::sync::{Arc, Mutex, MutexGuard, RwLock};

pub use rows::{CellPart, ReadError, Rows};
pub use window::{Window, WindowCell, WindowQuery};

use crate::{
    Shape,
    spool::{Budget, Limit, RawBatch, SharedFile, SpoolError, SpoolWriter},
};

/// The result of a query, statement by statement, also while it still arrives.
///
/// `S` is what the one who runs the query tells of a statement that is through, `F` of one that failed. Both are opaque here.
#[derive(Debug)]
pub struct Kept<S, F> {
    statements: RwLock<Vec<Arc<Statement<S, F>>>>,
}

/// One statement of a [`Kept`] result.
#[derive(Debug)]
pub struct Statement<S, F> {
    rows: Option<Rows>,
    state: Mutex<StatementState<S, F>>,
}

/// How a statement stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatementState<S, F> {
    /// Rows may still come.
    Running,
    /// All rows are there.
    Complete(S),
    /// The database rejected it, or it was broken off. Rows that came before are there.
    Failed(F),
    /// More rows came than are kept. Those before are there.
    LimitReached(Limit),
    /// Who wrote the result went away without a word, as a panic leaves it. Rows that came before are there.
    Abandoned,
}

/// Writes a [`Kept`] result, one statement after the other.
#[derive(Debug)]
pub struct KeptWriter<S, F> {
    budget: Arc<Budget>,
    /// Of all statements: a script may have thousands.
    file: Arc<SharedFile>,
    kept: Arc<Kept<S, F>>,
    open: Option<Open<S, F>>,
}

/// The statement that runs.
#[derive(Debug)]
struct Open<S, F> {
    statement: Arc<Statement<S, F>>,
    rows: Option<SpoolWriter>,
}

impl<S, F> Kept<S, F> {
    /// The number of statements that have begun.
    pub fn statement_count(&self) -> usize {
        self.statements.read().expect(NO_PANIC).len()
    }

    /// A statement, from 0. `None`: it has not begun.
    pub fn statement(&self, statement: usize) -> Option<Arc<Statement<S, F>>> {
        self.statements.read().expect(NO_PANIC).get(statement).cloned()
    }
}

impl<S: Clone, F: Clone> Statement<S, F> {
    /// How it stands.
    pub fn state(&self) -> StatementState<S, F> {
        self.lock().clone()
    }
}

impl<S, F> Statement<S, F> {
    /// Its rows. `None`: it was rejected before it was known what rows it has.
    pub fn rows(&self) -> Option<&Rows> {
        self.rows.as_ref()
    }

    fn lock(&self) -> MutexGuard<'_, StatementState<S, F>> {
        self.state.lock().expect(NO_PANIC)
    }

    /// Only the first word counts: a limit stays one, whatever became of the statement after it.
    fn leave_running(&self, state: StatementState<S, F>) {
        let mut current = self.lock();
        if let StatementState::Running = *current {
            *current = state;
        }
    }
}

impl<S, F> KeptWriter<S, F> {
    /// An empty result.
    pub fn new(budget: &Arc<Budget>) -> Self {
        let kept = Arc::new(Kept { statements: RwLock::default() });
        KeptWriter { budget: budget.clone(), file: Arc::new(SharedFile::new(budget)), kept, open: None }
    }

    /// What is written, for its readers.
    pub fn kept(&self) -> &Arc<Kept<S, F>> {
        &self.kept
    }

    /// Begins the next statement, without a shape when none is known. One that still runs is abandoned.
    pub fn begin(&mut self, shape: Option<Shape>) {
        self.abandon();
        let writer = shape.as_ref().map(|_| SpoolWriter::in_file(&self.budget, &self.file));
        let rows = shape.zip(writer.as_ref()).map(|(shape, writer)| Rows::new(shape, writer.spool().clone()));
        let statement = Arc::new(Statement { rows, state: Mutex::new(StatementState::Running) });
        self.kept.statements.write().expect(NO_PANIC).push(statement.clone());
        self.open = Some(Open { statement, rows: writer });
    }

    /// Keeps rows of the statement that runs.
    ///
    /// They are not read: what is wrong with them is said to who reads them.
    ///
    /// # Errors
    ///
    /// When a limit is reached, which is then the statement's state, or the file fails. The rows are then not kept, and
    /// what still comes of the statement is best not asked for.
    ///
    /// # Panics
    ///
    /// When no statement with a shape runs.
    pub fn push(&mut self, batch: RawBatch) -> Result<(), SpoolError> {
        let Open { statement, rows } = self.open.as_mut().expect("rows belong to a statement");
        let pushed = rows.as_mut().expect("rows belong to a shape").push(batch);
        if let Err(SpoolError::Limit(limit)) = &pushed {
            statement.leave_running(StatementState::LimitReached(*limit));
        }
        pushed
    }

    /// Ends the statement that runs.
    ///
    /// # Errors
    ///
    /// When the last rows should go to the file, and cannot. They stay in memory, and the statement is what it is.
    ///
    /// # Panics
    ///
    /// When no statement runs.
    pub fn complete(&mut self, summary: S) -> Result<(), SpoolError> {
        self.end(StatementState::Complete(summary))
    }

    /// Ends the statement that runs, which failed.
    ///
    /// # Errors
    ///
    /// As [`complete`](Self::complete).
    ///
    /// # Panics
    ///
    /// When no statement runs.
    pub fn fail(&mut self, failure: F) -> Result<(), SpoolError> {
        self.end(StatementState::Failed(failure))
    }

    fn end(&mut self, state: StatementState<S, F>) -> Result<(), SpoolError> {
        let Open { statement, rows } = self.open.take().expect("a statement runs");
        statement.leave_running(state);
        rows.map_or(Ok(()), SpoolWriter::end)
    }

    fn abandon(&mut self) {
        if let Some(open) = self.open.take() {
            open.statement.leave_running(StatementState::Abandoned);
        }
    }
}

impl<S, F> Drop for KeptWriter<S, F> {
    fn drop(&mut self) {
        self.abandon();
    }
}

const NO_PANIC: &str = "nothing panics while it holds a result's statements";
