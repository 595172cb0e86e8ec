//! What a driver implements.

use std::{fmt, future::Future, ops::Range, time::Duration};

use bytes::Bytes;
use querybox_contracts::plugin::v1 as pb;
use tokio_util::sync::CancellationToken;

use crate::{
    Credential, DdlStatements, Error, ExecuteError, OpenError, Parameters, Results, SchemaObjects,
    SessionEvents, Stages,
};

/// One kind of database.
///
/// [`serve_cli`](crate::serve_cli) makes an executable of it that speaks the plugin contract.
pub trait Driver: Send + Sync + 'static {
    /// An open connection to the database.
    type Session: Session;

    /// What the driver says of itself. Called before anything else, also without any connection.
    fn info(&self) -> pb::PluginInfo;

    /// Connects, sets the session up as [`OpenOptions`](pb::OpenOptions) says, and hands it over.
    ///
    /// # Errors
    ///
    /// [`OpenError::Rejected`] when the database refuses. Dropping the future must close what it had opened.
    fn open(&self, open: Open) -> impl Future<Output = Result<Self::Session, OpenError>> + Send;

    /// Tries to connect, telling each stage to `stages` as it ends, and closes again.
    ///
    /// # Errors
    ///
    /// The failure of the stage that did not pass; the SDK tells it as that stage's outcome.
    fn test(
        &self,
        open: Open,
        stages: &mut Stages,
    ) -> impl Future<Output = Result<pb::ServerFacts, OpenError>> + Send;

    /// Asks the database to stop what runs in the session of another process, which was killed. There are no secrets:
    /// [`Session::cancel_token`] held what is needed beside the parameters, and the connection is protected as they say.
    ///
    /// A driver that has this names [`DetachedCancel`](pb::Capability::DetachedCancel) among its capabilities. Others leave
    /// it as it is.
    ///
    /// # Errors
    ///
    /// When the database could not be asked.
    fn cancel_detached(&self, _cancel: DetachedCancel) -> impl Future<Output = Result<(), Error>> + Send {
        async { Err(Error::unsupported("the driver cancels only what runs in its own process")) }
    }
}

/// An open connection to a database. Dropping it closes it.
pub trait Session: Send + Sync + 'static {
    /// What was found when it was opened.
    fn server(&self) -> pb::ServerFacts;

    /// What another process of the same driver needs for [`Driver::cancel_detached`], at most 1,024 bytes; empty when it
    /// cannot.
    fn cancel_token(&self) -> Bytes {
        Bytes::new()
    }

    /// Runs a script and tells its results to `results`, statement by statement.
    ///
    /// What the database refuses goes to `results` too; the script goes on or stops as [`Query::on_error`] says.
    /// Nothing else runs in this session meanwhile.
    ///
    /// # Errors
    ///
    /// Only failures of the machinery.
    fn execute(
        &self,
        query: Query,
        results: Results,
    ) -> impl Future<Output = Result<(), ExecuteError>> + Send;

    /// Tells what the database holds, a parent before what belongs to it.
    ///
    /// # Errors
    ///
    /// As [`Driver::open`].
    fn schema(
        &self,
        filter: pb::GetSchemaRequest,
        objects: SchemaObjects,
    ) -> impl Future<Output = Result<(), SchemaError>> + Send;

    /// Tells the statements that make objects again, in the order in which they are asked for; nothing of an object that
    /// there is not.
    ///
    /// A driver that has this names [`Ddl`](pb::Capability::Ddl) among its capabilities. Others leave it as it is.
    ///
    /// # Errors
    ///
    /// As [`schema`](Self::schema).
    fn ddl(
        &self,
        _objects: Vec<pb::ObjectRef>,
        _statements: DdlStatements,
    ) -> impl Future<Output = Result<(), SchemaError>> + Send {
        async { Err(Error::unsupported("the driver does not tell how objects are made").into()) }
    }

    /// Tells what happens in the session, while something runs in it and while nothing does. Called beside all other
    /// functions, once at a time; dropped when nobody listens any more.
    ///
    /// A driver that has this names [`Notifications`](pb::Capability::Notifications) among its capabilities. Others leave it
    /// as it is.
    fn watch(&self, events: SessionEvents) -> impl Future<Output = ()> + Send {
        async move { events.closed().await }
    }

    /// Asks the database to stop what runs. Called while [`execute`](Self::execute), [`schema`](Self::schema) or
    /// [`ddl`](Self::ddl) runs, after [`Query::cancelled`] was set; they still end by themselves.
    ///
    /// # Errors
    ///
    /// When the database could not be asked.
    fn cancel(&self) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Why a schema could not be told to its end.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// Nobody listens any more.
    #[error("nobody listens any more")]
    Stopped,
    /// The database refused.
    #[error("{}", .0.message)]
    Rejected(Box<pb::Rejection>),
    /// The machinery failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// What a session is opened with. Parameters are already checked against the form.
