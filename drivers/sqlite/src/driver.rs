//! The SDK's traits, over a connection on its own thread.

use querybox_plugin::{
    DdlStatements, Driver, Error, ExecuteError, Open, OpenError, Query, Results, SchemaError, SchemaObjects,
    Session, Stages, pb,
};

use crate::{info, worker::Worker};

/// SQLite as a kind of database.
#[derive(Debug, Clone, Copy)]
pub struct Sqlite;

impl Driver for Sqlite {
    type Session = SqliteSession;

    fn info(&self) -> pb::PluginInfo {
        info::info()
    }

    async fn open(&self, open: Open) -> Result<SqliteSession, OpenError> {
        let (worker, server) = Worker::open(open).await?;
        Ok(SqliteSession { worker, server })
    }

    async fn test(&self, open: Open, stages: &mut Stages) -> Result<pb::ServerFacts, OpenError> {
        stages.begin(pb::TestStage::Dial);
        let (_worker, server) = Worker::open(open).await?;
        stages.passed(server.database.clone()).await;
        stages.begin(pb::TestStage::Version);
        Ok(server)
    }
}

/// An open database file.
#[derive(Debug)]
pub struct SqliteSession {
    worker: Worker,
    server: pb::ServerFacts,
}

impl Session for SqliteSession {
    fn server(&self) -> pb::ServerFacts {
        self.server.clone()
    }

    async fn execute(&self, query: Query, results: Results) -> Result<(), ExecuteError> {
        self.worker.execute(query, results).await
    }

    async fn schema(&self, filter: pb::GetSchemaRequest, objects: SchemaObjects) -> Result<(), SchemaError> {
        self.worker.schema(filter, objects).await
    }

    async fn ddl(&self, objects: Vec<pb::ObjectRef>, statements: DdlStatements) -> Result<(), SchemaError> {
        self.worker.ddl(objects, statements).await
    }

    async fn cancel(&self) -> Result<(), Error> {
        self.worker.interrupt();
        Ok(())
    }
}
