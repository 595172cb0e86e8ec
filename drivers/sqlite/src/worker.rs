//! The thread that a connection lives on.
//!
//! SQLite blocks: a step may take hours. So each session has one thread that alone touches the connection; commands
//! reach it over a channel, and it tells results through the SDK's own channels, which hold it back when the reader is
//! slow. The thread ends, and closes the connection, when the session is dropped.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

use querybox_plugin::{
    DdlStatements, Error, ExecuteError, Open, OpenError, Query, Results, SchemaError, SchemaObjects, pb,
};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::{
    execute,
    interrupt::{Interrupt, Wish},
    open::{self, Database},
    schema,
};

/// The session's end of the thread.
pub(crate) struct Worker {
    // One command runs at a time, as the SDK sees to.
    commands: mpsc::Sender<Command>,
    interrupt: Interrupt,
}

enum Command {
    Execute {
        query: Query,
        results: Results,
        answer: oneshot::Sender<Result<(), ExecuteError>>,
    },
    Schema {
        filter: pb::GetSchemaRequest,
        objects: SchemaObjects,
        answer: oneshot::Sender<Result<(), SchemaError>>,
    },
    Ddl {
        objects: Vec<pb::ObjectRef>,
        statements: DdlStatements,
        answer: oneshot::Sender<Result<(), SchemaError>>,
    },
}

type Ready = Result<(Interrupt, pb::ServerFacts), OpenError>;

impl Worker {
    /// Starts the thread and opens the connection on it. Dropping the future stops both.
    pub(crate) async fn open(open: Open) -> Result<(Self, pb::ServerFacts), OpenError> {
        let wish = Wish::default();
        let opening = CancellationToken::new();
        wish.watch(opening.clone());
        let stop_on_drop = opening.drop_guard();

        let (commands, orders) = mpsc::channel(1);
        let (ready, opened) = oneshot::channel::<Ready>();
        thread::Builder::new()
            .name("sqlite".into())
            .spawn(move || live(open, wish, ready, orders))
            .map_err(|error| Error::broken(format!("no thread for the connection: {error}")))?;
        let (interrupt, server) = opened.await.map_err(|_| died())??;
        // What ran while opening is over; nothing is left to be stopped.
        stop_on_drop.disarm();
        Ok((Self { commands, interrupt }, server))
    }

    pub(crate) async fn execute(&self, query: Query, results: Results) -> Result<(), ExecuteError> {
        self.interrupt.watch(query.cancelled.clone());
        let (answer, answered) = oneshot::channel();
        self.commands.send(Command::Execute { query, results, answer }).await.map_err(|_| died())?;
        answered.await.map_err(|_| died())?
    }

    pub(crate) async fn schema(
        &self,
        filter: pb::GetSchemaRequest,
        objects: SchemaObjects,
    ) -> Result<(), SchemaError> {
        self.interrupt.watch(CancellationToken::new());
        let (answer, answered) = oneshot::channel();
        self.commands.send(Command::Schema { filter, objects, answer }).await.map_err(|_| died())?;
        answered.await.map_err(|_| died())?
    }

    pub(crate) async fn ddl(
        &self,
        objects: Vec<pb::ObjectRef>,
        statements: DdlStatements,
    ) -> Result<(), SchemaError> {
        self.interrupt.watch(CancellationToken::new());
        let (answer, answered) = oneshot::channel();
        self.commands.send(Command::Ddl { objects, statements, answer }).await.map_err(|_| died())?;
        answered.await.map_err(|_| died())?
    }

    /// Stops what runs now.
    pub(crate) fn interrupt(&self) {
        self.interrupt.interrupt();
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}

fn died() -> Error {
    Error::broken("the connection's thread ended")
}

/// The thread's life: open, one command after the other, close.
fn live(open: Open, wish: Wish, ready: oneshot::Sender<Ready>, mut orders: mpsc::Receiver<Command>) {
    let opened = catch_unwind(AssertUnwindSafe(|| open::open(open, wish.clone())))
        .unwrap_or_else(|panic| Err(panicked(&*panic).into()));
    let database = match opened {
        Ok(database) => database,
        Err(error) => {
            // Nobody waiting any more is no failure.
            ready.send(Err(error)).ok();
            return;
        }
    };
    let interrupt = Interrupt::new(&database.connection, wish);
    if ready.send(Ok((interrupt, database.server()))).is_err() {
        return;
    }
    while let Some(command) = orders.blocking_recv() {
        run(&database, command);
    }
}

fn run(database: &Database, command: Command) {
    // A panic is told as the command's failure: rusqlite panics on names that are not UTF-8, which a hostile file may
    // have. The connection stays whole, for a statement that unwinds is finalized by its drop.
    match command {
        Command::Execute { query, results, answer } => {
            let result = catch_unwind(AssertUnwindSafe(|| execute::execute(database, &query, results)))
                .unwrap_or_else(|panic| Err(panicked(&*panic).into()));
            answer.send(result).ok();
        }
        Command::Schema { filter, objects, answer } => {
            let result = catch_unwind(AssertUnwindSafe(|| schema::tell(database, &filter, objects)))
                .unwrap_or_else(|panic| Err(panicked(&*panic).into()));
            answer.send(result).ok();
        }
        Command::Ddl { objects, statements, answer } => {
            let tell = AssertUnwindSafe(|| schema::ddl::tell(database, &objects, statements));
            let result = catch_unwind(tell).unwrap_or_else(|panic| Err(panicked(&*panic).into()));
            answer.send(result).ok();
        }
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    Error::broken(format!("the driver panicked: {text}"))
}