#[derive(Debug)]
pub struct Open {
    /// The session's id, for names that the server shows (`application_name`).
    pub session_id: String,
    /// The connection's parameters.
    pub parameters: Parameters,
    /// Its secrets.
    pub credential: Credential,
    /// The database must refuse every write.
    pub read_only: bool,
    /// A script that runs first; empty when there is none.
    pub startup_sql: String,
    /// The schema that unqualified names are looked up in; empty for the database's own.
    pub default_schema: String,
    /// Connections that one statement may read over at the same time, at least one. More than one is only for drivers that
    /// name [`ParallelRead`](pb::Capability::ParallelRead) among their capabilities.
    pub connections_max: u32,
    /// Time for resolving, dialing, TLS and log-in together.
    pub connect_limit: Duration,
    /// Memory that the process may use; none when it was not said.
    pub memory_bytes: Option<u64>,
}

/// What a session that is not this process's is cancelled with. Parameters are already checked against the form.
pub struct DetachedCancel {
    /// What [`Session::cancel_token`] said.
    pub token: Bytes,
    /// The session's parameters.
    pub parameters: Parameters,
    /// Time for resolving, dialing, TLS and the request together.
    pub connect_limit: Duration,
}

impl fmt::Debug for DetachedCancel {
    /// Without the token: whoever has it can cancel.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DetachedCancel").field("parameters", &self.parameters).finish_non_exhaustive()
    }
}

/// A script to run.
#[derive(Debug)]
pub struct Query {
    /// One or more statements.
    pub sql: String,
    /// What follows a rejected statement.
    pub on_error: OnError,
    /// All statements in one transaction.
    pub single_transaction: bool,
    /// Nothing follows in this session.
    pub one_shot: bool,
    /// Values for the statement's parameters.
    pub bindings: Vec<pb::Binding>,
    /// Rows that a statement may return; none without a limit. [`Rows::begin_row`](crate::Rows::begin_row) holds it: a
    /// driver may ask its database for no more than one row beyond.
    pub rows_max: Option<u64>,
    /// Bytes that a statement may return, held in the same way.
    pub bytes_max: Option<u64>,
    /// [`Rows::column_facts`](crate::Rows::column_facts) is wanted also where the database has to be asked for it.
    pub column_facts: bool,
    /// Set when the script is to stop; checked between statements, while [`Session::cancel`] stops the running one.
    pub cancelled: CancellationToken,
}

/// What follows a rejected statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// No later statement runs.
    Stop,
    /// The next statement runs.
    Continue,
}

/// A range of bytes of [`Query::sql`] as the contract sends it. Scripts are below 4 GiB: the message limit sees to it.
pub(crate) fn span(range: Range<usize>) -> pb::Span {
    let byte = |at: usize| u32::try_from(at).expect("a script is smaller than the message limit");
    pb::Span { start_byte: byte(range.start), end_byte: byte(range.end) }
}
