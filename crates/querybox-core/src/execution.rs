//! Running scripts.

use std::{future::Future, time::Duration};

use querybox_launcher::{CallError, CopyOutcome, CopyPiece, ExecuteOrder, OnError, OpenDriver, Part, Parts};
use querybox_store::{ConnectionId, Deadline, DriverType};
use querybox_vault::Secret;

use crate::{
    Core, Verb,
    history::RunSource,
    session::{Answers, Cancelled, Extension, Kind, SessionError, SessionId, StatementLimits, Target, Work},
};

/// A script to be run on a connection, as one session.
#[derive(Debug)]
pub struct ExecuteRequest {
    pub session_id: SessionId,
    pub target: Target,
    /// By the names of their fields. Moved to the driver's socket and wiped.
    pub secrets: Vec<(String, Secret)>,
    /// One or more statements.
    pub sql: String,
    pub options: ExecuteOptions,
}

/// How a script is run.
#[derive(Debug, Clone)]
pub struct ExecuteOptions {
    pub on_error: OnError,
    pub single_transaction: bool,
    /// `None`: as the connection says.
    pub rows_max: Option<u64>,
    /// `None`: as the connection says.
    pub bytes_max: Option<u64>,
    /// [`Deadline::Default`]: as the connection says.
    pub deadline: Deadline,
    /// Values for the parameters of a script of one statement: the name without its sign, and text or NULL.
    pub bindings: Vec<(String, Option<String>)>,
    /// Data is given to statements that ask for it, by [`Core::send_copy_data`].
    pub gives_copy_data: bool,
    /// Connections that a plain table may be read over at the same time; its rows have no order then. A leased session has one,
    /// whatever is said here.
    pub connections_max: u32,
    /// Facts of the columns are told also where the database has to be asked for them.
    pub column_facts: bool,
}

impl Core {
    /// Runs a script: starts its driver, opens the session, streams the answer, and sees the driver gone.
    ///
    /// Resolves when the request was found to be possible. The stream is the query: dropping it cancels.
    ///
    /// # Errors
    ///
    /// See [`SessionError`]. The stream has those of the driver.
    pub async fn execute(&self, request: ExecuteRequest) -> Result<Answers<Part>, SessionError> {
        Ok(self.execute_on(request).await?.2)
    }

    /// The same, with the saved connection that it runs on, and the driver.
    pub(crate) async fn execute_on(
        &self,
        request: ExecuteRequest,
    ) -> Result<(Option<ConnectionId>, DriverType, Answers<Part>), SessionError> {
        let ExecuteRequest { session_id, target, secrets, sql, options } = request;
        let beginning = self.begin(session_id, Kind::OneShot, Verb::Execute, options.deadline)?;
        let mut prepared = beginning.prepare(self, target, secrets).await?;
        prepared.connections_max = options.connections_max;
        let limits = StatementLimits {
            rows_max: options.rows_max.or(prepared.settings.rows_max),
            bytes_max: options.bytes_max.or(prepared.settings.bytes_max),
        };
        self.log_script(session_id, &sql, prepared.driver.info.dialect.as_ref());
        let source = RunSource::of(&sql);
        let script = Script::new(sql, options, limits, Follows::Nothing);
        let (connection, driver_type) = (prepared.connection, prepared.settings.driver_type.clone());
        Ok((connection, driver_type, beginning.spawn(self, prepared, script, limits, Some(source))?))
    }

    /// Stops what a session runs, and tells how it went. The stream of the answer still ends by itself. A leased session can
    /// be used again unless its driver had to be killed.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unknown`].
    pub async fn cancel_session(&self, id: SessionId) -> Result<Cancelled, SessionError> {
        self.stop_session(id).await
    }

    /// Gives data to the statement of a session, leased or not, that asks for it. Resolves when the driver has taken it.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unknown`], [`SessionError::Driver`].
    pub async fn send_copy_data(&self, id: SessionId, piece: CopyPiece) -> Result<CopyOutcome, SessionError> {
        self.give_copy_data(id, piece).await
    }

    /// Gives what a session runs, leased or not, more time. Answers what is left then; `None`: as long as it takes.
    ///
    /// # Errors
    ///
    /// [`SessionError::NothingRuns`], [`SessionError::DeadlineTooLong`], [`SessionError::Unknown`],
    /// [`LeaseError::Ended`](crate::LeaseError::Ended).
    pub fn extend_deadline(
        &self,
        id: SessionId,
        extension: Extension,
    ) -> Result<Option<Duration>, SessionError> {
        self.extend(id, extension)
    }
}

/// A script that is to be sent.
pub(crate) struct Script(ExecuteOrder);

/// What follows a script in its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follows {
    /// It is the only one.
    Nothing,
    /// Other scripts may come.
    More,
}

impl Script {
    pub(crate) fn new(
        sql: String,
        options: ExecuteOptions,
        limits: StatementLimits,
        follows: Follows,
    ) -> Self {
        Self(ExecuteOrder {
            sql,
            on_error: options.on_error,
            single_transaction: options.single_transaction,
            rows_max: limits.rows_max,
            bytes_max: limits.bytes_max,
            bindings: options.bindings,
            one_shot: follows == Follows::Nothing,
            gives_copy_data: options.gives_copy_data,
            column_facts: options.column_facts,
        })
    }
}

impl Work for Script {
    type Part = Part;
    type Parts = Parts;

    fn begin(self, driver: &OpenDriver) -> impl Future<Output = Result<Parts, CallError>> + Send {
        driver.execute(self.0)
    }

    fn next(parts: &mut Parts) -> impl Future<Output = Result<Option<Part>, CallError>> + Send {
        parts.next()
    }
}
