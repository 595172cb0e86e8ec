//! A script: its statements one after the other, and the transaction around them.
//!
//! Each statement commits by itself unless the script opens a transaction, as SQLite does it; a single transaction is
//! opened here around all of them. Results go to the reader from this thread, which waits while the reader is slow.

use futures::executor::block_on;
use querybox_plugin::{Done, Error, ExecuteError, OnError, OpenError, Query, Reason, Results, Statement, pb};
use rusqlite::ffi;

use crate::{
    bindings,
    grant::Phase,
    open::Database,
    rejection::{interrupted, primary_code, rejection},
    rows,
    script::{Verb, statements},
};

/// Runs a script.
///
/// # Errors
///
/// Only failures of the machinery; what SQLite refuses goes to `results`.
pub(crate) fn execute(database: &Database, query: &Query, mut results: Results) -> Result<(), ExecuteError> {
    if !query.bindings.is_empty() && statements(&query.sql).take(2).count() != 1 {
        let message = "values for parameters go with a script of one statement";
        return Err(Error::new(Reason::BindingInvalid, message).into());
    }
    let script = Script { database, query };
    if query.single_transaction {
        let run = script.run_in_transaction(&mut results);
        database.grant.set_single_transaction(false);
        if run.is_err() {
            database.roll_back();
        }
        return run;
    }
    script.run(&mut results)?;
    if query.one_shot && !database.connection.is_autocommit() {
        database.roll_back();
        block_on(results.rolled_back_at_end())?;
    }
    Ok(())
}

/// Runs the start-up script and drops its rows.
pub(crate) fn start_up(database: &Database, sql: &str) -> Result<(), OpenError> {
    for range in statements(sql) {
        let run = || -> Result<(), Fault> {
            let mut statement = compile(database, &sql[range.clone()], &[])?;
            let mut rows = statement.raw_query();
            while rows.next().map_err(|error| database.fault(&error))?.is_some() {}
            Ok(())
        };
        run().map_err(|fault| match fault {
            Fault::Refused(mut rejection) => {
                let start = u32::try_from(range.start).expect("a script is smaller than the message limit");
                rejection.position_byte = rejection.position_byte.map(|at| at + start);
                OpenError::Rejected(rejection)
            }
            Fault::Failed(error) => error.into(),
        })?;
    }
    Ok(())
}

/// Why a statement did not run to its end.
pub(crate) enum Fault {
    Refused(Box<pb::Rejection>),
    Failed(Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Whether a statement was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Done,
    Rejected,
}

struct Script<'a> {
    database: &'a Database,
    query: &'a Query,
}

