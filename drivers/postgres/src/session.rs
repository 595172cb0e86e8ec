//! An open session: its connection, which one call at a time borrows.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use querybox_plugin::{
    DdlStatements, Error, ExecuteError, Query, Results, SchemaError, SchemaObjects, Session, pb,
};

use crate::{
    cancel::Canceller,
    connection::{Access, Connection},
    read_only,
    savepoint::Savepoint,
    schema, script,
};

/// A connection to a PostgreSQL server.
pub struct PostgresSession {
    /// Away while a call runs, and for good when the connection was lost.
    connection: Mutex<Option<Connection>>,
    canceller: Canceller,
    server: pb::ServerFacts,
}

impl PostgresSession {
    pub(crate) fn new(connection: Connection, canceller: Canceller, server: pb::ServerFacts) -> Self {
        Self { connection: Mutex::new(Some(connection)), canceller, server }
    }

    fn take(&self) -> Result<Connection, Error> {
        let taken = self.connection.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.ok_or_else(|| Error::lost("the connection to the server was lost, and its transaction with it"))
    }

    /// Looks at the catalog, and leaves the user's transaction as it was.
    async fn look(
        &self,
        tell: impl AsyncFnOnce(&mut Connection) -> Result<(), SchemaError>,
    ) -> Result<(), SchemaError> {
        let mut connection = self.take()?;
        if connection.access == Access::ReadOnly {
            // The queries are the driver's own, but the user's settings say what the names in them mean.
            read_only::begin(&mut connection).await?;
        }
        let savepoint = Savepoint::set(&mut connection).await?;
        let told = tell(&mut connection).await;
        match &told {
            Ok(()) | Err(SchemaError::Stopped | SchemaError::Rejected(_)) => {
                // Catalog queries are short: what is left of one is read to its end.
                if connection.settle().await.is_ok()
                    && savepoint.go_back(&mut connection).await.is_ok()
                    && connection.roll_back_frame().await.is_ok()
                {
                    self.put_back(connection);
                }
            }
            Err(SchemaError::Failed(_)) => {}
        }
        told
    }

    fn put_back(&self, connection: Connection) {
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
    }
}

impl Session for PostgresSession {
    fn server(&self) -> pb::ServerFacts {
        self.server.clone()
    }

    fn cancel_token(&self) -> Bytes {
        self.canceller.token()
    }

    async fn execute(&self, query: Query, mut results: Results) -> Result<(), ExecuteError> {
        let mut connection = self.take()?;
        let executed = script::run(&mut connection, &query, &mut results, &self.canceller).await;
        match &executed {
            Ok(script::Link::Kept) => self.put_back(connection),
            Ok(script::Link::Lost) => {}
            Err(ExecuteError::Stopped) => {
                connection.abandon(&query.cancelled, &self.canceller).await?;
                connection.roll_back_frame().await?;
                self.put_back(connection);
            }
            Err(ExecuteError::Failed(error)) if script::leaves_in_step(error) => {
                connection.settle().await?;
                connection.roll_back_frame().await?;
                self.put_back(connection);
            }
            Err(ExecuteError::Failed(_)) => {}
        }
        executed.map(|_| ())
    }

    async fn schema(&self, filter: pb::GetSchemaRequest, objects: SchemaObjects) -> Result<(), SchemaError> {
        self.look(async |connection| schema::tell(connection, &filter, objects).await).await
    }

    async fn ddl(&self, objects: Vec<pb::ObjectRef>, statements: DdlStatements) -> Result<(), SchemaError> {
        self.look(async |connection| schema::ddl::tell(connection, &objects, statements).await).await
    }

    async fn cancel(&self) -> Result<(), Error> {
        self.canceller.send().await
    }
}
