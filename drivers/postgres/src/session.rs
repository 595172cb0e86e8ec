//! An open session: its connection, which one call at a time borrows.

use std::sync::Arc;

use bytes::Bytes;
use querybox_plugin::{
    DdlStatements, Error, ExecuteError, Query, Results, SchemaError, SchemaObjects, Session, SessionEvents,
    pb,
};

use crate::{
    berth::Berth,
    cancel::Canceller,
    connect::Reserve,
    connection::{Access, Connection},
    notifications::Outbox,
    read_only,
    savepoint::Savepoint,
    schema, script,
};

/// A connection to a PostgreSQL server.
pub struct PostgresSession {
    berth: Berth,
    notifications: Arc<Outbox>,
    canceller: Canceller,
    server: pb::ServerFacts,
    /// For further connections; none without the user's consent.
    reserve: Option<Reserve>,
}

impl PostgresSession {
    pub(crate) fn new(connection: Connection, canceller: Canceller, server: pb::ServerFacts) -> Self {
        let notifications = Arc::clone(&connection.notifications);
        Self { berth: Berth::new(connection), notifications, canceller, server, reserve: None }
    }

    /// Lets statements be read over further connections.
    pub(crate) fn with(self, reserve: Reserve) -> Self {
        Self { reserve: Some(reserve), ..self }
    }

    async fn take(&self) -> Result<Connection, Error> {
        self.berth
            .take()
            .await
            .ok_or_else(|| Error::lost("the connection to the server was lost, and its transaction with it"))
    }

    /// Looks at the catalog, and leaves the user's transaction as it was.
    async fn look(
        &self,
        tell: impl AsyncFnOnce(&mut Connection) -> Result<(), SchemaError>,
    ) -> Result<(), SchemaError> {
        let mut connection = self.take().await?;
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
                    self.put_back(connection).await;
                }
            }
            Err(SchemaError::Failed(_)) => {}
        }
        told
    }

    async fn put_back(&self, connection: Connection) {
        self.berth.put_back(connection).await;
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
        let mut connection = self.take().await?;
        let executed =
            script::run(&mut connection, &query, &mut results, &self.canceller, self.reserve.as_ref()).await;
        match &executed {
            Ok(script::Link::Kept) => self.put_back(connection).await,
            Ok(script::Link::Lost) => {}
            Err(ExecuteError::Stopped) => {
                connection.abandon(&query.cancelled, &self.canceller).await?;
                connection.roll_back_frame().await?;
                self.put_back(connection).await;
            }
            Err(ExecuteError::Failed(error)) if script::leaves_in_step(error) => {
                connection.settle().await?;
                connection.roll_back_frame().await?;
                self.put_back(connection).await;
            }
            Err(ExecuteError::Failed(_)) => {}
        }
        executed.map(|_| ())
    }

    async fn schema(&self, filter: pb::GetSchemaRequest, objects: SchemaObjects) -> Result<(), SchemaError> {
        self.look(async |connection| schema::tell(connection, &filter, objects).await).await
    }

    async fn watch(&self, events: SessionEvents) {
        tokio::select! {
            () = self.notifications.tell(&events) => {}
            () = self.berth.listen() => {}
        }
    }

    async fn ddl(&self, objects: Vec<pb::ObjectRef>, statements: DdlStatements) -> Result<(), SchemaError> {
        self.look(async |connection| schema::ddl::tell(connection, &objects, statements).await).await
    }

    async fn cancel(&self) -> Result<(), Error> {
        self.canceller.send().await
    }
}