impl Script<'_> {
    fn run_in_transaction(&self, results: &mut Results) -> Result<(), ExecuteError> {
        let database = self.database;
        if let Err(error) = database.connection.execute_batch("BEGIN") {
            return Self::frame_refused(results, 0, database.fault(&error));
        }
        database.grant.set_single_transaction(true);
        let ended = self.run(results)?;
        database.grant.set_single_transaction(false);
        if ended == Ended::Rejected {
            database.roll_back();
            return Ok(());
        }
        if let Err(error) = database.connection.execute_batch("COMMIT") {
            let fault = database.fault(&error);
            database.roll_back();
            return Self::frame_refused(results, self.query.sql.len(), fault);
        }
        Ok(())
    }

    /// BEGIN and COMMIT of a single transaction stand before and behind the script, as statements of no length.
    fn frame_refused(results: &mut Results, at: usize, fault: Fault) -> Result<(), ExecuteError> {
        match fault {
            Fault::Refused(rejection) => {
                let state = pb::TransactionState::Idle.into();
                let rejection = pb::Rejection { transaction_state: state, ..*rejection };
                block_on(results.statement(at..at).rejected(rejection))
            }
            Fault::Failed(error) => Err(error.into()),
        }
    }

    /// Runs the statements; rejected when one of them was.
    fn run(&self, results: &mut Results) -> Result<Ended, ExecuteError> {
        let mut script = Ended::Done;
        for range in statements(&self.query.sql) {
            let text = &self.query.sql[range.clone()];
            let ended = self.statement(results.statement(range), text)?;
            if ended == Ended::Rejected {
                script = Ended::Rejected;
                // Some refusals end the transaction (a full disk, ON CONFLICT ROLLBACK): what follows would run
                // outside of it.
                let outside = self.query.single_transaction && self.database.connection.is_autocommit();
                let stop = self.query.on_error == OnError::Stop;
                if stop || outside || self.query.cancelled.is_cancelled() {
                    break;
                }
            }
        }
        Ok(script)
    }

    fn statement(&self, statement: Statement<'_>, text: &str) -> Result<Ended, ExecuteError> {
        if self.query.cancelled.is_cancelled() {
            return self.refuse(statement, interrupted());
        }
        let database = self.database;
        let mut compiled = match compile(database, text, &self.query.bindings) {
            Ok(compiled) => compiled,
            Err(Fault::Refused(rejection)) => return self.refuse(statement, *rejection),
            Err(Fault::Failed(error)) => return Err(error.into()),
        };
        let verb = Verb::of(text);
        database.grant.enter(Phase::Running);
        if compiled.column_count() > 0 {
            let done = || self.done(&verb);
            let refusal = |error: &rusqlite::Error| self.refusal(error);
            let whole = rows::stream(database, self.query, &mut compiled, statement, done, refusal)?;
            return Ok(if whole { Ended::Done } else { Ended::Rejected });
        }
        match compiled.raw_execute() {
            Ok(_) => {
                block_on(statement.done(self.done(&verb)))?;
                Ok(Ended::Done)
            }
            Err(error) => {
                let rejection = self.refusal(&error)?;
                self.refuse(statement, rejection)
            }
        }
    }

    fn done(&self, verb: &Verb) -> Done {
        let (command_tag, affected_rows) = verb.done(self.database.connection.changes());
        Done { affected_rows, command_tag, transaction_state: self.database.transaction_state() }
    }

    fn refuse(&self, statement: Statement<'_>, rejection: pb::Rejection) -> Result<Ended, ExecuteError> {
        block_on(statement.rejected(self.place(rejection)))?;
        Ok(Ended::Rejected)
    }

    /// The rejection of a statement that ran.
    fn refusal(&self, error: &rusqlite::Error) -> Result<pb::Rejection, Error> {
        match self.database.fault(error) {
            Fault::Refused(rejection) => Ok(self.place(*rejection)),
            Fault::Failed(error) => Err(error),
        }
    }

    /// Fills in what became of the transaction.
    fn place(&self, mut rejection: pb::Rejection) -> pb::Rejection {
        if self.query.single_transaction {
            if self.query.on_error == OnError::Stop {
                self.database.roll_back();
            }
            if rejection.detail.is_empty() {
                rejection.detail = "Nothing of the script is kept: it ran as a single transaction.".into();
            }
        }
        rejection.transaction_state = self.database.transaction_state().into();
        rejection
    }
}

/// Makes one statement ready to run.
fn compile<'a>(
    database: &'a Database,
    text: &str,
    bindings: &[pb::Binding],
) -> Result<rusqlite::Statement<'a>, Fault> {
    // SQLite reads a text up to its first NUL and would leave the rest out without a word.
    if let Some(at) = text.find('\0') {
        return Err(Fault::Refused(Box::new(pb::Rejection {
            sqlstate: "42601".into(),
            vendor_code: "SQLITE_ERROR".into(),
            severity: "ERROR".into(),
            message: "unrecognized token: a NUL character".into(),
            position_byte: u32::try_from(at).ok(),
            ..pb::Rejection::default()
        })));
    }
    database.grant.enter(Phase::Compiling);
    let mut compiled = database.connection.prepare(text).map_err(|error| database.fault(&error))?;
    bindings::bind(&mut compiled, text, bindings)?;
    Ok(compiled)
}

impl Database {
    /// What an error of SQLite's means in this session.
    pub(crate) fn fault(&self, error: &rusqlite::Error) -> Fault {
        // A wait for a lock that is stopped ends as BUSY.
        let code = primary_code(error);
        let stopped = code == Some(ffi::SQLITE_BUSY) && self.wish.is_set();
        let refusal = self.grant.take_refusal();
        if stopped || code == Some(ffi::SQLITE_INTERRUPT) {
            return Fault::Refused(Box::new(interrupted()));
        }
        match rejection(error) {
            Ok(rejection) => Fault::Refused(Box::new(match refusal {
                // 42501 is insufficient privilege. Of a function SQLite itself says no more than ERROR.
                Some(detail) => pb::Rejection { sqlstate: "42501".into(), detail, ..rejection },
                None => rejection,
            })),
            Err(error) => Fault::Failed(error),
        }
    }

    fn transaction_state(&self) -> pb::TransactionState {
        if self.connection.is_autocommit() { pb::TransactionState::Idle } else { pb::TransactionState::Open }
    }

    /// Rolls back what is open, if anything is.
    fn roll_back(&self) {
        self.grant.set_single_transaction(false);
        if !self.connection.is_autocommit() {
            // It fails only when SQLite has rolled back by itself.
            self.connection.execute_batch("ROLLBACK").ok();
        }
    }
}
