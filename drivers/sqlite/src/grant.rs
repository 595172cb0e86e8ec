//! What statements may not do, whoever wrote them: leave the database's folder, load code, or end a transaction that is
//! the script's frame. SQLite asks here while it compiles a statement.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rusqlite::{
    Connection, ffi,
    hooks::{AuthAction, AuthContext, Authorization, TransactionOperation},
};

/// The rules of one connection, and why it last refused something.
#[derive(Debug)]
pub(crate) struct Grant {
    /// The folder of the database's file, without symbolic links.
    folder: PathBuf,
    read_only: bool,
    now: Mutex<Now>,
}

#[derive(Debug, Default)]
struct Now {
    phase: Phase,
    in_single_transaction: bool,
    refusal: Option<String>,
}

/// What is done with a statement. While one runs, SQLite compiles statements of its own: VACUUM attaches its copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Phase {
    #[default]
    Compiling,
    Running,
}

impl Grant {
    pub(crate) fn new(folder: PathBuf, read_only: bool) -> Self {
        Self { folder, read_only, now: Mutex::default() }
    }

    /// Makes the connection ask for each action of each statement.
    pub(crate) fn install(self: &Arc<Self>, connection: &mut Connection) -> rusqlite::Result<()> {
        let grant = self.clone();
        connection.authorizer(Some(move |context: AuthContext<'_>| match grant.check(context.action) {
            Ok(()) => Authorization::Allow,
            Err(refusal) => {
                grant.now().refusal = Some(refusal);
                Authorization::Deny
            }
        }))
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.now().phase = phase;
    }

    /// From now on, or no longer, the script is one transaction that its statements must not end.
    pub(crate) fn set_single_transaction(&self, on: bool) {
        self.now().in_single_transaction = on;
    }

    /// Why something was refused since this was last asked.
    pub(crate) fn take_refusal(&self) -> Option<String> {
        self.now().refusal.take()
    }

    fn check(&self, action: AuthAction<'_>) -> Result<(), String> {
        match action {
            AuthAction::Attach { filename } => self.check_attach(filename),
            // A file name that is computed or bound: it could be anything by the time the statement runs.
            AuthAction::Unknown { code: ffi::SQLITE_ATTACH, .. } => {
                Err("a database is attached by a literal file name only".into())
            }
            AuthAction::Function { function_name }
                if function_name.eq_ignore_ascii_case("load_extension") =>
            {
                Err("extensions are not loaded".into())
            }
            AuthAction::Pragma { pragma_name, pragma_value: Some(_) }
                if ["temp_store_directory", "data_store_directory"]
                    .iter()
                    .any(|name| pragma_name.eq_ignore_ascii_case(name)) =>
            {
                Err("files stay in the folder of the connection's database".into())
            }
            AuthAction::Transaction { operation } => match operation {
                // SQLite itself refuses a second one.
                TransactionOperation::Begin => Ok(()),
                // COMMIT is not among rusqlite's operations.
                _ if self.now().in_single_transaction => {
                    Err("the script runs as a single transaction, which ends with the script".into())
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn check_attach(&self, file: &str) -> Result<(), String> {
        // Databases in memory, and the empty name of temporary ones, which VACUUM uses as well.
        if file.is_empty() || file == ":memory:" {
            return Ok(());
        }
        if file.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("file:")) {
            return Err("a database is attached by its path, not by a URI".into());
        }
        if self.read_only && self.now().phase == Phase::Running {
            // VACUUM INTO writes a file even where the database itself is open for reading.
            return Err("the connection is read-only".into());
        }
        let path = Path::new(file);
        let inside = || {
            let folder = path.parent()?.canonicalize().ok()?;
            // A link could lead out. Nothing there yet is as good as a file.
            let is_link = path.symlink_metadata().is_ok_and(|found| found.is_symlink());
            (folder == self.folder && path.file_name().is_some() && !is_link).then_some(())
        };
        if path.is_absolute() && inside().is_some() {
            return Ok(());
        }
        Err(format!(
            "{file:?} is not the whole path of a file in the connection's folder, {}",
            self.folder.display()
        ))
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
